"""Speed-ups with their kernel and cell, what counts as a difference, and the figures that stand for a whole run."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench import stats
from bench.grid import Setting
from bench.results import BASELINES, LOOP, VECTORIZED, CellResult, Run
from bench.stats import Interval

TYPICAL_N_X = 32
FIXED = (1_000, TYPICAL_N_X)  # m and n_x of the cell that stands for a run


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
class Best:
    """The fastest kernel of a cell, and what ties with it.

    Attributes:
        kernel: The fastest.
        alone: Whether it ran on one thread where all were allowed.
        ties: What is slower by no more than noise: name, and whether it ran on one thread.
        over: Its speed-up over the fastest that does not tie with it; None where there is none.
        next: That kernel; "" where there is none.
    """

    kernel: str
    alone: bool
    ties: list[tuple[str, bool]]
    over: Interval | None
    next: str


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


def in_both(run: Run) -> list[tuple[CellResult, CellResult]]:
    """The cells that a run measured in float64 and in float32, in this order of a pair."""
    singles = {result.cell: result for result in run.cells if result.cell.dtype == "float32"}
    doubles = ((result, singles.get(result.cell.with_setting(dtype="float32"))) for result in run.cells)
    return [(double, single) for double, single in doubles if single is not None and single is not double]


def gain(double: CellResult, single: CellResult, kernel: str, confidence: float = 0.95) -> Interval | None:
    """How many times faster a kernel is in the second of two cells; None if it was not timed in both.

    With several processes: from what each of them estimates of both cells.
    """
    if kernel not in double.samples or kernel not in single.samples:
        return None
    before, after = double.estimates(kernel), single.estimates(kernel)
    logs = [before[process] - after[process] for process in before if process in after]
    if len(logs) > 1:
        return stats.of_processes(logs, confidence=confidence)
    return stats.ratio(double.seconds[kernel], single.seconds[kernel], confidence)


def best(run: Run, result: CellResult) -> Best | None:
    """The fastest kernel of a cell; None where fewer than two were timed.

    Where all threads are allowed, a kernel on one thread is allowed too: it is taken from the cell of one thread.
    """
    one = result.cell.with_setting(threads=1)
    places = [result, *(r for r in run.cells if r.cell == one and r is not result)]
    timed = [(name, place) for place in places for name in place.kernels]
    if len(timed) < 2:
        return None
    timed.sort(key=lambda at: at[1].median(at[0]).estimate)
    (first, place), ties, over, following = timed[0], [], None, ""
    for name, other in timed[1:]:
        if name == first:  # the same kernel on another number of threads
            continue
        ratio, floor = _across(other, name, place, first)
        if ratio.low > 1.0 + floor:
            over, following = ratio, name
            break
        ties.append((name, other is not result))
    return Best(first, place is not result, ties, over, following)


def _across(slow: CellResult, slower: str, fast: CellResult, faster: str) -> tuple[Interval, float]:
    """The speed-up of one kernel over another, of one cell or of two, and the noise that a difference must exceed."""
    floor = max(slow.noise_floor, fast.noise_floor)
    if slow is fast:
        ratio = slow.speedup(slower, faster)
        if ratio is not None:
            return ratio, floor
    before, after = (list(cell.estimates(name).values()) for cell, name in ((slow, slower), (fast, faster)))
    if min(len(before), len(after)) > 1:
        return stats.ratio_of_processes(before, after), floor
    return stats.ratio(slow.seconds[slower], fast.seconds[faster]), floor


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


def distance(result: CellResult) -> float:
    """How far a cell is from FIXED: the sum of the factors between the two m and the two n_x, as logarithms."""
    return abs(math.log(result.cell.m / FIXED[0])) + abs(math.log(result.cell.n_x / FIXED[1]))


def fixed_cell(run: Run, names: Sequence[str] = BASELINES) -> CellResult | None:
    """The cell that stands for a run: one thread, as near to FIXED as these kernels were timed; None if nowhere."""
    timed = [r for r in run.cells if r.cell.threads == 1 and all(name in r.samples for name in names)]
    default = [result for result in timed if result.cell.setting == Setting()]
    return min(default or timed, key=distance, default=None)


def headline(run: Run) -> Ratio | None:
    """The vectorized form over the loop, in the cell that stands for the run."""
    result = fixed_cell(run)
    return ratios([result], LOOP, [VECTORIZED])[0] if result is not None else None


def over_grid(run: Run, baseline: str = LOOP, kernel: str = VECTORIZED) -> tuple[Ratio, Ratio] | None:
    """The smallest and the largest speed-up of one kernel over another, with one thread; None where not measured."""
    speedups = ratios([result for result in run.cells if result.cell.threads == 1], baseline, [kernel])
    if not speedups:
        return None
    return min(speedups, key=lambda ratio: ratio.estimate), max(speedups, key=lambda ratio: ratio.estimate)
