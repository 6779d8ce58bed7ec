"""What a run says at its end, in the terminal: speed-ups, and how far to trust them."""

import math
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.machine.card import human_bytes
from bench.report import placing
from bench.report.tables import ratio_text
from bench.results.quality import Trust, trust
from bench.results.run import LOOP, VECTORIZED, CellResult, Run
from bench.stats import Interval
from bench.variant import of_variant, variant_words, variants

WIDTH = 120  # columns that the tables need
COLUMNS = 8  # kernels that fit in so many


def seconds_text(seconds: float) -> str:
    """A time in the unit that a reader expects: 13.4 µs."""
    for unit, factor in (("ns", 1e9), ("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 999.5:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def interval_text(ratio: Interval | None) -> str:
    """A speed-up with its half-width in percent; ± ? where there were too few rounds for an interval."""
    if ratio is None:
        return "–"
    width = "?" if not math.isfinite(ratio.high) else f"{100 * ratio.half_width:.0f}%"
    return f"{ratio_text(ratio.estimate)} ±{width}"


def render(run: Run) -> RenderableType:
    """The tables of speed-ups, what failed, and the figures of trust."""
    return Group(*_parts(run))


def _parts(run: Run) -> Iterator[RenderableType]:
    for baseline in (LOOP, VECTORIZED):
        for variant in variants(run):
            results = of_variant(run, variant)
            if any(r.speedup(baseline, name) for r in results for name in r.kernels if name != baseline):
                yield from _tables(run, results, baseline, f"Speed-up over {baseline}, {variant_words(variant)}")
    for line in failed_words(run):
        yield Text(f"FAILED {line}", style="bold red")
    for line in placing.sentences(run):
        yield Text(line, style="bold")
    for reason in skipped_words(run):
        yield Text(f"not run: {reason}", style="dim")
    yield Text("")
    for line in [*trust_lines(trust(run)), *history_lines(run)]:
        yield Text(line)
    for line in warning_lines(run):
        yield Text(f"warning: {line}", style="yellow")


def _tables(run: Run, results: list[CellResult], baseline: str, title: str) -> Iterator[Table]:
    names = [name for name in run.measured if name != baseline and any(name in r.seconds for r in results)]
    for start in range(0, len(names), COLUMNS):
        yield _table(results, baseline, names[start : start + COLUMNS], title + (", more" if start else ""))


def _table(results: list[CellResult], baseline: str, names: list[str], title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", padding=(0, 1), box=None)
    for heading in ("m", "n_x"):
        table.add_column(heading, justify="right")
    table.add_column(f"time of\n{baseline}", justify="right")
    for name in names:
        first, _, rest = name.partition("_")
        table.add_column(f"{first}_\n{rest}" if rest else name, justify="right", no_wrap=True)
    for result in results:
        base = result.seconds.get(baseline)
        time = seconds_text(result.median(baseline).estimate) if base else "too slow"
        cells = [interval_text(result.speedup(baseline, name)) for name in names]
        table.add_row(f"{result.cell.m:,}", f"{result.cell.n_x:,}", time, *cells)
    return table


def failed_words(run: Run) -> list[str]:
    """What failed, a line for each kernel: in how many cells, where first, and the reason there."""
    lines = []
    for name in run.measured:
        found = [(result.cell.label, result.failed[name]) for result in run.cells if name in result.failed]
        if found:
            rest = len(found) - 1
            more = f" and in {rest} {'cell' if rest == 1 else 'cells'} more" if rest else ""
            lines.append(f"at {found[0][0]}{more}: {found[0][1]}")
    return lines


def skipped_words(run: Run) -> list[str]:
    """What was not run, a line for each kernel and reason: «python_loop in 3 cells: predicted …»."""
    lines = []
    for name in run.measured:
        cells = [(r.cell.id, r.skipped[name]) for r in run.cells if name in r.skipped]
        if cells:
            slowest = max(seconds for _, (_, seconds) in cells)
            cap = run.header["settings"]["cap"]
            why = f"a call would take up to {seconds_text(slowest)}; the grid's cap is {seconds_text(cap)}"
            if math.isnan(slowest):
                why = cells[0][1][0]
            lines.append(f"{name} in {len(cells)} {'cell' if len(cells) == 1 else 'cells'}: {why}")
    lines += [
        f"{name}: {kernel['missing']} is not installed" for name, kernel in run.kernels.items() if kernel["missing"]
    ]
    return lines


def trust_lines(found: Trust) -> list[str]:
    """How far to trust a run, in sentences."""

    def percent(share: float) -> str:
        return f"{100 * share:.0f}%"

    lines = [
        f"This run took {found.wall:.0f} s, {found.compiling:.1f} s of it compiling; "
        f"{percent(found.in_samples)} of the rest were inside samples.",
        f"A/A control: a kernel against itself came within 1% of 1.0 in {percent(found.control_close)} of the cells, "
        f"and its 95% interval held 1.0 in {percent(found.control_covers)}.",
        f"Noise floor: {100 * found.noise_floor:.1f}% (median of the cells); a smaller difference is not called one.",
        f"Every speed-up over {VECTORIZED} is known to within 5% in {percent(found.narrow)} of the cells.",
    ]
    return lines + [f"More threads than allowed: {line}." for line in found.threads_exceeded]


def history_lines(run: Run) -> list[str]:
    """What became of the measuring process: how often the run was resumed, and how much memory it took."""
    lines = []
    if run.resumed:
        times = "once" if len(run.resumed) == 1 else f"{len(run.resumed)} times"
        dates = ", ".join(record["before"]["date"] for record in run.resumed)
        lines.append(f"This run was cut off and resumed {times} ({dates}); nothing was measured twice.")
    if math.isfinite(run.peak_bytes):
        largest = max((result.cell.nbytes for result in run.cells if result.seconds), default=0)
        lines.append(
            f"Memory: the measuring process held up to {human_bytes(run.peak_bytes)}; three times the largest X and "
            f"400 MiB are {human_bytes(3 * largest + 400 * 2**20)}."
        )
    return lines


def warning_lines(run: Run) -> list[str]:
    """Why to trust the run less: of the machine before it, and of its cells, a line for each cell."""
    return [*run.warnings, *(f"{r.cell.label}: {'; '.join(r.warnings)}" for r in run.cells if r.warnings)]
