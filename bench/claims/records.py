"""What a run of claims records in its journal: what was to be measured, and raw samples."""

from msgspec import Struct

from bench.results.place import Card

FORMAT = 1


class WayCard(Struct, frozen=True):
    """What is known of a way before it runs."""

    name: str
    title: str
    printed: float | None = None
    passes: int = 1
    judged: bool = True
    missing: str | None = None


class RatioCard(Struct, frozen=True):
    """A ratio that was claimed; `stated` has one value, or the two ends of a range."""

    slow: str
    fast: str
    stated: tuple[float, ...] = ()


class CauseCard(Struct, frozen=True):
    """A controlled pair."""

    before: str
    after: str
    words: str
    first: bool = False


class ClaimCard(Struct, frozen=True):
    """What is known of a claim before it runs; `nbytes` is what any way must move at the published size."""

    id: str
    about: str
    shape: str
    n: int
    dtype: str
    threads: int
    ways: list[WayCard]
    ratios: list[RatioCard]
    causes: list[CauseCard] = []
    source: tuple[str, str, str, int] | None = None
    nbytes: float | None = None
    operations: float | None = None
    file: str = ""

    @property
    def title(self) -> str:
        """The first line of its docstring, without its full stop."""
        return self.about.partition("\n")[0].removesuffix(".") or self.id

    @property
    def story(self) -> str:
        """The rest of its docstring."""
        return " ".join(self.about.partition("\n")[2].split())

    def way(self, name: str) -> WayCard:
        """The way of a name."""
        return next(way for way in self.ways if way.name == name)

    def sized(self, n: int) -> str:
        """What is computed, with its size."""
        return self.shape.replace("{n}", f"{n:,}")


class Plan(Struct, frozen=True):
    """What a run of claims measures.

    Attributes:
        claims: Published ids, and files of the reader's own.
        sizes: The sizes of a sweep; none for the sizes as published.
        full: Take published sizes, however long they take.
        processes: How many fresh processes measure each.
        seed: Seed of the inputs and of the order of samples.
    """

    claims: tuple[str, ...]
    sizes: tuple[int, ...] = ()
    full: bool = False
    processes: int = 6
    seed: int = 0


class Begun(Struct, frozen=True, tag=True):
    """The first record of a journal."""

    plan: Plan
    cards: list[ClaimCard]
    machine: Card
    date: str
    version: str
    sources: dict[str, str]
    format: int = FORMAT


class Sized(Struct, frozen=True, tag=True):
    """What the first process fixed for a claim at a size: the others measure the same.

    Attributes:
        claim: Its id.
        wanted: The size that was wanted; `n` is what was measured, the same or smaller.
        why: Why it is smaller; "" where it is not.
        loops: Way -> calls in a sample.
        every: Way -> it takes part in every so many rounds.
        rounds: Rounds of a process.
        seconds: Way -> seconds of a call, about.
        skipped: Way -> predicted seconds of a call that is too slow to run.
    """

    claim: str
    wanted: int
    n: int
    loops: dict[str, int]
    every: dict[str, int]
    rounds: int
    seconds: dict[str, float]
    why: str = ""
    skipped: dict[str, float] = {}


class Share(Struct, frozen=True, tag=True):
    """What one process measured of a claim at a size: seconds of each sample (of all its loops), by way.

    `first` is the first call of a way in this process, `errors` in units of the tolerance.
    """

    claim: str
    wanted: int
    process: int
    samples: dict[str, list[float]]
    first: dict[str, float] = {}
    errors: dict[str, float] = {}


class Failed(Struct, frozen=True, tag=True):
    """A way that is out, at a size; all ways where `way` is empty."""

    claim: str
    wanted: int
    way: str
    reason: str


class Ended(Struct, frozen=True, tag=True):
    """The end of a session."""

    wall: float


AnyRecord = Begun | Sized | Share | Failed | Ended
