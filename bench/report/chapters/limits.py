"""How near the kernels come to this machine's limit."""

from functools import partial
from typing import Any

import matplotlib as mpl

from bench import words
from bench.analysis import limits, pairs
from bench.grid import Setting
from bench.report.charts import Plot, panels, titled
from bench.report.runtables import SHAPE, shape, three_digits, timed
from bench.report.section import Section
from bench.report.style import NARROW, WIDTH
from bench.report.tables import Column, Table
from bench.results import READ, VECTORIZED, CellResult, Run

LEAD = [
    "A gradient step must read X once, do 4 m n_x floating-point operations and take m exponentials. The run measured "
    "how fast this machine does each; the limit of a cell is the longest of the three times."
]


def section(run: Run) -> Section | None:
    """The section of the page: vectorized NumPy and the end of the ladder."""
    plot = maps(run, run.settings[0]) if run.settings else None
    return Section("limits", "Share of the hardware's limit", LEAD, [plot]) if plot else None


def detail(run: Run) -> Section | None:
    """The shares of all kernels in all settings, for the appendix."""
    tables = [_limit_table(run, limits.limited(run, setting), setting) for setting in run.settings]
    tables = [table for table in tables if table.rows]
    read = read_table(run)
    return Section("shares", "Shares of the limit", tables=[*tables, *([read] if read else [])]).or_none()


def _rate(result: CellResult, label: str) -> float:
    """GB of X a second."""
    return result.cell.nbytes / result.median(label).estimate / 1e9


def maps(run: Run, setting: Setting) -> Plot | None:
    """Percentage of the limit over (m, n_x), of two kernels; None where neither was timed or no limit is known."""
    results = limits.limited(run, setting)
    names = [n for n in (VECTORIZED, pairs.main_branch()) if any(n in result.samples for result in results)]
    if not names:
        return None
    color_map, norm = mpl.colormaps["YlGnBu"], mpl.colors.LogNorm(0.01, 1.0, clip=True)

    def show(result: CellResult, name: str) -> tuple[str, Any] | None:
        if name not in result.samples:
            return None
        share = limits.share(run, result, name)
        return words.of_limit(share), color_map(norm(share))

    titles = dict(zip(names, names, strict=True))
    wide, narrow = (panels(results, titles, show, width) for width in (WIDTH, NARROW))
    for figure in (wide, narrow):
        titled(figure, "Percentage of this machine's limit" + (f" ({setting.label})" if figure is wide else ""))
    largest = max(results, key=lambda result: (result.cell.nbytes, result.cell.m))
    possible = [share for share in limits.shares(run, [largest], names) if share.share <= 1.0]
    best = max(possible, key=lambda share: share.share, default=None)
    finding = "On few examples the cost of a call leaves both far below the limit."
    if best:
        finding = f"At {largest.cell.shape}, {best.kernel} reaches {words.percent(best.share)} of the limit. {finding}"
    caption = f"Percentage of the limit that {' and '.join(names)} reach in every cell, {setting.label}."
    return Plot("limit", caption, wide, finding, narrow=narrow)


def _limit_table(run: Run, results: list[CellResult], setting: Setting) -> Table:
    """The percentage of the limit of every kernel in every cell."""
    names = timed(run, results)
    columns = [*SHAPE, Column("limit", words.seconds), *(Column(name, words.of_limit) for name in names)]

    def share(result: CellResult, name: str) -> float | None:
        return limits.share(run, result, name) if name in result.samples else None

    rows = [[*shape(r), run.bound(r.cell), *(share(r, name) for name in names)] for r in results]
    return Table(f"Percentage of the limit, {setting.label}", columns, rows, keys=2)


def read_table(run: Run) -> Table | None:
    """Where X comes from memory: each kernel's share of a linear read of X, measured in the same rounds."""
    results = limits.from_memory(run)
    if not results:
        return None
    names = timed(run, results)
    columns = [
        Column("cell"),
        Column("linear read, GB/s", three_digits),
        *(Column(name, partial(words.bounds, show=words.percent)) for name in names),
    ]
    rows = [
        [result.cell.label, _rate(result, READ), *(limits.of_read(result, name) for name in names)]
        for result in results
    ]
    return Table("Share of a linear read, X from memory", columns, rows)
