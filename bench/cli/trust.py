"""`unloop trust`: how often a comparison is wrong on this machine, measured."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import matplotlib as mpl
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bench.words import WrongUse

DEFAULT = Path("results", "trust")


def trust(
    out: Annotated[
        Path | None, typer.Option(help="Folder for trust.json and the figure; a run's folder puts them on its page.")
    ] = None,
    runs: Annotated[int, typer.Option(min=2, help="Runs of the same work, each compared with the one before.")] = 9,
    larger: Annotated[int, typer.Option(min=0, help="Runs of each amount of more work.")] = 3,
    quiet: Annotated[bool, typer.Option("--quiet", help="Leave out the half with a bad neighbour.")] = False,
) -> None:
    """Measure how far a comparison can be trusted here: false alarms, power, and how often an interval is right.

    Runs of this suite and of pytest-benchmark take turns, on the same kernels and for the same time: of the same work,
    and of 1, 2, 5 and 10% more. Then all of it again while another process disturbs the machine on purpose. It takes
    about twenty minutes. An interrupted experiment is resumed by the same command; a finished one is only shown.
    """
    from bench.report.changes import save
    from bench.report.chapters import trust_experiment as chapter
    from bench.report.style import SETTINGS
    from bench.trust import find
    from bench.trust.experiment import Design, measure
    from bench.trust.ways import Stopped

    folder = out or DEFAULT
    console = Console()
    try:
        experiment = find(folder)
    except ValueError as error:
        raise WrongUse(str(error)) from None
    if experiment is None:
        design = Design(same=runs, larger=larger, neighbours=("quiet",) if quiet else ("quiet", "disturbed"))
        bar = Progress(BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=Console(stderr=True))
        with bar:
            task = bar.add_task("getting ready", total=1.0)
            try:
                experiment = measure(
                    folder,
                    design,
                    version("unloop"),
                    lambda what, share: bar.update(task, description=what, completed=share),
                )
            except KeyboardInterrupt:
                console.print(f"Interrupted. To measure the rest: unloop trust --out {folder}", markup=False)
                raise typer.Exit(130) from None
            except Stopped as error:
                raise WrongUse(str(error)) from None
    with mpl.rc_context(SETTINGS):
        section = chapter.of(experiment)
        (plot,) = section.plots
        path = save(plot, folder)
    assert plot.table is not None
    _print(console, plot.table.headings, plot.table.text)
    for line in (plot.finding, *section.items):
        console.print(Text(line))
    console.print(f"figure: {path}", soft_wrap=True, markup=False)


def _print(console: Console, headings: list[str], rows: list[list[str]]) -> None:
    """The table, without the first column: it is the same in each block of rows."""
    shown = Table(box=None, padding=(0, 1))
    for heading in headings[1:]:
        shown.add_column(heading, justify="left" if heading == "rule" else "right")
    last = None
    for first, *rest in rows:
        if first != last:
            shown.add_row(Text(f"{first[0].upper()}{first[1:]}:", style="bold"))
            last = first
        shown.add_row(*map(Text, rest))
    console.print(shown)
