"""All tables of a run in the terminal: every speed-up, what failed, and how far to trust it."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench import words
from bench.analysis import estimates, limits
from bench.analysis.estimates import Estimated
from bench.report.chapters.answer import placements
from bench.report.chapters.trust import failed_words, history_lines, skipped_words, trust_lines, warning_lines
from bench.report.runtables import timed, why_not
from bench.results import BASELINES, CellResult, Run
from bench.results.quality import trust
from bench.stats import Interval

WIDTH = 120  # columns that the tables need
COLUMNS = 6  # kernels that fit in so many


def render(run: Run) -> RenderableType:
    """The tables of speed-ups, what failed, and how far to trust it all."""
    return Group(*_parts(run))


def _parts(run: Run) -> Iterator[RenderableType]:
    for baseline in BASELINES:
        for setting in run.settings:
            results = run.of(setting)
            if any(r.speedup(baseline, name) for r in results for name in r.kernels if name != baseline):
                yield from _tables(run, results, baseline, f"Speed-up over {baseline}, {setting.label}")
    for line in failed_words(run):
        yield Text(f"FAIL {line}", style="bold red")
    for line in limits.beyond(run):
        yield Text(f"Error: {line}", style="bold red")
    for line in placements(run):
        yield Text(line, style="bold")
    for line in skipped_words(run):
        yield Text(f"Not run: {line}", style="dim")
    yield Text("")
    for line in [*trust_lines(trust(run)), *history_lines(run)]:
        yield Text(line)
    for line in warning_lines(run):
        yield Text(f"Warning: {line}", style="yellow")


def _tables(run: Run, results: Sequence[CellResult], baseline: str, title: str) -> Iterator[RenderableType]:
    names = [name for name in timed(run, results) if name != baseline]
    for start in range(0, len(names), COLUMNS):
        yield Text(title + (", continued" if start else ""), style="bold")
        yield _table(run, results, baseline, names[start : start + COLUMNS])


def _table(run: Run, results: Sequence[CellResult], baseline: str, names: Sequence[str]) -> Table:
    table = Table(padding=(0, 1), box=None)
    for heading in ("m", "n_x", f"time of\n{_heading(baseline)}", *map(_heading, names)):
        table.add_column(heading, justify="right", no_wrap=True, vertical="bottom")
    for result in results:
        cells = [_speedup(estimates.speedup(run, result, baseline, name)) for name in names]
        table.add_row(f"{result.cell.m:,}", f"{result.cell.n_x:,}", _time(run, result, baseline), *cells)
    return table


def _heading(name: str) -> str:
    """A kernel's name on two lines."""
    first, _, rest = name.partition("_")
    return f"{first}_\n{rest}" if rest else name


def _speedup(ratio: Interval | None) -> str:
    """A speed-up with its half-width in percent, or estimated."""
    return f"est. {words.short(ratio.estimate)}" if isinstance(ratio, Estimated) else words.plus_minus(ratio)


def _time(run: Run, result: CellResult, baseline: str) -> str:
    """Its time, measured or estimated, or why there is none."""
    time = estimates.seconds(run, result, baseline)
    if time is not None:
        return (
            f"est. {words.seconds(time.estimate, 2)}" if isinstance(time, Estimated) else words.seconds(time.estimate)
        )
    return why_not(result, baseline)
