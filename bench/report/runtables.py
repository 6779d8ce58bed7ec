"""Tables that several chapters share: times, speed-ups, cores, errors, and the ladder. Cells hold raw values."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from bench import words
from bench.grid import Setting
from bench.report.tables import Column, Table
from bench.results import CellResult, Run
from bench.results.records import OUTPUTS

Value = Callable[[CellResult, str], Any]


class Marked(int):
    """A number of a cell that has a warning; a table shows it with a (!)."""


def _size(m: int) -> str:
    return f"{m:,} (!)" if isinstance(m, Marked) else f"{m:,}"


SHAPE = (Column("n_x"), Column("m", _size))
time_bounds = partial(words.bounds, show=words.seconds)
three_digits = "{:.3g}".format


def shape(result: CellResult) -> list[int]:
    """A cell's values in the columns SHAPE."""
    return [result.cell.n_x, Marked(result.cell.m) if result.warnings else result.cell.m]


def timed(run: Run, results: Iterable[CellResult]) -> list[str]:
    """The kernels that were timed in any of these cells, in ladder order."""
    names = {name for result in results for name in result.kernels}
    return [name for name in run.measured if name in names]


def by_cell(title: str, results: Sequence[CellResult], columns: Iterable[Column], value: Value) -> Table:
    """A row for each cell, a column for each kernel: `value(result, kernel)`."""
    columns = list(columns)
    rows = [[*shape(result), *(value(result, column.name) for column in columns)] for result in results]
    return Table(title, [*SHAPE, *columns], rows, keys=2)


def median(result: CellResult, kernel: str) -> Any:
    """Seconds of a call with their interval; None where the kernel was not timed."""
    return result.median(kernel) if kernel in result.samples else None


def time_table(run: Run, results: Sequence[CellResult], where: str) -> Table:
    """The time of a call of every kernel in these cells, with its interval."""
    what = "training" if any(result.cell.iterations for result in results) else "one gradient step"
    columns = [Column(name, time_bounds) for name in timed(run, results)]
    return by_cell(f"Time of {what}, {where}", results, columns, median)


def speedup_table(run: Run, setting: Setting, baseline: str) -> Table | None:
    """The speed-up of every kernel over a baseline in the cells of a setting; None if nothing can be compared."""
    results = run.of(setting)
    names = [n for n in run.measured if n != baseline and any(r.speedup(baseline, n) for r in results)]
    if not names:
        return None
    columns = [*SHAPE, Column(f"time of {baseline}", time_bounds), *map(Column, names)]
    rows = [[*shape(r), median(r, baseline), *(r.speedup(baseline, name) for name in names)] for r in results]
    return Table(f"Speed-up over {baseline}, {setting.label}", columns, rows, keys=2)


def kernel_table(run: Run) -> Table:
    """The ladder, with what compiling cost."""
    columns = [
        *(Column(name) for name in ("kernel", "what it changes", "threads")),
        Column("first call", words.seconds),
    ]
    cards = run.kernels
    rows = [[name, cards[name].change, cards[name].threads, run.compile_seconds.get(name)] for name in run.measured]
    return Table("The ladder", columns, rows, prose=True)


def cores_tables(run: Run) -> list[Table]:
    """For each setting, how many cores each kernel kept busy: CPU seconds for each wall second."""
    tables = []
    for setting in run.settings:
        results = [result for result in run.of(setting) if result.samples]
        if results:
            columns = [Column(name, "{:.2f}".format) for name in timed(run, results)]
            tables.append(by_cell(f"Cores used, {setting.label}", results, columns, _cores))
    return tables


def _cores(result: CellResult, kernel: str) -> float | None:
    return result.used_threads(kernel) if kernel in result.samples else None


def agreement_table(run: Run) -> Table:
    """The largest error of each output over all cells."""
    rows: list[list[Any]] = []
    for name in run.measured:
        errors = [result.agreement[name] for result in run.cells if name in result.agreement]
        if errors:
            rows.append([name, *(max(getattr(e, output) for e in errors) for output in OUTPUTS), len(errors)])
    outputs = OUTPUTS if run.problem == "synthetic" else ("costs", "w", "b")
    columns = [Column("kernel"), *(Column(output, three_digits) for output in outputs), Column("cells")]
    return Table("Largest error against the reference, in units of rounding", columns, rows)
