"""Tables: raw values, and how each column shows them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench import words
from bench.stats import Interval


def shown(value: Any) -> str:
    """A value as a table shows it, where its column has no way of its own; a dash for none."""
    if value is None:
        return words.NONE
    if isinstance(value, Interval):
        return words.bounds(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return words.digits(value) if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Column:
    """A column: its heading, and how it shows a value that is there."""

    name: str
    show: Callable[[Any], str] = shown


@dataclass(frozen=True)
class Table:
    """Rows of raw values; the first `keys` columns say what a row is about.

    `prose`: its cells are sentences; `stacked`: so many or so long that a page sets each row as a paragraph.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    keys: int = 1
    prose: bool = False
    stacked: bool = False

    @property
    def headings(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    @property
    def text(self) -> list[list[str]]:
        """The rows as a reader sees them."""
        return [
            [words.NONE if v is None else c.show(v) for c, v in zip(self.columns, row, strict=True)]
            for row in self.rows
        ]

    def frame(self) -> pd.DataFrame:
        """The raw values, to be sorted and exported."""
        return pd.DataFrame([list(row) for row in self.rows], columns=self.headings)
