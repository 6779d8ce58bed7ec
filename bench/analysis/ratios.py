"""Speed-ups with their kernel and cell, what counts as a difference, and the figures that stand for a whole run."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.results import BASELINES, LOOP, VECTORIZED, CellResult, Run
from bench.stats import Interval

TYPICAL_N_X = 32
MANY = 1_000  # examples, from which on a cell may speak for vectorized code


@dataclass(frozen=True)
class Ratio:
    """The speed-up of a kernel over a baseline in a cell.

    Attributes:
        interval: How many times faster it is, with its interval.
        kernel: The kernel.
        result: What was measured in the cell.
    """

    interval: Interval
    kernel: str
    result: CellResult

    @property
    def estimate(self) -> float:
        """How many times faster it is."""
        return self.interval.estimate

    @property
    def faster(self) -> bool:
        """Whether it is faster by more than the noise of the cell."""
        return self.interval.low > 1.0 + self.result.noise_floor

    @property
    def slower(self) -> bool:
        """Whether it is slower by more than the noise of the cell."""
        return self.interval.high < 1.0 / (1.0 + self.result.noise_floor)

    @property
    def size(self) -> tuple[int, int]:
        """The size of X, then m: what "the largest cell" goes by."""
        return self.result.cell.m * self.result.cell.n_x, self.result.cell.m


@dataclass(frozen=True)
class Lead:
    """The fastest kernel of a cell, the next, and by how much it leads.

    `clear`: the lead is more than the noise of the cell.
    """

    kernel: str
    next: str
    ratio: Interval
    clear: bool


def ratios(results: Iterable[CellResult], baseline: str, names: Iterable[str]) -> list[Ratio]:
    """The speed-ups of these kernels over a baseline that were measured in these cells."""
    contenders = [name for name in names if name != baseline]
    measured = [(result.speedup(baseline, name), name, result) for result in results for name in contenders]
    return [Ratio(interval, name, result) for interval, name, result in measured if interval is not None]


def clearly_faster(speedups: Iterable[Ratio]) -> list[Ratio]:
    """Those that are faster by more than the noise, the most first."""
    return sorted((ratio for ratio in speedups if ratio.faster), key=lambda ratio: ratio.estimate, reverse=True)


def clearly_slower(speedups: Iterable[Ratio]) -> list[Ratio]:
    """Those that are slower by more than the noise, the most first."""
    return sorted((ratio for ratio in speedups if ratio.slower), key=lambda ratio: ratio.estimate)


def largest(speedups: Iterable[Ratio]) -> Ratio:
    """The speed-up of the largest cell."""
    return max(speedups, key=lambda ratio: ratio.size)


def lead(result: CellResult) -> Lead | None:
    """Who leads in a cell; None where fewer than two kernels share rounds."""
    ordered = sorted(result.kernels, key=lambda name: result.median(name).estimate)
    if len(ordered) < 2:
        return None
    first, second = ordered[:2]
    interval = result.speedup(second, first)
    if interval is None:
        return None
    return Lead(first, second, interval, Ratio(interval, first, result).faster)


def neighbours(result: CellResult, name: str, own: Sequence[str]) -> tuple[str | None, str | None]:
    """The next slower and the next faster kernel of a cell; the user's own kernels do not count."""
    others = [other for other in result.kernels if other not in own]
    time = {other: result.median(other).estimate for other in (*others, name)}
    slower = [other for other in others if time[other] >= time[name]]
    faster = [other for other in others if time[other] < time[name]]
    return min(slower, key=time.__getitem__, default=None), max(faster, key=time.__getitem__, default=None)


def headline_cells(run: Run) -> list[CellResult]:
    """The cells of the first setting at the n_x nearest to 32, by m."""
    results = run.of(run.settings[0])
    n_x = min((result.cell.n_x for result in results), key=lambda n_x: abs(math.log(n_x / TYPICAL_N_X)))
    return sorted((result for result in results if result.cell.n_x == n_x), key=lambda result: result.cell.m)


def story_cells(run: Run) -> list[CellResult]:
    """A small, a middling and a large one of the headline's cells, of those where both baselines were timed."""
    cells = [result for result in headline_cells(run) if all(name in result.seconds for name in BASELINES)]
    cells = cells or headline_cells(run)
    return [cells[k] for k in sorted({0, len(cells) // 2, len(cells) - 1})]


def headline(run: Run) -> Ratio | None:
    """The vectorized form over the loop, in the largest one-thread cell where both were timed."""
    speedups = ratios([result for result in run.cells if result.cell.threads == 1], LOOP, [VECTORIZED])
    return largest(speedups) if speedups else None


def furthest_ahead(run: Run) -> Ratio | None:
    """The largest sure speed-up over the vectorized form, with one thread and many examples; None within the noise."""
    results = [
        result for result in run.cells if result.cell.threads == 1 and (result.cell.m >= MANY or result.cell.iterations)
    ]
    best = max(ratios(results, VECTORIZED, run.measured), key=lambda ratio: ratio.interval.low, default=None)
    return best if best is not None and best.faster else None
