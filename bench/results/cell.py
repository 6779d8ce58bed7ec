"""A cell in memory: its samples, and the ratios between its kernels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from bench import stats
from bench.grid import Cell
from bench.results.records import CONTROL, Agreed, Ruled, Skipped, is_kernel
from bench.stats import Interval

LOOP = "python_loop"
VECTORIZED = "numpy_vectorized"
BASELINES = (LOOP, VECTORIZED)
UNSTABLE = 0.1  # a noise floor above it is worth a warning

Array = npt.NDArray[np.float64]
K = TypeVar("K")
V = TypeVar("V")


def _empty() -> Mapping[K, V]:
    return MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Samples:
    """The samples of one kernel in one cell, raw: wall and CPU seconds of all loops of each, and its round.

    Attributes:
        loops: Calls in a sample.
        rounds: Index of the round of each sample.
        wall: Wall seconds of each sample.
        cpu: CPU seconds of each sample.
        per_process: How many rounds a process takes; those of the first come first. 0 if one process takes all.
    """

    loops: int
    rounds: Sequence[int]
    wall: Sequence[float]
    cpu: Sequence[float]
    per_process: int = 0

    @classmethod
    def of_calls(cls, seconds: Sequence[float], cpu: Sequence[float] | None = None) -> "Samples":
        """Samples of one call each, one a round; for what is made and not measured."""
        return cls(1, list(range(len(seconds))), list(seconds), list(seconds if cpu is None else cpu))

    @cached_property
    def seconds(self) -> Array:
        """Wall seconds of one call, of each sample."""
        return np.array(self.wall, dtype=np.float64) / self.loops

    @cached_property
    def estimates(self) -> dict[int, float]:
        """Process -> ln of the seconds of one call, as on a quiet machine."""
        return {process: stats.quiet(seconds) for process, seconds in self.by_process.items()}

    @cached_property
    def by_process(self) -> dict[int, Array]:
        """Process -> seconds of one call, of each of its samples."""
        processes = np.array(self.rounds) // (self.per_process or max(self.rounds, default=0) + 1)
        return {int(process): self.seconds[processes == process] for process in np.unique(processes)}


@dataclass(frozen=True, eq=False)
class CellResult:
    """What was measured in one cell; every mapping is from a label, of a kernel or of what is measured beside them.

    Attributes:
        cell: The cell.
        samples: What was timed.
        first_call: Seconds of the first call in the cell.
        agreement: Errors of J, dw and db, in units of rounding.
        skipped: What was not run, and why.
        failed: Why a kernel that disagreed, raised or crashed was not timed.
        pools: How many threads each thread pool had in this cell, as the pools themselves report.
        disturbed: What was seen to disturb the machine while the cell was measured, in words.
        ruler: What the ruler showed in each round.
    """

    cell: Cell
    samples: Mapping[str, Samples] = field(default_factory=_empty)
    first_call: Mapping[str, float] = field(default_factory=_empty)
    agreement: Mapping[str, Agreed] = field(default_factory=_empty)
    skipped: Mapping[str, Skipped] = field(default_factory=_empty)
    failed: Mapping[str, str] = field(default_factory=_empty)
    pools: Mapping[str, int] = field(default_factory=_empty)
    disturbed: Sequence[str] = ()
    ruler: Sequence[Ruled] = ()

    @property
    def kernels(self) -> list[str]:
        """The kernels that were timed; not the control, nor what else a cell measures beside them."""
        return [name for name in self.samples if is_kernel(name)]

    @cached_property
    def seconds(self) -> dict[str, Array]:
        """Seconds of one call, of each sample."""
        return {name: samples.seconds for name, samples in self.samples.items()}

    @cached_property
    def processes(self) -> int:
        """How many processes measured it."""
        return max((len(samples.by_process) for samples in self.samples.values()), default=0)

    def estimates(self, kernel: str) -> dict[int, float]:
        """Process -> ln of the seconds of one call, as on a quiet machine: a low quantile of its samples."""
        return self.samples[kernel].estimates

    def median(self, kernel: str, confidence: float = 0.95) -> Interval:
        """Seconds of one call: the median over processes of what each estimates, or over the samples of the one."""
        alone = stats.median(self.seconds[kernel], confidence)
        estimates = list(self.estimates(kernel).values())
        return stats.of_processes(estimates, _log_half(alone), confidence) if len(estimates) > 1 else alone

    def speedup(self, baseline: str, kernel: str, confidence: float = 0.95) -> Interval | None:
        """How many times faster a kernel is than a baseline; None if one was not timed.

        With several processes: the median over them of the ratio of the two estimates of a process. With one: from the
        rounds that the two share.
        """
        key = baseline, kernel, confidence
        if key not in self._speedups:
            self._speedups[key] = self._speedup(baseline, kernel, confidence)
        return self._speedups[key]

    @cached_property
    def _speedups(self) -> dict[tuple[str, str, float], Interval | None]:
        """What was computed before, for a page asks for the same ratio many times."""
        return {}

    def _speedup(self, baseline: str, kernel: str, confidence: float) -> Interval | None:
        if baseline not in self.samples or kernel not in self.samples:
            return None
        alone = self._paired(baseline, kernel, confidence)
        before, after = self.estimates(baseline), self.estimates(kernel)
        ratios = [before[process] - after[process] for process in before if process in after]
        if alone is None or len(ratios) < 2:
            return alone
        return stats.of_processes(ratios, _log_half(alone), confidence)

    def _paired(self, baseline: str, kernel: str, confidence: float) -> Interval | None:
        """The speed-up from the rounds that the two share."""
        shared, before, after = np.intersect1d(
            self.samples[baseline].rounds, self.samples[kernel].rounds, assume_unique=True, return_indices=True
        )
        if shared.size == 0:
            return None
        return stats.speedup(self.seconds[baseline][before], self.seconds[kernel][after], confidence)

    @cached_property
    def control(self) -> Interval | None:
        """The A/A control: the speed-up of a kernel over itself; truly 1."""
        return self.speedup(VECTORIZED, CONTROL)

    @property
    def noise_floor(self) -> float:
        """The largest relative difference that the A/A control shows; smaller differences count as ties."""
        if self.control is None:
            return float("inf")
        return max(self.control.high, 1.0 / self.control.low) - 1.0 if self.control.low > 0.0 else float("inf")

    @property
    def warnings(self) -> list[str]:
        """Why to trust this cell less: what disturbed it, and a kernel that differs from itself."""
        if not self.samples or self.noise_floor <= UNSTABLE:
            return list(self.disturbed)
        floor = f"up to {100 * self.noise_floor:.0f}%" if np.isfinite(self.noise_floor) else "an unknown amount"
        return [*self.disturbed, f"unstable: a kernel differs from itself by {floor}"]

    def used_threads(self, kernel: str) -> float:
        """CPU seconds for each wall second: how many threads were busy, whoever they belonged to."""
        samples = self.samples[kernel]
        return float(np.median(np.array(samples.cpu) / np.array(samples.wall)))

    def sample_seconds(self) -> float:
        """Seconds spent inside samples."""
        return float(sum(sum(samples.wall) for samples in self.samples.values()))


def _log_half(interval: Interval) -> float:
    """Half the width of an interval in logarithms; infinite with too few rounds for one."""
    return float(np.log(interval.high / interval.low) / 2.0) if interval.low > 0.0 else float("inf")
