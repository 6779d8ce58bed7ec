"""What a figure's data say, in one plain sentence."""

from collections import Counter
from collections.abc import Iterable, Sequence

from bench.report.tables import digits, times_words
from bench.report.terminal import seconds_text
from bench.results.run import LOOP, VECTORIZED, CellResult, Run
from bench.stats import Interval

Ratio = tuple[Interval, str, CellResult]  # of the kernel so named, in that cell


def shape_words(result: CellResult) -> str:
    """The shape of a cell in words."""
    return f"m = {result.cell.m:,}, n_x = {result.cell.n_x:,}"


def ratios(results: Iterable[CellResult], baseline: str, names: Iterable[str]) -> list[Ratio]:
    """The speed-ups of these kernels over a baseline that were measured in these cells."""
    pairs = [(result.speedup(baseline, name), name, result) for result in results for name in names]
    return [(ratio, name, result) for ratio, name, result in pairs if ratio is not None and name != baseline]


def headline(results: Sequence[CellResult]) -> str:
    """How the speed-up of the vectorized form over the loop grows with m."""
    found = ratios(results, LOOP, [VECTORIZED])
    if not found:
        return ""
    first, last = found[0], found[-1]
    said = f"At {shape_words(first[2])}, {VECTORIZED} is {times_words(first[0])} as fast as {LOOP}"
    if last is first:
        return f"{said}."
    return f"{said}; at m = {last[2].cell.m:,} it is {times_words(last[0])}: the speed-up depends on the size."


def growth(results: Sequence[CellResult]) -> str:
    """How the time of the vectorized form grows from the smallest to the largest m, at the n_x that has most cells."""
    counts = Counter(result.cell.n_x for result in results if VECTORIZED in result.seconds)
    if not counts:
        return ""
    n_x, count = counts.most_common(1)[0]
    if count < 2:
        result = next(result for result in results if VECTORIZED in result.seconds)
        time = seconds_text(result.median(VECTORIZED).estimate)
        return f"At {shape_words(result)}, {VECTORIZED} takes {time}."
    timed = sorted((r for r in results if r.cell.n_x == n_x and VECTORIZED in r.seconds), key=lambda r: r.cell.m)
    small, large = timed[0], timed[-1]
    before, after = (result.median(VECTORIZED).estimate for result in (small, large))
    return (
        f"At n_x = {n_x:,}, {VECTORIZED} takes {seconds_text(before)} for m = {small.cell.m:,} and "
        f"{seconds_text(after)} for m = {large.cell.m:,}: {digits(large.cell.m / small.cell.m)} times the examples in "
        f"{digits(after / before)} times the time."
    )


def extremes(run: Run, results: Sequence[CellResult], baseline: str) -> str:
    """The largest speed-up over a baseline, and the largest slow-down."""
    found = ratios(results, baseline, run.measured)
    if not found:
        return ""
    best, worst = max(found, key=lambda each: each[0].estimate), min(found, key=lambda each: each[0].estimate)
    said = f"Furthest ahead of {baseline}: {best[1]}, {times_words(best[0])} as fast at {shape_words(best[2])}"
    if worst[0].estimate >= 1.0:
        return f"{said}; no kernel is slower in any cell."
    ratio = Interval(1.0 / worst[0].estimate, 1.0 / worst[0].high, 1.0 / max(worst[0].low, 1e-300))
    return f"{said}. Furthest behind: {worst[1]}, {times_words(ratio)} as slow at {shape_words(worst[2])}."


def winners(leads: Sequence[tuple[str, str, float, bool] | None]) -> str:
    """How many cells each of the fastest kernels leads clearly, and how many are ties."""
    told = [lead for lead in leads if lead is not None]
    clear = Counter(name for name, _, _, ahead in told if ahead)
    if not told:
        return ""
    parts = [f"{name} in {count}" for name, count in clear.most_common(4)]
    rest = sum(count for _, count in clear.most_common()[4:])
    parts += [f"others in {rest}"] if rest else []
    ties = len(told) - sum(clear.values())
    cells = f"Of {len(told)} cells, the fastest by more than the noise is "
    return cells + ", ".join(parts or ["none"]) + (f"; {ties} are ties." if ties else ".")
