"""What came of a run of claims: `claims.json`, with times, ratios, intervals and verdicts.

Reading it needs neither Numba nor the engine, so a report can be made anywhere.
"""

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from bench.claims.records import FORMAT, ClaimCard, Plan
from bench.files import replaced
from bench.results.place import Card
from bench.stats import Interval
from bench.words import WrongUse

FILE = "claims.json"
Verdict = Literal[
    "reproduced",
    "larger",
    "smaller",
    "undecided",
    "contradicts itself",
    "impossible as printed",
    "nothing printed",
    "not measured",
]


class Measured(Struct, frozen=True):
    """A number with its 95% interval; without one (a single process), low is 0 and high is None."""

    estimate: float
    low: float
    high: float | None

    @classmethod
    def of(cls, value: Interval) -> "Measured":
        """From an interval."""
        return cls(value.estimate, value.low, None if value.high == float("inf") else value.high)

    @property
    def interval(self) -> Interval:
        """As an interval."""
        return Interval(self.estimate, self.low, float("inf") if self.high is None else self.high)


class WayResult(Struct, frozen=True):
    """A way at a size.

    Attributes:
        name: Its name.
        printed: Seconds as printed.
        seconds: Seconds of a call, as on a quiet machine.
        first: Seconds of the first call in a fresh process.
        error: Its largest error, in units of the tolerance.
        predicted: Predicted seconds of a call, where it was too slow to run.
        failed: Why it has no time.
    """

    name: str
    printed: float | None = None
    seconds: Measured | None = None
    first: Measured | None = None
    error: float | None = None
    predicted: float | None = None
    failed: str | None = None

    @property
    def estimate(self) -> float | None:
        """Seconds of a call, measured or predicted."""
        return self.seconds.estimate if self.seconds is not None else self.predicted


class RatioResult(Struct, frozen=True):
    """A ratio of two ways.

    Attributes:
        slow: The slower way, as published.
        fast: The faster way.
        stated: As the text states it: one value, or the two ends of a range.
        printed: From the printed times.
        measured: Here.
        against: The measured ratio over the claimed one, where there are both.
        verdict: The verdict of the measurement alone.
    """

    slow: str
    fast: str
    stated: tuple[float, ...]
    printed: float | None
    measured: Measured | None
    against: Measured | None
    verdict: Verdict

    @property
    def claimed(self) -> tuple[float, float] | None:
        """What was claimed, as two ends: from the printed times, or else as stated."""
        if self.printed is not None:
            return self.printed, self.printed
        return (self.stated[0], self.stated[-1]) if self.stated else None


class CauseResult(Struct, frozen=True):
    """A controlled pair, measured: how many times faster the way without the cause is."""

    before: str
    after: str
    words: str
    first: bool
    faster: Measured


class Size(Struct, frozen=True):
    """A claim at one size of a sweep.

    Attributes:
        n: The size.
        ways: Each way.
        speedups: Way -> how many times faster it is than the slow way of the claim's ratio, where both were measured.
        why: Why it was not run; "" where it was.
    """

    n: int
    ways: list[WayResult]
    speedups: dict[str, Measured] = {}
    why: str = ""

    def way(self, name: str) -> WayResult:
        """The way of a name."""
        return next(way for way in self.ways if way.name == name)

    def speedup(self, base: str, name: str) -> Measured | None:
        """The speed-up of a way over the base; where one of the two is predicted, without an interval."""
        if name in self.speedups:
            return self.speedups[name]
        before, after = self.way(base).estimate, self.way(name).estimate
        return None if before is None or after is None else Measured(before / after, 0.0, None)


class ClaimResult(Struct, frozen=True):
    """A claim with what was measured of it.

    Attributes:
        card: What was claimed.
        verdict: The verdict of all rules.
        reasons: What it rests on, in sentences with the arithmetic.
        n: The size measured.
        why: Why that is not the published one; "" where it is.
        ways: Each way.
        ratios: Each ratio; the first is the claim's.
        causes: The controlled pairs.
        sweep: The sizes of a sweep; then there is nothing in the fields above from `n` on.
    """

    card: ClaimCard
    verdict: Verdict
    reasons: list[str] = []
    n: int = 0
    why: str = ""
    ways: list[WayResult] = []
    ratios: list[RatioResult] = []
    causes: list[CauseResult] = []
    sweep: list[Size] = []

    def way(self, name: str) -> WayResult:
        """The way of a name."""
        return next(way for way in self.ways if way.name == name)


class Claims(Struct, frozen=True):
    """`claims.json`: a run of claims and what came of it."""

    format: int
    date: str
    version: str
    machine: Card
    plan: Plan
    wall: float
    complete: bool
    claims: list[ClaimResult]


class NotClaims(WrongUse):
    """A file without claims that this version can read; in one line."""


def write(claims: Claims, folder: Path) -> Path:
    """Write claims.json into a folder; returns its path."""
    path = folder / FILE
    with replaced(path) as new:
        new.write_bytes(msgspec.json.format(msgspec.json.encode(claims), indent=1))
    return path


def load(folder: Path) -> Claims | None:
    """The claims in a folder; None where there are none.

    Raises:
        NotClaims: If the file is damaged, or of another format.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        claims = msgspec.json.decode(path.read_bytes(), type=Claims)
    except (msgspec.DecodeError, ValueError) as error:
        raise NotClaims(f"{path} can't be read: {error}; measure again: unloop reproduce") from None
    if claims.format != FORMAT:
        raise NotClaims(f"{path} has format {claims.format}; this version reads {FORMAT}; run unloop reproduce again")
    return claims
