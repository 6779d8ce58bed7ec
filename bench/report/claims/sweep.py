"""The figure of a sweep: time and ratio against n, with intervals; predicted times are hollow."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter

from bench import words
from bench.claims import outcome
from bench.claims.results import ClaimResult, Measured, Size
from bench.report.charts import Plot, ratio_tick, spread
from bench.report.claims.sentences import sweep_sentences
from bench.report.claims.tables import sweep as sweep_table
from bench.report.style import WIDTH, Style, text_color

STYLES = (
    Style("#000000", "o"),
    Style("#d55e00", "s"),
    Style("#0072b2", "D"),
    Style("#009e73", "^"),
    Style("#cc79a7", "v"),
    Style("#e69f00", "P"),
    Style("#56b4e9", "X"),
    Style("#7f7f7f", "<"),
)
HEIGHT, LEFT, RIGHT, TOP, BOTTOM, BETWEEN = 3.6, 0.75, 1.35, 0.35, 0.5, 1.35
Point = tuple[int, Measured, bool]  # size, value, and whether it was measured


def plot(result: ClaimResult) -> Plot:
    """The figure of a claim's sweep."""
    figure = Figure(figsize=(WIDTH, HEIGHT))
    width = (WIDTH - LEFT - RIGHT - BETWEEN - 0.1) / 2
    axes = [
        figure.add_axes((x / WIDTH, BOTTOM / HEIGHT, width / WIDTH, 1 - (TOP + BOTTOM) / HEIGHT))
        for x in (LEFT, LEFT + width + BETWEEN + 0.1)
    ]
    styles = {way.name: STYLES[k % len(STYLES)] for k, way in enumerate(result.card.ways)}
    titles = {way.name: way.title for way in result.card.ways}
    base = result.card.ratios[0].slow
    times = {name: _times(result.sweep, name) for name in styles}
    ratios = {name: _speedups(result.sweep, base, name) for name in styles if name != base}
    for ax, curves in zip(axes, (times, ratios), strict=True):
        _curves(ax, curves, styles)
    axes[0].set_title("time of a call")
    axes[0].yaxis.set_major_formatter(EngFormatter(unit="s"))
    axes[1].set_title(f"speed-up over {titles[base]} (↓: slower)")
    axes[1].yaxis.set_major_formatter(FuncFormatter(ratio_tick))
    axes[1].axhline(1.0, color="#555555", linewidth=0.9, zorder=1)
    for n in outcome.crossovers(result.sweep, result.card.ratios[0].fast):
        axes[1].axvline(n, color="#555555", linewidth=0.9, linestyle=":", zorder=1)
    for ax, curves in zip(axes, (times, ratios), strict=True):  # once the axes have their limits
        _names(ax, {name: points for name, points in curves.items() if points}, styles, titles)
    return Plot(
        name=f"sweep_{result.card.id}",
        caption=f"{result.card.title}: time of each way and its speed-up against n, with 95% intervals; hollow marks "
        "are predictions, a dotted line where the ratio passes 1.",
        figure=figure,
        finding=" ".join(sweep_sentences(result)),
        table=sweep_table(result),
    )


def _times(sizes: Sequence[Size], name: str) -> list[Point]:
    points: list[Point] = []
    for size in sizes:
        way = size.way(name)
        if way.seconds is not None:
            points.append((size.n, way.seconds, True))
        elif way.predicted is not None:
            points.append((size.n, Measured(way.predicted, 0.0, None), False))
    return points


def _speedups(sizes: Sequence[Size], base: str, name: str) -> list[Point]:
    known = [(size, size.speedup(base, name)) for size in sizes]
    return [(size.n, speedup, name in size.speedups) for size, speedup in known if speedup is not None]


def _curves(ax: Any, curves: dict[str, list[Point]], styles: dict[str, Style]) -> None:
    for name, points in curves.items():
        color, marker = styles[name]
        ax.plot(
            [n for n, _, _ in points], [v.estimate for _, v, _ in points], color=color, linewidth=0.9, linestyle=":"
        )
        for n, value, measured in points:
            face = color if measured else "white"
            ax.plot(n, value.estimate, marker=marker, color=color, markerfacecolor=face, linestyle="none", zorder=3)
            if measured and words.bounded(value.interval):
                ax.vlines(n, value.low, value.interval.high, color=color, linewidth=2.2, zorder=2)
    ax.set(xscale="log", yscale="log", xlabel="n")
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.minorticks_off()


def _names(ax: Any, curves: dict[str, list[Point]], styles: dict[str, Style], titles: dict[str, str]) -> None:
    """Name each curve beside its end, moved apart where the ends meet."""
    low, high = (math.log(end) for end in ax.get_ylim())
    ends = {name: (math.log(points[-1][1].estimate) - low) / (high - low) for name, points in curves.items()}
    ordered = sorted(ends, key=ends.__getitem__)
    for name, height in zip(ordered, spread([ends[name] for name in ordered], 0.06, 0.0, 1.0), strict=True):
        label = titles[name] if len(titles[name]) < 22 else f"{titles[name][:20]}…"
        ax.text(1.03, height, label, transform=ax.transAxes, color=text_color(styles[name]), va="center", fontsize=8)
