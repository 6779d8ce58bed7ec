"""`unloop trust`: how often a comparison is wrong on this machine, measured."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bench.trust import Verdicts, find, verdicts
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
    import matplotlib as mpl

    from bench.report.changes import save
    from bench.report.chapters import trust_experiment as chapter
    from bench.report.style import SETTINGS
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
    console.print(_table(verdicts(experiment)))
    for line in (plot.finding, *section.items):
        console.print(Text(line))
    console.print(f"figure: {path}", soft_wrap=True, markup=False)


def _table(shown: Sequence[Verdicts]) -> Table:
    """How often each rule calls the second run slower, narrow enough for any terminal."""
    table = Table(title="How often the second of two runs is called slower", title_justify="left", box=None)
    amounts = list(shown[0].slower["unloop"])
    for heading in ("", *("same work" if more == 0 else f"+{more}%" for more in amounts)):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for verdict in shown:
        table.add_row(Text(verdict.neighbour.capitalize(), style="bold"))
        for rule, by_more in verdict.slower.items():
            table.add_row(f"  {rule}", *(f"{100 * by_more[more].share:.3g}%" for more in amounts if more in by_more))
    return table
