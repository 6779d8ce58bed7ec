"""A comparison as a table, and in the terminal."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from bench import words
from bench.analysis.compare import Comparison
from bench.analysis.differences import Change
from bench.report.changes.sentences import alone_words, basis, verdict
from bench.report.tables import Column, Table

TITLE = "Changed beyond noise (ratio: second run ÷ first; above 1 is slower)"
BEYOND = "beyond"
NOISE = "noise"
ROWS = 24  # in a terminal, of at most so many cells in all
OF_EACH = 4  # and of each kernel


def changed_table(comparison: Comparison) -> Table:
    """What changed beyond noise, the largest first."""
    rows = [[*_key(c), c.a, c.b, c.ratio, comparison.beyond(c).estimate, c.floor] for c in comparison.changed]
    value = partial(words.times, count=3) if comparison.hardware else words.seconds
    columns = [
        *(Column(name) for name in ("kernel", "m", "n_x")),
        Column("setting", lambda setting: setting.id),
        *(Column(name, value) for name in ("first", "second")),
        Column("ratio", partial(words.bounds, show=_ratio)),
        Column(BEYOND, _ratio),
        Column(NOISE, "{:.1%}".format),
    ]
    return Table(TITLE, columns, rows, keys=4)


def _key(change: Change) -> list[Any]:
    return [_name(change), change.cell.m, change.cell.n_x, change.cell.setting]


def _name(change: Change) -> str:
    return f"{change.kernel} / {change.baseline}" if change.baseline else change.kernel


def _ratio(value: float) -> str:
    return words.digits(value) if value >= 10.0 else f"{value:.2f}" if abs(np.log(value)) > 0.02 else f"{value:.3f}"


def render(comparison: Comparison) -> RenderableType:
    """What differs between the runs, the table of changes, what was left out, and the verdict."""
    return Group(*_parts(comparison))


def _parts(comparison: Comparison) -> Iterator[RenderableType]:
    for difference in (*comparison.hardware, *comparison.versions):
        style = "yellow" if difference.kind == "machine" else ""
        yield Text(
            f"{difference.kind} differs: {difference.key}: {difference.before} -> {difference.after}", style=style
        )
    yield from _table(comparison)
    for alone in comparison.alone:
        yield Text(alone_words(alone), style="dim")
    for lost in comparison.lost:
        yield Text(f"FAIL in the second run at {lost.cell.label}: {lost.reason}", style="bold red")
    yield Text("")
    yield Text(verdict(comparison), style="bold")
    yield Text(basis(comparison))


def _table(comparison: Comparison) -> Iterator[Text]:
    """The cells that changed, under their kernels: names of any length, and no line longer than 80 columns."""
    table = changed_table(comparison)
    if not table.rows:
        return
    yield Text(TITLE, style="bold")
    if comparison.drift:
        yield Text(f"{BEYOND}: the ratio without what all kernels have in common")
    groups: dict[str, list[tuple[Change, list[str]]]] = {}
    for change, row in zip(comparison.changed, table.text, strict=True):
        groups.setdefault(_name(change), []).append((change, row[1:]))
    headings = table.headings[1:]
    shown, left = dict[str, list[tuple[Change, list[str]]]](), ROWS
    for name, changes in groups.items():
        shown[name] = changes[: min(OF_EACH, left)]
        left -= len(shown[name])
    says_nothing = {BEYOND} if not comparison.drift else set()
    if not any(change.floor for change in comparison.changes):
        says_nothing.add(NOISE)
    columns = [k for k, heading in enumerate(headings) if heading not in says_nothing]
    rows = [headings, *(row for changes in shown.values() for _, row in changes)]
    widths = {k: max(len(row[k]) for row in rows) for k in columns}

    def line(row: Sequence[str]) -> str:
        return "  " + " ".join(row[k].rjust(width) for k, width in widths.items())

    yield Text(line(headings), style="dim")
    for name, changes in groups.items():
        counts = Counter(change.verdict for change, _ in changes)
        total = sum(_name(change) == name for change in comparison.changes)
        unknown = sum(_name(change) == name for change in comparison.of("unknown"))
        ways = f"{counts['slower']:,} slower, {counts['faster']:,} faster"
        cant_tell = f", can't tell for {unknown:,}" if unknown else ""
        yield Text.assemble((name, "bold"), f": of {total:,}, {ways}{cant_tell}")
        for change, row in shown[name]:
            yield Text(line(row), style={"slower": "red", "faster": "green"}.get(change.verdict, ""))
