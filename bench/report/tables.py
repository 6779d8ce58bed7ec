"""Tables of text, and numbers as a reader wants to see them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from bench.stats import Interval


@dataclass(frozen=True)
class Table:
    """A table of text; the first `keys` columns say what a row is about.

    `prose`: its cells are sentences; `stacked`: so many or so long that a page sets each row as a paragraph.
    """

    title: str
    columns: list[str]
    rows: list[list[str]]
    keys: int = 1
    prose: bool = False
    stacked: bool = False


def digits(value: float) -> str:
    """Three digits, and no exponent where a reader wants none: 0.00113, 4.78, 1,770, 1,000,000."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if 1e6 <= abs(rounded) < 1e12 else f"{rounded:,g}"


def percent(value: float) -> str:
    """A share in percent: 71%, 3%, 0.04%."""
    return f"{100 * value:.0f}%" if value >= 0.0995 else f"{float(f'{100 * value:.1g}'):g}%"


def ratio_text(value: float) -> str:
    """A speed-up in few characters: 13×, or 1/4.2 for a slow-down."""
    if 0.95 < value < 1.05:
        return "1×"
    side, prefix, suffix = (value, "", "×") if value > 1.0 else (1.0 / value, "1/", "")
    return f"{prefix}{side:.0f}{suffix}" if side >= 9.95 else f"{prefix}{side:.2g}{suffix}"


def bounds_text(value: Interval | None, show: Callable[[float], str] = digits) -> str:
    """An estimate with its interval in brackets."""
    if value is None:
        return "–"
    return f"{show(value.estimate)} [{show(value.low)}, {show(value.high)}]"


def times_words(ratio: Interval) -> str:
    """A ratio with its 95% interval, inside a sentence; no interval where there were too few rounds for one."""
    words = f"{digits(ratio.estimate)} times" if digits(ratio.estimate) != "1" else "1.00 times"
    if not (ratio.low > 0.0 and math.isfinite(ratio.high)):
        return words
    return f"{words} ({digits(ratio.low)} to {digits(ratio.high)})"
