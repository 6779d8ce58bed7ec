"""Cost per call, per example and per element: what explains a kernel's time at any size."""

from collections.abc import Mapping, Sequence

import numpy as np

from bench import words
from bench.analysis import pairs, ratios
from bench.analysis.costmodel import Costs, fit_all
from bench.grid import Setting
from bench.report.runtables import time_bounds
from bench.report.section import Section
from bench.report.tables import Column, Table
from bench.results import Run
from bench.stats import Interval

LEAD = "A kernel's time at any size follows from three costs: t = call + m · example + m · n_x · element."
NO_FIT = "no fit: timed in too few cells"

Fitted = Mapping[str, Costs]  # by kernel


def section(run: Run) -> Section | None:
    """The section of the page: six kernels; None where nothing could be fitted."""
    fitted = _fitted(run)
    shown = [name for name in (*pairs.cast(), *run.own) if name in fitted]
    if not shown:
        return None
    errors = np.concatenate([fitted[name].held_out_errors for name in fitted])
    within = (
        f"{100 * np.mean(errors <= 0.1):.0f}% of {errors.size} held-out predictions are within 10%; half are within "
    )
    check = f"{within}{100 * np.median(errors):.1f}%."
    return Section(
        "numbers", "Cost per call, per example, per element", [LEAD, check], tables=[short(run, fitted, shown)]
    )


def _fitted(run: Run) -> Fitted:
    if run.problem != "synthetic" or not run.cells:
        return {}
    return fit_all(run, run.settings[0])[0]


def short(run: Run, fitted: Fitted, names: Sequence[str]) -> Table:
    """The three numbers of a few kernels, the formula that they make, and what it gives beside what was measured."""
    rows = []
    for name in names:
        costs = fitted[name]
        result = ratios.fixed_cell(run, [name])
        assert result is not None  # a kernel that was fitted was timed
        predicted = costs.seconds(result.cell.m, result.cell.n_x).estimate
        levels = [level for level in costs.levels if not near(level.per_element, costs.per_element)]
        far = "".join(f"; {cost_text(level.per_element)} in {level.name}" for level in levels)
        rows.append(
            [
                name,
                cost_text(costs.per_call),
                cost_text(costs.per_example),
                f"{cost_text(costs.per_element)}{far}",
                words.seconds(predicted),
                words.seconds(result.median(name).estimate),
            ]
        )
    fixed = ratios.fixed_cell(run, [names[0]])
    where = fixed.cell.shape if fixed else ""
    columns = ["kernel", "per call", "per example", "per element of X", f"t at {where}", "measured there"]
    return Table(f"Three costs, {run.settings[0].label}", list(map(Column, columns)), rows)


def near(value: Interval, other: Interval) -> bool:
    """Whether no reader would see a difference."""
    return 0.9 <= value.estimate / max(other.estimate, 1e-30) <= 1.1


def cost_text(value: Interval) -> str:
    """A cost in the unit that a reader expects; ≈ 0 where it can't be distinguished from nothing."""
    if value.low <= 0.0:
        return f"≈ 0 (below {words.seconds(value.high, 2)})" if value.high > 0.0 else "≈ 0"
    return words.seconds(value.estimate, 2)


def detail(run: Run) -> Section | None:
    """The numbers of all kernels in all settings, and the predictions of held-out cells, for the appendix."""
    if run.problem != "synthetic" or not run.cells:
        return None
    tables = []
    for setting in run.settings:
        fitted, refused = fit_all(run, setting)
        if fitted:
            tables.append(table(fitted, setting, refused))
    if first := _fitted(run):
        tables.append(held_out_table(first, run.settings[0]))
    return Section("three-costs", "Three costs of every kernel", tables=tables).or_none()


def table(fitted: Fitted, setting: Setting, refused: Sequence[str]) -> Table:
    """The three numbers with their intervals, a row for each kernel and level, and how far off the model is."""
    rows: list[list[object]] = [
        [
            name,
            level.name,
            costs.per_call,
            level.per_example,
            level.per_element,
            level.cells,
            _Errors(costs.fit_errors),
            _Errors(costs.held_out_errors),
        ]
        for name, costs in fitted.items()
        for level in costs.levels
    ]
    rows += [[line.partition(":")[0], NO_FIT, *[None] * 6] for line in refused]
    columns = [Column("kernel"), Column("data in")]
    columns += [Column(name, time_bounds) for name in ("per call", "per example", "per element")]
    columns += [Column("cells"), Column("error of fit"), Column("held out")]
    return Table(f"Three numbers, {setting.label} (errors: median / 90th percentile)", columns, rows, keys=2)


class _Errors(tuple[float, ...]):
    """Relative errors; a table shows their median and 90th percentile."""

    def __str__(self) -> str:
        errors = np.array(self)
        return f"{100 * np.median(errors):.1f}% / {100 * np.quantile(errors, 0.9):.0f}%"


def held_out_table(fitted: Fitted, setting: Setting) -> Table:
    """Predicted over measured time of every held-out cell, a column for each kernel."""
    ratios_of = {
        name: {(cell.n_x, cell.m): cell.predicted / cell.measured for cell in costs.held_out}
        for name, costs in fitted.items()
    }
    shapes = sorted({shape for of_kernel in ratios_of.values() for shape in of_kernel})
    rows = [[*shape, *(of_kernel.get(shape) for of_kernel in ratios_of.values())] for shape in shapes]
    columns = [Column("n_x"), Column("m"), *(Column(name, "{:.2f}".format) for name in fitted)]
    return Table(f"Predicted over measured time of held-out cells, {setting.label}", columns, rows, keys=2)
