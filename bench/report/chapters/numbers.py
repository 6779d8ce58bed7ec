"""The figures of the cost model: three numbers a kernel side by side, and what it predicts of cells it never saw."""

import math
from collections.abc import Callable, Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from bench.analysis.costmodel import Costs, Level, fit_all
from bench.report.charts import WIDTH, Plot, style, text_style
from bench.report.tables import Table, bounds_text
from bench.report.terminal import seconds_text
from bench.results.run import Run
from bench.stats import Interval
from bench.variant import Variant, variant_file, variant_words, variants

PANELS: tuple[tuple[str, Callable[[Costs, Level], Interval]], ...] = (
    ("per call", lambda costs, _: costs.per_call),
    ("per example", lambda _, level: level.per_example),
    ("per element of X", lambda _, level: level.per_element),
)

TICKS = (0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.5, 2.0)


def cost_text(value: Interval) -> str:
    """A cost in the unit that a reader expects; ≈ 0 where it can't be told from nothing."""
    if value.low <= 0.0:
        return f"≈ 0 (below {seconds_text(value.high)})" if value.high > 0.0 else "≈ 0"
    if value.estimate < 1e-9:
        return f"{value.estimate * 1e12:.0f} ps"
    return seconds_text(value.estimate)


def draw(run: Run) -> Iterator[Plot]:
    """The figures of the first variant of a run; none where no kernel was timed in enough cells."""
    variant = variants(run)[0]
    fitted, refused = fit_all(run, variant)
    if fitted:
        yield three_numbers(fitted, variant, refused)
        yield held_out(fitted, variant)


def tables(run: Run) -> Iterator[Table]:
    """The three numbers and the errors of every variant of a run."""
    for variant in variants(run):
        fitted, refused = fit_all(run, variant)
        if fitted:
            yield numbers_table(fitted, variant, refused)


def numbers_table(fitted: dict[str, Costs], variant: Variant, refused: list[str]) -> Table:
    """The three numbers with their intervals, a row for each kernel and level; and how far off the model is."""

    def show(seconds: float) -> str:
        return f"{seconds * 1e12:.3g} ps" if 0.0 < seconds < 1e-9 else seconds_text(seconds)

    rows = []
    for name, costs in fitted.items():
        fit, held = np.array(costs.fit_errors), np.array(costs.held_out_errors)
        errors = [f"{100 * np.median(e):.1f}% / {100 * np.quantile(e, 0.9):.0f}%" for e in (fit, held)]
        for level in costs.levels:
            numbers = [bounds_text(number(costs, level), show) for _, number in PANELS]
            rows += [[name, level.name, *numbers, str(level.cells), *errors]]
    rows += [[line.partition(":")[0], "no fit: timed in too few cells", *["–"] * 6] for line in refused]
    columns = ["kernel", "data in", "per call", "per example", "per element", "cells", "error of fit", "held out"]
    title = f"Three numbers a kernel, {variant_words(variant)} (errors: median / 90th percentile)"
    return Table(title, columns, rows, keys=2)


def three_numbers(fitted: dict[str, Costs], variant: Variant, refused: list[str]) -> Plot:
    """Cost per call, per example and per element: a panel each, a row for each kernel."""
    names = list(fitted)
    figure = Figure(figsize=(WIDTH, 0.36 * len(names) + 1.3))
    axes = figure.subplots(1, 3, sharey=True)
    height = figure.get_figheight()
    figure.subplots_adjust(left=0.175, right=0.985, top=1 - 0.72 / height, bottom=0.46 / height, wspace=0.06)
    for ax, (title, number) in zip(axes, PANELS, strict=True):
        _panel(ax, fitted, number)
        ax.set_title(title)
        ax.set(ylim=(len(names) - 0.4, -0.6))
        ax.xaxis.set_major_formatter(EngFormatter(unit="s", sep=""))
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
    axes[0].set_yticks(range(len(names)), names)
    for label, name in zip(axes[0].get_yticklabels(), names, strict=True):
        label.set_color(text_style(name))
    words = variant_words(variant)
    figure.suptitle(f"Three numbers explain a kernel ({words})", x=0.01, ha="left", fontweight="bold")
    caption = (
        f"Cost per call, per example and per element of X of each kernel, {words}. Filled: data near; hollow: data in "
        "memory farther away, where that costs otherwise."
    )
    table = numbers_table(fitted, variant, refused)
    return Plot(f"three-numbers-{variant_file(variant)}", caption, figure, _numbers_finding(fitted), table)


def _panel(ax: Axes, fitted: dict[str, Costs], number: Callable[[Costs, Level], Interval]) -> None:
    found = {
        name: list(dict.fromkeys(number(costs, level) for level in costs.levels)) for name, costs in fitted.items()
    }
    told = [value for values in found.values() for value in values if value.low > 0.0]
    if told:
        low, high = min(value.low for value in told), max(value.high for value in told)
        # Room for the values beside the dots.
        ax.set_xlim(low / (high / low) ** 0.1, high * max(high / low, 10.0) ** 0.72)
    ax.set_xscale("log")
    if told:
        decades = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        ax.set_xticks([10.0**k for k in decades[:: 1 if len(decades) <= 3 else 2]])  # more would touch
    ax.minorticks_off()
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    for y, (name, values) in enumerate(found.items()):
        color, _ = style(name)
        shown = [value for value in values if value.low > 0.0]
        for k, value in enumerate(values):
            if value.low > 0.0:
                ax.hlines(y, value.low, value.high, color=color, linewidth=2.0, alpha=0.6)
                ax.plot([value.estimate], [y], "o", color=color, markersize=5, markerfacecolor="white" if k else color)
        at = max(value.high for value in shown) if shown else ax.get_xlim()[0]
        # A difference that no reader would see is not spelt out.
        distinct = values[:1] + [v for v in values[1:] if not 0.9 <= v.estimate / max(values[0].estimate, 1e-30) <= 1.1]
        text = " → ".join(dict.fromkeys(cost_text(value) for value in distinct))
        ax.annotate(text, (at, y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=7.5, bbox=box)


def _numbers_finding(fitted: dict[str, Costs]) -> str:
    sure = {name: costs for name, costs in fitted.items() if costs.per_element.low > 0.0}
    if len(sure) < 2:
        return ""
    most, least = (pick(sure, key=lambda n: sure[n].per_element.estimate) for pick in (max, min))
    call = max(fitted, key=lambda n: fitted[n].per_call.estimate)
    return (
        f"An element of X costs {most} {cost_text(sure[most].per_element)} and {least} "
        f"{cost_text(sure[least].per_element)}; a call costs {call} the most, "
        f"{cost_text(fitted[call].per_call)}, whatever its size."
    )


def held_out(fitted: dict[str, Costs], variant: Variant) -> Plot:
    """Predicted against measured time of every cell, each predicted by a model that was fitted without it."""
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    ax = figure.subplots()
    for name, costs in fitted.items():
        color, marker = style(name)
        ratios = [cell.predicted / cell.measured for cell in costs.held_out]
        ax.plot([c.measured for c in costs.held_out], ratios, marker, color=color, label=name, alpha=0.8)
    ax.axhline(1.0, color="#555555", linewidth=0.9, zorder=1)
    ax.axhspan(1 / 1.1, 1.1, color="#dddddd", linewidth=0, zorder=0)
    ax.set(xscale="log", yscale="log", xlabel="measured time of a call", ylabel="predicted / measured")
    ax.xaxis.set_major_formatter(EngFormatter(unit="s"))
    shown = [tick for tick in TICKS if ax.get_ylim()[0] <= tick <= ax.get_ylim()[1]]
    ax.set_yticks(shown, [f"{tick:g}" for tick in shown])
    ax.minorticks_off()
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    words = variant_words(variant)
    figure.suptitle(f"Predicted, with the cell left out ({words}; band: ±10%)", x=0.01, ha="left", fontweight="bold")
    errors = np.concatenate([costs.held_out_errors for costs in fitted.values()])
    finding = (
        f"Of {errors.size} predictions of cells left out, {100 * np.mean(errors <= 0.1):.0f}% are within 10%; "
        f"half are within {100 * np.median(errors):.1f}%."
    )
    told = {(c.n_x, c.m, name): c for name, costs in fitted.items() for c in costs.held_out}
    rows = []
    for n_x, m in sorted({(each.n_x, each.m) for each in told.values()}):
        found = [told.get((n_x, m, name)) for name in fitted]
        ratios_text = [f"{each.predicted / each.measured:.2f}" if each else "–" for each in found]
        rows.append([f"{n_x:,}", f"{m:,}", *ratios_text])
    table = Table(f"Predicted over measured time of cells left out, {words}", ["n_x", "m", *fitted], rows, keys=2)
    caption = f"Predicted over measured time of cells that were left out of the fit, {words}."
    return Plot(f"held-out-{variant_file(variant)}", caption, figure, finding, table)
