"""How near the kernels come to this machine's limit: the roofline of this problem, and shares of the limit."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from bench import words
from bench.analysis import limits
from bench.analysis.limits import Roof
from bench.grid import Setting
from bench.report.charts import Plot, panels, titled
from bench.report.runtables import SHAPE, shape, three_digits, timed
from bench.report.section import Section
from bench.report.style import WIDTH, styles
from bench.report.tables import Column, Table
from bench.results import READ, CellResult, Run

LEAD = [
    "A gradient step must read X once, do 4 m n_x floating-point operations and take m exponentials. The run measured "
    "how fast this machine does each; the limit of a cell is the longest of the three times."
]


class Reached(NamedTuple):
    """What a kernel reaches of a limit: GB of X a second, and the share of the limit."""

    rate: float
    share: float

    def __str__(self) -> str:
        return f"{self.rate:.3g} ({words.of_limit(self.share)})"


def section(run: Run) -> Section | None:
    """The section of the page."""
    plots = []
    for setting in run.settings:
        fold = "" if setting == run.settings[0] else setting.label
        plots += [plot for plot in (roofline(run, setting, fold), maps(run, setting, fold)) if plot]
    return Section("limits", "The limits of the hardware", LEAD, plots, tables(run)).or_none()


def tables(run: Run) -> list[Table]:
    """The tables beside those of the figures."""
    table = read_table(run)
    return [table] if table else []


def roofline(run: Run, setting: Setting, fold: str = "") -> Plot | None:
    """Bytes of X a second against n_x, with the roof above: in the cache and from memory."""
    roofs = limits.roofs(run, setting)
    if not roofs:
        return None
    results = [result for roof in roofs for result in roof.results]
    names = limits.shown(run, results)
    figure = Figure(figsize=(WIDTH, 4.3), layout="constrained")
    axes = figure.subplots(1, len(roofs), squeeze=False, sharey=True)
    for ax, roof in zip(axes.flat, roofs, strict=True):
        _roof(ax, run, roof, names)
    axes[0, 0].set_ylabel("X processed, GB/s")
    axes[0, 0].set_ylim(top=2.0 * max(_most(run, result) for result in results))  # shared
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower left", ncols=5, frameon=False, fontsize=8)
    titled(figure, f"The roofline of the gradient step ({setting.label})")
    possible = [share for share in limits.shares(run, results, names) if share.share <= 1.0]
    best = max(possible, key=lambda share: share.share, default=None)
    finding = "Every kernel is beyond the roof, so the roof is wrong: measure on a quieter machine."
    if best:
        where = f"it reaches {words.percent(best.share)} of the limit at {best.result.cell.label}."
        finding = f"{best.kernel} comes nearest to the roof: {where}"
    return Plot(
        f"roofline-{setting.id}",
        f"Bytes of X that each kernel processes a second against n_x, below the roof that exponentials and linear "
        f"reads set, {setting.label}.",
        figure,
        finding,
        _roof_table(run, results, names, setting),
        fold,
    )


def _roof(ax: Axes, run: Run, roof: Roof, names: Sequence[str]) -> None:
    """One panel: the roof over these cells, and the kernels below it."""
    n_xs = [result.cell.n_x for result in roof.results]
    most = [_most(run, result) for result in roof.results]
    ax.fill_between(n_xs, most, [10.0 * max(most)] * len(most), color="#eeeeee", zorder=0)
    ax.plot(n_xs, most, color="#222222", linewidth=2.2, label="limit", zorder=4)
    style_of = styles(run)
    for name in names:
        where = [result for result in roof.results if name in result.samples]
        rates = [_rate(result, name) for result in where]
        style = style_of[name]
        ax.plot([r.cell.n_x for r in where], rates, color=style.color, marker=style.marker, label=name)
    ax.set(xscale="log", yscale="log", xlabel="n_x, features")
    ax.set_title(f"X in {'memory' if roof.in_memory else 'the cache'} ({_sizes(roof.results)})")
    ax.set_xticks(n_xs, [f"{n_x:,}" for n_x in n_xs])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.minorticks_off()
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _sizes(results: Sequence[CellResult]) -> str:
    sizes = [result.cell.nbytes for result in results]
    low, high = words.human_bytes(min(sizes)), words.human_bytes(max(sizes))
    return low if low == high else f"{low} to {high}"


def _most(run: Run, result: CellResult) -> float:
    """GB of X a second at the limit of a cell."""
    return result.cell.nbytes / run.bound(result.cell) / 1e9


def _rate(result: CellResult, label: str) -> float:
    """GB of X a second."""
    return result.cell.nbytes / result.median(label).estimate / 1e9


def _roof_table(run: Run, results: Sequence[CellResult], names: Sequence[str], setting: Setting) -> Table:
    columns = [
        *SHAPE,
        Column("limited by"),
        Column("limit, GB/s", three_digits),
        *(Column(name) for name in names),
    ]

    def reached(result: CellResult, name: str) -> Reached | None:
        return Reached(_rate(result, name), limits.share(run, result, name)) if name in result.samples else None

    rows = [[*shape(r), limits.limiting(run, r), _most(run, r), *(reached(r, name) for name in names)] for r in results]
    return Table(f"The roofline, {setting.label}", columns, rows, keys=2)


def maps(run: Run, setting: Setting, fold: str = "") -> Plot | None:
    """Percentage of the limit over (m, n_x): a panel for each kernel."""
    results = limits.limited(run, setting)
    names = limits.shown(run, results)
    if not names:
        return None
    color_map, norm = mpl.colormaps["YlGnBu"], mpl.colors.LogNorm(0.01, 1.0, clip=True)

    def show(result: CellResult, name: str) -> tuple[str, Any] | None:
        if name not in result.samples:
            return None
        share = limits.share(run, result, name)
        return words.of_limit(share), color_map(norm(share))

    figure = panels(results, dict(zip(names, names, strict=True)), show, styles(run))
    titled(figure, f"Percentage of this machine's limit ({setting.label})")
    largest = max(results, key=lambda result: (result.cell.nbytes, result.cell.m))
    possible = [share for share in limits.shares(run, [largest], names) if share.share <= 1.0]
    best = max(possible, key=lambda share: share.share, default=None)
    finding = "On few examples the cost of a call leaves every kernel far below the limit."
    if best:
        where = f"At {largest.cell.label}, {best.kernel} reaches {words.percent(best.share)} of the limit."
        finding = f"{where} {finding}"
    return Plot(
        f"limit-{setting.id}",
        f"Each kernel's percentage of the limit that reading X once, arithmetic and exponentials set, in every cell, "
        f"{setting.label}.",
        figure,
        finding,
        _limit_table(run, results, setting),
        fold,
    )


def _limit_table(run: Run, results: Sequence[CellResult], setting: Setting) -> Table:
    """The percentage of the limit of every kernel in every cell."""
    names = timed(run, results)
    columns = [*SHAPE, Column("limit", words.seconds), *(Column(name, words.of_limit) for name in names)]

    def share(result: CellResult, name: str) -> float | None:
        return limits.share(run, result, name) if name in result.samples else None

    rows = [[*shape(r), run.bound(r.cell), *(share(r, name) for name in names)] for r in results]
    return Table(f"Percentage of the limit, {setting.label}", columns, rows, keys=2)


def read_table(run: Run) -> Table | None:
    """Where X comes from memory: each kernel's share of a linear read of X, measured in the same rounds."""
    results = limits.from_memory(run)
    if not results:
        return None
    names = timed(run, results)
    columns = [
        Column("cell"),
        Column("linear read, GB/s", three_digits),
        *(Column(name, partial(words.bounds, show=words.percent)) for name in names),
    ]
    rows = [
        [result.cell.label, _rate(result, READ), *(limits.of_read(result, name) for name in names)]
        for result in results
    ]
    return Table("Share of a linear read, X from memory", columns, rows)
