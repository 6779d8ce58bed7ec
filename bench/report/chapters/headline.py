"""The headline figure: the time of a step against m for four kernels, above the hardware's limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FixedLocator, FuncFormatter

from bench import words
from bench.analysis import crossovers, pairs, ratios
from bench.analysis.costmodel import fit_all
from bench.report.charts import Plot, Point, name_ends, seconds_point
from bench.report.runtables import time_table
from bench.report.style import NARROW, WIDTH, styles, text_color
from bench.results import LOOP, VECTORIZED, CellResult, Run

PAYS_ONCE = "NumPy pays once per call, Python once per number"
SUBTITLE = "Time of one gradient step of logistic regression"
FLOOR, FLOOR_EDGE, NOTE, GREY = "#e8e8e8", "#8a8a8a", "#333333", "#5c5c5c"
FLAT, STEEP = 2.0, 5.0  # ten times the examples: at most so much longer where a call is all, at least where it is not
OWN = 2  # of the user's own kernels, so that the figure holds no more than six curves


@dataclass(frozen=True)
class Notes:
    """What is written into the figure, all of it from the run; None where the run has no such thing.

    Attributes:
        typical: The cell of m = 1,000, or the nearest, and NumPy's speed-up over the loop there.
        small: The smallest cell, and the same.
        call: Seconds that a call of NumPy costs, whatever m.
        crossover: The m from which NumPy beats the compiled loop.
        cache: The m from which X no longer fits in the last cache.
    """

    typical: tuple[CellResult, float] | None
    small: tuple[CellResult, float] | None
    call: float | None
    crossover: float | None
    cache: float | None


def figure(run: Run) -> Plot | None:
    """The figure, for a page and for a telephone; None where none of its kernels were timed."""
    results = ratios.headline_cells(run)
    curves = _curves(run, results)
    if not any(curves.values()):
        return None
    notes = annotations(run, results)
    where = f"n_x = {results[0].cell.n_x}, {results[0].cell.setting.label}"
    hollow = any(not point.measured for points in curves.values() for point in points)
    caption = f"{SUBTITLE} against m, {where}, for {'; '.join(_names(run, curves))}"
    caption += ", above the least time that this machine allows." if _limits(run, results) else "."
    caption += " Hollow and dotted: estimated, since a call was too slow to run." if hollow else ""
    wide, narrow = (_draw(run, results, curves, notes, width) for width in (WIDTH, NARROW))
    table = time_table(run, results, where)
    return Plot("headline", caption, wide, finding(notes), table, narrow=narrow)


def _names(run: Run, curves: Mapping[str, object]) -> list[str]:
    named = labels(run)
    return [named[name].replace("\n", " ") for name in curves]


def labels(run: Run) -> dict[str, str]:
    """Kernel -> its name in the figure; the kernels that the figure shows, the slowest first."""
    named = {
        LOOP: "Python loop",
        pairs.compiled_loop(): "the same loop,\ncompiled",
        VECTORIZED: "vectorized NumPy",
        pairs.main_branch(): "fused, SIMD",
    }
    return named | {name: name for name in run.own[:OWN]}


def _curves(run: Run, results: Sequence[CellResult]) -> dict[str, list[Point]]:
    points = {name: [seconds_point(run, result, name) for result in results] for name in labels(run)}
    shown = {name: [point for point in of_kernel if point] for name, of_kernel in points.items()}
    return {name: of_kernel for name, of_kernel in shown.items() if of_kernel}


def annotations(run: Run, results: Sequence[CellResult]) -> Notes:
    """What the run's data say about these cells."""
    both = [ratio for result in results for ratio in ratios.ratios([result], LOOP, [VECTORIZED])]
    typical = min(both, key=lambda ratio: ratios.distance(ratio.result), default=None)
    small = both[0] if len(both) > 1 and both[0] is not typical else None
    setting, n_x = results[0].cell.setting, results[0].cell.n_x
    costs = fit_all(run, setting)[0].get(VECTORIZED)
    call = costs.per_call.estimate if costs is not None and costs.per_call.low > 0.0 else None
    compiled = pairs.compiled_loop()
    crossing = [
        crossover.m.estimate
        for compared in crossovers.measured(run, setting)
        if compared.n_x == n_x
        for crossover in compared.crossovers
        if (crossover.below, crossover.above) == (compiled, VECTORIZED)
    ]
    last_cache = run.header.machine.last_cache
    cache = last_cache / (setting.precision.nbytes * n_x) if last_cache else None
    inside = cache is not None and results[0].cell.m < cache < results[-1].cell.m
    return Notes(
        (typical.result, typical.estimate) if typical else None,
        (small.result, small.estimate) if small else None,
        call,
        crossing[0] if crossing else None,
        cache if inside else None,
    )


def title(results: Sequence[CellResult]) -> str:
    """What the figure shows, where the data do show it: NumPy's time hardly grows at first, and the loop's does."""

    def growth(kernel: str) -> float:
        timed = [result for result in results if kernel in result.samples][:2]
        if len(timed) < 2 or timed[1].cell.m < 9 * timed[0].cell.m:
            return float("nan")
        return timed[1].median(kernel).estimate / timed[0].median(kernel).estimate

    return PAYS_ONCE if growth(VECTORIZED) < FLAT and growth(LOOP) > STEEP else SUBTITLE


def finding(notes: Notes) -> str:
    """The annotations in sentences."""
    sentences = []
    if notes.typical:
        result, ratio = notes.typical
        sentences.append(f"At m = {result.cell.m:,}, NumPy is {words.faster(ratio)} than the Python loop.")
    if notes.small:
        result, ratio = notes.small
        call = f", because a call of NumPy costs {words.seconds(notes.call, 2)}" if notes.call else ""
        sentences.append(f"At m = {result.cell.m:,} it is {words.faster(ratio)}{call}.")
    if notes.crossover:
        m = words.digits(round(notes.crossover), 2)
        sentences.append(f"Below m = {m} (est.), the compiled loop beats NumPy.")
    if notes.cache:
        sentences.append(f"From m = {words.digits(notes.cache, 2)} on, X no longer fits in the last cache.")
    return " ".join(sentences)


def _limits(run: Run, results: Sequence[CellResult]) -> bool:
    return any(run.limit(result) for result in results)


# Drawing


def _draw(
    run: Run, results: Sequence[CellResult], curves: Mapping[str, Sequence[Point]], notes: Notes, width: float
) -> Figure:
    wide = width > NARROW
    height = 5.2 if wide else 4.6
    figure = Figure(figsize=(width, height))
    first = title(results)
    left, right = (0.72, 1.62) if wide else (0.6, 0.9)
    top, bottom = (0.78 if first != SUBTITLE else 0.5) if wide else 0.6, 0.62 if wide else 0.55
    ax = figure.add_axes((left / width, bottom / height, 1 - (left + right) / width, 1 - (top + bottom) / height))
    size = 13.5 if wide else 10.5
    lines = first if wide else first.replace(", ", ",\n").replace(" of logistic", "\nof logistic")
    figure.text(0.12 / width, 1 - 0.1 / height, lines, fontsize=size, fontweight="bold", va="top", linespacing=1.15)
    if wide and first != SUBTITLE:
        figure.text(0.12 / width, 1 - 0.46 / height, SUBTITLE, fontsize=10.5, color=GREY, va="top")
    _axes(ax, results, curves, wide)
    floor = _floor(ax, run, results)
    for name, points in curves.items():
        _curve(ax, run, name, points)
    name_ends(ax, _names_of_ends(run, curves, floor, wide), 9.5 if wide else 8.5)
    _ratios(ax, notes, wide)
    _places(ax, notes, wide)
    n_x, setting = results[0].cell.n_x, results[0].cell.setting
    threads = "one thread" if setting.threads == 1 else f"{setting.threads} threads"
    ax.set_xlabel(f"m, examples (n_x = {n_x} features, {threads})", loc="left", fontsize=9.5 if wide else 8.5)
    return figure


def _axes(ax: Axes, results: Sequence[CellResult], curves: Mapping[str, Sequence[Point]], wide: bool) -> None:
    values = [point.value.estimate for points in curves.values() for point in points]
    ms = [result.cell.m for result in results]
    ax.set(xscale="log", yscale="log")
    ax.set_xlim(min(ms) / 1.4, max(ms) * 1.25)
    ax.set_ylim(min(values) / 60.0, max(values) * 2.5)
    ax.minorticks_off()
    ax.xaxis.set_major_locator(FixedLocator(ms))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda m, _: f"{m:,.0f}") if wide else EngFormatter(sep=""))
    ax.yaxis.set_major_formatter(EngFormatter(unit="s"))
    ax.tick_params(labelsize=9.5 if wide else 8.5)
    ax.set_axisbelow(True)


def _floor(ax: Axes, run: Run, results: Sequence[CellResult]) -> float | None:
    """The limit of the hardware, at every m; returns that at the largest, None where it is not known."""
    cell = results[0].cell
    ceiling = run.ceilings.get(cell.threads)
    if ceiling is None:
        return None
    ms = np.geomspace(*ax.get_xlim(), 60)
    bound = [ceiling.bound(m, cell.n_x) for m in ms]
    ax.fill_between(ms, bound, ax.get_ylim()[0], color=FLOOR, linewidth=0, zorder=0.5)
    ax.plot(ms, bound, color=FLOOR_EDGE, linewidth=1.0, zorder=1)
    return bound[-1]


def _curve(ax: Axes, run: Run, name: str, points: Sequence[Point]) -> None:
    style = styles(run)[name]
    xs, ys = [point.m for point in points], [point.value.estimate for point in points]
    ax.plot(xs, ys, color=style.color, linestyle=":", linewidth=1.6, zorder=3)
    measured = [point for point in points if point.measured]
    ax.plot([p.m for p in measured], [p.value.estimate for p in measured], color=style.color, linewidth=2.2, zorder=3)
    for point in points:
        face = style.color if point.measured else "white"
        ax.plot(
            [point.m],
            [point.value.estimate],
            marker=style.marker,
            color=style.color,
            markerfacecolor=face,
            markersize=5.5,
            markeredgewidth=1.2,
            linestyle="none",
            zorder=4,
        )
    estimated = [point for point in points if not point.measured]
    for point in estimated:
        if words.bounded(point.value):
            ax.vlines(point.m, point.value.low, point.value.high, color=style.color, linewidth=1.0, zorder=3)
    if estimated:
        first = estimated[0]
        ax.annotate(
            "estimated",
            (first.m, first.value.estimate),
            xytext=(-4, 7),
            textcoords="offset points",
            ha="right",
            fontsize=8,
            color=GREY,
        )


def _names_of_ends(
    run: Run, curves: Mapping[str, Sequence[Point]], floor: float | None, wide: bool
) -> list[tuple[str, float, Any, str]]:
    """What stands right of the curves, and of the floor."""
    style_of, named = styles(run), labels(run)
    if not wide:
        named |= {LOOP: "Python", pairs.compiled_loop(): "same loop,\ncompiled", VECTORIZED: "NumPy"}
        named |= {pairs.main_branch(): "fused"}
    ends = [
        (named[name], points[-1].value.estimate, text_color(style_of[name]), "bold") for name, points in curves.items()
    ]
    limit = "hardware's limit" if wide else "limit"
    return ends if floor is None else [*ends, (limit, floor, GREY, "normal")]


def _ratios(ax: Axes, notes: Notes, wide: bool) -> None:
    """How many times faster NumPy is, between the two curves."""
    for noted in (notes.typical, notes.small):
        if noted is None:
            continue
        result, ratio = noted
        slow, fast = result.median(LOOP).estimate, result.median(VECTORIZED).estimate
        if noted is notes.small:
            only = "only " if notes.typical and ratio < notes.typical[1] / 2 else ""
            to = "to NumPy " if wide else ""
            call = f": a call\n{to}costs {words.seconds(notes.call, 2)}" if notes.call else ""
            text, weight = f"{only}{words.times(ratio)}{call}", 0.5
        else:
            text, weight = f"NumPy is{' ' if wide else chr(10)}{words.faster(ratio)}", 0.6 if wide else 0.75
        x, height = result.cell.m * 1.17, slow**weight * fast ** (1.0 - weight)
        arrow = {"arrowstyle": "<->", "color": GREY, "lw": 1.1, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (x, fast * 1.3), (x, slow / 1.3), arrowprops=arrow, zorder=5)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        size = 9.5 if wide else 8
        # What is behind the text lies above the grid and below the curves.
        ax.text(x * 1.13, height, text, fontsize=size, color=NOTE, va="center", bbox=box, zorder=2, linespacing=1.15)


def _places(ax: Axes, notes: Notes, wide: bool) -> None:
    """Where NumPy overtakes the compiled loop, and where X leaves the cache."""
    bottom, top = ax.get_ylim()
    base = bottom * (top / bottom) ** 0.03
    size = 8.5 if wide else 7.5
    marks = []
    if notes.crossover:
        text = f"left of here (m ≈ {words.digits(round(notes.crossover), 2)}) the\ncompiled loop beats NumPy"
        if not wide:
            text = f"below m ≈ {words.digits(round(notes.crossover), 2)}\nthe compiled\nloop beats\nNumPy"
        marks.append((notes.crossover, text))
    if notes.cache:
        marks.append((notes.cache, "X leaves\nthe cache"))
    for m, text in marks:
        ax.vlines(m, bottom, bottom * (top / bottom) ** 0.42, color="#8a8a8a", linestyle=(0, (4, 3)), linewidth=1.1)
        ax.text(m * 1.1, base, text, fontsize=size, color="#4a4a4a", va="bottom", linespacing=1.2)
