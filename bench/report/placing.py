"""An own kernel placed in words: between which kernels it lies."""

import math

from bench.report.tables import bounds_text, percent
from bench.results.run import CellResult, Run
from bench.stats import Interval

NEAR = (1_000, 32)  # m and n_x of the cell that stands for the run


def sentences(run: Run) -> list[str]:
    """One for each own kernel of the run: its place at the cell nearest to m = 1,000, n_x = 32 that has timed it.

    What has failed has no place; `summary.failed_words` says why.
    """
    failed = {name for result in run.cells for name in result.failed}
    return [_sentence(run, name) for name in run.own if name not in failed]


def _sentence(run: Run, name: str) -> str:
    timed = [result for result in run.cells if name in result.seconds]
    if not timed:
        return f"{name} was timed in no cell of this run."
    result = min(timed, key=_distance)
    where = result.cell.label
    limit = run.limit(result)
    if limit is not None:
        where += f", at {percent(limit / result.median(name).estimate)} of this machine's limit"
    slower, faster = neighbours(result, name, run.own)
    if slower and faster:
        return (
            f"{name} lies between {slower} and {faster} at {where}: {_times(result, slower, name)} the one, and "
            f"{_times(result, faster, name)} the other."
        )
    if slower:
        return f"{name} is the fastest kernel at {where}: {_times(result, slower, name)} {slower}, the next."
    if faster:
        return f"{name} is the slowest kernel at {where}: {_times(result, faster, name)} {faster}, the next."
    return f"{name} is the only kernel at {where}."


def neighbours(result: CellResult, name: str, own: list[str]) -> tuple[str | None, str | None]:
    """The next slower and the next faster kernel of a cell, own ones aside."""
    others = [other for other in result.kernels if other not in own]
    time = {other: result.median(other).estimate for other in (*others, name)}
    slower = [other for other in others if time[other] >= time[name]]
    faster = [other for other in others if time[other] < time[name]]
    return min(slower, key=time.__getitem__, default=None), max(faster, key=time.__getitem__, default=None)


def _times(result: CellResult, other: str, name: str) -> str:
    ratio = result.speedup(other, name)
    if ratio is None:
        return "not compared in the same rounds with"
    if not differs(result, ratio):
        return f"as fast, to within the noise ({bounds_text(ratio)} times), as"
    return f"{bounds_text(ratio)} times as fast as"


def differs(result: CellResult, ratio: Interval) -> bool:
    """Whether a speed-up is a difference: its interval lies outside the noise floor of its cell."""
    return ratio.low > 1.0 + result.noise_floor or ratio.high < 1.0 / (1.0 + result.noise_floor)


def _distance(result: CellResult) -> tuple[int, float]:
    cell = result.cell
    return cell.threads, abs(math.log(cell.m / NEAR[0])) + abs(math.log(cell.n_x / NEAR[1]))
