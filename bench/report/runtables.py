"""The tables of a run: times, speed-ups, errors, cores, the ladder. What the figures draw, in full."""

from bench.report import terminal as summary
from bench.report.tables import Table, bounds_text
from bench.results.run import CellResult, Run
from bench.variant import Variant, of_variant, variant_words, variants

CELL = ["n_x", "m"]


def _cell(result: CellResult) -> list[str]:
    return [f"{result.cell.n_x:,}", f"{result.cell.m:,}" + (" (!)" if result.warnings else "")]


def time_table(run: Run, results: list[CellResult], words: str) -> Table:
    """The time of a call of every kernel in these cells, with its interval."""
    names = [name for name in run.measured if any(name in result.seconds for result in results)]
    rows = [[*_cell(result), *(_time(result, name) for name in names)] for result in results]
    what = "training" if any(result.cell.iterations for result in results) else "one gradient step"
    return Table(f"Time of {what}, {words}", [*CELL, *names], rows, keys=2)


def _time(result: CellResult, name: str) -> str:
    return bounds_text(result.median(name), summary.seconds_text) if name in result.seconds else "–"


def speedup_table(run: Run, variant: Variant, baseline: str) -> Table | None:
    """The speed-up of every kernel over a baseline in the cells of a variant; None if nothing can be compared."""
    results = of_variant(run, variant)
    names = [n for n in run.measured if n != baseline and any(r.speedup(baseline, n) for r in results)]
    if not names:
        return None
    rows = [
        [*_cell(r), _time(r, baseline), *(bounds_text(r.speedup(baseline, name)) for name in names)] for r in results
    ]
    title = f"Speed-up over {baseline}, {variant_words(variant)}"
    return Table(title, [*CELL, f"time of {baseline}", *names], rows, keys=2)


def kernel_table(run: Run) -> Table:
    """The ladder, with what compiling cost."""
    compiling = run.compile_seconds
    rows = [
        [
            name,
            run.kernels[name]["change"],
            run.kernels[name]["threads"],
            summary.seconds_text(compiling[name]) if name in compiling else "–",
        ]
        for name in run.measured
    ]
    return Table("The ladder", ["kernel", "what it changes", "threads", "first call"], rows, prose=True)


def cores_tables(run: Run) -> list[Table]:
    """For each order and number of threads: how many cores each kernel kept busy, CPU seconds for each wall second."""
    tables = []
    for variant in variants(run):
        results = [result for result in of_variant(run, variant) if result.seconds]
        names = [name for name in run.measured if any(name in result.seconds for result in results)]
        rows = [
            [*_cell(result)] + [f"{result.used_threads(name):.2f}" if name in result.seconds else "–" for name in names]
            for result in results
        ]
        if rows:
            tables.append(Table(f"Cores used, {variant_words(variant)}", [*CELL, *names], rows, keys=2))
    return tables


def agreement_table(run: Run) -> Table:
    """The largest error of each output over all cells."""
    rows = []
    for name in run.measured:
        found = [r.agreement[name] for r in run.cells if name in r.agreement]
        if found:
            rows.append(
                [name, *(f"{max(errors[out] for errors in found):.3g}" for out in ("J", "dw", "db")), str(len(found))]
            )
    columns = ["kernel", "J", "dw", "db", "cells"]
    if run.problem != "synthetic":
        columns[1:4] = ["costs", "w", "b"]
    return Table("Largest error against the reference, in units of rounding", columns, rows)
