"""How numbers are shown and named: the one place where a value becomes words.

Prose and figures show two significant digits, tables three. An interval is printed once, in brackets. Faster and slower
are said the same way everywhere: "3.1× faster", "3% slower", "about the same".
"""

import math
from collections.abc import Callable, Iterable
from difflib import get_close_matches

from bench.stats import Interval

NONE = "–"
TIE = 0.005  # a relative difference that rounds to 0%
IN_PERCENT = 1.5  # a ratio below it is a difference in percent
UNSTABLE = 0.3  # half the width of an interval, relative, above which an estimate is no figure to quote
NEVER = math.inf


class WrongUse(Exception):
    """Wrong use, in one line: what was wrong, and the nearest right thing."""


def nearest(kind: str, name: str, valid: Iterable[str]) -> WrongUse:
    """The error for an unknown name."""
    names = list(valid)
    close = get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]}?" if close else f"one of: {', '.join(names)}"
    return WrongUse(f"unknown {kind} {name!r}; {hint}")


def one_line(text: str, most: int = 2_000) -> str:
    """Text from outside, such as the message of an exception, as one line that any file and terminal can take.

    Control characters and lone surrogates are replaced; what is longer than `most` characters is cut.
    """
    line = " ".join(part.strip() for part in text[: 2 * most].splitlines() if part.strip())
    line = "".join(letter if letter.isprintable() or letter == "\u00a0" else "\ufffd" for letter in line)
    return line if len(line) <= most else f"{line[:most]}…"


def of_error(error: BaseException) -> str:
    """An exception that any code may have raised, as one line: its type and its message."""
    try:
        message = str(error)
    except Exception:  # its own __str__ raises
        message = "its message can't be read"
    return one_line(f"{type(error).__name__}: {message}" if message else type(error).__name__)


def digits(value: float, count: int = 3) -> str:
    """So many significant digits, and no exponent where a reader wants none: 0.00113, 4.78, 1,770, 1,000,000."""
    rounded = float(f"{value:.{count}g}")
    return f"{rounded:,.0f}" if 1e6 <= abs(rounded) < 1e12 else f"{rounded:,g}"


def short_number(value: int) -> str:
    """A whole number that somebody typed, whatever its length: -1, 123456, a number of 401 digits."""
    digits_in_it = str(value)  # Python reads no longer ones than it writes
    return digits_in_it if len(digits_in_it) < 25 else f"a number of {len(digits_in_it.lstrip('-')):,} digits"


def plural(count: int, noun: str, many: str | None = None) -> str:
    """1 cell, 3 cells."""
    return f"{count:,} {noun if count == 1 else many or f'{noun}s'}"


def percent(share: float) -> str:
    """A share in percent: 71%, 3%, 0.04%."""
    return f"{100 * share:.0f}%" if share >= 0.0995 else f"{float(f'{100 * share:.1g}'):g}%"


def of_limit(share: float) -> str:
    """A share of a limit in percent; more than all of it is an error, of the limit or of the kernel: error (120%)."""
    return percent(share) if share <= 1.0 else f"error ({percent(share)})"


def seconds(value: float, count: int = 3) -> str:
    """A time in the unit that a reader expects: 13.4 µs."""
    for unit, factor in (("ps", 1e12), ("ns", 1e9), ("µs", 1e6), ("ms", 1e3)):
        if abs(value) * factor < 999.5:
            return f"{float(f'{value * factor:.{count}g}'):g} {unit}" if value else "0 s"
    return f"{digits(value, count)} s"


def human_bytes(count: float) -> str:
    """A number of bytes in the unit that a reader expects, such as 32 MiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.3g} {unit}"


def calls(count: float | None) -> str:
    """A number of calls in few characters: 12, 3.4k, never."""
    if count is None:
        return NONE
    if count == NEVER:
        return "never"
    for unit, factor in (("", 1.0), ("k", 1e3), ("M", 1e6)):
        if count < 999.5 * factor:
            three = not unit or count >= 99.5 * factor
            return f"{count / factor:.{3 if three else 2}g}{unit}"
    return f"{count / 1e9:.2g}G"


def times(value: float, count: int = 2) -> str:
    """A factor: 475×, 3.1×, 0.24×."""
    return f"{digits(value, count)}×"


def short(value: float) -> str:
    """A speed-up in few characters, for the cell of a map: 13×, 1.4×; ↓4.2× where it is a slow-down."""
    if 0.95 < value < 1.05:
        return "1×"
    side, arrow = (value, "") if value > 1.0 else (1.0 / value, "↓")
    return (
        f"{arrow}{digits(side)}×" if side >= 99.5 else f"{arrow}{side:.0f}×" if side >= 9.95 else f"{arrow}{side:.2g}×"
    )


def faster(ratio: float) -> str:
    """A speed-up in words: 3.1× faster, 505× slower, 3% slower, about the same."""
    side, way = (ratio, "faster") if ratio >= 1.0 else (1.0 / ratio, "slower")
    if side < 1.0 + TIE:
        return "about the same"
    return f"{percent(side - 1.0)} {way}" if side < IN_PERCENT else f"{times(side)} {way}"


def bounds(value: Interval | None, show: Callable[[float], str] = digits) -> str:
    """An estimate with its interval in brackets, for a table: 475 [455, 496]."""
    if value is None:
        return NONE
    return f"{show(value.estimate)} [{show(value.low)}, {show(value.high)}]"


def with_interval(value: Interval, show: Callable[[float], str] = times) -> str:
    """An estimate with its interval, inside a sentence: 475× (95% interval 455 to 496)."""
    if not bounded(value):
        return f"{show(value.estimate)} (too few rounds for an interval)"
    low, high = (show(end).removesuffix("×") for end in (value.low, value.high))
    if low == high:
        low, high = _apart(value, digits)
    unstable = ": unstable" if value.half_width > UNSTABLE else ""
    return f"{show(value.estimate)} (95% interval {low} to {high}{unstable})"


def faster_with_interval(ratio: Interval) -> str:
    """A speed-up in words with its interval: 3.1× faster (95% interval 2.9 to 3.3)."""
    side = ratio if ratio.estimate >= 1.0 else inverse(ratio)
    if not bounded(ratio):
        return f"{faster(ratio.estimate)} (too few rounds for an interval)"
    if side.estimate < IN_PERCENT:
        # Both ends in the sense of the estimate; a negative end lies on the other side.
        low, high = (f"{100 * (end - 1.0):.1f}" for end in (side.low, side.high))
        return f"{faster(ratio.estimate)} (95% interval {low}% to {high}%)"
    unstable = ": unstable" if side.half_width > UNSTABLE else ""
    low, high = _apart(side, digits)
    return f"{faster(ratio.estimate)} (95% interval {low} to {high}{unstable})"


def _apart(value: Interval, show: Callable[[float, int], str]) -> tuple[str, str]:
    """Both ends in two digits, or in three where two would hide that they differ."""
    count = 2 if show(value.low, 2) != show(value.high, 2) else 3
    return show(value.low, count), show(value.high, count)


def plus_minus(ratio: Interval | None) -> str:
    """A speed-up with its half-width in percent; ± ? where there were too few rounds for an interval."""
    if ratio is None:
        return NONE
    width = "?" if not math.isfinite(ratio.high) else f"{100 * ratio.half_width:.0f}%"
    return f"{short(ratio.estimate)} ±{width}"


def bounded(value: Interval) -> bool:
    """Whether there were enough rounds for an interval."""
    return value.low > 0.0 and math.isfinite(value.high)


def inverse(ratio: Interval) -> Interval:
    """The ratio the other way round."""
    return Interval(1.0 / ratio.estimate, 1.0 / ratio.high, 1.0 / ratio.low if ratio.low > 0.0 else math.inf)


def faster_than(ratio: Interval, other: str) -> str:
    """A speed-up over another kernel in words: 3.1× faster than python_loop (95% interval 2.9 to 3.3)."""
    way, bracket, rest = faster_with_interval(ratio).partition(" (")
    return f"{way} {'as' if way == faster(1.0) else 'than'} {other}{bracket}{rest}"
