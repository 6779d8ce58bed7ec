"""What a call that was too slow to run would have taken, from the nearest cells in which the same kernel was timed.

At one n_x the time of a call is a line in m. An estimate follows the line through the two nearest cells with fewer
examples, of the same kernel, setting and n_x; with one such cell, time grows in proportion to m. Where there is none,
the nearest cell of another size is scaled by the kernel's cost model, or by m n_x where it has no model.

The interval is checked: each measured cell is estimated from the cells with fewer examples, as if it had been too slow
as well. 95% of these estimates are no farther off, as a factor. An estimate that nothing like it checks is unbounded.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bench.analysis.costmodel import CONFIDENCE, MIN_STRATUM, fit_all
from bench.grid import Cell, Setting
from bench.results import CellResult, Run
from bench.stats import Interval, quotient

APART = 3.0  # times as many examples: two cells nearer than that show their noise more than their slope

Line = Sequence[tuple[int, float]]  # m and seconds, ascending, at one n_x


@dataclass(frozen=True)
class Estimated(Interval):
    """An estimate of what was not measured; (0, inf) where no held-out cell shows how good it is."""


@dataclass(frozen=True)
class Case:
    """A measured cell, and what cells with fewer examples gave for it.

    Attributes:
        setting: Its setting.
        reach: Its examples ÷ those of the largest cell that it was estimated from.
        nearest: Whether that cell is the nearest there is.
        predicted: Estimated seconds.
        measured: Measured seconds.
    """

    setting: Setting
    reach: float
    nearest: bool
    predicted: float
    measured: float

    @property
    def error(self) -> float:
        """|ln(predicted / measured)|."""
        return abs(math.log(self.predicted / self.measured))


def too_slow(result: CellResult, kernel: str) -> bool:
    """Whether a kernel was not run in a cell because a call would take too long."""
    skipped = result.skipped.get(kernel)
    return skipped is not None and skipped.predicted is not None and kernel not in result.samples


def any_too_slow(results: Iterable[CellResult]) -> bool:
    """Whether any kernel was too slow for one of these cells; one that failed or did not fit into memory was not."""
    return any(too_slow(result, kernel) for result in results for kernel in result.skipped)


def estimate(run: Run, result: CellResult, kernel: str) -> Estimated | None:
    """Seconds of a call of a kernel that was too slow for a cell; None where that is not why it has no time.

    Where the kernel was timed nowhere in this setting, it is what a call on few examples predicted, unbounded.
    """
    predicted = result.skipped[kernel].predicted if too_slow(result, kernel) else None
    if predicted is None:
        return None
    cell = result.cell
    line = [point for point in _lines(run, kernel).get(_line_of(cell), []) if point[0] < cell.m]
    if not line:
        elsewhere = _elsewhere(run, cell, kernel)
        return Estimated(predicted if elsewhere is None else elsewhere, 0.0, math.inf)
    time, spread = _along(line, cell.m), _spread(run, kernel, cell.setting, cell.m / line[-1][0])
    return Estimated(time, time * math.exp(-spread), time * math.exp(spread))


def seconds(run: Run, result: CellResult, kernel: str) -> Interval | None:
    """Seconds of a call: measured, or `Estimated` where the kernel was too slow; None where neither is known."""
    return result.median(kernel) if kernel in result.samples else estimate(run, result, kernel)


def speedup(run: Run, result: CellResult, baseline: str, kernel: str) -> Interval | None:
    """The speed-up over a baseline: measured, or `Estimated` where one of the two was too slow, else None."""
    ratio = result.speedup(baseline, kernel)
    if ratio is not None:
        return ratio
    before, after = seconds(run, result, baseline), seconds(run, result, kernel)
    if before is None or after is None or isinstance(before, Estimated) == isinstance(after, Estimated):
        return None
    value = quotient(before, after)
    return Estimated(value.estimate, value.low, value.high)


def held_out(run: Run) -> list[tuple[float, float]]:
    """(predicted, measured) seconds of the measured cells of every kernel that this run estimates anywhere.

    Each is predicted from the cells with fewer examples alone; the first cell of an n_x has none and is left out.
    """
    return [(case.predicted, case.measured) for name in _estimated(run) for case in _cases(run, name) if case.nearest]


def _line_of(cell: Cell) -> tuple[Setting, int | None, int]:
    """What cells on one line share."""
    return cell.setting, cell.iterations, cell.n_x


@lru_cache(maxsize=64)
def _lines(run: Run, kernel: str) -> dict[tuple[Setting, int | None, int], Line]:
    """Where a kernel was timed, line by line. A `Run` is frozen and compared by identity: what is kept stays true."""
    lines: dict[tuple[Setting, int | None, int], list[tuple[int, float]]] = {}
    for result in sorted(run.cells, key=lambda result: result.cell.m):
        if kernel in result.samples:
            lines.setdefault(_line_of(result.cell), []).append((result.cell.m, result.median(kernel).estimate))
    return dict(lines)


def _along(line: Line, m: int) -> float:
    """Seconds at more examples than a line has."""
    last, most = line[-1]
    slope = most / last
    for before, least in reversed(line[:-1]):
        if before * APART <= last:
            slope = max(0.0, (most - least) / (last - before))
            break
    return most + slope * (m - last)


def _elsewhere(run: Run, cell: Cell, kernel: str) -> float | None:
    """Seconds in a cell, from the nearest cell of another size; None where the kernel was timed in none."""
    timed = [
        result
        for result in run.of(cell.setting)
        if kernel in result.samples and result.cell.iterations == cell.iterations
    ]
    if not timed:
        return None

    def distance(result: CellResult) -> float:
        return abs(math.log(result.cell.m / cell.m)) + abs(math.log(result.cell.n_x / cell.n_x))

    nearest = min(timed, key=distance)
    time = nearest.median(kernel).estimate
    costs = None if cell.iterations else fit_all(run, cell.setting)[0].get(kernel)
    if costs is None:
        return time * (cell.m * cell.n_x) / (nearest.cell.m * nearest.cell.n_x)
    there, here = (costs.seconds(at.m, at.n_x).estimate for at in (nearest.cell, cell))
    return time * here / there


def _estimated(run: Run) -> list[str]:
    """The kernels that were too slow in some cell, in ladder order."""
    return [name for name in run.measured if any(too_slow(result, name) for result in run.cells)]


@lru_cache(maxsize=64)
def _cases(run: Run, kernel: str) -> tuple[Case, ...]:
    """Every measured cell of a kernel, estimated from each of the cells with fewer examples and those before it."""
    return tuple(
        Case(setting, m / line[end - 1][0], end == k, _along(line[:end], m), time)
        for (setting, _, _), line in _lines(run, kernel).items()
        for k, (m, time) in enumerate(line)
        for end in range(1, k + 1)
    )


def _spread(run: Run, kernel: str, setting: Setting, reach: float) -> float:
    """|ln(predicted / measured)| that 95% of the held-out estimates kept to, of those that reach as far; or infinity.

    With fewer than 19 of them it is the largest, and covers somewhat less than 95%.
    """
    for cases in _like(run, kernel, setting):
        errors = sorted(case.error for case in cases if case.reach >= 0.99 * reach)
        if len(errors) >= MIN_STRATUM:
            return errors[min(len(errors), math.ceil(CONFIDENCE * (len(errors) + 1))) - 1]
    return math.inf


def _like(run: Run, kernel: str, setting: Setting) -> Iterator[list[Case]]:
    """Cases like an estimate, the most alike first: of its kernel and setting, of its kernel, of all estimated."""
    own = list(_cases(run, kernel))
    yield [case for case in own if case.setting == setting]
    yield own
    yield [case for name in _estimated(run) for case in _cases(run, name)]
