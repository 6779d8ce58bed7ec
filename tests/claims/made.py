"""Claims, made up: cards, records of a session, results."""

from collections.abc import Mapping, Sequence

from bench.claims import outcome
from bench.claims.records import AnyRecord, Begun, CauseCard, ClaimCard, Ended, Plan, RatioCard, Share, Sized, WayCard
from bench.claims.results import Claims
from bench.results.place import Card

MACHINE = Card(
    cpu="made up",
    os="Linux",
    machine="x86_64",
    python="CPython 3.11",
    numpy="2",
    numpy_blas="none",
    numpy_simd="none",
    numba="0",
    llvm="0",
    numba_cpu="none",
    threads_available=2,
    caches={"L1d": 32768},
    memory_bytes=2**33,
)
SOURCE = ("An author", "A title", "a place", 2017)


def card(
    printed: Sequence[float | None] = (0.3, 1e-3),
    stated: tuple[float, ...] = (),
    claim_id: str = "made",
    nbytes: float | None = 16e6,
    source: tuple[str, str, str, int] | None = SOURCE,
    passes: int = 1,
) -> ClaimCard:
    """A claim of two ways, slow and fast, and of `other` where three times are printed."""
    names = ("slow", "fast", "other")
    return ClaimCard(
        id=claim_id,
        about="A made-up claim.\n\nIts story.",
        shape="{n} numbers",
        n=1_000_000,
        dtype="float64",
        threads=1,
        ways=[WayCard(name, f"the {name} way", time, passes) for name, time in zip(names, printed, strict=False)],
        ratios=[RatioCard("slow", "fast", stated)],
        causes=[CauseCard("slow", "fast", "One thing differs"), CauseCard("fast", "fast", "Only once", first=True)],
        source=source,
        nbytes=nbytes,
    )


def records(
    of: ClaimCard,
    seconds: Mapping[str, Sequence[float]],
    loops: int = 1,
    sizes: tuple[int, ...] = (),
    skipped: Mapping[str, float] | None = None,
    at: Mapping[int, Mapping[str, Sequence[float]]] | None = None,
) -> list[AnyRecord]:
    """A journal: way -> seconds of a call, one a process; `at` gives them by size for a sweep."""
    processes = max(len(times) for times in (*seconds.values(), *(t for w in (at or {}).values() for t in w.values())))
    begun = Begun(Plan((of.id,), sizes, processes=processes), [of], MACHINE, "2026-01-01T00:00:00", "0", {})
    made: list[AnyRecord] = [begun]
    for n in sizes or (of.n,):
        measured = (at or {}).get(n, seconds)
        names = dict.fromkeys(measured, loops)
        of_size = {name: each for name, each in (skipped or {}).items() if name not in measured}
        made.append(Sized(of.id, n, n, names, dict.fromkeys(names, 1), 1, dict.fromkeys(names, 1.0), "", of_size))
        for process in range(processes):
            samples = {name: [times[process] * loops] for name, times in measured.items()}
            first = {name: 3.0 * times[process] for name, times in measured.items()}
            made.append(Share(of.id, n, process, samples, first, dict.fromkeys(measured, 0.5)))
    return [*made, Ended(12.0)]


def claims(*pairs: tuple[ClaimCard, Mapping[str, Sequence[float]]]) -> Claims:
    """The results of several claims, each with the seconds of its ways by process."""
    parts = [records(of, seconds) for of, seconds in pairs]
    first = parts[0][0]
    assert isinstance(first, Begun)
    begun = Begun(Plan(tuple(of.id for of, _ in pairs)), [of for of, _ in pairs], MACHINE, first.date, "0", {})
    return outcome.of([begun, *(record for part in parts for record in part[1:])])
