"""The command line: unloop run, plot, report, compare, kernels, machine."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.cli import commands
from bench.cli import options as face
from bench.cli.commands import drawn_report
from bench.cli.options import WrongUse
from bench.grid import Cell, Preset
from bench.machine import card as machine
from bench.machine import ceilings
from bench.measure import contestants as roster
from bench.measure import session
from bench.measure.ledger import NotTheSame
from bench.measure.own_kernel import NotAKernel
from bench.measure.progress import Watch
from bench.measure.session import OnEvent
from bench.report import terminal as summary
from bench.results import run as results
from bench.results.events import Event, Failed
from bench.results.run import NotARun
from kernels.peers import PEERS

app = typer.Typer(
    help="Why vectorization matters: the gradient step of logistic regression as a ladder of kernels, checked "
    "against one reference and timed with one clock. Start with: unloop run --grid smoke",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def run(
    context: typer.Context,
    grid: Annotated[
        str, typer.Option(help="Which cells: smoke (half a minute), quick (a minute and a half), full (half an hour).")
    ] = "quick",
    kernels: Annotated[
        str | None, typer.Option(help="Comma-separated kernels; their baselines are added. All, if not given.")
    ] = None,
    kernel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE.py[:FUNCTION]",
            help="A kernel of your own: a file that defines cost_and_gradient(w, b, X, Y). Repeatable.",
        ),
    ] = None,
    peers: Annotated[
        bool, typer.Option("--peers", help="The other libraries that are installed, too: see unloop kernels.")
    ] = False,
    problem: Annotated[
        str, typer.Option(help="synthetic; or breast_cancer: training runs on a real data set.")
    ] = "synthetic",
    seed: Annotated[int, typer.Option(help="Seed of the problems and of the order of samples.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder of the run. [default: results/<date>-<grid>]")] = None,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Go on with a run that was cut off, in its own folder."),
    ] = None,
) -> None:
    """Measure a grid, print the speed-ups, write the report.

    Samples go to samples.jsonl in the run's folder as they are taken. Ctrl-C ends the run; what was measured stays,
    and the report of it is drawn. A run that was cut off, in whatever way, is completed with --resume. Exit 1 if a
    kernel disagreed with the reference, or crashed.
    """
    if resume is None:
        choice = face.choose(grid, problem, kernels, peers, kernel or ())
        try:
            folder = session.run_folder(Path.cwd(), choice.preset.name, out)
            measuring = session.Session(folder, choice.preset, seed, problem, choice.peers, choice.names, choice.owned)
        except OSError as error:
            raise WrongUse(str(error)) from None
        names = choice.names
    else:
        for name in context.params.keys() - {"resume"}:
            source = context.get_parameter_source(name)
            if source is not None and source.name != "DEFAULT":
                raise WrongUse(f"--{name} does not go with --resume: a run goes on with what it was begun with")
        folder = resume
        try:
            measuring, names = session.resumed(folder)
        except (OSError, NotTheSame, NotAKernel) as error:
            raise WrongUse(f"{folder} can't be resumed: {error}") from None
    finished, interrupted = _measure(measuring, names)
    console = Console()
    page = drawn_report(console, finished, folder)
    # Narrower, and columns of the tables would be left out.
    Console(width=max(summary.WIDTH, console.width)).print(summary.render(finished))
    console.print(f"report: {page}", soft_wrap=True)
    if interrupted:
        console.print(f"To measure the rest: unloop run --resume {folder}", soft_wrap=True)
        raise typer.Exit(130)
    if any(result.failed for result in finished.cells):
        raise typer.Exit(1)


def _measure(measuring: session.Session, names: list[str]) -> tuple[results.Run, bool]:
    """Measure what a run lacks; the run, and whether it was interrupted."""
    console = Console()
    interrupted = False
    for warning in measuring.warnings:
        console.print(f"warning: {warning}", style="yellow", soft_wrap=True)
    cells = measuring.unfinished()
    try:
        with _progress(console, measuring.preset, cells) as on_event, _ctrl_c_between_events(on_event) as checked:
            measuring.measure(dict.fromkeys(cells, names), checked)
    except KeyboardInterrupt:
        interrupted = True
        console.print("Interrupted; drawing the report of what was measured.")
    except OSError as error:
        raise _stopped(measuring, error) from None
    try:
        return measuring.close(interrupted), interrupted
    except OSError as error:
        raise _stopped(measuring, error) from None


def _stopped(measuring: session.Session, error: OSError) -> WrongUse:
    """The end of a run whose folder can't be written to any more."""
    measuring.abandon()
    again = f"unloop run --resume {measuring.folder}"
    return WrongUse(f"stopped: {error}. What was measured is kept; to go on: {again}")


@contextmanager
def _ctrl_c_between_events(on_event: OnEvent) -> Iterator[OnEvent]:
    """Raise KeyboardInterrupt after the event in which Ctrl-C was pressed; a second Ctrl-C does so at once.

    Inside Numba's callbacks from C it would come out as another exception, and look like a kernel that failed.
    """
    asked = False

    def ask(_signal: int, _frame: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def checked(cell: Cell, event: Event) -> None:
        on_event(cell, event)
        if asked:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield checked
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(console: Console, preset: Preset, cells: list[Cell]) -> Iterator[OnEvent]:
    """A bar with the time left on a terminal, a line at every tenth of the way elsewhere."""

    def lines(text: str) -> None:
        if not console.is_terminal:
            console.print(text, soft_wrap=True)

    watch = Watch(cells, preset, lines)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        told: set[str] = set()
        task = progress.add_task("starting", total=1.0, left="")

        def on_event(cell: Cell, event: Event) -> None:
            watch(cell, event)
            if isinstance(event, Failed) and event.kernel not in told:  # once is enough: the summary counts the cells
                told.add(event.kernel)
                progress.console.print(f"FAILED at {cell.label}: {event.reason}", style="bold red", soft_wrap=True)
            what = f"{watch.ready} of {len(cells)} cells: {cell.label}"
            progress.update(task, completed=watch.fraction, description=what, left=watch.words)

        yield on_event


for command in (commands.plot, commands.report, commands.compare, commands.advise):
    app.command()(command)


@app.command()
def kernels() -> None:
    """List the ladder, what each kernel changes from the one before; then the peers, the step in other libraries."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("kernel", "threads", "what it changes"):
        table.add_column(heading, no_wrap=heading == "kernel")
    for name, kernel in roster.describe_kernels(PEERS).items():
        missing = f" (needs {kernel['missing']}, which is not installed)" if kernel["missing"] else ""
        table.add_row(name, kernel["threads"], kernel["change"] + missing)
    Console().print(table)


@app.command(name="machine")
def machine_() -> None:
    """Show what machine this is, as every run records it, and measure what it can do at most: its ceilings."""
    console = Console()
    card = machine.card()
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for what, value in machine.describe(card):
        table.add_row(what, value)
    with console.status("measuring the ceilings") as status:
        found = ceilings.measure(lambda what: status.update(f"measuring the ceilings: {what}"))
    for what, value in ceilings.describe(found, card["caches"]):
        table.add_row(what, value)
    console.print(table)


def main() -> None:
    """Run the command line; wrong use is one line and exit 2, Ctrl-C where it ends all is exit 130."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except (WrongUse, NotARun) as error:
        sys.exit(_refuse(str(error)))
    except OSError as error:  # a full disk, a folder that may not be written to
        sys.exit(_refuse(str(error)))


def _refuse(message: str) -> int:
    print(f"unloop: {' '.join(message.split())}", file=sys.stderr)
    return 2
