"""Two runs -> what became slower or faster beyond noise, and whether they may be compared at all.

The runs share no rounds, so nothing can be paired between them: `stats.ratio` takes the medians as independent. On
machines that differ, seconds say nothing of the kernels; there each run's speed-ups, paired within it, are compared.
All intervals hold together, given independent rounds: each has the confidence 1 - 5 % / (number of comparisons)
(Bonferroni). The noise floors beside them are estimates of their own, and no part of that.

What slowed all kernels alike may be the machine (a lower clock), or what they share (a compiler, a library): seconds
can't tell which. So seconds are judged as they are, for a change of all must not be hidden; and what all have in common
is kept apart from what a kernel did beyond it, for a change of one must not drown.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from bench import stats
from bench.analysis.differences import (
    CellsAlone,
    Difference,
    KernelAlone,
    Lost,
    alone,
    hardware,
    lost,
    shared_cells,
    versions,
)
from bench.grid import Cell
from bench.results import BASELINES, LOOP, VECTORIZED, CellResult, Run
from bench.stats import Interval

CONFIDENCE = 0.95  # with which all the intervals of a comparison hold together
FEWEST = 3  # kernels of a cell that can have something in common
Verdict = Literal["slower", "faster", "same", "unknown"]
WAYS: tuple[Verdict, Verdict] = ("slower", "faster")


class NothingInCommon(Exception):
    """The two runs have no kernel and cell in common."""


class NothingDecided(Exception):
    """No comparison could be decided, for there were too few rounds."""


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
    """Two runs compared.

    Attributes:
        changes: Every kernel and cell of both runs, in the order of the second.
        common: Baseline (None for seconds) -> what all have in common; not of fewer than FEWEST kernels.
        hardware: What differs between the machines; if anything does, speed-ups are compared.
        versions: What differs between versions, libraries and settings.
        alone: What only one run holds.
        lost: What was timed in the first run and failed in the second.
    """

    changes: list[Change]
    common: dict[str | None, Common]
    hardware: list[Difference]
    versions: list[Difference]
    alone: list[CellsAlone | KernelAlone]
    lost: list[Lost]

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
    other_hardware = hardware(a, b)
    wanted = [
        (one, two, kernel, baseline)
        for one, two in shared_cells(a, b)
        for baseline in (BASELINES if other_hardware else (None,))
        for kernel in two.kernels
        if _comparable(one, kernel, baseline) and _comparable(two, kernel, baseline)
    ]
    if not wanted:
        raise NothingInCommon("no kernel was timed in the same cell of both runs; compare runs of one grid")
    # How many comparisons there are is settled before any is made.
    single = 1.0 - (1.0 - confidence) / len(wanted)
    changes = [_change(one, two, kernel, baseline, single) for one, two, kernel, baseline in wanted]
    return Comparison(
        changes=changes,
        common=_common(changes),
        hardware=other_hardware,
        versions=versions(a, b),
        alone=alone(a, b),
        lost=lost(a, b),
    )


def rounds_needed(comparisons: int, confidence: float = CONFIDENCE) -> int:
    """How many rounds a kernel must have in each run for an interval, where so many comparisons hold at once."""
    single = stats.each_of_two(1.0 - (1.0 - confidence) / comparisons)
    return int(np.ceil(-np.log2((1.0 - single) / 2.0)))


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
    common = {}
    for baseline, of_cells in cells.items():
        enough = [of_cell for of_cell in of_cells.values() if len(of_cell) >= FEWEST]
        if enough:
            ratio = stats.median([float(np.median([c.ratio.estimate for c in of_cell])) for of_cell in enough])
            common[baseline] = Common(ratio, float(np.median([of_cell[0].floor for of_cell in enough])))
    return common


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
    single = stats.each_of_two(confidence)
    a, b = one.speedup(baseline, kernel, single), two.speedup(baseline, kernel, single)
    assert a is not None and b is not None  # _comparable
    return Change(kernel, two.cell, baseline, a.estimate, b.estimate, stats.quotient(a, b), floor)
