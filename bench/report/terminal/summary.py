"""How a run ends in the terminal: what NumPy gains over the loop, why, which kernel to pick, and how far to trust it.

Everything comes from the run. Where it lacks something (few cells, few kernels, a training run), the lines about that
are left out.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import kernels
from bench import words
from bench.analysis import estimates, payback
from bench.analysis import ratios as chosen
from bench.analysis.estimates import Estimated
from bench.analysis.ratios import Ratio, ratios
from bench.report.chapters.answer import placements
from bench.report.chapters.trust import failed_words
from bench.report.terminal.layout import LABEL, Line, command, paragraph, quoted, width_for, wrapped
from bench.results import LOOP, VECTORIZED, CellResult, Run
from bench.results.quality import trust

MOST_LINES = 25
FIXED = (1_000, 32)  # m and n_x of the cell that stands for a run
MOST_FAILURES = 3
NAMES = {LOOP: "Python loop", VECTORIZED: "NumPy, vectorized"}
WIDEST_GAP = 5  # columns between two of the table
FEW_NUMBERS = 1_000  # of X: a vectorized step on so few is all calls


def lines(run: Run, folder: Path, columns: int) -> list[Line]:
    """The end of a run, in at most MOST_LINES lines unless kernels failed or the user brought several.

    Args:
        run: The run.
        folder: Its folder, as the user would type it.
        columns: The width of the terminal. Paths and commands may be longer, for they must not be cut.
    """
    width = width_for(columns)
    blocks = [list(block) for block in (_opening(run, width), _headline(run, width), _times(run, width))]
    blocks.append([line for part in (_why, _pick, _trust) for line in part(run, width)])
    blocks.append(list(_next(run, folder, width)))
    blocks = [block for block in blocks if block]
    spaced = [line for block in blocks for line in (*block, Line(""))][:-1]
    return spaced if len(spaced) <= MOST_LINES else [line for line in spaced if line.text]


def fixed(run: Run) -> Ratio | None:
    """The vectorized form over the loop, in the cell nearest to FIXED; with one thread where both were timed so."""
    speedups = ratios(run.cells, LOOP, [VECTORIZED])

    def distance(ratio: Ratio) -> tuple[int, float]:
        cell = ratio.result.cell
        return cell.threads, abs(math.log(cell.m / FIXED[0])) + abs(math.log(cell.n_x / FIXED[1]))

    return min(speedups, key=distance, default=None)


def _opening(run: Run, width: int) -> Iterator[Line]:
    """What was run, where, for how long; whether all kernels agree; what failed."""
    machine = run.header.machine
    cores = machine.cores or machine.threads_available
    name = f"{run.plan.preset.name} grid" if run.problem == "synthetic" else f"training on {run.problem}"
    facts = [f"unloop {name}", machine.cpu, words.plural(cores, "core")]
    if math.isfinite(run.wall):
        facts.append(words.seconds(run.wall, 2))
    yield from wrapped(f"{', '.join(facts)}. {_agreement(run)}", width, indent="  ")
    if run.end is None or run.end.interrupted:
        yield from wrapped("Interrupted: only what was measured before is shown.", width, "bold")
    failures = failed_words(run)
    for failure in failures[:MOST_FAILURES]:
        yield Line(f"FAIL {failure}", "bold red")
    if len(failures) > MOST_FAILURES:
        yield Line(f"and {words.plural(len(failures) - MOST_FAILURES, 'more failed kernel')}: see the page", "bold red")


def _agreement(run: Run) -> str:
    checked = [name for name in run.measured if any(name in result.agreement for result in run.cells)]
    failed = [name for name in run.measured if any(name in result.failed for result in run.cells)]
    agree = [name for name in checked if name not in failed]
    if not agree and not failed:
        return "No kernel was measured."
    if not failed:
        return f"All {words.plural(len(agree), 'kernel')} agree with the reference."
    verb = "agrees" if len(agree) == 1 else "agree"
    return f"{words.plural(len(failed), 'kernel')} failed; {len(agree)} {verb} with the reference."


def _headline(run: Run, width: int) -> Iterator[Line]:
    """NumPy over the loop at the fixed cell, its interval, and the range over the grid; then the user's own kernels."""
    ratio = fixed(run)
    if ratio is not None:
        cell = ratio.result.cell
        headline = f"NumPy is {words.faster_than(ratio.interval, 'the Python loop')}"
        yield from wrapped(headline, width, "bold")
        facts = [cell.shape, "one thread" if cell.threads == 1 else words.plural(cell.threads, "thread")]
        if cell.iterations:
            facts.append(words.plural(cell.iterations, "iteration"))
        yield from wrapped(f"({'; '.join([', '.join(facts), *_range(run)])})", width)
    for placement in placements(run):
        yield from wrapped(placement, width, "bold")


def _range(run: Run) -> Iterator[str]:
    """From which to which factor NumPy's gain goes over the one-thread cells, where there are several."""
    results = [result for result in run.cells if result.cell.threads == 1]
    factors = sorted(ratio.estimate for ratio in ratios(results, LOOP, [VECTORIZED]))
    if len(factors) > 1:
        low, high = factors[0], factors[-1]
        start = words.times(low) if low >= 1.0 else f"from {words.faster(low)}"
        yield f"over the grid {start} to {words.times(high) if high >= 1.0 else words.faster(high)}"


def _times(run: Run, width: int) -> Iterator[Line]:
    """The time of a step for some kernels at some sizes."""
    results, names = sizes(run), shown(run)
    if not results or not names:
        return
    cell = results[0].cell
    what = f"training, {cell.iterations:,} iterations" if cell.iterations else f"time per step, n_x = {cell.n_x:,}"
    rows = [[what, *(f"m = {result.cell.m:,}" for result in results)]]
    rows += [[heading(name), *(time_of(run, result, name) for result in results)] for name in names]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    gap = max(1, min(WIDEST_GAP, (width - sum(widths)) // len(results)))
    for name, *times in rows:
        yield Line(name.ljust(widths[0]) + "".join(t.rjust(gap + w) for t, w in zip(times, widths[1:], strict=True)))


def sizes(run: Run) -> list[CellResult]:
    """The cells of the table: the fewest examples, about a thousand, and the most, at one n_x and one thread."""
    if not run.cells:
        return []
    cells = chosen.headline_cells(run)
    middle = min(cells, key=lambda result: abs(math.log(result.cell.m / FIXED[0])))
    return list(dict.fromkeys([cells[0], middle, cells[-1]]))


def shown(run: Run) -> list[str]:
    """The kernels of the table: the loop, the same loop compiled, NumPy, the fastest for many examples, one's own."""
    wanted = [LOOP, *same_loop(), VECTORIZED]
    largest = sizes(run)[-1:]
    wanted += [name for result in largest for name in _fastest(result)[:1]]
    return [name for name in dict.fromkeys([*wanted, *run.own]) if name in run.measured]


def same_loop() -> list[str]:
    """The Python loop's own function, compiled: the first rung that grew from it and compiles."""
    rungs = kernels.KERNELS.items()
    return [name for name, kernel in rungs if kernel.grew_from == LOOP and kernel.compiles == "once"][:1]


def heading(name: str) -> str:
    """What a reader calls a kernel."""
    if name in same_loop():
        return "same loop, Numba"
    return NAMES.get(name, name)


def time_of(run: Run, result: CellResult, name: str) -> str:
    """Its time, measured or estimated, or why there is none."""
    time = estimates.seconds(run, result, name)
    if time is not None:
        return f"{words.seconds(time.estimate, 2)}{' est.' if isinstance(time, Estimated) else ''}"
    if name in result.failed:
        return "failed"
    return "not run" if name in result.skipped else words.NONE


def _fastest(result: CellResult) -> list[str]:
    """The fastest kernels of a cell, of those whose cost is right for every z: one, or several that tie."""
    names = sorted(filter(_fit, result.kernels), key=lambda name: result.median(name).estimate)
    slower = {ratio.kernel for ratio in ratios([result], names[0], names) if ratio.slower} if names else set()
    return [name for name in names if name not in slower]


def _fit(name: str) -> bool:
    """Whether to recommend a kernel for one thread: its cost is always right, and it does not spread its work."""
    kernel = kernels.find(name)
    return kernel is None or (kernel.cost_from == "z" and not (kernel.compiles == "once" and kernel.threads == "all"))


def _why(run: Run, width: int) -> Iterator[Line]:
    """What a number of X costs in Python and in NumPy, and what a call of NumPy costs, as measured."""
    ratio = fixed(run)
    if ratio is None or ratio.result.cell.iterations:
        return
    loop = ratio.result.median(LOOP).estimate
    alone = [result for result in run.cells if result.cell.threads == 1 and VECTORIZED in result.samples]
    small, large = (choose(alone, key=_numbers) for choose in (min, max))
    text = f"The Python loop spends {_nanoseconds(loop / _numbers(ratio.result))} on every number of X"
    call, most = small.median(VECTORIZED).estimate, large.median(VECTORIZED).estimate
    if _numbers(small) <= FEW_NUMBERS < _numbers(large):
        number = _nanoseconds((most - call) / _numbers(large))
        text += f". NumPy spends {words.seconds(call, 2)} on the calls of a step, then {number} on every number"
    yield from paragraph("Why", f"{text}.", width)


def _numbers(result: CellResult) -> int:
    """Numbers in X."""
    return result.cell.m * result.cell.n_x


def _nanoseconds(seconds: float) -> str:
    """What a number costs: always in the same unit, so that two can be compared at a glance."""
    return f"{words.digits(1e9 * seconds, 2)} ns"


def _pick(run: Run, width: int) -> Iterator[Line]:
    """The fastest kernel for few and for many examples, ties named, and when compiling it pays."""
    label, best = "Pick", ""
    for result in dict.fromkeys([*sizes(run)[:1], *sizes(run)[-1:]]):
        names = _fastest(result)
        if len(result.kernels) > 1 and names:
            best = names[0]
            yield from paragraph(label, f"m = {result.cell.m:,}: {_listed(names)}{_ahead(result, best)}", width)
            label = ""
    ratio, cold = fixed(run), payback.cold_seconds(run).get(best)
    if cold is not None and ratio is not None and not ratio.result.cell.iterations:
        count = payback.calls(ratio.result, best, VECTORIZED, cold)
        if count is not None and count < words.NEVER:
            few = f"few steps (under {words.digits(count, 2)} at m = {ratio.result.cell.m:,}): NumPy"
            yield from paragraph(label, f"{few}; compiling {best} takes {words.seconds(cold, 2)}", width)


def _listed(names: Sequence[str]) -> str:
    """One, one and its ties, or two and how many more."""
    if len(names) <= 2:
        return " or ".join(names) + (" (a tie)" if len(names) == 2 else "")
    return f"{names[0]}, {names[1]} or {len(names) - 2} more (a tie)"


def _ahead(result: CellResult, name: str) -> str:
    ratio = result.speedup(VECTORIZED, name)
    return "" if ratio is None or name == VECTORIZED else f", {words.faster(ratio.estimate)} than NumPy"


def _trust(run: Run, width: int) -> Iterator[Line]:
    """Which differences are ties, and what disturbed the run."""
    if not any(result.samples for result in run.cells):
        return
    quality = trust(run)
    floor = quality.noise_floor
    parts = [f"differences under {words.percent(floor)} are ties"] if math.isfinite(floor) else []
    disturbed = sum(bool(result.warnings) for result in run.cells)
    parts.append(f"{disturbed} of {words.plural(len(run.cells), 'cell')} disturbed")
    if quality.threads_exceeded:
        parts.append(f"more threads than allowed in {words.plural(len(quality.threads_exceeded), 'case')}")
    yield from paragraph("Trust", "; ".join([*parts, *run.warnings]), width)


def _next(run: Run, folder: Path, width: int) -> Iterator[Line]:
    """Where the page is, and what to type next."""
    yield Line(f"{'Page':{LABEL}}{folder / 'report.html'}")
    if run.problem == "synthetic" and any(result.samples for result in run.cells):
        yield from command("Yours", ["unloop advise --m 5000 --n-x 64", quoted(folder)], width)
    yield from command("More", [f"unloop report {quoted(folder)}", "--tables"], width)
