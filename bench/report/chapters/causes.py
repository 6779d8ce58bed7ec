"""Each cause isolated by a controlled pair: what one change is worth, from the rounds that the two share."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.analysis import predictions
from bench.analysis.predictions import LESS, MORE, Prediction, Predictor
from bench.report.charts import WIDTH, Plot
from bench.report.tables import Table, bounds_text, digits
from bench.results.run import CellResult, Run
from bench.stats import Interval


@dataclass(frozen=True)
class Pair:
    """A cause, the two that differ in it alone, and what counting predicts of the factor.

    `more` and `less` are what it says if the factor is more, or less, than predicted.
    """

    cause: str
    before: str
    after: str
    predict: Predictor
    more: str = MORE
    less: str = LESS


PAIRS = (
    Pair(
        "boxing: ndarray elements → list items",
        "python_loop",
        "python_lists",
        predictions.instructions,
        more="So it is not how many instructions there are, but how long each takes: one on an ndarray's element takes "
        "longer than one on a list's item.",
    ),
    Pair(
        "np.vectorize around the loop's body",
        "python_loop",
        "pair: np.vectorize",
        predictions.instructions,
        less="What np.vectorize itself does for each example was not counted.",
    ),
    Pair(
        "the interpreter: interpreted → compiled",
        "python_loop",
        "numba_loop",
        predictions.nothing("how long an interpreted instruction takes, in machine instructions, is not counted"),
    ),
    Pair(
        "bounds checked → not checked",
        "pair: loop, bounds checked",
        "numba_loop",
        predictions.same_code,
        less="The loops with more packed arithmetic are not those that take the time.",
    ),
    Pair(
        "division checked → not, strict loop",
        "pair: loop, error model of Python",
        "numba_loop",
        predictions.same_code,
    ),
    Pair(
        "X in order C → F, compiled loop",
        "pair: loop, X in order C",
        "numba_loop",
        predictions.same_code,
        more="The code is the same, so it is how X lies in memory: an example's features side by side, or far apart.",
    ),
    Pair(
        "sums in order → reordered, SIMD",
        "numba_loop",
        "numba_fastmath",
        predictions.reordered,
    ),
    Pair(
        "np.vectorize → array operations",
        "pair: np.vectorize",
        "numpy_vectorized",
        predictions.interpreter_gone,
    ),
    Pair("X in order C → F, NumPy", "pair: NumPy, X in order C", "numpy_vectorized", predictions.same_work),
    Pair(
        "cost from a → from z",
        "numpy_textbook",
        "numpy_vectorized",
        predictions.moved,
    ),
    Pair(
        "temporaries → buffers (out=)",
        "numpy_vectorized",
        "numpy_buffers",
        predictions.fresh,
        more="A new array costs more than the bytes that are moved.",
    ),
    Pair("exp: one at a time → SIMD", "pair: exp, scalar", "numba_passes", predictions.exp_lanes),
    Pair(
        "log1p: one an example → one for many",
        "pair: a logarithm an example",
        "numba_passes",
        predictions.nothing("how many fewer logarithms is known, but how long one takes is not measured"),
    ),
    Pair(
        "division checked → not, SIMD",
        "pair: activation, error model of Python",
        "numba_passes",
        predictions.division_lanes,
    ),
    Pair(
        "X read twice → once, in blocks",
        "numba_passes",
        "numba_fused",
        predictions.read_once,
        more="Besides, blocks of few features are copied, so that SIMD takes examples side by side.",
        less="Reading X is not what this cell waits for.",
    ),
    Pair(
        "one thread → all",
        "pair: fused blocks, one thread",
        "numba_fused_parallel",
        predictions.threads,
        more="One thread is farther from its limit than all are.",
        less="All threads are farther from their limit than one is: waking them and waiting for the last is not in it.",
    ),
)
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
PREDICTED = "#a8a8a8"


def chosen(run: Run) -> list[CellResult]:
    """The cells that hold most of the pairs: those with variants, or else some of those with all rungs."""
    timed = [result for result in run.cells if result.seconds and not result.cell.iterations]
    explained = [result for result in timed if any(name.startswith("pair: ") for name in result.seconds)]
    if explained:
        return explained
    whole = [r for r in timed if r.cell.threads == 1 and "python_loop" in r.seconds and "numpy_vectorized" in r.seconds]
    return whole[-1:]


def factors(run: Run) -> dict[Pair, dict[str, Interval]]:
    """Pair -> cell -> how many times faster the one change makes it; pairs that no cell holds are left out."""
    found: dict[Pair, dict[str, Interval]] = {}
    for pair in PAIRS:
        for result in chosen(run):
            ratio = result.speedup(pair.before, pair.after)
            if ratio is not None:
                found.setdefault(pair, {})[_label(result)] = ratio
    return found


def _label(result: CellResult) -> str:
    cell = result.cell
    words = f"m = {cell.m:,}, n_x = {cell.n_x:,}"
    return words + (f", {cell.threads} threads" if cell.threads > 1 else "")


def figure(run: Run) -> Plot | None:
    """A row for each cause, a dot with its interval for each cell."""
    found = factors(run)
    if not found:
        return None
    cells = list(dict.fromkeys(label for ratios in found.values() for label in ratios))
    drawn = Figure(figsize=(WIDTH, 0.46 * len(found) + 1.5), layout="constrained")
    ax = drawn.subplots()
    results = {_label(result): result for result in chosen(run)}
    for row, (pair, ratios) in enumerate(found.items()):
        for k, (label, ratio) in enumerate(ratios.items()):
            y = row + 0.14 * (k - (len(ratios) - 1) / 2)
            _mark(ax, pair.predict(run, results[label], pair.before, pair.after), y)
            color = COLORS[cells.index(label) % len(COLORS)]
            ax.plot([ratio.estimate], [y], "o", color=color, label=label if _first(found, row, label) else None)
            if ratio.low > 0.0 and np.isfinite(ratio.high):
                ax.hlines(y, ratio.low, ratio.high, color=color, linewidth=2.0)
    # For the legend.
    ax.plot([], [], color=PREDICTED, linewidth=2.6, solid_capstyle="butt", label="predicted, a range")
    ax.plot([], [], "|", color=PREDICTED, markersize=5.5, markeredgewidth=2.0, label="predicted, a number or the most")
    ax.axvline(1.0, color="#555555", linewidth=0.9, zorder=1)
    ax.set_yticks(range(len(found)), [pair.cause for pair in found])
    ax.set(xscale="log", ylim=(len(found) - 0.4, -0.6), xlabel="times as fast after the one change")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}×" if value >= 1.0 else f"1/{1.0 / value:g}")
    ax.minorticks_off()
    ax.grid(visible=False, axis="y")
    drawn.legend(loc="outside lower left", ncols=3, frameon=False, fontsize=8)
    drawn.suptitle("What each cause alone is worth", x=0.01, ha="left", fontweight="bold")
    largest = max(((pair, max(ratios.values(), key=lambda r: r.low)) for pair, ratios in found.items()), key=_low)
    return Plot(
        "causes",
        "The factor that one change alone makes, for each cause, in each of the chosen cells; above 1 is faster. Grey: "
        "what was predicted from counted work.",
        drawn,
        finding=f"The largest of them is “{largest[0].cause}”: up to {digits(largest[1].estimate)} times as fast "
        f"(95% interval {digits(largest[1].low)} to {digits(largest[1].high)}).",
        table=_table(found, cells),
        section="causes",
    )


def _mark(ax: Axes, predicted: Prediction | str, y: float) -> None:
    """What was predicted, behind what was measured: a bar for a range, a tick for a number or for the most."""
    if isinstance(predicted, str):
        return
    if predicted.low not in (0.0, predicted.high):
        ax.hlines(y, predicted.low, predicted.high, color=PREDICTED, linewidth=2.6, zorder=1.8)
        return
    ax.plot([predicted.high], [y], "|", color=PREDICTED, markersize=5.5, markeredgewidth=2.0, zorder=1.8)


def _low(found: tuple[Pair, Interval]) -> float:
    return found[1].low


def _first(found: dict[Pair, dict[str, Interval]], row: int, label: str) -> bool:
    """Whether this row is the first that holds the cell: the one whose dot names it in the legend."""
    return row == next(k for k, ratios in enumerate(found.values()) if label in ratios)


def _table(found: dict[Pair, dict[str, Interval]], cells: list[str]) -> Table:
    rows = [
        [pair.cause, pair.before, pair.after, *(bounds_text(ratios.get(label)) for label in cells)]
        for pair, ratios in found.items()
    ]
    return Table("What each cause alone is worth", ["cause", "before", "after", *cells], rows, keys=3)
