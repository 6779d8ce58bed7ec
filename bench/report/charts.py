"""What the figures share: colours, sizes, and the points that they draw."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from bench.report.tables import Table
from bench.results.run import CellResult, Run
from bench.stats import Interval
from kernels._kernel import Array

# Colours of Okabe and Ito, told apart by most colour-blind readers; markers tell them apart a second time.
STYLES: dict[str, tuple[str, str]] = {
    "python_loop": ("#000000", "o"),
    "python_lists": ("#7f7f7f", "s"),
    "numpy_dot_in_loop": ("#cc79a7", "D"),
    "numba_loop": ("#e69f00", "^"),
    "numba_descent": ("#a6761d", "X"),
    "numba_fastmath": ("#d55e00", "v"),
    "numba_parallel": ("#009e73", "P"),
    "numpy_textbook": ("#56b4e9", "<"),
    "numpy_vectorized": ("#0072b2", ">"),
    "numpy_buffers": ("#08519c", "1"),
    "numba_passes": ("#e7298a", "2"),
    "numba_fused": ("#a50f15", "3"),
    "numba_fused_parallel": ("#00441b", "4"),
    # The peers: other shades, and the markers that are left.
    "sklearn_loss": ("#b8860b", "p"),
    "numexpr_gradient": ("#4d4d4d", "h"),
    "torch_gradient": ("#8c2d04", "d"),
    "torch_autograd": ("#ef6548", "8"),
    "torch_compile": ("#fc8d59", "H"),
    "jax_jit": ("#6a51a3", "*"),
}
# Own kernels, in the order of the command line: shades and markers (stars and crosses of n arms) that no other has.
_OWN_COLORS = ("#7a00ff", "#7fb800", "#00bcd4", "#b8a800", "#ff40ff", "#ff5500")
OWN_STYLES: list[tuple[str, Any]] = [
    (color, (arms, kind, 0)) for kind in (1, 2) for color, arms in zip(_OWN_COLORS, (4, 6, 7, 8, 9, 10), strict=True)
]
SETTINGS: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.0,
    "svg.hashsalt": "unloop",
    "svg.fonttype": "none",  # text stays text: smaller, and found by a search; DejaVu is wider than what replaces it
    "savefig.dpi": 130,
    "figure.facecolor": "white",
}
WIDTH = 9.0  # inches; a README shows it about 90 pixels an inch


@dataclass(frozen=True)
class Plot:
    """A drawn figure.

    Attributes:
        name: Its file name without suffix.
        caption: What it shows, in one sentence: its text alternative.
        figure: The figure.
        finding: What this run's data say there, in one plain sentence.
        table: The data that are drawn.
        section: The id of the page's section that shows it; see bench.page.
        fold: The heading of the fold inside that section that it stands in; "" for none.
    """

    name: str
    caption: str
    figure: Figure
    finding: str = ""
    table: Table | None = None
    section: str = "more"
    fold: str = ""


@dataclass(frozen=True)
class Point:
    """A value at m with its interval; not measured where it rests on a predicted time."""

    m: int
    value: Interval
    measured: bool = True


def style(kernel: str) -> tuple[str, Any]:
    """Colour and marker of a kernel."""
    return STYLES.get(kernel) or _own.get(kernel, OWN_STYLES[0])


_own: dict[str, tuple[str, Any]] = {}


@contextmanager
def dressed(run: Run) -> Iterator[None]:
    """Matplotlib's settings for what is drawn inside, and a style for each own kernel of the run."""
    before = dict(_own)
    _own.clear()
    _own.update(zip(run.own, cycle(OWN_STYLES), strict=False))
    try:
        with mpl.rc_context(SETTINGS):
            yield
    finally:
        _own.clear()
        _own.update(before)


def text_style(kernel: str) -> tuple[float, float, float]:
    """The colour of a kernel's name: its own, darkened until it can be read on white (contrast 4.5, as WCAG asks)."""
    color = np.array(to_rgb(style(kernel)[0]))
    while contrast(color, (1.0, 1.0, 1.0)) < 4.5:
        color = 0.95 * color
    red, green, blue = (float(part) for part in color)
    return red, green, blue


def contrast(one: Sequence[float] | Array, other: Sequence[float] | Array) -> float:
    """The contrast of two colours (red, green, blue from 0 to 1) as WCAG 2 defines it: 1 for none, 21 at most."""

    def luminance(rgb: Sequence[float] | Array) -> float:
        parts = np.asarray(rgb[:3], dtype=np.float64)
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def in_dark(rgb: Sequence[float] | Array) -> Array:
    """What a colour becomes on the dark page, which turns figures round: invert(.92) hue-rotate(180deg) of CSS."""
    rotated = np.array([[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]])
    inverted = 0.92 - 0.84 * np.asarray(rgb[:3], dtype=np.float64)
    turned: Array = np.clip(rotated @ inverted, 0.0, 1.0)
    return turned


def text_on(rgb: Sequence[float] | Array) -> str:
    """Black or white, whichever is the easier to read on a coloured ground, on the light and on the dark page."""

    def readable(text: Array) -> float:
        return min(contrast(rgb, text), contrast(in_dark(rgb), in_dark(text)))

    return "white" if readable(np.ones(3)) > readable(np.zeros(3)) else "black"


def seconds_point(result: CellResult, kernel: str) -> Point | None:
    """Seconds of a call, measured or predicted."""
    if kernel in result.seconds:
        return Point(result.cell.m, result.median(kernel))
    predicted = result.skipped.get(kernel, ("", np.nan))[1]
    return Point(result.cell.m, Interval(predicted, predicted, predicted), False) if predicted > 0.0 else None


def speedup_point(result: CellResult, kernel: str, baseline: str) -> Point | None:
    """Speed-up over a baseline: measured, or from the predicted time of the one that was too slow."""
    ratio = result.speedup(baseline, kernel)
    if ratio is not None:
        return Point(result.cell.m, ratio)
    before, after = seconds_point(result, baseline), seconds_point(result, kernel)
    if before is None or after is None or not (before.measured or after.measured):
        return None
    estimate = before.value.estimate / after.value.estimate
    return Point(result.cell.m, Interval(estimate, estimate, estimate), False)
