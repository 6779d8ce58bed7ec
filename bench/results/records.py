"""What a journal holds: one tagged union of records, which msgspec writes, reads and checks.

The first record is the `Header`. A `Begun` opens a cell; what the engine then does there is an `Event`. Everything that
reads a run matches on these types, so a record that can't be what a run writes is refused where it is read.
"""

from typing import Annotated, Literal, NamedTuple

import numpy as np
from msgspec import Meta, Struct

from bench.grid import AtLeastOne, Cell, Count, Plan
from bench.results.place import Card, Moment, Pool

FORMAT = 2
Seconds = Annotated[float, Meta(ge=0.0, lt=1e9)]  # thirty years
Positive = Annotated[float, Meta(gt=0.0, lt=1e9)]
Rate = Annotated[float, Meta(gt=0.0)]

# Labels of what is measured beside the kernels. Kernels are named as files are, all else in words.
CONTROL = "A/A control"
READ = "linear read"  # the ruler of cells whose X comes from memory
PAIR = "pair: "  # a variant of a kernel begins with it
OUTPUTS = ("J", "dw", "db")


def is_kernel(label: str) -> bool:
    """Whether a label names a kernel."""
    return label.isidentifier()


class KernelCard(Struct, frozen=True):
    """What a run records of a kernel; `own` names the file of one of the user's own."""

    title: str
    change: str
    threads: Literal["one", "all"]
    compiles: Literal["never", "once", "per shape"]
    missing: str | None = None
    own: str | None = None


class ReadRate(NamedTuple):
    """Bytes of a working set, and how many bytes of it are read a second."""

    nbytes: AtLeastOne
    rate: Rate


class Ceiling(Struct, frozen=True):
    """What a machine can do at most with a number of threads.

    Attributes:
        threads: How many threads.
        read: Read rates, from small to large working sets.
        flops: Floating-point operations a second; a multiply-add counts as two.
        exps: Exponentials a second.
    """

    threads: AtLeastOne
    read: Annotated[list[ReadRate], Meta(min_length=1)]
    flops: Rate
    exps: Rate

    def bandwidth(self, nbytes: float) -> float:
        """Bytes a second for a working set of so many bytes, between the two that were measured next to it."""
        sizes, rates = np.array(self.read).T
        return float(np.exp(np.interp(np.log(nbytes), np.log(sizes), np.log(rates))))

    def limits(self, m: int, n_x: int) -> dict[str, float]:
        """Seconds that a gradient step takes at least, for each kind of work."""
        nbytes = 8 * m * n_x
        return {
            "reading X": nbytes / self.bandwidth(nbytes),
            "arithmetic": 4 * m * n_x / self.flops,
            "exponentials": m / self.exps,
        }

    def bound(self, m: int, n_x: int) -> float:
        """Seconds that a gradient step takes at least."""
        return max(self.limits(m, n_x).values())

    def higher(self, other: "Ceiling") -> "Ceiling":
        """The higher of two measurements of everything: a machine can do as much as it ever did."""
        rates = dict(self.read)
        read = [ReadRate(nbytes, max(rate, rates.get(nbytes, 0.0))) for nbytes, rate in other.read]
        return Ceiling(self.threads, read, max(self.flops, other.flops), max(self.exps, other.exps))


class Price(Struct, frozen=True):
    """What the first call of a kernel takes, in seconds; `cached` is None where the cache can't hold the kernel."""

    kernel: str
    cold: Positive
    cached: float | None
    warm: Positive


class Sample(NamedTuple):
    """One sample: wall and CPU seconds of all its loops together."""

    label: str
    seconds: Positive
    cpu: Seconds

    @classmethod
    def of(cls, label: str, seconds: float, cpu: float) -> "Sample":
        """A sample with no more digits than a clock has: a third of the size on disk."""
        return cls(label, float(f"{seconds:.9g}"), float(f"{cpu:.6g}"))


class Ruled(NamedTuple):
    """Seconds of the ruler's arithmetic and of its read, and how often the process lost a processor since the last."""

    arithmetic: Positive
    read: Positive
    switches: Count


class Record(Struct, frozen=True, tag_field="type", kw_only=True):
    """A line of a journal; `at` is the seconds of the run until then."""

    at: Seconds = 0.0


class Header(Record, frozen=True, tag="run", kw_only=True):
    """What a run is, where and with what it is made.

    `environment` holds the settings of the measuring process, `source` a hash of all code that a sample depends on.
    """

    plan: Plan
    machine: Card
    before: Moment
    kernels: dict[str, KernelCard]
    libraries: dict[str, str] = {}
    pools: list[Pool] = []
    environment: dict[str, str] = {}
    source: str | None = None
    format: int = FORMAT


class Ceilings(Record, frozen=True, tag="ceilings"):
    """The machine's ceilings, one for each number of threads."""

    ceilings: list[Ceiling]


class Compiling(Record, frozen=True, tag="compiling"):
    """The price of compiling each kernel."""

    prices: list[Price]


class Counts(Record, frozen=True, tag="counts"):
    """Kernel -> what a call does, counted."""

    counts: dict[str, dict[str, float]]


class Warned(Record, frozen=True, tag="Warning"):
    """What was wrong with the machine: in a cell (its id), or before the run (None)."""

    cell: str | None
    words: list[str]


class Begun(Record, frozen=True, tag="cell"):
    """A cell is begun; `pools` holds how many threads each thread pool has in it."""

    cell: Cell
    pools: dict[str, Count] = {}


class Resumed(Record, frozen=True, tag="resumed"):
    """The run was resumed."""

    before: Moment


class End(Record, frozen=True, tag="end"):
    """The run ended, or was interrupted; `peak_bytes` is the most memory that the measuring process held."""

    wall: Seconds
    after: Moment
    interrupted: bool
    peak_bytes: Count | None = None


class Event(Record, frozen=True, kw_only=True):
    """What the engine did in a cell, by the cell's id."""

    cell: str


class FirstCall(Event, frozen=True, tag="FirstCall", kw_only=True):
    """Seconds of the first call of a kernel in a cell.

    A kernel that compiles once does it in the first of all its first calls. One that compiles for each shape has two of
    these records in a cell: on few examples, and that together with its first whole call.
    """

    kernel: str
    seconds: Seconds


class Agreed(Event, frozen=True, tag="Agreement", kw_only=True):
    """A kernel agrees with the reference; the largest error of each output, in units of rounding."""

    kernel: str
    J: float
    dw: float
    db: float


class Skipped(Event, frozen=True, tag="Skipped", kw_only=True):
    """A kernel was not run; `predicted` is the seconds that a call would take, where that is the reason."""

    kernel: str
    reason: str
    predicted: float | None = None


class Failed(Event, frozen=True, tag="Failed", kw_only=True):
    """A kernel disagreed, raised or crashed; it is not timed."""

    kernel: str
    reason: str


class Calibrated(Event, frozen=True, tag="Calibrated", kw_only=True):
    """What is fixed before the first round.

    Attributes:
        loops: Calls in a sample.
        every: Every how many rounds a kernel takes part.
        rounds: How many rounds there will be, in all processes together.
        seconds: How long their samples should take altogether.
        processes: How many processes take them, one after another, as many each.
    """

    loops: dict[str, AtLeastOne]
    every: dict[str, AtLeastOne]
    rounds: AtLeastOne
    seconds: Seconds
    processes: AtLeastOne = 1

    @property
    def per_process(self) -> int:
        """Rounds of one process."""
        return self.rounds // self.processes


class Round(Event, frozen=True, tag="Round", kw_only=True):
    """The samples of a round, in the order taken; and before them, what the ruler shows of the machine."""

    index: Count
    samples: list[Sample]
    ruler: Ruled | None = None


EventRecord = FirstCall | Agreed | Skipped | Failed | Calibrated | Round
AnyRecord = EventRecord | Header | Ceilings | Compiling | Counts | Warned | Begun | Resumed | End
