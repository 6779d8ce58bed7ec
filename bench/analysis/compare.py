"""Two runs -> what became slower or faster beyond noise, and whether they may be compared at all.

The runs share no rounds, so nothing can be paired between them: `stats.ratio` takes the medians as independent. On
machines that differ, seconds say nothing of the kernels; there each run's speed-ups, paired within it, are compared.
All intervals hold together, given independent rounds: each has the confidence 1 - 5 % / (number of comparisons)
(Bonferroni). The noise floors beside them are estimates of their own, and no part of that.

What slowed all kernels alike may be the machine (a lower clock), or what they share (a compiler, a library): seconds
can't tell which. So seconds are judged as they are, for a change of all must not be hidden; and what all have in common
is told apart from what a kernel did beyond it, for a change of one must not drown.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Literal

import numpy as np

from bench import stats
from bench.grid import Cell, Preset
from bench.machine import card as machine
from bench.results.run import BASELINES, LOOP, VECTORIZED, CellResult, Run
from bench.stats import Interval

CONFIDENCE = 0.95  # with which all the intervals of a comparison hold together
HARDWARE = ("cpu", "machine", "cores", "threads_available", "caches", "numba_cpu")
FEWEST = 3  # kernels of a cell that can have something in common
VERSIONS = ("os", "python", "numpy", "numpy_blas", "numpy_simd", "numba", "llvm")
Verdict = Literal["slower", "faster", "same", "unknown"]
WAYS: tuple[Verdict, Verdict] = ("slower", "faster")


class NothingInCommon(Exception):
    """Two runs that share no kernel in no cell."""


class NothingTold(Exception):
    """Two runs of which nothing could be decided, with too few rounds."""


@dataclass(frozen=True)
class Change:
    """One kernel in one cell of both runs.

    Attributes:
        kernel: The kernel.
        cell: The cell.
        baseline: What speed-ups are over, where they are compared; None where seconds are.
        a: Median seconds, or the speed-up, in the first run.
        b: The same in the second.
        ratio: How many times as slow the second run is; below 1, it is faster.
        floor: The larger noise floor of the two cells; a smaller relative difference is no change.
    """

    kernel: str
    cell: Cell
    baseline: str | None
    a: float
    b: float
    ratio: Interval
    floor: float

    @property
    def verdict(self) -> Verdict:
        """Slower or faster only if all of the interval is beyond the noise; unknown with too few rounds for one."""
        return _verdict(self.ratio, self.floor)


@dataclass(frozen=True)
class Common:
    """What all kernels and cells of a comparison have in common.

    Attributes:
        ratio: The median over the cells of the median ratio of a cell's kernels, with the interval of the sign test: of
            95% by itself, and wide where the cells do not have it in common. Kernels of a cell share their rounds, so
            it is the cells that are counted.
        floor: The median of the cells' noise floors.
    """

    ratio: Interval
    floor: float

    @property
    def verdict(self) -> Verdict:
        """As for a change; unknown with too few cells."""
        return _verdict(self.ratio, self.floor)


@dataclass(frozen=True)
class Comparison:
    """What two runs have in common, and what came of it.

    Attributes:
        changes: Every kernel and cell of both runs, in the order of the second.
        common: Baseline (None for seconds) -> what all have in common; not of fewer than FEWEST kernels.
        hardware: (what, first, second) of what differs between the machines; if any does, speed-ups are compared.
        versions: The same of versions and settings.
        alone: Sentences on what only one run holds.
        lost: Kernel and cell that was timed in the first run and failed in the second, with the reason.
    """

    changes: list[Change]
    common: dict[str | None, Common]
    hardware: list[tuple[str, str, str]]
    versions: list[tuple[str, str, str]]
    alone: list[str]
    lost: list[str]

    def of(self, verdict: Verdict) -> list[Change]:
        """The changes of a verdict."""
        return [c for c in self.changes if c.verdict == verdict]

    def beyond(self, change: Change) -> Interval:
        """The ratio beyond what all have in common; the ratio itself, where that is no more than noise."""
        common = self.drift.get(change.baseline)
        return stats.quotient(change.ratio, common.ratio) if common else change.ratio

    @cached_property
    def drift(self) -> dict[str | None, Common]:
        """What all have in common, where it is beyond noise."""
        return {baseline: common for baseline, common in self.common.items() if common.verdict in WAYS}

    def apart(self, verdict: Verdict) -> list[Change]:
        """The changes of a verdict beyond what all have in common."""
        return [c for c in self.changes if _verdict(self.beyond(c), c.floor) == verdict]

    @property
    def changed(self) -> list[Change]:
        """What is slower or faster beyond noise, as it is or beyond what is common; the largest, beyond it, first."""
        changed = {id(c): c for way in WAYS for c in (*self.of(way), *self.apart(way))}
        return sorted(changed.values(), key=lambda c: -abs(np.log(self.beyond(c).estimate)))

    def regressions(self, allowed: float) -> list[Change]:
        """What is slower, beyond noise, by more than the relative difference `allowed` beyond doubt."""
        return [c for c in self.of("slower") if c.ratio.low > 1.0 + allowed]

    def regressions_apart(self, allowed: float) -> list[Change]:
        """The same beyond what all have in common."""
        return [c for c in self.apart("slower") if self.beyond(c).low > 1.0 + allowed]


def compare(a: Run, b: Run, confidence: float = CONFIDENCE) -> Comparison:
    """Compare the second run with the first.

    Args:
        a: The run before.
        b: The run after.
        confidence: Probability with which all the intervals hold at once.

    Raises:
        NothingInCommon: If no kernel was timed in the same cell of both.
    """
    hardware = _differences(a.header["machine"], b.header["machine"], HARDWARE)
    before = {result.cell: result for result in a.cells}
    pairs = [(before[result.cell], result) for result in b.cells if result.cell in before]
    wanted = [
        (one, two, kernel, baseline)
        for one, two in pairs
        for baseline in (BASELINES if hardware else (None,))
        for kernel in two.kernels
        if _comparable(one, kernel, baseline) and _comparable(two, kernel, baseline)
    ]
    if not wanted:
        raise NothingInCommon("no kernel was timed in the same cell of both runs; compare runs of one grid")
    # How many comparisons there are is settled before any is made.
    each = 1.0 - (1.0 - confidence) / len(wanted)
    found = [_change(one, two, kernel, baseline, each) for one, two, kernel, baseline in wanted]
    return Comparison(
        changes=found,
        common=_common(found),
        hardware=hardware,
        versions=_versions(a, b),
        alone=[*_cells_alone(a, b), *_kernels_alone(pairs)],
        lost=[
            f"{kernel} at {two.cell.label}: {reason}"
            for one, two in pairs
            for kernel, reason in two.failed.items()
            if kernel in one.kernels
        ],
    )


def rounds_needed(comparisons: int, confidence: float = CONFIDENCE) -> int:
    """How many rounds a kernel must have in each run for an interval, where so many comparisons hold at once."""
    each = stats.each_of_two(1.0 - (1.0 - confidence) / comparisons)
    return int(np.ceil(-np.log2((1.0 - each) / 2.0)))


def _verdict(ratio: Interval, floor: float) -> Verdict:
    if not (np.isfinite(ratio.high) and ratio.low > 0.0 and np.isfinite(floor)):
        return "unknown"
    if ratio.low > 1.0 + floor:
        return "slower"
    return "faster" if ratio.high < 1.0 / (1.0 + floor) else "same"


def _common(changes: list[Change]) -> dict[str | None, Common]:
    cells: dict[str | None, dict[Cell, list[Change]]] = {}
    for change in changes:
        cells.setdefault(change.baseline, {}).setdefault(change.cell, []).append(change)
    found = {}
    for baseline, of_cells in cells.items():
        held = [of_cell for of_cell in of_cells.values() if len(of_cell) >= FEWEST]
        if held:
            ratio = stats.median([float(np.median([c.ratio.estimate for c in of_cell])) for of_cell in held])
            found[baseline] = Common(ratio, float(np.median([of_cell[0].floor for of_cell in held])))
    return found


def _comparable(result: CellResult, kernel: str, baseline: str | None) -> bool:
    if baseline is None:
        return kernel in result.kernels
    # The loop over the vectorized form is the vectorized form over the loop once more.
    if kernel == baseline or (kernel, baseline) == (LOOP, VECTORIZED):
        return False
    return kernel in result.kernels and result.speedup(baseline, kernel) is not None


def _change(one: CellResult, two: CellResult, kernel: str, baseline: str | None, confidence: float) -> Change:
    floor = max(one.noise_floor, two.noise_floor)
    if baseline is None:
        ratio = stats.ratio(two.seconds[kernel], one.seconds[kernel], confidence)
        return Change(kernel, two.cell, None, one.median(kernel).estimate, two.median(kernel).estimate, ratio, floor)
    each = stats.each_of_two(confidence)
    a, b = one.speedup(baseline, kernel, each), two.speedup(baseline, kernel, each)
    assert a is not None and b is not None  # _comparable
    return Change(kernel, two.cell, baseline, a.estimate, b.estimate, stats.quotient(a, b), floor)


def _differences(a: machine.Card, b: machine.Card, keys: tuple[str, ...]) -> list[tuple[str, str, str]]:
    return [(key, _said(a.get(key)), _said(b.get(key))) for key in keys if a.get(key) != b.get(key)]


def _said(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {machine.human_bytes(size)}" for key, size in value.items()) or "none"
    return "none" if value is None else str(value)


def _versions(a: Run, b: Run) -> list[tuple[str, str, str]]:
    """Versions and settings that differ; not the grid and its patience, for seconds do not depend on them."""
    grid = {field.name for field in fields(Preset)} - {"sample_seconds", "settle_seconds"}
    found = _differences(a.header["machine"], b.header["machine"], VERSIONS)
    for part, ignored in (("libraries", set[str]()), ("settings", grid)):
        before, after = a.header.get(part, {}), b.header.get(part, {})
        keys = [key for key in dict.fromkeys((*before, *after)) if key not in ignored]
        # A library that one run did not ask for is no other version.
        if part == "libraries":
            keys = [key for key in keys if key in before and key in after]
        found += _differences(before, after, tuple(keys))
    return found + _differences(a.header, b.header, ("seed",))


def _cells_alone(a: Run, b: Run) -> Iterator[str]:
    for which, run, other in (("the first", a, b), ("the second", b, a)):
        alone = [r.cell.label for r in run.cells if r.cell not in {o.cell for o in other.cells}]
        if alone:
            named = alone[0] if len(alone) == 1 else f"{alone[0]}; …; {alone[-1]}"
            yield f"{len(alone)} {'cell' if len(alone) == 1 else 'cells'} only in {which} run: {named}."


def _kernels_alone(pairs: list[tuple[CellResult, CellResult]]) -> Iterator[str]:
    """Of the cells that both runs hold: the kernels that only one timed there, and why the other did not."""
    for which, other, ordered in (
        ("first", "second", pairs),
        ("second", "first", [(two, one) for one, two in pairs]),
    ):
        found = Counter(
            (kernel, _why_not(not_timed, kernel))
            for timed, not_timed in ordered
            for kernel in timed.kernels
            if kernel not in not_timed.kernels
        )
        for (kernel, why), count in found.items():
            cells = "1 cell" if count == 1 else f"{count} cells"
            yield f"{kernel} in {cells} only in the {which} run; {why} in the {other}."


def _why_not(result: CellResult, kernel: str) -> str:
    if kernel in result.failed:
        return "it failed"
    return "it was not run there (too slow, or too large)" if kernel in result.skipped else "it was not measured"
