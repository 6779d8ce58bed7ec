"""What the run was measured on, and when."""

from bench.machine import card, ceilings
from bench.report.section import Section
from bench.report.tables import Column, Table
from bench.results import Run


def section(run: Run) -> Section | None:
    """The section of the page."""
    return Section("machine", "The machine", [], tables=[table(run)])


def table(run: Run) -> Table:
    """The machine, its libraries and its ceilings, and the load before and after the run."""
    before, after = run.header.before, run.end.after if run.end else None
    rows = [*card.describe(run.header.machine), *_libraries(run), ("Date", before.date)]
    rows += ceilings.describe(run.ceilings.values(), run.header.machine.caches)
    rows.append(("Load before", f"{before.load_1min}"))
    if after:
        rows.append(("Load after", f"{after.load_1min}"))
    rows.append(("Seed", f"{run.plan.seed}"))
    return Table("The machine", [Column("what"), Column("here")], rows, prose=True)


def _libraries(run: Run) -> list[tuple[str, str]]:
    """The versions of the peers' libraries and the thread pools of the process, as rows (what, value)."""
    versions = run.header.libraries
    pools = [
        f"{pool.library} {pool.version or ''}".strip() + f" of {pool.package} ({pool.file})"
        for pool in run.header.pools
    ]
    rows = [("Peers", ", ".join(f"{name} {version}" for name, version in versions.items()))] if versions else []
    return rows + ([("Thread pools", ", ".join(pools))] if pools else [])
