"""How figures look: a colour and a marker for each kernel, sizes, and colours that can be read on both pages."""

from collections.abc import Iterable, Sequence
from itertools import chain, cycle
from typing import Any, NamedTuple

import numpy as np
from matplotlib.colors import to_rgb

from bench.analysis import pairs
from bench.results import Run
from kernels import DESCENTS, KERNELS
from kernels._kernel import Array
from kernels.peers import PEERS


class Style(NamedTuple):
    """The colour and the marker of a kernel."""

    color: str
    marker: Any


# The kernels that tell the story, by their part in it. These six stay apart for readers with deuteranopia and
# protanopia too, on the light page and on the dark one; markers tell them apart a second time.
CAST_STYLES = (
    Style("#111111", "o"),  # the Python loop
    Style("#808080", "s"),  # over lists
    Style("#d55e00", "^"),  # compiled
    Style("#0072b2", "D"),  # vectorized NumPy
    Style("#4b9e5b", "v"),  # compiled passes
    Style("#a71b1c", "P"),  # fused
)
# The other rungs, in ladder order.
RUNG_STYLES = (
    Style("#3b8fc4", "<"),
    Style("#7a4a1e", ">"),
    Style("#1b7f8c", "1"),
    Style("#a87600", "2"),
    Style("#5a4fb0", "3"),
    Style("#d0307a", "4"),
)
DESCENT_STYLES = (Style("#7d7a00", "X"),)
# Other shades, and the markers that are left.
PEER_STYLES = (
    Style("#9a7209", "p"),
    Style("#4d4d4d", "h"),
    Style("#8c2d04", "d"),
    Style("#d9523d", "8"),
    Style("#c0651f", "H"),
    Style("#6a51a3", "*"),
    Style("#b22222", "x"),
    Style("#2f4f4f", "+"),
)
# The user's own kernels: stars and crosses of n arms, which no other kernel has.
_OWN_COLORS = ("#7a00ff", "#4f7d00", "#0088a0", "#8a7a00", "#c030c0", "#e04800")
OWN_STYLES = tuple(
    Style(color, (arms, kind, 0))
    for kind in (1, 2)
    for color, arms in zip(_OWN_COLORS, (4, 6, 7, 8, 9, 10), strict=True)
)
# For kernels beyond those, such as a new rung.
SPARE_STYLES = tuple(
    Style(color, (arms, kind, 0))
    for kind, arms, color in (
        (1, 11, "#5e4fa2"),
        (1, 12, "#3c7a57"),
        (2, 11, "#b15928"),
        (2, 12, "#1b7f8c"),
        (2, 5, "#8a8a00"),
        (1, 3, "#d01c8b"),
    )
)
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
NARROW = 4.3  # inches; what a telephone shows in its place, so that words keep their size


def styles(run: Run) -> dict[str, Style]:
    """Kernel -> its style, for every kernel that a figure of this run may show: by its part, or its place."""
    spare = cycle(SPARE_STYLES)
    chosen: dict[str, Style] = {}
    story = pairs.cast()
    collections: tuple[tuple[Iterable[str], Iterable[Style]], ...] = (
        (story, CAST_STYLES),
        ([name for name in KERNELS if name not in story], RUNG_STYLES),
        (DESCENTS, DESCENT_STYLES),
        (PEERS, PEER_STYLES),
        (run.own, OWN_STYLES),
        ([name for name in run.kernels if name not in {*KERNELS, *DESCENTS, *PEERS, *run.own}], ()),
    )
    for names, palette in collections:
        chosen.update(zip(names, chain(palette, spare), strict=False))
    return chosen


def text_color(style: Style) -> tuple[float, float, float]:
    """The colour of a kernel's name: its own, darkened until it can be read on white (contrast 4.5, as WCAG asks)."""
    color = np.array(to_rgb(style.color))
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
    """Black or white, whichever is easier to read on a coloured ground, on the light and on the dark page."""

    def readable(text: Array) -> float:
        return min(contrast(rgb, text), contrast(in_dark(rgb), in_dark(text)))

    return "white" if readable(np.ones(3)) > readable(np.zeros(3)) else "black"
