"""Past memory and past one machine: what `scale.json` in the run's folder holds."""

from bench import words
from bench.report.section import Section
from bench.report.tables import Column, Table
from bench.results import Run
from bench.scale.records import Scale, load


def section(run: Run) -> Section | None:
    """The section of the page; None for a run with no scale.json beside it."""
    scale = load(run.folder) if run.folder else None
    if scale is None:
        return None
    return Section("scale", "Past memory", [], [], [ways_table(scale)]).or_none()


def ways_table(scale: Scale) -> Table:
    columns = [Column("way"), Column("seconds", words.seconds)]
    return Table("The ways", columns, [[n, min(w.seconds)] for n, w in scale.ways.items()])


def terminal(scale: Scale) -> list:
    return []
