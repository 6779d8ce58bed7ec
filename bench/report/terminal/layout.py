"""Lines for a terminal of any width: text that wraps, words that stand before it, commands that are never cut."""

import re
import shlex
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

NARROWEST, WIDEST = 60, 100  # columns
LABEL = 7  # columns of the words that stand before a paragraph


class Line(NamedTuple):
    """A line and its style: "bold", "bold red" or none."""

    text: str
    style: str = ""


def width_for(columns: int) -> int:
    """How wide to print on a terminal of so many columns."""
    return min(max(columns, NARROWEST), WIDEST)


def quoted(folder: Path) -> str:
    """A path as a shell takes it."""
    return shlex.quote(str(folder))


def command(label: str, parts: Sequence[str], width: int) -> Iterator[Line]:
    """A command on one line, or on two where it is too long: a shell takes both as they are."""
    whole = f"{label:{LABEL}}{' '.join(parts)}"
    if len(whole) <= width:
        yield Line(whole)
    else:
        yield Line(f"{label:{LABEL}}{parts[0]} \\")
        yield Line(f"{'':{LABEL + 2}}{' '.join(parts[1:])}")


def paragraph(label: str, text: str, width: int) -> Iterator[Line]:
    """Sentences behind a word, which stands alone in its columns."""
    for number, line in enumerate(_wrap(text, width - LABEL)):
        yield Line(f"{label if number == 0 else '':{LABEL}}{line}")


def wrapped(text: str, width: int, style: str = "", indent: str = "") -> Iterator[Line]:
    """Sentences on as many lines as they need."""
    for line in _wrap(text, width, indent):
        yield Line(line, style)


def _wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Lines of a text; none ends between a number and its unit, or inside "m = 10"."""
    kept = re.sub(r"(?<=\d) (?=[a-zµ]+\b)| = ", lambda space: space[0].replace(" ", "\u00a0"), text)
    wrapped = textwrap.wrap(kept, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\u00a0", " ") for line in wrapped]
