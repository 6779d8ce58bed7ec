"""Figures of a run, as SVG and PNG, from the run folder alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator

from bench.files import replaced
from bench.report import findings
from bench.report.chapters import accuracy, breakdown, causes, limits, overtaking, training
from bench.report.chapters import compiling as payback
from bench.report.chapters import ladder as waterfall
from bench.report.chapters import numbers as costs
from bench.report.chapters.maps import fastest, heat_maps
from bench.report.charts import SETTINGS, WIDTH, Plot, Point, dressed, seconds_point, speedup_point, style, text_style
from bench.report.runtables import speedup_table, time_table
from bench.results.run import BASELINES, LOOP, VECTORIZED, CellResult, Run
from bench.variant import Variant, of_variant, variant_file, variant_words, variants

LINE = 0.155  # inches from one name beside a panel to the next


def draw(run: Run) -> Iterator[Plot]:
    """The figures of a run, each with the section of the page that it belongs to, in the order shown there."""
    with dressed(run):
        if run.problem != "synthetic":
            yield from training.figures(run)
            return
        chosen = story_cells(run)
        yield _headline(run)
        yield from _some(waterfall.figure(chosen, run.limit))
        yield from _some(accuracy.figure(chosen[len(chosen) // 2]))
        yield from _some(breakdown.figure(run))
        yield from (replace(plot, section="numbers") for plot in costs.draw(run))
        yield from overtaking.figures(run)
        yield from _some(causes.figure(run))
        yield fastest(run)
        for variant in variants(run):
            yield from _of_variant(run, variant)


def _some(plot: Plot | None) -> Iterator[Plot]:
    if plot is not None:
        yield plot


def _of_variant(run: Run, variant: Variant) -> Iterator[Plot]:
    """Curves and maps of an order and number of threads; only those that tell most stand outside a fold."""
    first = variant == variants(run)[0]
    fold = f"{'More of o' if first else 'O'}{variant_words(variant)[1:]}"
    yield replace(_curves(run, variant, "time"), fold="" if first else fold)
    for baseline in (VECTORIZED, LOOP):
        if any(r.speedup(baseline, name) for r in of_variant(run, variant) for name in r.kernels if name != baseline):
            yield replace(heat_maps(run, variant, baseline), fold="" if first and baseline == VECTORIZED else fold)
            yield replace(_curves(run, variant, baseline), fold=fold)
    if first:
        yield from _some(payback.payback(run, variant))
    for plot in (limits.roofline(run, variant), limits.limit_maps(run, variant)):
        if plot is not None:
            yield replace(plot, fold="" if first else variant_words(variant))


def save(run: Run, folder: Path, progress: Callable[[str], None] = lambda _: None) -> list[Plot]:
    """Draw the figures of a run into `folder` as SVG and PNG; what stood there of another drawing is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    others = {*folder.glob("*.svg"), *folder.glob("*.png")}
    plots = []
    for plot in draw(run):
        progress(plot.name)
        with mpl.rc_context(SETTINGS):
            for suffix, metadata in (("svg", {"Date": None}), ("png", None)):
                path = folder / f"{plot.name}.{suffix}"
                with replaced(path) as new:
                    plot.figure.savefig(new, metadata=metadata)
                others.discard(path)
        plots.append(plot)
    for old in others:
        old.unlink()
    return plots


def _curves(run: Run, variant: Variant, what: str) -> Plot:
    """Time, or the speed-up over the baseline `what`, against m: a panel for each n_x."""
    results = of_variant(run, variant)
    n_xs = sorted({r.cell.n_x for r in results})
    columns = min(2, len(n_xs))
    rows = -(-len(n_xs) // columns)
    figure, axes = _figure(rows, columns, panel_height=max(2.75, LINE * len(run.measured) + 0.5))
    panels = list(zip(axes.flat, n_xs, strict=False))
    curves = [_panel(ax, run, [r for r in results if r.cell.n_x == n_x], what) for ax, n_x in panels]
    for k, (ax, n_x) in enumerate(panels):
        ax.set_title(f"n_x = {n_x:,}")
        _dress(ax, what, left=k % columns == 0, bottom=k + columns >= len(n_xs))
        _label_ends(ax, curves[k])
    for ax in list(axes.flat)[len(n_xs) :]:
        ax.set_visible(False)
    words = variant_words(variant)
    hollow = " Hollow: predicted, too slow to run." if any(r.skipped for r in results) else ""
    if what == "time":
        figure.suptitle(f"Time of one gradient step ({words})", x=0.01, ha="left", fontweight="bold")
        caption = f"Time of one gradient step against m, {words}.{hollow}"
        table, finding = time_table(run, results, words), findings.growth(results)
        return Plot(f"time-{variant_file(variant)}", caption, figure, finding, table, section="maps")
    figure.suptitle(f"Speed-up over {what} ({words}; above 1 is faster)", x=0.01, ha="left", fontweight="bold")
    name = f"speedup-over-{what}-{variant_file(variant)}"
    caption, finding = f"Speed-up over {what} against m, {words}.{hollow}", findings.extremes(run, results, what)
    return Plot(name, caption, figure, finding, speedup_table(run, variant, what), section="maps")


def _figure(rows: int, columns: int, panel_height: float, titled: bool = True) -> tuple[Figure, Any]:
    """A figure with room for the names beside each panel; sizes in inches, without the cost of a layout engine.

    Panels of a titled figure share their axes.
    """
    left, right, top, bottom = 1.0, 1.58, 0.72 if titled else 0.32, 0.52
    height = panel_height * rows + (0.75 if titled else 0.3)
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.subplots(rows, columns, squeeze=False, sharex=titled, sharey=titled)
    between = 1.7 if titled else 2.25
    panel = (WIDTH - left - right - between * (columns - 1)) / columns
    figure.subplots_adjust(
        left=left / WIDTH,
        right=1.0 - right / WIDTH,
        bottom=bottom / height,
        top=1.0 - top / height,
        wspace=between / panel,
        hspace=0.62 / (panel_height - 0.62),
    )
    return figure, axes


def headline_cells(run: Run) -> list[CellResult]:
    """The cells that stand for the run: one thread, the first order, the n_x nearest to 32."""
    results = of_variant(run, variants(run)[0])
    n_x = min((r.cell.n_x for r in results), key=lambda n_x: abs(np.log(n_x / 32)))
    return sorted((r for r in results if r.cell.n_x == n_x), key=lambda r: r.cell.m)


def story_cells(run: Run) -> list[CellResult]:
    """A small, a middling and a large one of the headline's cells, of those where both baselines were timed."""
    cells = [result for result in headline_cells(run) if all(name in result.seconds for name in BASELINES)]
    cells = cells or headline_cells(run)
    return [cells[k] for k in sorted({0, len(cells) // 2, len(cells) - 1})]


def _headline(run: Run) -> Plot:
    """Time and speed-up over the loop side by side, for one n_x: the figure of the README."""
    results = headline_cells(run)
    n_x = results[0].cell.n_x
    figure, axes = _figure(1, 2, panel_height=3.2, titled=False)
    for ax, what in zip(axes.flat, ("time", LOOP), strict=True):
        curves = _panel(ax, run, results, what)
        _dress(ax, what, left=True, bottom=True)
        ax.set_title("time of one gradient step" if what == "time" else f"speed-up over {what}")
        ax.set_ylabel("")
        _label_ends(ax, curves)
    words = f"n_x = {n_x}, {variant_words((results[0].cell.order, results[0].cell.threads))}"
    hollow = " Hollow: from a predicted time, too slow to run." if any(r.skipped for r in results) else ""
    caption = f"Time of one gradient step, and speed-up over the Python loop, {words}.{hollow}"
    table = time_table(run, results, words)
    return Plot("headline", caption, figure, findings.headline(results), table, section="answer")


def _panel(ax: Axes, run: Run, results: Sequence[CellResult], what: str) -> dict[str, list[Point]]:
    """Draw the curves of all kernels over these cells, and return them by name."""
    curves = {}
    for name in run.measured:
        points = [seconds_point(r, name) if what == "time" else speedup_point(r, name, what) for r in results]
        found = sorted((p for p in points if p is not None), key=lambda p: p.m)
        if found and name != what:
            curves[name] = found
            _curve(ax, name, found)
    ax.set(xscale="log", yscale="log")
    return curves


def _curve(ax: Axes, name: str, points: Sequence[Point]) -> None:
    color, marker = style(name)
    ms = [p.m for p in points]
    values = [p.value.estimate for p in points]
    measured = [p for p in points if p.measured]
    ax.plot(ms, values, color=color, linestyle=":", linewidth=0.9, zorder=2)
    for part, face in ((measured, color), ([p for p in points if not p.measured], "white")):
        ax.plot(
            [p.m for p in part],
            [p.value.estimate for p in part],
            color=color,
            marker=marker,
            markerfacecolor=face,
            linestyle="-" if face == color else "none",
            zorder=3,
        )
    # An unbounded interval (too few rounds) can't be drawn.
    drawn = [p for p in measured if p.value.low > 0.0 and np.isfinite(p.value.high)]
    ax.vlines([p.m for p in drawn], [p.value.low for p in drawn], [p.value.high for p in drawn], color=color, lw=2.2)


def _label_ends(ax: Axes, curves: dict[str, list[Point]]) -> None:
    """Name each curve beside its end, moved apart where the ends meet, with a thin line from name to end."""
    last = max((points[-1].m for points in curves.values()), default=0)
    ends = {name: points[-1] for name, points in curves.items()}
    ordered = sorted(ends, key=lambda name: ends[name].value.estimate)
    low, high = np.log10(ax.get_ylim())
    heights = [(np.log10(ends[name].value.estimate) - low) / (high - low) for name in ordered]
    line = LINE / (ax.get_position().height * ax.figure.get_figheight())  # type: ignore[union-attr]
    for name, height in zip(ordered, spread(heights, line, -line, 1.0 + line), strict=True):
        color, _ = style(name)
        label = ax.annotate(
            name,
            xy=(ends[name].m, ends[name].value.estimate),
            xytext=(1.04, height),
            textcoords="axes fraction",
            color=color,
            fontsize=8,
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "relpos": (0.0, 0.5),
                "color": color,
                "lw": 0.6,
                "alpha": 0.6 if ends[name].m == last else 0.35,
                "shrinkA": 1,
                "shrinkB": 3,
            },
        )
        label.set_color(text_style(name))


def spread(heights: Sequence[float], gap: float, low: float = -np.inf, high: float = np.inf) -> list[float]:
    """Sorted heights moved as little as possible, so that neighbours are at least `gap` apart, from low to high.

    Where they do not all fit, they go below low.
    """
    # Room for those above each; a group's mean keeps to it if its members do.
    last = len(heights) - 1
    heights = [min(max(height, low + gap * k), high - gap * (last - k)) for k, height in enumerate(heights)]
    # Groups of labels that touch are merged and centred on the mean of where they want to be.
    groups: list[list[float]] = []
    starts: list[float] = []
    for height in heights:
        groups.append([height])
        starts.append(height)
        while len(groups) > 1 and starts[-1] < starts[-2] + gap * len(groups[-2]):
            merged = groups.pop()
            starts.pop()
            groups[-1] += merged
            starts[-1] = float(np.mean(groups[-1])) - gap * (len(groups[-1]) - 1) / 2.0
    return [start + gap * k for start, group in zip(starts, groups, strict=True) for k in range(len(group))]


def _dress(ax: Axes, what: str, left: bool, bottom: bool) -> None:
    """Ticks and labels of the axes; those of the outer panels only, where panels share them."""
    ax.minorticks_off()
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.yaxis.set_major_formatter(EngFormatter(unit="s") if what == "time" else FuncFormatter(_ratio_tick))
    low, high = ax.get_ylim()
    if high / low < 100.0:
        ax.yaxis.set_major_locator(
            LogLocator(subs=(1.0, 2.0, 5.0) if high / low > 5.0 else (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
        )
    if what != "time":
        ax.axhline(1.0, color="#555555", linewidth=0.9, zorder=1)
    if left:
        ax.set_ylabel("time of a call" if what == "time" else "speed-up")
    if bottom:
        ax.set_xlabel("m, examples")
        ax.tick_params(labelbottom=True)


def _ratio_tick(value: float, _: Any = None) -> str:
    return f"{value:g}×" if value >= 1.0 else f"1/{float(f'{1.0 / value:.3g}'):g}"
