"""The command `unloop reproduce`: published results, and the reader's own, measured on this machine."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from bench.results import journal
from bench.words import WrongUse

if TYPE_CHECKING:
    from bench.claims.results import Claims
    from bench.claims.session import Session

OnLine = Callable[[str], None]


def reproduce(
    claims: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CLAIM|FILE.py]...", help="Published claims, or files of your own. All published ones."
        ),
    ] = None,
    list_claims: Annotated[
        bool, typer.Option("--list", help="List the published claims, and measure nothing.")
    ] = False,
    sizes: Annotated[
        str | None,
        typer.Option(metavar="10:1e6", help="Sweep over sizes instead: a range, or a list such as 10,100,1000."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Take published sizes, however long they take.")] = False,
    processes: Annotated[int, typer.Option(min=1, help="How many fresh processes measure each claim.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the inputs and of the order of samples.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the results; or of a run, whose page then shows them. [default: results/<date>-claims]"
        ),
    ] = None,
    resume: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Resume an interrupted session.")] = None,
) -> None:
    """Measure published speed-ups again, and judge them: reproduced, larger, smaller, or impossible as printed.

    A file of your own defines CLAIM, a computation in two or more ways: see docs/reproduce.md. Writes claims.json,
    report.md and report.html. Exit 1 if a way crashed, hung, or disagreed with the others.
    """
    if list_claims:
        _list()
        return
    from bench.claims import outcome, results
    from bench.claims import sizes as ranges
    from bench.claims.published import PUBLISHED
    from bench.claims.records import Plan
    from bench.claims.session import Session, require
    from bench.measure.ledger import run_folder

    if resume is not None:
        session = Session.resume(resume)
        folder = resume
    else:
        names = tuple(dict.fromkeys(claims or PUBLISHED))
        for name in names:
            require(name)
        try:
            swept = ranges.sweep(sizes) if sizes is not None else ()
        except ValueError as error:
            raise WrongUse(str(error)) from None
        if swept and not claims:
            raise WrongUse("--sizes needs a claim: unloop reproduce ng-dot --sizes 10:1e6")
        folder = out if out is not None and journal.find(out) else run_folder(Path.cwd(), "claims", out)
        try:
            session = Session.open(Plan(names, swept, full, processes, seed), folder)
        except WrongUse:
            with suppress(OSError):
                folder.rmdir()  # where it is empty
            raise
    console = Console(highlight=False)
    interrupted = False
    try:
        with _progress(console, session) as (on_unit, on_failure):
            session.measure(on_unit, on_failure)
    except KeyboardInterrupt:
        interrupted = True
        console.print("Interrupted; reporting what was measured.")
    except OSError as error:
        raise WrongUse(f"stopped: {error}; resume it: unloop reproduce --resume {folder}") from None
    done = session.close()
    results.write(done, folder)
    _report(console, done, folder)
    if interrupted:
        console.print(f"To measure the rest: unloop reproduce --resume {folder}", soft_wrap=True, markup=False)
        raise typer.Exit(130)
    if outcome.failures(done):
        raise typer.Exit(1)


def _report(console: Console, done: "Claims", folder: Path) -> None:
    """Print the table and write the pages; a run's folder keeps its own pages."""
    from bench.report import claims as report

    wide = Console(width=max(report.TERMINAL_WIDTH, console.width), highlight=False)
    for part in report.terminal(done):
        wide.print(part)
    if journal.find(folder):
        console.print(f"In the page of the run: unloop report {folder}", soft_wrap=True, markup=False)
    else:
        console.print(f"report: {report.write(done, folder)}", soft_wrap=True, markup=False)


def _list() -> None:
    from bench.claims.published import PUBLISHED, load

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("claim", "what is computed", "where"):
        table.add_column(heading, no_wrap=heading == "claim")
    for name in PUBLISHED:
        loaded = load(name)
        table.add_row(name, loaded.about.partition("\n")[0], str(loaded.claim.source))
    Console().print(table)


@contextmanager
def _progress(console: Console, session: "Session") -> Iterator[tuple[OnLine, OnLine]]:
    """A bar on a terminal, a line at every tenth of the way elsewhere; Ctrl-C ends it at once."""
    total = len(session.units())
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=max(total, 1))
        begun = 0

        def on_unit(what: str) -> None:
            nonlocal begun
            bar.update(task, completed=begun, description=what)
            if not console.is_terminal and 10 * begun // total > 10 * (begun - 1) // total:
                console.print(f"  {100 * begun // total}% measured; {what}", soft_wrap=True, markup=False)
            begun += 1

        def on_failure(line: str) -> None:
            bar.console.print(f"FAIL {line}", style="bold red", soft_wrap=True, markup=False)

        try:
            yield on_unit, on_failure
        finally:
            signal.signal(signal.SIGINT, before)
