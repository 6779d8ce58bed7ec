"""The ladder as a waterfall: what each rung gains over the one that it grew from, named after its cause."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bench.report.charts import WIDTH, Plot, style, text_style
from bench.report.findings import shape_words
from bench.report.tables import Table, bounds_text, ratio_text, times_words
from bench.results.run import LOOP, VECTORIZED, CellResult
from bench.stats import Interval

# Each rung with one thread after the one that its arithmetic grew from, and what is new in it. Not the ladder's order:
# numba_loop compiles python_loop, whatever stands between the two.
PATHS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("lists", (("python_lists", "no boxing"),)),
    ("compiled", (("numba_loop", "no interpreter"), ("numba_fastmath", "sums reordered, SIMD"))),
    (
        "vectorized",
        (
            ("numpy_dot_in_loop", "inner loop in np.dot"),
            (VECTORIZED, "no loop in Python"),
            ("numpy_buffers", "no temporaries"),
            ("numba_passes", "one call, SIMD exp, few logs"),
            ("numba_fused", "X read once"),
        ),
    ),
)
LIMIT = "hardware's limit"

Limit = Callable[[CellResult], float | None]  # the least seconds that the hardware allows a step in a cell


@dataclass(frozen=True)
class Step:
    """One step of a path: `ratio` is the speed-up of `kernel` over `before`, `reached` of `before` over the loop."""

    path: str
    before: str
    kernel: str
    cause: str
    ratio: Interval
    reached: float


def steps(result: CellResult, limit: Limit | None = None) -> list[Step]:
    """The steps that were measured in a cell; where a rung between was not, its cause is joined to the next one's."""
    found = []
    for path, rungs in PATHS:
        before, reached, causes = LOOP, 1.0, list[str]()
        for name, cause in rungs:
            causes.append(cause)
            ratio = result.speedup(before, name)
            if ratio is not None:
                found.append(Step(path, before, name, " + ".join(causes), ratio, reached))
                before, reached, causes = name, reached * ratio.estimate, []
        seconds = limit(result) if limit else None
        if seconds and path == PATHS[-1][0] and before != LOOP:
            left = result.median(before)
            ratio = Interval(left.estimate / seconds, left.low / seconds, left.high / seconds)
            found.append(Step(path, before, LIMIT, "what is left", ratio, reached))
    return found


def figure(results: Sequence[CellResult], limit: Limit | None = None) -> Plot | None:
    """The waterfall at these cells, a panel each; None where nothing was measured."""
    of_cell = [(result, found) for result in results if (found := steps(result, limit))]
    if not of_cell:
        return None
    rows = list(dict.fromkeys((step.path, step.kernel, step.cause) for _, found in of_cell for step in found))
    # A gap between paths; the first on top.
    ys: dict[tuple[str, str, str], float] = {}
    for k, row in enumerate(rows):
        ys[row] = -float(k) - 0.6 * len({path for path, _, _ in rows[: k + 1]})
    joined = sum(" + " in cause for _, _, cause in rows)
    height = 0.36 * len(rows) + 0.12 * joined + 1.35
    drawn = Figure(figsize=(WIDTH, height))
    axes = drawn.subplots(1, len(of_cell), squeeze=False, sharey=True)[0]
    drawn.subplots_adjust(left=2.15 / WIDTH, right=1 - 0.15 / WIDTH, bottom=0.55 / height, top=1 - 0.72 / height)
    for ax, (result, found) in zip(axes, of_cell, strict=True):
        ends = [1.0]
        for step in found:
            y, end = ys[step.path, step.kernel, step.cause], step.reached * step.ratio.estimate
            ends.append(end)
            color = "#222222" if step.kernel == LIMIT else style(step.kernel)[0]
            face = color if end >= step.reached else "white"
            ax.barh(y, end - step.reached, 0.6, step.reached, facecolor=face, edgecolor=color, linewidth=0.9, zorder=2)
            low, high = step.reached * step.ratio.low, step.reached * step.ratio.high
            if low > 0.0 and np.isfinite(high):
                ax.hlines(y, low, high, color="black", linewidth=1.0, zorder=3)
            ax.annotate(
                ratio_text(step.ratio.estimate),
                (max(end, step.reached), y),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        ax.set(xscale="log", xlim=(min(ends) / 1.3, max(ends) * (max(ends) / min(ends)) ** 0.22))
        ax.minorticks_off()
        ax.xaxis.set_major_formatter(FuncFormatter(_tick))
        ax.set_title(shape_words(result))
        ax.tick_params(axis="y", length=0)
        ax.grid(visible=False, axis="y")
        ax.spines["left"].set_visible(False)
        ax.axvline(1.0, color="#555555", linewidth=0.9, zorder=1)
    axes[0].set_yticks(list(ys.values()), [f"{_wrapped(cause)}\n{kernel}" for _, kernel, cause in ys], fontsize=8)
    for label, (_, kernel, _) in zip(axes[0].get_yticklabels(), ys, strict=True):
        label.set_color("#222222" if kernel == LIMIT else text_style(kernel))
        label.set_linespacing(1.1)
    axes[len(axes) // 2].set_xlabel(f"speed-up over {LOOP}")
    drawn.suptitle("What each rung gains over the one that it grew from (1 thread)", x=0.01, ha="left", weight="bold")
    caption = (
        f"Waterfall of speed-ups over {LOOP} at {len(of_cell)} cells: each bar begins where the rung that it grew from "
        "ended, and is labelled with its own factor and cause. Hollow: a loss."
    )
    return Plot("waterfall", caption, drawn, finding(of_cell), table(of_cell), section="ladder")


def _tick(value: float, _: object) -> str:
    """A factor on the axis, short enough to stand beside the next: 100×, 10k×."""
    return f"{value / 1e3:g}k×" if value >= 1e3 else f"{value:g}×"


def _wrapped(cause: str) -> str:
    """Joined causes on two lines: one line would be too long for the figure."""
    first, plus, rest = cause.partition(" + ")
    return f"{first} +\n{rest}" if plus else cause


def finding(of_cell: Sequence[tuple[CellResult, list[Step]]]) -> str:
    """The largest and the smallest step of the vectorized branch in the middle one of these cells."""
    result, found = of_cell[len(of_cell) // 2]
    branch = [step for step in found if step.path == PATHS[-1][0]] or found
    best, least = (choose(branch, key=lambda step: step.ratio.estimate) for choose in (max, min))
    said = f"At {shape_words(result)}, the largest step to {branch[-1].kernel} is “{best.cause}”: "
    said += f"{times_words(best.ratio)}"
    return said + (f"; the smallest “{least.cause}”: {times_words(least.ratio)}." if least is not best else ".")


def table(of_cell: Sequence[tuple[CellResult, list[Step]]]) -> Table:
    """Every step with its interval, a column for each cell."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for k, (_, found) in enumerate(of_cell):
        for step in found:
            rows.setdefault((step.kernel, step.before, step.cause), ["–"] * len(of_cell))[k] = bounds_text(step.ratio)
    columns = ["kernel", "over", "cause", *(shape_words(result) for result, _ in of_cell)]
    return Table("Factor of each rung over the one that it grew from", columns, [[*k, *v] for k, v in rows.items()], 3)
