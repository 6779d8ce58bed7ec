"""The command line: unloop run, plot, report, compare, advise, trust, kernels, machine."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.cli import commands, live, options
from bench.cli.options import Typed
from bench.cli.trust import trust
from bench.measure.ledger import NotTheSame, run_folder
from bench.measure.own_kernel import NotAKernel
from bench.measure.session import Session
from bench.results import NotARun, Run
from bench.words import WrongUse

app = typer.Typer(
    help="Why vectorization matters: the gradient step of logistic regression as a ladder of kernels, each checked "
    "against one reference and timed side by side with the others. Start with: unloop run --grid smoke",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def run(
    context: typer.Context,
    grid: Annotated[
        str, typer.Option(help="Which cells: smoke (half a minute), quick (two minutes), full (an hour).")
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
        Path | None, typer.Option(metavar="RUN", help="Resume an interrupted run, in its folder.")
    ] = None,
) -> None:
    """Measure a grid, print the speed-ups, write the report.

    Samples go to samples.jsonl in the run's folder as they are taken. Ctrl-C stops the run; what was measured is kept,
    and its report is drawn. Resume an interrupted run with --resume. Exit 1 if a kernel disagreed with the reference,
    or crashed.
    """
    if resume is None:
        plan = options.plan(Typed(grid, problem, kernels, peers, kernel or (), seed))
        try:
            folder = run_folder(Path.cwd(), plan.preset.name, out)
            session = Session.open(plan, folder)
        except OSError as error:
            raise WrongUse(str(error)) from None
    else:
        _require_resume_alone(context)
        folder = resume
        try:
            session = Session.resume(folder)
        except (OSError, NotTheSame, NotAKernel) as error:
            raise WrongUse(f"{folder} can't be resumed: {error}") from None
    with session:
        finished, interrupted = _measure(session)
    console = Console()
    page = commands.drawn_report(console, finished, folder)
    commands.show(finished)
    console.print(f"report: {page}", soft_wrap=True, markup=False)
    if interrupted:
        console.print(f"To measure the rest: unloop run --resume {folder}", soft_wrap=True, markup=False)
        raise typer.Exit(130)
    if any(result.failed for result in finished.cells):
        raise typer.Exit(1)


def _require_resume_alone(context: typer.Context) -> None:
    for name in context.params.keys() - {"resume"}:
        source = context.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT":
            raise WrongUse(f"--{name} does not go with --resume: a run keeps the options that it was begun with")


def _measure(session: Session) -> tuple[Run, bool]:
    """Measure what a run lacks; the run, and whether it was interrupted."""
    console = Console()
    interrupted = False
    for warning in session.warnings:
        console.print(f"warning: {warning}", style="yellow", soft_wrap=True, markup=False)
    cells = session.unfinished()
    names = session.plan.names or ()
    try:
        with (
            live.progress(console, session.plan.preset, cells) as on_event,
            live.ctrl_c_between_events(on_event) as checked,
        ):
            session.measure({cell: list(names) for cell in cells}, checked)
    except KeyboardInterrupt:
        interrupted = True
        console.print("Interrupted; drawing the report of what was measured.")
    except OSError as error:
        raise _stopped(session, error) from None
    try:
        return session.close(interrupted), interrupted
    except OSError as error:
        raise _stopped(session, error) from None


def _stopped(session: Session, error: OSError) -> WrongUse:
    """The end of a run whose folder can't be written to any more."""
    session.abandon()
    return WrongUse(f"stopped: {error}. What was measured is kept; resume it: unloop run --resume {session.folder}")


for command in (commands.plot, commands.report, commands.compare, commands.advise, trust):
    app.command()(command)
app.command()(commands.kernels)
app.command(name="machine")(commands.machine)


def main() -> None:
    """Run the command line; wrong use is one line and exit 2, Ctrl-C that ends everything is exit 130."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except (WrongUse, NotARun, OSError) as error:  # OSError: a full disk, a folder that may not be written to
        print(f"unloop: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
