"""The ladder: what each rung gains over the one that it grew from, what it changes, and its source."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench import words
from bench.analysis import pairs
from bench.analysis.pairs import LIMIT, Step
from bench.analysis.ratios import story_cells
from bench.report.charts import Plot, ratio_tick, titled
from bench.report.runtables import kernel_table, median, time_bounds
from bench.report.section import Section, Source
from bench.report.style import WIDTH, Style, styles, text_color
from bench.report.tables import Column, Table
from bench.results import BASELINES, LOOP, CellResult, Run
from kernels import find

LEAD = [
    "One algorithm, the gradient step of logistic regression, written again and again: each rung changes one thing.",
    "Below: the factor that each step gains by itself, then what each rung changes, and its source.",
]
LIMIT_STYLE = Style("#222222", "")

Row = tuple[str, str, str]  # branch, kernel, cause


def section(run: Run) -> Section | None:
    """The section of the page."""
    results = story_cells(run) if run.cells and run.problem == "synthetic" else []
    waterfall = figure(run, results)
    return Section(
        "ladder",
        "The ladder",
        LEAD,
        [waterfall] if waterfall else [],
        [kernel_table(run)] if run.measured else [],
        sources=sources(run),
    ).or_none()


def sources(run: Run) -> list[Source]:
    """The file of each kernel that was measured, as it is now, with its times at the headline's cells."""
    return [
        Source(name, kernel.title, kernel.change, kernel.source, _times_of(run, name))
        for name in run.measured
        if (kernel := find(name)) is not None and kernel.source is not None
    ]


def _times_of(run: Run, name: str) -> Table:
    columns = [Column("cell"), Column("time", time_bounds), *(Column(f"over {baseline}") for baseline in BASELINES)]
    rows = [
        [result.cell.shape, median(result, name), *(result.speedup(baseline, name) for baseline in BASELINES)]
        for result in story_cells(run)
        if name in result.samples
    ]
    return Table(f"Times of {name}", columns, rows)


def figure(run: Run, results: Sequence[CellResult]) -> Plot | None:
    """The steps of the ladder at these cells as a waterfall, a panel each; None where none was measured."""
    measured = [(result, pairs.steps(result, run.limit)) for result in results]
    of_cell = [(result, steps) for result, steps in measured if steps]
    if not of_cell:
        return None
    ys = _rows([step for _, steps in of_cell for step in steps])
    joined = sum(" + " in cause for _, _, cause in ys)
    height = 0.36 * len(ys) + 0.12 * joined + 1.35
    drawn = Figure(figsize=(WIDTH, height))
    axes = drawn.subplots(1, len(of_cell), squeeze=False, sharey=True)[0]
    drawn.subplots_adjust(left=2.15 / WIDTH, right=1 - 0.15 / WIDTH, bottom=0.55 / height, top=1 - 0.72 / height)
    style_of = {**styles(run), LIMIT: LIMIT_STYLE}
    for ax, (result, steps) in zip(axes, of_cell, strict=True):
        for step in steps:
            _bar(ax, ys[_row(step)], step, style_of[step.kernel].color)
        ends = [1.0, *(step.reached * step.ratio.estimate for step in steps)]
        ax.set(xscale="log", xlim=(min(ends) / 1.3, max(ends) * (max(ends) / min(ends)) ** 0.22))
        ax.minorticks_off()
        ax.xaxis.set_major_formatter(ratio_tick)
        ax.set_title(result.cell.shape)
        ax.tick_params(axis="y", length=0)
        ax.grid(visible=False, axis="y")
        ax.spines["left"].set_visible(False)
        ax.axvline(1.0, color="#555555", linewidth=0.9, zorder=1)
    axes[0].set_yticks(list(ys.values()), [f"{_wrapped(cause)}\n{kernel}" for _, kernel, cause in ys], fontsize=8)
    for label, (_, kernel, _) in zip(axes[0].get_yticklabels(), ys, strict=True):
        label.set_color(text_color(style_of[kernel]))
        label.set_linespacing(1.1)
    axes[len(axes) // 2].set_xlabel(f"speed-up over {LOOP}")
    titled(drawn, "What each rung gains over the one that it grew from (1 thread)")
    caption = (
        f"Waterfall of speed-ups over {LOOP} at {words.plural(len(of_cell), 'cell')}: each bar begins where the rung "
        "that it grew from ended, and is labelled with its own factor and cause. Hollow and ↓: slower."
    )
    return Plot("waterfall", caption, drawn, finding(*of_cell[len(of_cell) // 2]), table(of_cell))


def _row(step: Step) -> Row:
    return step.branch, step.kernel, step.cause


def _rows(steps: Sequence[Step]) -> dict[Row, float]:
    """Where each row stands: the first on top, with a gap between branches."""
    rows = list(dict.fromkeys(_row(step) for step in steps))
    # A rung that joins causes in one cell only still stands with its branch.
    order = list(dict.fromkeys(branch for branch, _, _ in rows))
    rows.sort(key=lambda row: order.index(row[0]))
    return {row: -float(k) - 0.6 * (order.index(row[0]) + 1) for k, row in enumerate(rows)}


def _bar(ax: Axes, y: float, step: Step, color: str) -> None:
    """One step: from the speed-up that was reached to the one that it reaches, with its interval and factor."""
    start, end = step.reached, step.reached * step.ratio.estimate
    face = color if end >= start else "white"
    ax.barh(y, end - start, 0.6, start, facecolor=face, edgecolor=color, linewidth=0.9, zorder=2)
    if words.bounded(step.ratio):
        ax.hlines(y, start * step.ratio.low, start * step.ratio.high, color="black", linewidth=1.0, zorder=3)
    ax.annotate(
        words.short(step.ratio.estimate),
        (max(end, start), y),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
    )


def _wrapped(cause: str) -> str:
    """Joined causes on two lines: one line would be too long for the figure."""
    first, plus, rest = cause.partition(" + ")
    return f"{first} +\n{rest}" if plus else cause


def finding(result: CellResult, steps: Sequence[Step]) -> str:
    """The largest and the smallest step of the main branch in a cell."""
    branch = [step for step in steps if step.branch == pairs.main_branch()] or list(steps)
    best, least = (choose(branch, key=lambda step: step.ratio.estimate) for choose in (max, min))
    sentence = (
        f"At {result.cell.shape}, the largest step to {branch[-1].kernel} is “{best.cause}”: "
        f"{words.faster_with_interval(best.ratio)}"
    )
    if least is best:
        return f"{sentence}."
    return f"{sentence}; the smallest is “{least.cause}”: {words.faster_with_interval(least.ratio)}."


def table(of_cell: Sequence[tuple[CellResult, Sequence[Step]]]) -> Table:
    """Every step with its interval, a column for each cell."""
    of_step = [{(step.kernel, step.before, step.cause): step.ratio for step in steps} for _, steps in of_cell]
    columns = [*(Column(name) for name in ("kernel", "over", "cause")), *(Column(r.cell.shape) for r, _ in of_cell)]
    keys = dict.fromkeys(key for ratios in of_step for key in ratios)
    rows = [[*key, *(ratios.get(key) for ratios in of_step)] for key in keys]
    return Table("Factor of each rung over the one that it grew from", columns, rows, keys=3)
