"""Tables that several chapters share: times, speed-ups, cores, errors, and the ladder. Cells are raw values."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from bench import words
from bench.analysis import estimates, payback
from bench.analysis.estimates import Estimated
from bench.grid import Setting
from bench.report.tables import Column, Table
from bench.results import CellResult, Run
from bench.results.records import OUTPUTS
from bench.stats import Interval

COLD = "compiling, cold"  # what it costs in a fresh process, wherever that was measured
Value = Callable[[CellResult, str], Any]


class Marked(int):
    """A number of a cell that has a warning; a table shows it with a (!)."""


def _size(m: int) -> str:
    return f"{m:,} (!)" if isinstance(m, Marked) else f"{m:,}"


SHAPE = (Column("n_x"), Column("m", _size))
three_digits = "{:.3g}".format


def bounds(value: Interval, show: Callable[..., str] = words.digits) -> str:
    """A value with its interval: 475 [455, 496]; est. 480 [430, 530] where it is estimated."""
    if not isinstance(value, Estimated):
        return words.bounds(value, show)
    two = partial(show, count=2)
    return f"est. {words.bounds(value, two) if words.bounded(value) else two(value.estimate)}"


time_bounds = partial(bounds, show=words.seconds)


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


def why_not(result: CellResult, kernel: str) -> str:
    """Why a kernel has no time in a cell, in two words."""
    if kernel in result.failed:
        return "failed"
    if kernel in result.skipped:
        return "too slow" if estimates.too_slow(result, kernel) else "not run"
    return words.NONE


def _time_or_why(run: Run, result: CellResult, kernel: str) -> Any:
    return estimates.seconds(run, result, kernel) or why_not(result, kernel)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else time_bounds(value)


def time_table(run: Run, results: Sequence[CellResult], where: str) -> Table:
    """The time of a call of every kernel in these cells, measured or estimated, with its interval."""
    what = "training" if any(result.cell.iterations for result in results) else "one gradient step"
    columns = [Column(name, _shown) for name in timed(run, results)]
    return by_cell(f"Time of {what}, {where}", results, columns, partial(_time_or_why, run))


def speedup_table(run: Run, setting: Setting, baseline: str) -> Table | None:
    """The speed-up of every kernel over a baseline in the cells of a setting, measured or estimated.

    None if nothing can be compared.
    """
    results = run.of(setting)
    names = [n for n in run.measured if n != baseline and any(r.speedup(baseline, n) for r in results)]
    if not names:
        return None
    columns = [*SHAPE, Column(f"time of {baseline}", _shown), *(Column(name, bounds) for name in names)]
    rows = [
        [
            *shape(result),
            _time_or_why(run, result, baseline),
            *(estimates.speedup(run, result, baseline, name) for name in names),
        ]
        for result in results
    ]
    return Table(f"Speed-up over {baseline}, {setting.label}", columns, rows, keys=2)


def kernel_table(run: Run) -> Table:
    """The ladder, with what compiling costs."""
    columns = [
        *(Column(name) for name in ("kernel", "what it changes", "threads")),
        Column(COLD, words.seconds),
    ]
    cards, cold = run.kernels, payback.cold_seconds(run)
    rows = [[name, cards[name].change, cards[name].threads, cold.get(name)] for name in run.measured]
    return Table(titled_cold("The ladder", run, run.measured), columns, rows, prose=True)


def titled_cold(title: str, run: Run, names: Iterable[str]) -> str:
    """A title, and which of these kernels have the first call of the run for the price of compiling."""
    own = payback.first_calls(run, names)
    if not own:
        return title
    whose = f" for {', '.join(own)}" if run.prices else ""
    return f"{title} ({COLD}: the first call in this run{whose})"


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
