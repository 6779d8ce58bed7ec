"""Two runs -> what became slower or faster, what did not change, and what is undecided; may they be compared at all?

The runs share nothing, so nothing can be paired between them: of runs of several processes the estimates of the
processes are compared (`stats.ratio_of_processes`), else the medians of the rounds as independent (`stats.ratio`). On
machines that differ, seconds say nothing of the kernels; there each run's speed-ups are compared.

- Slower, faster: all of the interval lies beyond 1. These intervals are right together: each has the confidence
  1 - 5 % / (number of comparisons) (Bonferroni). Rounds can't see what differs between processes; so where either run
  has one process, the interval must also lie beyond the noise floor, which is an estimate of its own.
- Same: all of the interval lies within the tolerance. That is two one-sided tests, each at 2.5 %, of a difference at
  least as large as the tolerance. It is a conclusion about one kernel in one cell, so its interval is a plain one of
  95 %: no correction is needed for a conclusion each.
- Unknown: all the rest. How much more measuring would decide it is known: intervals shrink with its square root.

What slowed all kernels alike may be the machine (a lower clock), or what they share (a compiler, a library): seconds
can't tell which. So seconds are judged as they are, for a change of all must not be hidden; and what all have in common
is kept apart from what a kernel did beyond it, for a change of one must not drown.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bench import stats
from bench.analysis.differences import (
    TOLERANCE,
    WAYS,
    CellsAlone,
    Difference,
    Effort,
    KernelAlone,
    Lost,
    Verdict,
    alone,
    beyond_noise,
    effort_of,
    hardware,
    lost,
    shared_cells,
    versions,
)
from bench.analysis.differences import Change as Change  # of a comparison: its name belongs here, too
from bench.grid import Cell
from bench.results import BASELINES, LOOP, VECTORIZED, CellResult, Run
from bench.stats import Interval

CONFIDENCE = 0.95  # of all that is slower or faster together, and of each that is the same by itself
FEWEST = 3  # kernels of a cell that can have something in common


class NothingInCommon(Exception):
    """The two runs have no kernel and cell in common."""


class NothingDecided(Exception):
    """No comparison could be decided."""


@dataclass(frozen=True)
class Common:
    """What all kernels and cells of a comparison have in common.

    Attributes:
        ratio: The median over the cells of the median ratio of a cell's kernels, with the interval of the sign test: of
            95% by itself, and wide where the cells do not have it in common. Kernels of a cell share their rounds, so
            it is the cells that are counted.
        floor: The median of what counts as noise in the cells.
    """

    ratio: Interval
    floor: float

    @property
    def verdict(self) -> Verdict:
        """Slower or faster if all of its interval is beyond noise; else unknown."""
        return beyond_noise(self.ratio, self.floor)


@dataclass(frozen=True)
class Comparison:
    """Two runs compared.

    Attributes:
        changes: Every kernel and cell of both runs, in the order of the second.
        common: Baseline (None for seconds) -> what all have in common; not of fewer than FEWEST kernels.
        hardware: What differs between the machines; if anything does, speed-ups are compared.
        versions: What differs between versions, libraries and settings.
        alone: What only one run has.
        lost: What was timed in the first run and failed in the second.
        tolerance: A smaller relative difference is no change.
    """

    changes: list[Change]
    common: dict[str | None, Common]
    hardware: list[Difference]
    versions: list[Difference]
    alone: list[CellsAlone | KernelAlone]
    lost: list[Lost]
    tolerance: float

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
        return [c for c in self.changes if beyond_noise(self.beyond(c), c.floor) == verdict]

    @property
    def changed(self) -> list[Change]:
        """What is slower or faster beyond noise, as it is or beyond what is common; the largest, beyond it, first."""
        changed = {id(c): c for way in WAYS for c in (*self.of(way), *self.apart(way))}
        return sorted(changed.values(), key=lambda c: -abs(np.log(self.beyond(c).estimate)))

    @property
    def effort(self) -> Effort | None:
        """What would decide half of what is undecided; None if all is."""
        return effort_of([(c, c.needed) for c in self.changes])

    def effort_for(self, allowed: float) -> Effort | None:
        """The same for whether a kernel is slower by more than a relative difference."""
        return effort_of([(c, c.needed_for(allowed)) for c in self.changes])

    def regressions(self, allowed: float) -> list[Change]:
        """What is slower by more than the relative difference `allowed` beyond doubt."""
        return [c for c in self.changes if c.slower_than(allowed)]

    def regressions_apart(self, allowed: float) -> list[Change]:
        """The same beyond what all have in common."""
        return [c for c in self.apart("slower") if self.beyond(c).low > 1.0 + allowed]


def compare(a: Run, b: Run, confidence: float = CONFIDENCE, tolerance: float = TOLERANCE) -> Comparison:
    """Compare the second run with the first.

    Args:
        a: The run before.
        b: The run after.
        confidence: Probability with which all that is slower or faster is so, and each that is the same by itself.
        tolerance: A smaller relative difference is no change.

    Raises:
        NothingInCommon: If no kernel was timed in the same cell of both.
        ValueError: For a tolerance that is not positive.
    """
    if not tolerance > 0.0:
        raise ValueError(f"the tolerance must be above 0; got {tolerance}")
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
    stricter = 1.0 - (1.0 - confidence) / len(wanted)
    changes = [_change(*each_wanted, (stricter, confidence), tolerance) for each_wanted in wanted]
    return Comparison(
        changes=changes,
        common=_common(changes),
        hardware=other_hardware,
        versions=versions(a, b),
        alone=alone(a, b),
        lost=lost(a, b),
        tolerance=tolerance,
    )


def rounds_needed(comparisons: int, confidence: float = CONFIDENCE) -> int:
    """How many rounds a kernel must have in each run for an interval, where so many comparisons are right at once."""
    single = stats.each_of_two(1.0 - (1.0 - confidence) / comparisons)
    return int(np.ceil(-np.log2((1.0 - single) / 2.0)))


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


def _change(
    one: CellResult,
    two: CellResult,
    kernel: str,
    baseline: str | None,
    confidences: tuple[float, float],
    tolerance: float,
) -> Change:
    logs = _logs(one, kernel, baseline), _logs(two, kernel, baseline)
    processes = min(len(of_run) for of_run in logs)
    if processes > 1:
        a, b = (math.exp(of_run.mean()) for of_run in logs)
        # A speed-up that was larger before is a kernel that is slower now.
        over = logs if baseline else logs[::-1]
        ratio, single = (stats.ratio_of_processes(*over, confidence) for confidence in confidences)
        return Change(kernel, two.cell, baseline, a, b, ratio, single, 0.0, processes, tolerance)
    a, b = (_of_rounds(result, kernel, baseline).estimate for result in (one, two))
    ratio, single = (_ratio_of_rounds(one, two, kernel, baseline, confidence) for confidence in confidences)
    floor = max(one.noise_floor, two.noise_floor)
    return Change(kernel, two.cell, baseline, a, b, ratio, single, floor, 1, tolerance)


def _logs(result: CellResult, kernel: str, baseline: str | None) -> npt.NDArray[np.float64]:
    """Of each process: ln of the seconds of a call; or of the speed-up, where both were timed."""
    seconds = result.estimates(kernel)
    if baseline is None:
        return np.array(list(seconds.values()))
    before = result.estimates(baseline)
    return np.array([before[process] - seconds[process] for process in seconds if process in before])


def _of_rounds(result: CellResult, kernel: str, baseline: str | None, confidence: float = CONFIDENCE) -> Interval:
    value = result.speedup(baseline, kernel, confidence) if baseline else result.median(kernel, confidence)
    assert value is not None  # _comparable
    return value


def _ratio_of_rounds(
    one: CellResult, two: CellResult, kernel: str, baseline: str | None, confidence: float
) -> Interval:
    if baseline is None:
        return stats.ratio(two.seconds[kernel], one.seconds[kernel], confidence)
    stricter = stats.each_of_two(confidence)
    return stats.quotient(*(_of_rounds(result, kernel, baseline, stricter) for result in (one, two)))
