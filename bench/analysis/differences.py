"""How two runs differ: the change of a kernel in a cell; then machine, versions, settings, and what one run lacks."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bench.grid import Cell
from bench.results import CellResult, Run
from bench.stats import Interval
from bench.words import human_bytes

HARDWARE = ("cpu", "machine", "cores", "threads_available", "caches", "numba_cpu")
VERSIONS = ("os", "python", "numpy", "numpy_blas", "numpy_simd", "numba", "llvm")
TOLERANCE = 0.05  # a smaller relative difference is no change, unless another is asked for
Which = Literal["first", "second"]
RUNS: tuple[Which, Which] = ("first", "second")
Kind = Literal["machine", "version", "library", "setting"]
WhyNot = Literal["failed", "skipped", "not measured"]
Verdict = Literal["slower", "faster", "same", "unknown"]
WAYS: tuple[Verdict, Verdict] = ("slower", "faster")
Both = tuple[CellResult, CellResult]  # a cell in the first run and in the second


@dataclass(frozen=True)
class Change:
    """One kernel in one cell of both runs.

    Attributes:
        kernel: The kernel.
        cell: The cell.
        baseline: What speed-ups are over, where they are compared; None where seconds are.
        a: Seconds of a call, or the speed-up, in the first run.
        b: The same in the second.
        ratio: Seconds of the second run ÷ those of the first; below 1, it is faster. Corrected for all comparisons.
        single: The same, its interval of 95% by itself.
        floor: What counts as noise: the larger noise floor of the two cells; 0 where the intervals know all there is.
        processes: How many measured it, in the run of fewer.
        tolerance: A smaller relative difference is no change.
    """

    kernel: str
    cell: Cell
    baseline: str | None
    a: float
    b: float
    ratio: Interval
    single: Interval
    floor: float = 0.0
    processes: int = 1
    tolerance: float = TOLERANCE

    @property
    def verdict(self) -> Verdict:
        """Slower or faster if all of the interval is beyond noise; the same only if it is all within the tolerance."""
        way = beyond_noise(self.ratio, self.floor)
        if way == "unknown" and self.floor <= self.tolerance and within(self.single, self.tolerance):
            return "same"
        return way

    @property
    def needed(self) -> float | None:
        """How many times the rounds or processes would decide it; None if it is decided."""
        if self.verdict != "unknown":
            return None
        return min(
            *self._to_show_a_way, self._to_show((1.0 / (1.0 + self.tolerance), 1.0 + self.tolerance), self.tolerance)
        )

    def slower_than(self, allowed: float) -> bool | None:
        """Whether it is slower by more than a relative difference; None if that is undecided."""
        way = beyond_noise(self.ratio, self.floor)
        if way == "slower" and self.ratio.low > 1.0 + allowed:
            return True
        cleared = self.floor <= allowed and self.single.high < 1.0 + allowed
        return False if cleared or way == "faster" else None

    def needed_for(self, allowed: float) -> float | None:
        """How many times the rounds or processes would show whether it is slower by more; None if they showed it."""
        if self.slower_than(allowed) is not None:
            return None
        slower, faster = self._to_show_a_way
        slower = max(slower, _times_to(self.ratio, (1.0 + allowed, math.inf)))
        return min(slower, faster, self._to_show((0.0, 1.0 + allowed), allowed))

    @property
    def _to_show_a_way(self) -> tuple[float, float]:
        wide = _widened(self.ratio, self.floor)
        return _times_to(wide, (1.0, math.inf)), _times_to(wide, (0.0, 1.0))

    def _to_show(self, bounds: tuple[float, float], most: float) -> float:
        """To show that the ratio lies within bounds, where noise must be at most so much."""
        quiet = _times_to(Interval(1.0, 1.0, 1.0 + self.floor), (0.0, 1.0 + most)) if self.floor else 1.0
        return max(quiet, _times_to(self.single, bounds))


@dataclass(frozen=True)
class Effort:
    """What would decide half of the comparisons that are undecided.

    Attributes:
        undecided: How many these are.
        times: How many times the rounds or processes; infinite with too few rounds for an interval.
        processes: How many more processes in each run; None where a run of one process is among them.
    """

    undecided: int
    times: float
    processes: int | None


@dataclass(frozen=True)
class Difference:
    """What differs between the two runs: kind and name of it, and its value in the first and in the second."""

    kind: Kind
    key: str
    before: str
    after: str


@dataclass(frozen=True)
class CellsAlone:
    """The cells that only one of the runs has."""

    run: Which
    cells: list[Cell]


@dataclass(frozen=True)
class KernelAlone:
    """A kernel that only one run timed, in so many of the cells of both, and why the other did not."""

    run: Which
    kernel: str
    cells: int
    why: WhyNot


@dataclass(frozen=True)
class Lost:
    """A kernel that was timed in the first run and failed in the second, with the reason."""

    kernel: str
    cell: Cell
    reason: str


def beyond_noise(ratio: Interval, floor: float) -> Verdict:
    """Slower or faster if all of a ratio's interval is beyond noise; else unknown."""
    wide = _widened(ratio, floor)
    return "slower" if wide.low > 1.0 else "faster" if wide.high < 1.0 else "unknown"


def within(ratio: Interval, tolerance: float) -> bool:
    """Whether all of a ratio's interval is within a relative difference of 1."""
    return 1.0 / (1.0 + tolerance) < ratio.low and ratio.high < 1.0 + tolerance


def effort_of(needed: Sequence[tuple[Change, float | None]]) -> Effort | None:
    """What would decide half of these changes, of which each needs so much; None if none is undecided."""
    undecided = [(change.processes, times) for change, times in needed if times is not None]
    if not undecided:
        return None
    times = float(np.median([times for _, times in undecided]))
    if math.isinf(times) or any(processes < 2 for processes, _ in undecided):
        return Effort(len(undecided), times, None)
    more = np.median([processes * (times - 1.0) for processes, times in undecided])
    return Effort(len(undecided), times, max(1, math.ceil(more)))


def shared_cells(a: Run, b: Run) -> list[Both]:
    """The cells of both runs, in the order of the second."""
    before = {result.cell: result for result in a.cells}
    return [(before[result.cell], result) for result in b.cells if result.cell in before]


def hardware(a: Run, b: Run) -> list[Difference]:
    """What differs between the machines."""
    return list(_differences("machine", *(_card(run, HARDWARE) for run in (a, b))))


def versions(a: Run, b: Run) -> list[Difference]:
    """Versions and settings that differ; not the grid and its patience, for seconds do not depend on them."""
    # A library that only one run asked for is no other version.
    both = [key for key in a.header.libraries if key in b.header.libraries]
    return [
        *_differences("version", _card(a, VERSIONS), _card(b, VERSIONS)),
        *_differences("library", *({key: run.header.libraries[key] for key in both} for run in (a, b))),
        *_differences("setting", _settings(a), _settings(b)),
    ]


def alone(a: Run, b: Run) -> list[CellsAlone | KernelAlone]:
    """What only one of the runs has: cells, then kernels of the cells of both."""
    return [*_cells_alone(a, b), *_kernels_alone(shared_cells(a, b))]


def lost(a: Run, b: Run) -> list[Lost]:
    """What was timed in the first run and failed in the second."""
    return [
        Lost(kernel, two.cell, reason)
        for one, two in shared_cells(a, b)
        for kernel, reason in two.failed.items()
        if kernel in one.samples
    ]


def _differences(kind: Kind, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Difference]:
    """What differs between two mappings; what only one has is "none" in the other."""
    for key in dict.fromkeys((*a, *b)):
        if a.get(key) != b.get(key):
            yield Difference(kind, key, _text(a.get(key)), _text(b.get(key)))


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {human_bytes(size)}" for key, size in value.items()) or "none"
    return "none" if value is None else str(value)


def _card(run: Run, keys: tuple[str, ...]) -> dict[str, Any]:
    """These attributes of the machine card of a run."""
    return {key: getattr(run.header.machine, key) for key in keys}


def _settings(run: Run) -> dict[str, Any]:
    preset = run.plan.preset
    lengths = {"sample_seconds": preset.sample_seconds, "settle_seconds": preset.settle_seconds}
    return lengths | run.header.environment | {"seed": run.plan.seed}


def _cells_alone(a: Run, b: Run) -> Iterator[CellsAlone]:
    for which, run, other in zip(RUNS, (a, b), (b, a), strict=True):
        cells = [result.cell for result in run.cells if result.cell not in {r.cell for r in other.cells}]
        if cells:
            yield CellsAlone(which, cells)


def _kernels_alone(cells: list[Both]) -> Iterator[KernelAlone]:
    """Of the cells of both runs: the kernels that only one timed there, and why the other did not."""
    for which, ordered in zip(RUNS, (cells, [(two, one) for one, two in cells]), strict=True):
        counts = Counter(
            (kernel, _why_not(not_timed, kernel))
            for timed, not_timed in ordered
            for kernel in timed.kernels
            if kernel not in not_timed.kernels
        )
        for (kernel, why), count in counts.items():
            yield KernelAlone(which, kernel, count, why)


def _why_not(result: CellResult, kernel: str) -> WhyNot:
    if kernel in result.failed:
        return "failed"
    return "skipped" if kernel in result.skipped else "not measured"


def _widened(ratio: Interval, floor: float) -> Interval:
    """A ratio whose interval counts noise, too."""
    return Interval(ratio.estimate, ratio.low / (1.0 + floor), ratio.high * (1.0 + floor))


def _times_to(interval: Interval, bounds: tuple[float, float]) -> float:
    """How many times the measuring brings an interval within bounds, were its estimate right; infinite if none does."""
    low, high = bounds
    if not low < interval.estimate < high or not 0.0 < interval.low <= interval.high < math.inf:
        return math.inf
    above = math.log(interval.high / interval.estimate) / math.log(high / interval.estimate)
    below = math.log(interval.estimate / interval.low) / math.log(interval.estimate / low) if low else 0.0
    return max(above, below, 1.0) ** 2
