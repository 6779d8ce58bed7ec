"""unloop scale make, unloop scale run: data past memory, on Dask; what is typed becomes what is asked for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable

from bench.words import WrongUse, human_bytes, nearest

if TYPE_CHECKING:
    from bench.report.tables import Table
    from bench.scale.data import Data
    from bench.scale.records import Scale

app = typer.Typer(
    help="Past memory and past one machine: the gradient step over data on disk, on Dask. Needs unloop[scale].",
    no_args_is_help=True,
    rich_markup_mode=None,
)
WIDTH = 170  # columns that the tables need
UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


@app.command()
def make(
    m: Annotated[str, typer.Option(help="Number of examples, such as 2e8.")],
    out: Annotated[Path, typer.Option(help="Folder to write: X, Y, and a manifest with their checksums.")],
    n_x: Annotated[int, typer.Option(help="Number of features.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bits, whatever the block.")] = 0,
    store: Annotated[str, typer.Option(help="npy, which tasks memory-map; or zarr, as object stores use.")] = "npy",
    block: Annotated[str, typer.Option(help="Bytes of a block; two of them are in memory.")] = "64MiB",
) -> None:
    """Write a problem to disk, block by block; a second call resumes one that was interrupted.

    X.npy holds (m, n_x), one example after another, and Y.npy (m,), both in float64.
    """
    from bench.scale import cluster
    from bench.scale import store as stores

    if store not in ("npy", "zarr"):
        raise nearest("store", store, ("npy", "zarr"))
    if store == "zarr":
        cluster.require_extra()
    console = Console()
    try:
        with _bar(console, f"writing {out}") as progress:
            made = stores.make(out, _count("--m", m), n_x, seed, store, _bytes("--block", block), progress)  # type: ignore[arg-type]
    except KeyboardInterrupt:
        console.print("Interrupted; the same command resumes it.", markup=False)
        raise typer.Exit(130) from None
    except OSError as error:
        reason = error.strerror or error
        raise WrongUse(f"{out}: {reason}; what was written is kept, and the same command resumes it") from None
    size = human_bytes(8 * made.m * (made.n_x + 1))
    console.print(f"{out}: {made.m:,} examples of {made.n_x:,} features, {size}", soft_wrap=True, markup=False)


@app.command()
def run(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A folder that unloop scale make has written.")
    ] = None,
    data: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="X Y", help="Data of your own: two .npy files or two Zarr arrays, X (m, n_x) and Y (m,)."),
    ] = None,
    ways: Annotated[str | None, typer.Option(help="Comma-separated ways. All, if not given.")] = None,
    memory: Annotated[str, typer.Option(help="The most memory that all processes together may use.")] = "2GiB",
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes. [default: as many as cores]")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each worker.")] = 1,
    chunk: Annotated[
        str | None, typer.Option(help="Bytes of a chunk. [default: 64MiB, or less where --memory is small]")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask cluster that exists, such as tcp://host:8786.")
    ] = None,
    iterations: Annotated[int, typer.Option(min=1, help="Steps of gradient descent of each way.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of w and b, for data of your own.")] = 0,
    parts: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated, beside the ways: limit, grid, store, training, scheduler, faults; or all, or none. "
            "[default: limit,grid,store,training]"
        ),
    ] = None,
    tasks: Annotated[str, typer.Option(help="The most simulated tasks of the part scheduler.")] = "1e5",
    out: Annotated[
        Path | None,
        typer.Option(help="A new folder, or that of a run, to which parts are added. [default: results/<date>-scale]"),
    ] = None,
) -> None:
    """Check the data and the ways, measure them side by side, write scale.json and the report.

    Exit 1 if a way disagrees with the reference; 2 if the data are damaged or a cluster is lost.
    """
    from bench.agreement import Disagreement
    from bench.scale import cluster
    from bench.scale import run as scale_run
    from bench.scale.ways import NAMES

    cluster.require_extra()
    console = Console()
    if (folder is None) == (data is None):
        raise WrongUse("name the folder of unloop scale make, or data of your own with --data X Y; one of the two")
    chosen = _names("way", ways, NAMES)
    asked_parts = _parts(parts, scale_run.PARTS, scale_run.DEFAULT_PARTS)
    allowed = _bytes("--memory", memory)
    from bench.presets import available_threads

    count = workers or available_threads()
    size = _bytes("--chunk", chunk) if chunk else cluster.default_chunk(allowed, count * threads)
    most = _count("--tasks", tasks)
    if scheduler is not None:  # its workers have working folders of their own
        folder, data = folder and folder.absolute(), data and (data[0].absolute(), data[1].absolute())
    source, its_seed, checked, state = _checked(console, folder, data, seed)
    if (little := cluster.too_little(allowed, count)) and scheduler is None:
        console.print(f"warning: {little}", style="yellow", soft_wrap=True, markup=False)
    from bench.scale.session import Asked
    from bench.scale.store import model

    w, b = model(source.n_x, its_seed)[2:]
    begun = _begun(out, source, its_seed, w)
    where = _run_folder(out)
    asked = Asked(
        *(source, its_seed, chosen, allowed, size, count, threads, scheduler, iterations, asked_parts, most, checked),
        begun,
        state,
    )
    interrupted = False
    try:
        with console.status("starting") as status:
            measured = scale_run.run(asked, w, b, where, lambda what: _tell(console, status, what))
    except Disagreement as error:
        console.print(f"FAIL {error}", style="bold red", soft_wrap=True, markup=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        from bench.scale.records import load

        interrupted = True
        found = load(where)
        if found is None:
            raise
        measured = found
        console.print("Interrupted; reporting what was measured.", markup=False)
    _show(console, measured, where)
    if interrupted:
        raise typer.Exit(130)


def _show(console: Console, measured: "Scale", where: Path) -> None:
    from bench.cli.commands import drawn_report
    from bench.report.chapters.scale_tables import first, sentences
    from bench.results import load
    from bench.scale.run import over

    wide = Console(width=max(WIDTH, console.width))
    for table in first(measured):
        wide.print(_table(table))
    for sentence in sentences(measured):
        console.print(sentence, soft_wrap=True, markup=False, highlight=False)
    if warning := over(measured):
        console.print(f"warning: {warning}", style="yellow", soft_wrap=True, markup=False)
    page = drawn_report(load(where), where)
    console.print(f"report: {page}", soft_wrap=True, markup=False)


def _table(table: "Table") -> RichTable:
    """A table of the page on a terminal."""
    shown = RichTable(title=table.title, box=None, padding=(0, 2, 0, 0), title_justify="left", title_style="bold")
    for number, heading in enumerate(table.headings):
        shown.add_column(heading, justify="left" if number < table.keys else "right", no_wrap=True)
    for row in table.text:
        shown.add_row(*row)
    return shown


def _checked(
    console: Console, folder: Path | None, data: tuple[Path, Path] | None, seed: int
) -> "tuple[Data, int, str, list[tuple[int, int]]]":
    """The data, the seed of w and b, how the data were checked, and their files before that."""
    from bench.scale import faults, store
    from bench.scale.data import describe

    if data is not None:
        source = describe(*data)
        state = source.state()
        with _bar(console, f"checking {data[0]}") as progress:
            faults.by_value(source, progress)
        return source, seed, "values", state
    assert folder is not None
    source, manifest = store.open_data(folder)
    state = source.state()
    with _bar(console, f"checking {folder}") as progress:
        faults.by_checksum(source, manifest.checksums(), progress)
    return source, manifest.seed, "checksums", state


def _begun(out: Path | None, source: "Data", seed: int, w: Any) -> "Scale | None":
    """The run that is there already, if there is one of the same data: parts are added to it."""
    from bench.scale.records import FILE, load

    begun = load(out) if out is not None else None
    if begun is not None and (begun.m, begun.seed, begun.store, begun.w) != (source.m, seed, source.store, w.tolist()):
        raise WrongUse(f"{out} has a {FILE} of other data; name another folder with --out")
    return begun


def _run_folder(out: Path | None) -> Path:
    """A new run without cells, or the folder of a run that is there."""
    from bench.grid import Plan, Preset
    from bench.machine import card
    from bench.measure.ledger import run_folder
    from bench.results import journal
    from bench.results.records import End, Header

    if out is not None and journal.find(out):
        return out
    try:
        folder = run_folder(Path.cwd(), "scale", out)
    except OSError as error:
        raise WrongUse(str(error)) from None
    preset = Preset("scale", (), cap=1.0, budget=1.0, min_rounds=1, max_rounds=1)
    written = journal.Journal(folder)
    try:
        written.write(Header(plan=Plan(preset), machine=card.card(), before=card.moment(), kernels={}))
        written.write(End(wall=0.0, after=card.moment(), interrupted=False))
    finally:
        written.close()
    return folder


@contextmanager
def _bar(console: Console, what: str) -> Iterator[Any]:
    """A bar on a terminal, nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _tell(console: Console, status: Any, what: str) -> None:
    if console.is_terminal:
        status.update(what)


def _names(kind: str, text: str | None, valid: tuple[str, ...]) -> tuple[str, ...]:
    names = valid if text is None else tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in valid:
            raise nearest(kind, name, valid)
    if not names:
        raise WrongUse(f"name at least one {kind}: {', '.join(valid)}")
    return tuple(name for name in valid if name in names)


def _parts(text: str | None, valid: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    if text is None:
        return default
    return {"all": valid, "none": ()}.get(text.strip()) or (
        () if text.strip() == "none" else _names("part", text, valid)
    )


def _count(option: str, text: str) -> int:
    """A whole number, which may be written 2e8."""
    try:
        value = float(text.replace("_", "").replace(",", ""))
    except ValueError:
        raise WrongUse(f"{option} takes a whole number, such as 2e8; got {text!r}") from None
    if not (value >= 1.0 and value == int(value) and value < 1e18):
        raise WrongUse(f"{option} takes a whole number from 1 on, such as 2e8; got {text!r}")
    return int(text.replace("_", "").replace(",", "")) if text.isdigit() else int(value)


def _bytes(option: str, text: str) -> int:
    """A size such as 2GiB, in bytes."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
    if found is None or found[2].upper() not in UNITS or float(found[1]) <= 0.0:
        raise WrongUse(f"{option} takes a size, such as 2GiB or 512MiB; got {text!r}")
    return max(1, int(float(found[1]) * UNITS[found[2].upper()]))
