"""What the engine tells while it measures a cell, one after another: its events."""

from dataclasses import dataclass

from bench.agreement.bounds import Agreement


@dataclass(frozen=True)
class FirstCall:
    """The first call of a kernel in a cell, in seconds; the first of all for a compiled kernel compiles it.

    A compiled peer compiles for every shape: its first whole call is told too, and the first on few examples with it.
    """

    kernel: str
    seconds: float


@dataclass(frozen=True)
class Skipped:
    """A kernel that was not run, and its predicted seconds a call."""

    kernel: str
    reason: str
    predicted: float


@dataclass(frozen=True)
class Failed:
    """A kernel that disagreed or raised; it is not timed."""

    kernel: str
    reason: str


@dataclass(frozen=True)
class Calibrated:
    """What is frozen before the first round.

    Attributes:
        loops: Calls in a sample.
        every: Every how many rounds a kernel takes part.
        rounds: How many rounds there will be.
        seconds: How long their samples should take altogether.
    """

    loops: dict[str, int]
    every: dict[str, int]
    rounds: int
    seconds: float


@dataclass(frozen=True)
class Round:
    """The samples of a round in the order taken: kernel, seconds and CPU seconds, of all its loops together."""

    index: int
    samples: list[tuple[str, float, float]]


@dataclass(frozen=True)
class Frozen:
    """Where an earlier process left a cell: what it had calibrated, and how many rounds it had done."""

    calibrated: Calibrated
    done: int


Event = FirstCall | Skipped | Failed | Agreement | Calibrated | Round
