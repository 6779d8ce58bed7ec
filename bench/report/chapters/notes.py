"""Lesson 0: the mathematics of the notes, each step with the number that checks it, and what their slips would cost."""

from bench import words
from bench.report.lessons import derivation
from bench.report.section import Section
from bench.report.tables import Column, Table
from bench.results import Run

LEAD = [
    "For one example with features x and label y, logistic regression computes z = wᵀx + b, the prediction "
    "a = σ(z) = 1 / (1 + e^−z), and the loss L(a, y) = −(y log a + (1 − y) log(1 − a)). The cost J is the mean loss "
    "over m examples. Training lowers J by small steps against its gradient: w ← w − α dw, b ← b − α db.",
    "Each derivative below is checked by a number: the complex step, or central differences of J as another program "
    "computes it. Both were computed when this page was made.",
]


def section(run: Run) -> Section | None:
    """The section of the page; it needs nothing of the run."""
    del run
    return Section("notes", "Lesson 0: the mathematics", LEAD, tables=[checks_table(), slips_table()])


def checks_table() -> Table:
    """A row for each step of the derivation."""
    rows = [
        [c.step, c.formula, c.why, c.at, f"{c.by_formula:.7f}", f"{c.by_difference:.7f} ({c.method})", c.apart]
        for c in derivation.checks()
    ]
    names = ("step", "formula", "because", "checked at", "by formula", "by numbers")
    columns = [*map(Column, names), Column("largest difference", lambda value: f"{value:.0e}" if value else "0")]
    return Table("The derivation, step by step", columns, rows, prose=True)


def slips_table() -> Table:
    """A row for each slip of the listings."""
    rows = [[slip.number, slip.listing, slip.printed, slip.mended, slip.cost] for slip in derivation.slips()]
    columns = list(map(Column, ("slip", "listing", "as printed", "as derived", "what it would cost")))
    size = f"m = {derivation.PROBLEM['m']}, n_x = {derivation.PROBLEM['n_x']}"
    training = f"{words.plural(derivation.ITERATIONS, 'iteration')} at {size}, α = {derivation.ALPHA}"
    return Table(
        f"The slips of the notes' listings, and their cost in training ({training})", columns, rows, prose=True
    )
