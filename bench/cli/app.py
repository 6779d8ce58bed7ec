"""The command line: unloop run, plot, report, compare, advise, trust, kernels, machine."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli import commands, live, options, output, reproduce, scale
from bench.cli.options import Typed
from bench.cli.trust import trust
from bench.grid import Plan
from bench.measure.ledger import NotTheSame, remove_empty, run_folder
from bench.measure.own_kernel import NotAKernel
from bench.measure.session import Session
from bench.measure.worker import Died
from bench.results import NotARun, Run, journal
from bench.words import WrongUse

app = typer.Typer(
    help="Why vectorize, and what can beat it? The gradient step of logistic regression as a ladder of kernels, each "
    "checked against one reference and timed side by side with the others. Start with: unloop run --grid smoke",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def run(
    context: typer.Context,
    grid: Annotated[
        str,
        typer.Option(
            help="Which cells: smoke (half a minute), quick (two minutes), full (an hour), or sizes (for advise)."
        ),
    ] = "quick",
    kernels: Annotated[
        str | None, typer.Option(help="Comma-separated kernels; their baselines are added. [default: all]")
    ] = None,
    kernel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE.py[:FUNCTION]",
            help="A kernel of your own: a file that defines cost_and_gradient(w, b, X, Y). Repeatable.",
        ),
    ] = None,
    peers: Annotated[
        bool,
        typer.Option("--peers", help="Measure the other libraries that are installed, too; unloop kernels lists them."),
    ] = False,
    problem: Annotated[
        str, typer.Option(help="synthetic; or breast_cancer: training runs on a real data set.")
    ] = "synthetic",
    seed: Annotated[int, typer.Option(help="Seed of the problems and of the order of samples, from 0.")] = 0,
    dtype: Annotated[
        str | None, typer.Option(help="float64, float32 or both. [default: float64; of the full grid both]")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run. [default: results/<date>-<grid>]")] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Resume an interrupted run, in its folder.")
    ] = None,
    tables: commands.Tables = False,
) -> None:
    """Measure a grid, write its page, and print the answer.

    Samples go to samples.jsonl in the run's folder as they are taken. Ctrl-C stops the run; what was measured is kept,
    and its page is drawn. Progress goes to stderr. Exit 1 if a kernel disagreed with the reference, or crashed.
    """
    if resume is None:
        session = _opened(options.plan(Typed(grid, problem, kernels, peers, kernel or (), seed, dtype)), out)
    else:
        _require_resume_alone(context)
        try:
            session = Session.resume(resume)
        except (OSError, NotTheSame, NotAKernel, Died) as error:
            raise WrongUse(f"{resume} can't be resumed: {error}") from None
    console, folder = output.console(), session.folder
    with session:
        finished, interrupted = _measure(session)
    rest = f"To measure the rest: {output.command('run', '--resume', commands.from_here(folder))}"
    if not finished.begun:
        console.print(f"Nothing is measured yet. {rest}", soft_wrap=True)
        raise typer.Exit(130)
    commands.drawn_report(finished, folder)
    commands.show(finished, folder, tables)
    if interrupted or session.left_out:
        console.print(rest, soft_wrap=True)
    if interrupted:
        raise typer.Exit(130)
    if session.left_out or any(result.failed for result in finished.cells):
        raise typer.Exit(1)


def _opened(plan: Plan, out: Path | None) -> Session:
    """A session in a new folder; one that does not begin leaves no empty folder behind."""
    made = out is None or not out.exists()
    folder = None
    try:
        folder = run_folder(Path.cwd(), plan.preset.name, out)
        return Session.open(plan, folder)
    except (OSError, Died) as error:
        raise WrongUse(str(error)) from None
    except KeyboardInterrupt:
        if folder is not None and journal.find(folder):
            rest = output.command("run", "--resume", folder)
            output.console().print(f"Nothing is measured yet. To measure it: {rest}", soft_wrap=True)
        raise
    finally:
        if folder is not None and made:
            remove_empty(folder)


def _require_resume_alone(context: typer.Context) -> None:
    for name in context.params.keys() - {"resume", "tables"}:
        source = context.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT":
            raise WrongUse(f"--{name} does not go with --resume: a run keeps the options that it was begun with")


def _measure(session: Session) -> tuple[Run, bool]:
    """Measure what a run lacks; the run, and whether it was interrupted. Progress goes to stderr."""
    console = output.console(stderr=True)
    interrupted = False
    for warning in session.warnings:
        console.print(f"warning: {warning}", style="yellow", soft_wrap=True)
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
    except (OSError, Died) as error:
        raise _stopped(session, error) from None
    try:
        return session.close(interrupted), interrupted
    except KeyboardInterrupt:
        session.abandon()
        return session.run(), True
    except OSError as error:
        raise _stopped(session, error) from None


def _stopped(session: Session, error: OSError | Died) -> WrongUse:
    """The end of a run whose folder can't be written to any more, or for which no process can measure."""
    session.abandon()
    rest = output.command("run", "--resume", session.folder)
    return WrongUse(f"stopped: {error}. What was measured is kept; resume it: {rest}")


for command in (commands.plot, commands.report, commands.compare, commands.advise, trust):
    app.command()(command)
app.command()(reproduce.reproduce)
app.command()(commands.kernels)
app.command(name="machine")(commands.machine)
app.add_typer(scale.app, name="scale")


def main() -> None:
    """Run the command line; wrong use is one line and exit 2, Ctrl-C that ends everything is exit 130."""
    with output.surviving() as written:
        code = _exit_code()
    if written is not None and written.error is not None:
        output.complain(f"standard output can't be written to: {written.error}; it is not complete")
        code = code or 2
    sys.exit(code)


def _exit_code() -> int:
    """Run the command line; what it exits with."""
    try:
        return int(app(sys.argv[1:] or ["--help"], standalone_mode=False) or 0)
    except KeyboardInterrupt:
        return 130
    except typer.TyperException as error:
        message = error.format_message() if hasattr(error, "format_message") else str(error)
    except (WrongUse, NotARun, OSError) as error:  # OSError: a full disk, a folder that may not be written to
        message = str(error)
    output.complain(message)
    return 2
