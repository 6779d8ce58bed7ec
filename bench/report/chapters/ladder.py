"""The ladder: a lesson for each rung, and what each step gains in a table."""

from collections.abc import Sequence

from bench.analysis import pairs
from bench.analysis.pairs import Step
from bench.analysis.ratios import story_cells
from bench.report.lessons.rungs import lessons
from bench.report.runtables import kernel_table
from bench.report.section import Section
from bench.report.tables import Column, Table
from bench.results import CellResult, Run

LEAD = [
    "One algorithm, the gradient step of logistic regression, written again and again: each rung changes one thing. A "
    "lesson asks a question. Guess the answer before you open it: how many times faster will it be? Changed lines are "
    "tinted and marked.",
    "A prediction is made from counted work and the measured limits of the machine, never from the times that it "
    "predicts. Where counting predicts no number, the lesson has none.",
]


def section(run: Run) -> Section | None:
    """The lessons; None for training runs, which compare whole trainings."""
    if run.problem != "synthetic":
        return None
    return Section("ladder", "The ladder, rung by rung", LEAD, lessons=lessons(run)).or_none()


def detail(run: Run) -> Section | None:
    """The tables of the ladder, for the appendix."""
    results = story_cells(run) if run.cells and run.problem == "synthetic" else []
    measured = [(result, pairs.steps(result, run.limit)) for result in results]
    of_cell = [(result, steps) for result, steps in measured if steps]
    tables = [table(of_cell)] if of_cell else []
    if run.measured:
        tables.append(kernel_table(run))
    return Section("ladder-tables", "The ladder in tables", tables=tables).or_none()


def table(of_cell: Sequence[tuple[CellResult, Sequence[Step]]]) -> Table:
    """Every step with its interval, a column for each cell."""
    of_step = [{(step.kernel, step.before, step.cause): step.ratio for step in steps} for _, steps in of_cell]
    columns = [*(Column(name) for name in ("kernel", "over", "cause")), *(Column(r.cell.shape) for r, _ in of_cell)]
    keys = dict.fromkeys(key for ratios in of_step for key in ratios)
    rows = [[*key, *(ratios.get(key) for ratios in of_step)] for key in keys]
    return Table("Factor of each rung over the one that it grew from", columns, rows, keys=3)
