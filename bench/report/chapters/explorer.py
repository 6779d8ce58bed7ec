"""The explorer: the cost model and the measured cells at any m and n_x, for readers whose browser runs scripts."""

from bench.report.section import Section
from bench.results import Run


def section(run: Run) -> Section | None:
    """The section of the page."""
    del run
    return None
