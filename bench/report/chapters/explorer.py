"""The explorer: the cost model and the measured cells at any size, for readers whose browser runs scripts."""

from bench.report import explorer
from bench.report.section import Section
from bench.results import Run

LEAD = [
    "Choose a size, a setting and kernels. Lines and bars follow the cost model; points are measured cells. Point at "
    "one for its time and interval. Compiling pays off, against vectorized NumPy, after the number of calls given."
]


def section(run: Run) -> Section | None:
    """The section of the page; None where no kernel has a cost model."""
    script = explorer.script(run) if run.cells else ""
    return Section("explorer", "Explore", LEAD, [explorer.still(run)], script=script) if script else None
