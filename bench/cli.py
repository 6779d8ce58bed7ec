"""The command line: unloop run, plot, report, compare, kernels, machine."""

import re
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

from bench import changes, face, machine, plots, report, results, session, summary
from bench.compare import NothingInCommon
from bench.compare import compare as compare_runs
from bench.engine import Event, Failed
from bench.face import WrongUse
from bench.grid import Cell, Preset
from bench.results import NotARun
from bench.session import OnEvent
from bench.watch import Watch
from kernels.peers import PEERS

app = typer.Typer(
    help="Why vectorization matters: the gradient step of logistic regression as a ladder of kernels, checked "
    "against one reference and timed with one clock. Start with: unloop run --grid smoke",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, such as results/reference.")]


@app.command()
def run(
    grid: Annotated[
        str, typer.Option(help="Which cells: smoke (seconds), quick (a minute and a half), full (20 minutes).")
    ] = "quick",
    kernels: Annotated[
        str | None, typer.Option(help="Comma-separated kernels; their baselines are added. All, if not given.")
    ] = None,
    peers: Annotated[
        bool, typer.Option("--peers", help="The other libraries that are installed, too: see unloop kernels.")
    ] = False,
    problem: Annotated[
        str, typer.Option(help="synthetic; or breast_cancer: training runs on a real data set.")
    ] = "synthetic",
    seed: Annotated[int, typer.Option(help="Seed of the problems and of the order of samples.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder of the run. [default: results/<date>-<grid>]")] = None,
) -> None:
    """Measure a grid, print the speed-ups, write the report.

    Samples go to samples.jsonl in the run's folder as they are taken. Ctrl-C ends the run; what was measured stays,
    and the report of it is drawn. Exit 1 if a kernel disagreed with the reference.
    """
    choice = face.choose(grid, problem, kernels, peers)
    preset = choice.preset
    try:
        folder = session.run_folder(Path.cwd(), preset.name, out)
    except OSError as error:
        raise WrongUse(str(error)) from None
    console = Console()
    interrupted = False
    measuring = session.Session(folder, preset, seed, problem, choice.peers)
    try:
        with _progress(console, preset) as on_event, _ctrl_c_between_events(on_event) as checked:
            measuring.measure(dict.fromkeys(preset.cells, choice.names), checked)
    except KeyboardInterrupt:
        interrupted = True
        console.print("Interrupted; drawing the report of what was measured.")
    finished = measuring.close(interrupted)
    page = _draw(console, finished, folder)
    # Narrower, and columns of the tables would be left out.
    Console(width=max(summary.WIDTH, console.width)).print(summary.render(finished))
    console.print(f"report: {page}", soft_wrap=True)
    if interrupted:
        raise typer.Exit(130)
    if any(result.failed for result in finished.cells):
        raise typer.Exit(1)


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
def _progress(console: Console, preset: Preset) -> Iterator[OnEvent]:
    """A bar with the time left on a terminal, a line at every tenth of the way elsewhere."""

    def lines(text: str) -> None:
        if not console.is_terminal:
            console.print(text, soft_wrap=True)

    watch = Watch(preset.cells, preset, lines)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("starting", total=1.0, left="")

        def on_event(cell: Cell, event: Event) -> None:
            watch(cell, event)
            if isinstance(event, Failed):
                progress.console.print(f"FAILED at {cell.label}: {event.reason}", style="bold red", soft_wrap=True)
            what = f"{watch.ready} of {len(preset.cells)} cells: {cell.label}"
            progress.update(task, completed=watch.fraction, description=what, left=watch.words)

        yield on_event


def _draw(console: Console, finished: results.Run, folder: Path) -> Path:
    with console.status("drawing the figures") as status:
        return report.write(finished, folder, lambda name: status.update(f"drawing {name}"))


@app.command()
def plot(run: RunFolder) -> None:
    """Draw the figures of a run again, from its folder alone."""
    found = results.load(run)
    for drawn in plots.save(found, run / "plots"):
        typer.echo(run / "plots" / f"{drawn.name}.svg")


@app.command(name="report")
def report_(run: RunFolder) -> None:
    """Write report.html, report.md, run.json and the figures of a run again, from its samples."""
    console = Console()
    console.print(f"report: {_draw(console, results.load(run), run)}", soft_wrap=True)


@app.command()
def compare(
    run_a: Annotated[str, typer.Argument(metavar="RUN_A", help="Folder of the run before; or: reference.")],
    run_b: Annotated[str, typer.Argument(metavar="RUN_B", help="Folder of the run after; or: reference.")],
    fail_slower: Annotated[
        str | None, typer.Option(metavar="5%", help="Exit 1 if a kernel is slower by more than this in some cell.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the figure, compare.svg and compare.png. [default: none is drawn]")
    ] = None,
) -> None:
    """Compare two runs: what is slower or faster beyond noise, kernel by kernel and cell by cell.

    Seconds on one machine; on machines that differ, the speed-ups over python_loop and numpy_vectorized. The word
    reference means results/reference. Nothing is written into either run.
    """
    allowed = None if fail_slower is None else _percent(fail_slower)
    found = compare_runs(results.load(_named(run_a)), results.load(_named(run_b)))
    console = Console()
    console.print(changes.render(found))
    if out is not None:
        try:
            console.print(f"figure: {changes.save(changes.draw(found), out)}", soft_wrap=True)
        except OSError as error:
            raise WrongUse(f"the figure can't be written: {error}; name another folder with --out") from None
    if allowed is None:
        return
    worse = found.regressions(allowed)
    if worse or found.lost:
        failed = f", {len(found.lost)} failed" if found.lost else ""
        console.print(f"REGRESSED: {len(worse)} slower by more than {fail_slower}{failed}.", style="bold red")
        raise typer.Exit(1)
    console.print(f"Nothing is slower by more than {fail_slower} beyond doubt.")


def _percent(text: str) -> float:
    """A percentage such as 5% as a fraction, 0.05."""
    number = re.fullmatch(r"(\d+(?:\.\d+)?) ?%", text.strip())
    if number is None:
        raise WrongUse(f"--fail-slower takes a percentage, such as 5%; got {text!r}")
    return float(number[1]) / 100.0


def _named(run: str) -> Path:
    """The folder of a run; the word reference: results/reference here, or else in the checkout."""
    if run != "reference":
        return Path(run)
    here = Path("results", "reference")
    return here if here.is_dir() else Path(__file__).parents[1] / here


@app.command()
def kernels() -> None:
    """List the ladder, what each kernel changes from the one before; then the peers, the step in other libraries."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("kernel", "threads", "what it changes"):
        table.add_column(heading, no_wrap=heading == "kernel")
    for name, kernel in session.describe_kernels(PEERS).items():
        missing = f" (needs {kernel['missing']}, which is not installed)" if kernel["missing"] else ""
        table.add_row(name, kernel["threads"], kernel["change"] + missing)
    Console().print(table)


@app.command(name="machine")
def machine_() -> None:
    """Show what machine this is, as every run records it: CPU, caches, memory, versions, BLAS and SIMD."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for what, value in machine.describe(machine.card()):
        table.add_row(what, value)
    Console().print(table)


def main() -> None:
    """Run the command line; wrong use is one line and exit 2."""
    try:
        app()
    except (WrongUse, NotARun, NothingInCommon) as error:
        sys.exit(_refuse(str(error)))


def _refuse(message: str) -> int:
    print(f"unloop: {' '.join(message.split())}", file=sys.stderr)
    return 2
