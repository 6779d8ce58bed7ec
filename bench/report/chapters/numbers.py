"""Three numbers for each kernel, side by side, and what they predict of cells that they were not fitted to."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from bench import words
from bench.analysis.costmodel import Costs, Level, fit_all
from bench.grid import Setting
from bench.report.charts import Plot, titled
from bench.report.runtables import time_bounds
from bench.report.section import Section
from bench.report.style import WIDTH, Style, styles, text_color
from bench.report.tables import Column, Table
from bench.results import Run
from bench.stats import Interval

LEAD = ["Cost per call, per example and per element of X: three numbers that explain a kernel's time at any size."]
PANELS: tuple[tuple[str, Callable[[Costs, Level], Interval]], ...] = (
    ("per call", lambda costs, _: costs.per_call),
    ("per example", lambda _, level: level.per_example),
    ("per element of X", lambda _, level: level.per_element),
)
TICKS = (0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.5, 2.0)
NO_FIT = "no fit: timed in too few cells"

Fitted = Mapping[str, Costs]  # by kernel


def section(run: Run) -> Section | None:
    """The section of the page; None for training runs, which have no sizes to compare."""
    if run.problem != "synthetic" or not run.cells:
        return None
    fits = {setting: fit_all(run, setting) for setting in run.settings}
    tables = {setting: table(fitted, setting, refused) for setting, (fitted, refused) in fits.items() if fitted}
    first = run.settings[0]
    plots = []
    if first in tables:
        fitted, _ = fits[first]
        plots = [three_numbers(run, fitted, first, tables.pop(first)), held_out(run, fitted, first)]
    return Section("numbers", "Three numbers for each kernel", LEAD, plots, list(tables.values())).or_none()


def cost_text(value: Interval) -> str:
    """A cost in the unit that a reader expects; ≈ 0 where it can't be distinguished from nothing."""
    if value.low <= 0.0:
        return f"≈ 0 (below {words.seconds(value.high, 2)})" if value.high > 0.0 else "≈ 0"
    return words.seconds(value.estimate, 2)


def table(fitted: Fitted, setting: Setting, refused: Sequence[str]) -> Table:
    """The three numbers with their intervals, a row for each kernel and level, and how far off the model is."""
    rows: list[list[object]] = [
        [
            name,
            level.name,
            *(number(costs, level) for _, number in PANELS),
            level.cells,
            _Errors(costs.fit_errors),
            _Errors(costs.held_out_errors),
        ]
        for name, costs in fitted.items()
        for level in costs.levels
    ]
    rows += [[line.partition(":")[0], NO_FIT, *[None] * 6] for line in refused]
    columns = [Column("kernel"), Column("data in")]
    columns += [Column(name, time_bounds) for name in ("per call", "per example", "per element")]
    columns += [Column("cells"), Column("error of fit"), Column("held out")]
    return Table(f"Three numbers, {setting.label} (errors: median / 90th percentile)", columns, rows, keys=2)


class _Errors(tuple[float, ...]):
    """Relative errors; a table shows their median and 90th percentile."""

    def __str__(self) -> str:
        errors = np.array(self)
        return f"{100 * np.median(errors):.1f}% / {100 * np.quantile(errors, 0.9):.0f}%"


def three_numbers(run: Run, fitted: Fitted, setting: Setting, data: Table) -> Plot:
    """Cost per call, per example and per element: a panel each, a row for each kernel."""
    names = list(fitted)
    figure = Figure(figsize=(WIDTH, 0.36 * len(names) + 1.3))
    axes = figure.subplots(1, 3, sharey=True)
    height = figure.get_figheight()
    figure.subplots_adjust(left=0.175, right=0.985, top=1 - 0.72 / height, bottom=0.46 / height, wspace=0.06)
    style_of = styles(run)
    for ax, (title, number) in zip(axes, PANELS, strict=True):
        # Levels that share a number have one dot.
        costs = {n: list(dict.fromkeys(number(fitted[n], level) for level in fitted[n].levels)) for n in names}
        _panel(ax, costs, style_of)
        ax.set_title(title)
        ax.set(ylim=(len(names) - 0.4, -0.6))
        ax.xaxis.set_major_formatter(EngFormatter(unit="s", sep=""))
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
    axes[0].set_yticks(range(len(names)), names)
    for label, name in zip(axes[0].get_yticklabels(), names, strict=True):
        label.set_color(text_color(style_of[name]))
    titled(figure, f"Three numbers explain a kernel ({setting.label})")
    caption = (
        f"Cost per call, per example and per element of X of each kernel, {setting.label}. Filled: X near; hollow: X "
        "in a farther cache or RAM, where it costs more or less."
    )
    return Plot(f"three-numbers-{setting.id}", caption, figure, _numbers_finding(fitted), data)


def _panel(ax: Axes, costs: Mapping[str, Sequence[Interval]], style_of: Mapping[str, Style]) -> None:
    """One of the three numbers: a dot with its interval for each kernel and level, and the values beside them."""
    sure = [value for values in costs.values() for value in values if value.low > 0.0]
    if sure:
        low, high = min(value.low for value in sure), max(value.high for value in sure)
        # Room for the values beside the dots.
        ax.set_xlim(low / (high / low) ** 0.1, high * max(high / low, 10.0) ** 0.72)
    ax.set_xscale("log")
    if sure:
        decades = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        ax.set_xticks([10.0**k for k in decades[:: 1 if len(decades) <= 3 else 2]])  # more would touch
    ax.minorticks_off()
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    for y, (name, values) in enumerate(costs.items()):
        color = style_of[name].color
        for k, value in enumerate(values):
            if value.low > 0.0:
                ax.hlines(y, value.low, value.high, color=color, linewidth=2.0, alpha=0.6)
                ax.plot([value.estimate], [y], "o", color=color, markersize=5, markerfacecolor="white" if k else color)
        right = max((value.high for value in values if value.low > 0.0), default=ax.get_xlim()[0])
        # A difference that no reader would see is not spelt out.
        first = max(values[0].estimate, 1e-30)
        distinct = [values[0], *(value for value in values[1:] if not 0.9 <= value.estimate / first <= 1.1)]
        text = " → ".join(dict.fromkeys(cost_text(value) for value in distinct))
        ax.annotate(text, (right, y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=7.5, bbox=box)


def _numbers_finding(fitted: Fitted) -> str:
    """Who pays the most and the least for an element, and who the most for a call."""
    sure = {name: costs for name, costs in fitted.items() if costs.per_element.low > 0.0}
    if len(sure) < 2:
        return ""
    most, least = (choose(sure, key=lambda name: sure[name].per_element.estimate) for choose in (max, min))
    call = max(fitted, key=lambda name: fitted[name].per_call.estimate)
    return (
        f"An element of X costs {cost_text(sure[most].per_element)} with {most} and "
        f"{cost_text(sure[least].per_element)} with {least}. {call} has the highest fixed cost per call, "
        f"{cost_text(fitted[call].per_call)}."
    )


def held_out(run: Run, fitted: Fitted, setting: Setting) -> Plot:
    """Predicted over measured time of every cell, each predicted by a model that was fitted without it."""
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    ax = figure.subplots()
    style_of = styles(run)
    for name, costs in fitted.items():
        ratios = [cell.predicted / cell.measured for cell in costs.held_out]
        color, marker = style_of[name]
        ax.plot(
            [cell.measured for cell in costs.held_out],
            ratios,
            color=color,
            marker=marker,
            linestyle="none",
            label=name,
            alpha=0.8,
        )
    ax.axhline(1.0, color="#555555", linewidth=0.9, zorder=1)
    ax.axhspan(1 / 1.1, 1.1, color="#dddddd", linewidth=0, zorder=0)
    ax.set(xscale="log", yscale="log", xlabel="measured time of a call", ylabel="predicted / measured")
    ax.xaxis.set_major_formatter(EngFormatter(unit="s"))
    shown = [tick for tick in TICKS if ax.get_ylim()[0] <= tick <= ax.get_ylim()[1]]
    ax.set_yticks(shown, [f"{tick:g}" for tick in shown])
    ax.minorticks_off()
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    titled(figure, f"Predictions of held-out cells ({setting.label}; band: ±10%)")
    errors = np.concatenate([costs.held_out_errors for costs in fitted.values()])
    finding = (
        f"{100 * np.mean(errors <= 0.1):.0f}% of {errors.size} held-out predictions are within 10%; half are within "
        f"{100 * np.median(errors):.1f}%."
    )
    caption = f"Predicted over measured time of cells that were held out of the fit, {setting.label}."
    return Plot(f"held-out-{setting.id}", caption, figure, finding, held_out_table(fitted, setting))


def held_out_table(fitted: Fitted, setting: Setting) -> Table:
    """Predicted over measured time of every held-out cell, a column for each kernel."""
    ratios = {
        name: {(cell.n_x, cell.m): cell.predicted / cell.measured for cell in costs.held_out}
        for name, costs in fitted.items()
    }
    shapes = sorted({shape for of_kernel in ratios.values() for shape in of_kernel})
    rows = [[*shape, *(of_kernel.get(shape) for of_kernel in ratios.values())] for shape in shapes]
    columns = [Column("n_x"), Column("m"), *(Column(name, "{:.2f}".format) for name in fitted)]
    return Table(f"Predicted over measured time of held-out cells, {setting.label}", columns, rows, keys=2)
