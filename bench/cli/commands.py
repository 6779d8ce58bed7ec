"""The commands that read runs: plot, report, compare, advise."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.cli.options import WrongUse
from bench.results import journal
from bench.results import run as results

# What draws and fits is imported where it is needed: Matplotlib and SciPy take longer to load than most commands take.

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, such as results/reference.")]


def drawn_report(console: Console, finished: results.Run, folder: Path) -> Path:
    """Draw the report of a run, telling which figure is being drawn; returns the page's path."""
    from bench.report import write as reports

    with console.status("drawing the figures") as status:
        return reports.write(finished, folder, lambda name: status.update(f"drawing {name}"))


def plot(run: RunFolder) -> None:
    """Draw the figures of a run again, from its folder alone."""
    from bench.report import plots

    found = results.load(run)
    for drawn in plots.save(found, run / "plots"):
        typer.echo(run / "plots" / f"{drawn.name}.svg")


def report(run: RunFolder) -> None:
    """Write report.html, report.md, run.json and the figures of a run again, from its samples."""
    console = Console()
    console.print(f"report: {drawn_report(console, results.load(run), run)}", soft_wrap=True)


def advise(
    m: Annotated[int, typer.Option(help="Number of examples.")],
    n_x: Annotated[int, typer.Option(help="Number of features.")],
    run: Annotated[
        Path | None,
        typer.Argument(metavar="[RUN]", help="A run's folder. [default: results/reference, or the newest]"),
    ] = None,
    calls: Annotated[int, typer.Option(help="How many gradient steps.")] = 1,
    order: Annotated[str, typer.Option(help="Layout of X: F, each example contiguous; or C.")] = "F",
    threads: Annotated[str, typer.Option(help="1 or all.")] = "1",
    peers: Annotated[bool, typer.Option("--peers", help="Other libraries may be recommended too.")] = False,
) -> None:
    """Say which kernel to use for a problem, how long it takes, and when the answer changes; from a run."""
    from bench.analysis import advise as advice

    folder = run or _default_run(Path("results"))
    found = advice.advise(results.load(folder), m, n_x, calls, order, threads, peers)
    console = Console(highlight=False)
    for number, line in enumerate(advice.lines(found, str(folder))):
        console.print(line, style="bold" if number == 0 else "", markup=False, soft_wrap=True)


def _default_run(folder: Path) -> Path:
    """The reference run, or else the newest of the runs."""
    if (folder / "reference" / journal.FILE).is_file():
        return folder / "reference"
    runs = sorted(folder.glob(f"*/{journal.FILE}"), key=lambda path: path.stat().st_mtime)
    if not runs:
        raise WrongUse("no run to answer from; name the folder of one, or measure with: unloop run --grid quick")
    return runs[-1].parent


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
    reference means results/reference. Nothing is written into either run. --fail-slower judges the seconds as they are;
    what all kernels have in common, as on a machine that was slower as a whole, is named beside it.
    """
    from bench.analysis.compare import NothingInCommon, NothingTold
    from bench.analysis.compare import compare as compare_runs
    from bench.report import changes

    allowed = None if fail_slower is None else _percent(fail_slower)
    try:
        found = compare_runs(results.load(_named(run_a)), results.load(_named(run_b)))
    except NothingInCommon as error:
        raise WrongUse(str(error)) from None
    console = Console()
    console.print(changes.render(found))
    if out is not None:
        try:
            console.print(f"figure: {changes.save(changes.draw(found), out)}", soft_wrap=True)
        except OSError as error:
            raise WrongUse(f"the figure can't be written: {error}; name another folder with --out") from None
    if allowed is None:
        return
    try:
        worse, words = changes.regressed(found, allowed)
    except NothingTold as error:
        raise WrongUse(str(error)) from None
    console.print(words, style="bold red" if worse else "", highlight=False)
    if worse:
        raise typer.Exit(1)


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
    return here if here.is_dir() else Path(__file__).parents[2] / here
