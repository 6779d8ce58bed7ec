"""What the figures share: points, curves with names at their ends, and maps over (m, n_x)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator
from scipy.optimize import isotonic_regression

from bench import words
from bench.analysis import estimates
from bench.analysis.estimates import Estimated
from bench.report.style import WIDTH, Style, styles, text_color, text_on
from bench.report.tables import Table
from bench.results import CellResult, Run
from bench.stats import Interval

LINE = 0.155  # inches from one name beside a panel to the next
TIME = "time"  # what curves show, if not the speed-up over a baseline


@dataclass(frozen=True)
class Plot:
    """A figure of the page.

    Attributes:
        name: Its file name without suffix.
        caption: What it shows, in one sentence: its text alternative.
        figure: The figure.
        finding: What this run's data show there, in one plain sentence.
        table: The data that are drawn.
        fold: The heading of the fold of its section that it stands in; "" for none.
    """

    name: str
    caption: str
    figure: Figure
    finding: str = ""
    table: Table | None = None
    fold: str = ""


@dataclass(frozen=True)
class Point:
    """A value at m with its interval; not measured where it rests on an estimated time."""

    m: int
    value: Interval
    measured: bool = True


def seconds_point(run: Run, result: CellResult, kernel: str) -> Point | None:
    """Seconds of a call, measured or estimated."""
    return _point(result, estimates.seconds(run, result, kernel))


def speedup_point(run: Run, result: CellResult, kernel: str, baseline: str) -> Point | None:
    """Speed-up over a baseline: measured, or from the estimated time of the one that was too slow."""
    return _point(result, estimates.speedup(run, result, baseline, kernel))


def _point(result: CellResult, value: Interval | None) -> Point | None:
    return None if value is None else Point(result.cell.m, value, not isinstance(value, Estimated))


def titled(figure: Figure, title: str) -> None:
    """Set the title of a whole figure."""
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")


def ratio_tick(value: float, _: Any = None) -> str:
    """A speed-up on an axis, short enough to stand beside the next: 1×, 100×, 10k×, ↓10× for ten times slower."""
    side, arrow = (value, "") if value >= 1.0 else (1.0 / value, "↓")
    return f"{arrow}{side / 1e3:.3g}k×" if side >= 999.5 else f"{arrow}{side:.3g}×"


# Curves against m


def curve_figure(rows: int, columns: int, panel_height: float, shared: bool = True) -> tuple[Figure, Any]:
    """A figure with room for names beside each panel; sizes in inches, without the cost of a layout engine.

    With `shared`, the panels share their axes, and there is room for a title.
    """
    left, right, top, bottom = 1.0, 1.58, 0.72 if shared else 0.32, 0.52
    height = panel_height * rows + (0.75 if shared else 0.3)
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.subplots(rows, columns, squeeze=False, sharex=shared, sharey=shared)
    between = 1.7 if shared else 2.25
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


def draw_curves(ax: Axes, run: Run, results: Sequence[CellResult], what: str) -> dict[str, list[Point]]:
    """Draw the time of all kernels over these cells, or their speed-up over the baseline `what`; returns the points."""
    curves = {}
    style_of = styles(run)
    for name in run.measured:
        points = [seconds_point(run, r, name) if what == TIME else speedup_point(run, r, name, what) for r in results]
        shown = sorted((p for p in points if p is not None), key=lambda p: p.m)
        if shown and name != what:
            curves[name] = shown
            draw_curve(ax, style_of[name], shown)
    _make_room(ax, [point for points in curves.values() for point in points])
    ax.set(xscale="log", yscale="log")
    return curves


def _make_room(ax: Axes, points: Sequence[Point]) -> None:
    """Give axes limits where all points lie on a line: Matplotlib would warn that it can't find any."""
    both: tuple[list[float], list[float]] = [p.m for p in points], [p.value.estimate for p in points]
    for axis, values in enumerate(both):
        if values and max(values) < 1.01 * min(values):
            ends = np.array([(points[0].m, points[0].value.estimate)] * 2, dtype=float)
            ends[:, axis] *= (0.5, 2.0)
            ax.update_datalim(ends)


def draw_curve(ax: Axes, style: Style, points: Sequence[Point]) -> None:
    """Draw one curve: measured points with their intervals, estimated ones hollow."""
    ax.plot(
        [p.m for p in points],
        [p.value.estimate for p in points],
        color=style.color,
        linestyle=":",
        linewidth=0.9,
        zorder=2,
    )
    measured = [p for p in points if p.measured]
    estimated = [p for p in points if not p.measured]
    for part, face, line in ((measured, style.color, "-"), (estimated, "white", "none")):
        ax.plot(
            [p.m for p in part],
            [p.value.estimate for p in part],
            color=style.color,
            marker=style.marker,
            markerfacecolor=face,
            linestyle=line,
            zorder=3,
        )
    for part, width in ((measured, 2.2), (estimated, 0.9)):
        # An unbounded interval (too few rounds, or an estimate that nothing checks) can't be drawn.
        bars = [p for p in part if words.bounded(p.value)]
        low, high = [p.value.low for p in bars], [p.value.high for p in bars]
        ax.vlines([p.m for p in bars], low, high, color=style.color, lw=width)


def dress(ax: Axes, what: str, left: bool = True, bottom: bool = True) -> None:
    """Ticks and labels of the axes of curves; where panels share axes, only the outer panels have labels."""
    ax.minorticks_off()
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.yaxis.set_major_formatter(EngFormatter(unit="s") if what == TIME else FuncFormatter(ratio_tick))
    low, high = ax.get_ylim()
    if high / low < 100.0:
        ax.yaxis.set_major_locator(
            LogLocator(subs=(1.0, 2.0, 5.0) if high / low > 5.0 else (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
        )
    if what != TIME:
        ax.axhline(1.0, color="#555555", linewidth=0.9, zorder=1)
    if left:
        ax.set_ylabel("time of a call" if what == TIME else "speed-up (↓: slower)")
    if bottom:
        ax.set_xlabel("m, examples")
        ax.tick_params(labelbottom=True)


def name_ends(ax: Axes, curves: Mapping[str, Sequence[Point]], style_of: Mapping[str, Style]) -> None:
    """Name each curve beside its end, moved apart where the ends meet, with a thin line from name to end."""
    last = max((points[-1].m for points in curves.values()), default=0)
    ends = {name: points[-1] for name, points in curves.items()}
    ordered = sorted(ends, key=lambda name: ends[name].value.estimate)
    low, high = np.log10(ax.get_ylim())
    heights = [(np.log10(ends[name].value.estimate) - low) / (high - low) for name in ordered]
    line = LINE / (ax.get_position().height * ax.figure.get_figheight())  # type: ignore[union-attr]
    for name, height in zip(ordered, spread(heights, line, -line, 1.0 + line), strict=True):
        label = ax.annotate(
            name,
            xy=(ends[name].m, ends[name].value.estimate),
            xytext=(1.04, height),
            textcoords="axes fraction",
            fontsize=8,
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "relpos": (0.0, 0.5),
                "color": style_of[name].color,
                "lw": 0.6,
                "alpha": 0.6 if ends[name].m == last else 0.35,
                "shrinkA": 1,
                "shrinkB": 3,
            },
        )
        label.set_color(text_color(style_of[name]))


def spread(heights: Sequence[float], gap: float, low: float = -np.inf, high: float = np.inf) -> list[float]:
    """Sorted heights moved as little as possible, so that neighbours are at least `gap` apart, from low to high.

    Where they do not all fit, they go below low.
    """
    if not heights:
        return []
    # Less the gaps below each, heights need only not fall: an isotonic regression, which bounds then clip.
    below = gap * np.arange(len(heights))
    rising = isotonic_regression(np.asarray(heights) - below).x
    return [float(height) for height in np.clip(rising, low, high - below[-1]) + below]


# Maps over (m, n_x)


def grid_axes(ax: Axes, ms: Sequence[int], n_xs: Sequence[int]) -> None:
    """Ticks of a map over (m, n_x): one square for each cell."""
    ax.set_xticks(range(len(ms)), [EngFormatter(sep="")(m) for m in ms])
    ax.set_yticks(range(len(n_xs)), [str(n_x) for n_x in n_xs])
    ax.set(xlim=(-0.5, len(ms) - 0.5), ylim=(-0.5, len(n_xs) - 0.5))
    ax.tick_params(length=0)
    ax.grid(visible=False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def square(x: float, y: float, color: Any) -> Any:
    """The square of a cell."""
    return mpl.patches.Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=color, linewidth=0)


def panels(
    results: Sequence[CellResult],
    titles: Mapping[str, str],
    show: Callable[[CellResult, str], tuple[str, Any] | None],
    style_of: Mapping[str, Style],
) -> Figure:
    """A map over (m, n_x) for each kernel of `titles`; `show` gives the text and the colour of a cell, or None.

    Without a colour, the text stands on white.
    """
    ms, n_xs = sorted({r.cell.m for r in results}), sorted({r.cell.n_x for r in results})
    columns = min(2, len(titles))
    rows = -(-len(titles) // columns)
    figure = Figure(figsize=(WIDTH, (0.29 * len(n_xs) + 0.85) * rows + 0.6), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax, (name, title) in zip(axes.flat, titles.items(), strict=False):
        for result in results:
            content = show(result, name)
            if content is None:
                continue
            text, color = content
            x, y = ms.index(result.cell.m), n_xs.index(result.cell.n_x)
            if color is None:
                ax.text(x, y, text, ha="center", va="center", color="#888888")
                continue
            ax.add_patch(square(x, y, color))
            shade, size = text_on(mpl.colors.to_rgba(color)), 7.5 if len(text) < 8 else 6.5
            ax.text(x, y, text, ha="center", va="center", fontsize=size, color=shade)
        grid_axes(ax, ms, n_xs)
        ax.set_title(title, color=text_color(style_of[name]))
    for k, ax in enumerate(axes.flat):
        ax.set_visible(k < len(titles))
        ax.set_ylabel("n_x" if k % columns == 0 else "")
        ax.set_xlabel("m, examples" if k + columns >= len(titles) else "")
    return figure
