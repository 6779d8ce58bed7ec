"""The commands that read runs, and those that describe: plot, report, compare, advise, kernels, machine."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from bench.cli import output
from bench.results import Run, journal, load
from bench.words import WrongUse

# What draws and fits is imported where it is needed: Matplotlib and SciPy take longer to load than most commands take.

ROOT = Path(__file__).parents[2]
BUSY_LOOK = 0.5  # seconds
REFERENCE = Path("results", "reference")
PACKAGED = Path(__file__).parents[1] / "reference"  # a selection of it, for those who have installed the package alone
SIZES = "sizes"  # in a run's folder: a run of the grid "sizes"
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, such as results/reference.")]
Tables = Annotated[bool, typer.Option("--tables", help="Print every speed-up, too: all kernels in all cells.")]


def show(run: Run, folder: Path, tables: bool = False) -> None:
    """Print how a run ends: the summary, after all tables if they are wanted."""
    from bench.report.terminal import summary
    from bench.report.terminal import tables as terminal

    if tables:  # narrower than they need, columns would be left out
        wide = output.console()
        wide.width = max(terminal.WIDTH, wide.width)
        wide.print(terminal.render(run))
    console = output.console()
    for line in summary.lines(run, from_here(folder), console.width):
        console.print(line.text, style=line.style, soft_wrap=True)


def from_here(folder: Path) -> Path:
    """A folder as one would type it: relative if it lies below the current one."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def drawn_report(run: Run, folder: Path, light: bool = False) -> Path:
    """Draw the report of a run, showing on stderr which figure is being drawn; returns the page's path."""
    from bench.report import write

    try:
        with output.console(stderr=True).status("drawing the figures") as status:
            return write(run, folder, lambda name: status.update(Text(f"drawing {name}")), "open" if light else "all")
    except KeyboardInterrupt:
        again = output.command("report", *(["--light"] if light else []), folder)
        output.console().print(f"The report is not complete. To draw it: {again}", soft_wrap=True)
        raise


def plot(run: RunFolder) -> None:
    """Draw the figures of a run again."""
    from bench.report import draw

    console = output.console()
    for path in draw(_measured(run), run):
        console.print(str(path), soft_wrap=True)


def report(
    run: RunFolder,
    light: Annotated[
        bool,
        typer.Option("--light", help="For keeping: the samples compressed, few figures, no run.json."),
    ] = False,
    tables: Tables = False,
) -> None:
    """Write the page of a run again, and print its summary.

    It writes report.html, report.md, run.json and the figures, all from the samples alone. A run kept with --light can
    be reported in full again, but not resumed.
    """
    measured = _measured(run)
    drawn_report(measured, run, light)
    if light:
        journal.compress(run)
    show(measured, run, tables)


def _measured(folder: Path) -> Run:
    """The run in a folder, in which something is measured."""
    run = load(folder)
    if not run.begun:
        rest = output.command("run", "--resume", folder)
        raise WrongUse(f"{folder}: nothing is measured yet; to measure it: {rest}")
    return run


def advise(
    m: Annotated[int, typer.Option(help="Number of examples.")],
    n_x: Annotated[int, typer.Option(help="Number of features.")],
    run: Annotated[
        Path | None,
        typer.Argument(metavar="[RUN]", help="A run's folder. [default: the reference run]"),
    ] = None,
    calls: Annotated[int, typer.Option(help="How many gradient steps.")] = 1,
    order: Annotated[
        str,
        typer.Option(
            help="Layout of X. F: the features of one example lie side by side; C: the examples of one feature do."
        ),
    ] = "F",
    threads: Annotated[str, typer.Option(help="How many threads it may use: 1 or all.")] = "1",
    peers: Annotated[bool, typer.Option("--peers", help="Recommend other libraries too.")] = False,
) -> None:
    """Recommend a kernel for your size, with what to paste.

    It prints how long the kernel takes, which others tie with it, and when the answer changes. Times between the
    measured sizes are estimated from the cells nearby, with a 90% interval. They are finer where the run's folder has a
    run of random sizes: unloop run --grid sizes --out RUN/sizes.
    """
    from bench.analysis import advise as analysis
    from bench.report.terminal import advice

    folder = run or reference()
    sizes = load(folder / SIZES) if journal.find(folder / SIZES) else None
    answer = analysis.advise(_measured(folder), m, n_x, calls, order, threads, peers, sizes)
    console = output.console()
    for number, line in enumerate(advice.lines(answer, _name(folder))):
        console.print(line, style="bold" if number == 0 else "", soft_wrap=True)
    if run is None:
        console.print("Times differ between machines. For yours: unloop run --grid quick, then name that run.")
    code = advice.snippet(answer)
    if code:
        console.print(f"\n{code}", soft_wrap=True)


def _name(folder: Path) -> str:
    """A run's folder for a reader, who did not choose where the package is."""
    return "the reference run of the package" if folder == PACKAGED else str(from_here(folder))


def reference() -> Path:
    """The folder of the reference run: in the current folder, in the checkout, or that which is in the package."""
    return next((place for place in (REFERENCE, ROOT / REFERENCE) if journal.find(place)), PACKAGED)


def compare(
    run_a: Annotated[str, typer.Argument(metavar="RUN_A", help="Folder of the run before; or: reference.")],
    run_b: Annotated[str, typer.Argument(metavar="RUN_B", help="Folder of the run after; or: reference.")],
    fail_slower: Annotated[
        str | None, typer.Option(metavar="5%", help="Exit 1 if a kernel is slower by more than this in any cell.")
    ] = None,
    tolerance: Annotated[
        str, typer.Option(metavar="5%", help="No change means that all of the interval lies within this.")
    ] = "5%",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the figure, compare.svg and compare.png. [default: none is drawn]")
    ] = None,
) -> None:
    """Compare two runs: slower, faster, no change, can't tell.

    On one machine it compares seconds; on different machines, the speed-ups over python_loop and numpy_vectorized. A
    kernel did not change if all of its ratio's interval lies within the tolerance. Undecided cases are counted, with
    the rounds or processes that would decide them. The word reference means the reference run. Nothing is written into
    either run.

    --fail-slower exits with 1 if all of an interval is beyond 1 + 5%, or a kernel failed in the second run; with 2 if
    nothing can be decided. It judges the seconds as they are. If all kernels are slower alike, the comparison names
    that too.
    """
    from bench.analysis import compare as analysis
    from bench.report import changes

    allowed = None if fail_slower is None else _percent("--fail-slower", fail_slower)
    within = _percent("--tolerance", tolerance)
    if within == 0.0:
        raise WrongUse("--tolerance must be above 0%: no interval lies within 0%; give a percentage, such as 5%")
    try:
        comparison = analysis.compare(_measured(_named(run_a)), _measured(_named(run_b)), tolerance=within)
    except analysis.NothingInCommon as error:
        raise WrongUse(str(error)) from None
    console = output.console()
    console.print(changes.render(comparison))
    if out is not None:
        try:
            path = changes.save(changes.draw(comparison), out)
        except OSError as error:
            raise WrongUse(f"the figure can't be written: {error}; name another folder with --out") from None
        console.print(f"figure: {path}", soft_wrap=True)
    if allowed is None:
        return
    try:
        worse, verdict = changes.regressed(comparison, allowed)
    except analysis.NothingDecided as error:
        raise WrongUse(str(error)) from None
    console.print(verdict, style="bold red" if worse else "")
    if worse:
        raise typer.Exit(1)


def _percent(option: str, text: str) -> float:
    """A percentage such as 5% as a fraction, 0.05."""
    number = re.fullmatch(r"(\d+(?:\.\d+)?) ?%", text.strip())
    if number is None:
        raise WrongUse(f"{option} takes a percentage, such as 5%; got {text!r}")
    return float(number[1]) / 100.0


def _named(run: str) -> Path:
    """The folder of a run; the word reference: that of the reference run."""
    return reference() if run == "reference" else Path(run)


def kernels() -> None:
    """List the kernels, and what each changes.

    First the ladder, then the peers: the same step in other libraries.
    """
    from bench.measure.contestants import describe_kernels
    from kernels.peers import PEERS

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("kernel", "threads", "what it changes"):
        table.add_column(heading, no_wrap=heading == "kernel")
    for name, kernel in describe_kernels(PEERS, {}).items():
        missing = f" (needs {kernel.missing}, which is not installed)" if kernel.missing else ""
        table.add_row(name, kernel.threads, kernel.change + missing)
    output.console().print(table)


def machine() -> None:
    """Show this machine, and measure the most it can do.

    Every run records the same. It warns if the machine is busy: the ceilings are too low then, and runs less certain.
    """
    from bench.machine import card, ceilings, disturbances

    console, progress = output.console(), output.console(stderr=True)
    busy = disturbances.cores_of_others(BUSY_LOOK)
    here = card.card()
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for what, value in card.describe(here):
        table.add_row(what, value)
    with progress.status("measuring the ceilings") as status:
        measured = ceilings.measure(lambda what: status.update(Text(f"measuring the ceilings: {what}")))
    for what, value in ceilings.describe(measured, here.caches):
        table.add_row(what, value)
    console.print(table)
    warnings = disturbances.compiler_words(os.environ)
    if busy > disturbances.BUSY:
        warnings.insert(0, f"other processes keep {busy:.1f} cores busy: stop them, or measure when they have ended")
    for warning in warnings:
        console.print(f"Warning: {warning}", style="yellow", soft_wrap=True)
