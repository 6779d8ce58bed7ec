"""What the figures share: points, names that keep apart, and maps over (m, n_x)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from scipy.optimize import isotonic_regression

from bench.analysis import estimates
from bench.analysis.estimates import Estimated
from bench.report.style import NARROW, WIDTH, text_on
from bench.report.tables import Table
from bench.results import CellResult, Run
from bench.stats import Interval


@dataclass(frozen=True)
class Plot:
    """A figure of the page.

    Attributes:
        name: Its file name without suffix.
        caption: What it shows, in one sentence: its text alternative.
        figure: The figure.
        narrow: The same for a telephone: panels below each other, words as large; None where one figure fits both.
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
    narrow: Figure | None = None

    @property
    def words(self) -> str:
        """Its text alternative: what it shows, and what is to be seen there."""
        return f"{self.caption} {self.finding}".strip()


@dataclass(frozen=True)
class Point:
    """A value at m with its interval; not measured where it rests on an estimated time."""

    m: int
    value: Interval
    measured: bool = True


def seconds_point(run: Run, result: CellResult, kernel: str) -> Point | None:
    """Seconds of a call, measured or estimated."""
    return _point(result, estimates.seconds(run, result, kernel))


def _point(result: CellResult, value: Interval | None) -> Point | None:
    return None if value is None else Point(result.cell.m, value, not isinstance(value, Estimated))


def titled(figure: Figure, title: str) -> None:
    """Set the title of a whole figure."""
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")


def ratio_tick(value: float, _: Any = None) -> str:
    """A speed-up on an axis, short enough to stand beside the next: 1×, 100×, 10k×, ↓10× for ten times slower."""
    side, arrow = (value, "") if value >= 1.0 else (1.0 / value, "↓")
    return f"{arrow}{side / 1e3:.3g}k×" if side >= 999.5 else f"{arrow}{side:.3g}×"


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


def name_ends(ax: Axes, ends: Sequence[tuple[str, float, Any, str]], size: float) -> None:
    """Names right of a panel, at the height of each value, moved apart where they meet.

    Args:
        ax: The panel; its y axis is logarithmic.
        ends: Name (of one line or more), value, colour and weight of each.
        size: Of the font, in points.
    """
    low, high = np.log10(ax.get_ylim())
    inches = ax.get_position().height * ax.figure.get_figheight()  # type: ignore[union-attr]
    # A name of two lines takes two places.
    lines = [
        (line, value, color, weight)
        for name, value, color, weight in sorted(ends, key=lambda end: end[1])
        for line in reversed(name.split("\n"))
    ]
    heights = [(np.log10(value) - low) / (high - low) for _, value, _, _ in lines]
    for (line, _, color, weight), place in zip(
        lines, spread(heights, 1.4 * size / 72 / inches, 0.0, 1.02), strict=True
    ):
        ax.text(1.02, place, line, transform=ax.transAxes, color=color, fontsize=size, fontweight=weight, va="center")


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
    width: float = WIDTH,
) -> Figure:
    """A map over (m, n_x) for each key of `titles`; `show` gives the text and the colour of a cell, or None.

    Without a colour, the text stands on white. Panels stand in two columns, and below each other where it is narrow.
    """
    ms, n_xs = sorted({r.cell.m for r in results}), sorted({r.cell.n_x for r in results})
    columns = min(2, len(titles)) if width > NARROW else 1
    rows = -(-len(titles) // columns)
    figure = Figure(figsize=(width, (0.29 * len(n_xs) + 0.85) * rows + 0.6), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax, (name, title) in zip(axes.flat, titles.items(), strict=False):
        for result in results:
            content = show(result, name)
            if content is None:
                continue
            text, color = content
            x, y = ms.index(result.cell.m), n_xs.index(result.cell.n_x)
            if color is None:
                ax.text(x, y, text, ha="center", va="center", fontsize=7.5, color="#666666")
                continue
            ax.add_patch(square(x, y, color))
            shade, size = text_on(mpl.colors.to_rgba(color)), 7.5 if len(text) < 8 else 6.5
            ax.text(x, y, text, ha="center", va="center", fontsize=size, color=shade)
        grid_axes(ax, ms, n_xs)
        ax.set_title(title)
    for k, ax in enumerate(axes.flat):
        ax.set_visible(k < len(titles))
        ax.set_ylabel("n_x, features" if k % columns == 0 else "")
        ax.set_xlabel("m, examples" if k + columns >= len(titles) else "")
    return figure
