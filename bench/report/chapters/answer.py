"""The answer: what vectorizing is worth and what beats it, in sentences and one figure, before all else."""

import math
from collections.abc import Sequence

from bench import words
from bench.analysis import estimates
from bench.analysis import ratios as chosen
from bench.analysis.ratios import Ratio, neighbours, ratios
from bench.report.charts import TIME, Plot, curve_figure, draw_curves, dress, name_ends
from bench.report.runtables import time_table
from bench.report.section import Section
from bench.report.style import styles
from bench.results import LOOP, VECTORIZED, CellResult, Run

QUESTION = "Why vectorize, and what can beat it?"
NOTATION = (
    "m counts the examples and n_x the features; X has the shape (n_x, m). Order F: the features of one example lie "
    "side by side in memory (what scikit-learn calls C-ordered (m, n_x)); order C: the examples of one feature do."
)
NEAR = (1_000, 32)  # m and n_x of the cell that stands for the run


def section(run: Run) -> Section:
    """The section of the page: there in every run."""
    plots = [figure(run)] if run.cells and run.problem == "synthetic" else []
    return Section("answer", QUESTION, [*answer(run), NOTATION], plots, warnings=alarms(run))


def answer(run: Run) -> list[str]:
    """The headline, the place of the user's own kernels, and what is the furthest ahead of the vectorized form."""
    sentences = [headline(run), *placements(run)]
    best = chosen.furthest_ahead(run)
    if best is not None:
        where, ahead = best.result.cell.shape, words.faster_than(best.interval, "vectorized NumPy")
        sentences.append(f"What beats it: at {where} with one thread, {best.kernel} is {ahead}.")
    return sentences


def headline(run: Run) -> str:
    """The answer in one sentence: the vectorized form over the loop, in the largest one-thread cell that timed both."""
    ratio = chosen.headline(run)
    if ratio is None:
        return "The Python loop and the vectorized form were not both timed in any cell of this run."
    cell = ratio.result.cell
    where = f"Training on {cell.label}" if cell.iterations else f"At {cell.label}"
    return f"{where}, vectorized NumPy is {words.faster_than(ratio.interval, 'the Python loop')}."


def alarms(run: Run) -> list[str]:
    """What a reader must know before believing any of it."""
    failed = sum(len(result.failed) for result in run.cells)
    sentences = []
    if run.end is None or run.end.interrupted:
        sentences.append("The run was interrupted: only what was measured before is shown.")
    if failed:
        times = "Once" if failed == 1 else f"{failed} times"
        sentences.append(f"{times}, a kernel disagreed with the reference or failed: see “How far to trust it”.")
    return sentences


def placements(run: Run) -> list[str]:
    """A sentence for each of the user's own kernels: its place at the cell nearest to m = 1,000, n_x = 32.

    A kernel that failed has no place; the section on trust says why.
    """
    failed = {name for result in run.cells for name in result.failed}
    return [_placement(run, name) for name in run.own if name not in failed]


def _placement(run: Run, name: str) -> str:
    timed = [result for result in run.cells if name in result.samples]
    if not timed:
        return f"{name} was not timed in any cell of this run."
    result = min(timed, key=_distance)
    where = result.cell.label
    limit = run.limit(result)
    if limit is not None:
        where += f" ({words.of_limit(limit / result.median(name).estimate)} of this machine's limit)"
    slower, faster = neighbours(result, name, run.own)
    if slower and faster:
        return (
            f"{name} lies between {slower} and {faster} at {where}: {_compared(result, name, slower)}, and "
            f"{_compared(result, name, faster)}."
        )
    if slower or faster:
        place, other = ("fastest", slower) if slower else ("slowest", faster)
        return f"{name} is the {place} kernel at {where}: {_compared(result, name, str(other))}, the next."
    return f"{name} is the only kernel at {where}."


def _compared(result: CellResult, name: str, other: str) -> str:
    speedup = result.speedup(other, name)
    if speedup is None:
        return f"not timed in the same rounds as {other}"
    ratio = Ratio(speedup, name, result)
    if not (ratio.faster or ratio.slower):
        return f"a tie with {other} ({words.bounds(speedup)}, within the noise)"
    return words.faster_than(speedup, other)


def _distance(result: CellResult) -> tuple[int, float]:
    cell = result.cell
    return cell.threads, abs(math.log(cell.m / NEAR[0])) + abs(math.log(cell.n_x / NEAR[1]))


def figure(run: Run) -> Plot:
    """Time and speed-up over the loop side by side, for one n_x: the figure of the README."""
    results = chosen.headline_cells(run)
    cell = results[0].cell
    drawn, axes = curve_figure(1, 2, panel_height=3.2, shared=False)
    for ax, what in zip(axes.flat, (TIME, LOOP), strict=True):
        curves = draw_curves(ax, run, results, what)
        dress(ax, what)
        ax.set_title("time of one gradient step" if what == TIME else f"speed-up over {what}")
        ax.set_ylabel("")
        name_ends(ax, curves, styles(run))
    where = f"n_x = {cell.n_x}, {cell.setting.label}"
    hollow = " Hollow: from an estimated time (est.), too slow to run." if estimates.any_too_slow(results) else ""
    caption = f"Time of one gradient step, and speed-up over the Python loop, {where}.{hollow}"
    return Plot("headline", caption, drawn, finding(results), time_table(run, results, where))


def finding(results: Sequence[CellResult]) -> str:
    """How the speed-up of the vectorized form over the loop changes with m."""
    speedups = ratios(results, LOOP, [VECTORIZED])
    if not speedups:
        return ""
    first, last = speedups[0], speedups[-1]
    sentence = f"At {first.result.cell.shape}, {VECTORIZED} is {words.faster_than(first.interval, LOOP)}"
    if last is first:
        return f"{sentence}."
    return f"{sentence}; at m = {last.result.cell.m:,}, {words.faster_with_interval(last.interval)}."
