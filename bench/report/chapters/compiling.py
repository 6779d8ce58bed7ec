"""When compiling has paid for itself: after how many calls, in each cell, for each compiled rung."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np

from bench.report.chapters.maps import panels
from bench.report.charts import Plot
from bench.report.tables import Table
from bench.report.terminal import seconds_text
from bench.results.run import BASELINES, LOOP, VECTORIZED, CellResult, Run
from bench.variant import Variant, of_variant, variant_file, variant_words

NEVER = float("inf")


def cold_seconds(run: Run) -> dict[str, float]:
    """What compiling each rung of the ladder costs: measured in fresh processes, or else its first call in the run."""
    found = {name: price.cold for name, price in run.prices.items()}
    return found or {name: seconds for name, seconds in run.compile_seconds.items() if name.startswith("numba_")}


def calls(result: CellResult, kernel: str, baseline: str, cold: float) -> float | None:
    """After how many calls a kernel has made up for compiling; infinite where it is no faster beyond doubt.

    None where one of the two was not timed.
    """
    ratio = result.speedup(baseline, kernel)
    if ratio is None:
        return None
    if not ratio.low > 1.0:
        return NEVER
    saved = result.median(baseline).estimate - result.median(kernel).estimate
    return max(1.0, float(np.ceil(cold / saved))) if saved > 0.0 else NEVER


def count_text(count: float | None) -> str:
    """A number of calls in few characters: 12, 3.4k, never."""
    if count is None:
        return "–"
    if count == NEVER:
        return "never"
    for unit, factor in (("", 1.0), ("k", 1e3), ("M", 1e6)):
        if count < 999.5 * factor:
            return (
                f"{count / factor:.3g}{unit}" if not unit or count >= 99.5 * factor else f"{count / factor:.2g}{unit}"
            )
    return f"{count / 1e9:.2g}G"


def price_table(run: Run) -> Table | None:
    """What the first call costs, cold, cached and warm."""
    if not run.prices:
        return None
    rows = [
        [
            name,
            seconds_text(price.cold),
            "not possible" if price.cached is None else seconds_text(price.cached),
            seconds_text(price.warm),
        ]
        for name, price in run.prices.items()
    ]
    return Table("The first call in a fresh process", ["kernel", "cold", "cached on disk", "the next call"], rows)


def payback(run: Run, variant: Variant) -> Plot | None:
    """A map of the calls that it takes, against numpy_vectorized: a panel for each compiled rung."""
    cold = cold_seconds(run)
    results = [result for result in of_variant(run, variant) if result.seconds]
    names = [name for name in cold if any(result.speedup(VECTORIZED, name) for result in results)]
    if not names:
        return None
    color_map, norm = mpl.colormaps["YlGnBu_r"], mpl.colors.LogNorm(1e2, 1e7, clip=True)

    def told(result: CellResult, name: str) -> tuple[str, Any] | None:
        count = calls(result, name, VECTORIZED, cold[name])
        if count is None:
            return None
        return count_text(count), "#e8e8e8" if count == NEVER else color_map(norm(count))

    figure = panels(results, {name: f"{name} ({seconds_text(cold[name])})" for name in names}, told)
    words = variant_words(variant)
    title = f"Calls after which compiling has paid for itself, against {VECTORIZED} ({words})"
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    return Plot(
        f"payback-{variant_file(variant)}",
        f"After how many calls each compiled kernel has made up for its compilation against {VECTORIZED}, in every "
        f"cell, {words}. In brackets: what compiling costs.",
        figure,
        finding=_finding(results, cold),
        table=_table(results, names, cold, words),
        section="compiling",
    )


def _finding(results: Sequence[CellResult], cold: dict[str, float]) -> str:
    found = [
        (count, name, result)
        for result in results
        for name in cold
        if (count := calls(result, name, VECTORIZED, cold[name])) is not None and count < NEVER
    ]
    if not found:
        return f"No compiled kernel is faster than {VECTORIZED} beyond doubt here, so none pays."
    count, name, result = min(found, key=lambda each: each[0])
    most, slow, where = max(found, key=lambda each: each[0])
    return (
        f"Against {VECTORIZED} compiling pays soonest for {name} at {result.cell.label}: after {count_text(count)} "
        f"calls; where it pays at all it pays latest for {slow} at {where.cell.label}: after {count_text(most)}."
    )


def _table(results: Sequence[CellResult], names: list[str], cold: dict[str, float], words: str) -> Table:
    columns = ["n_x", "m", *(f"{name} over {baseline}" for baseline in (LOOP, VECTORIZED) for name in names)]
    rows = [
        [f"{r.cell.n_x:,}", f"{r.cell.m:,}"]
        + [count_text(calls(r, name, baseline, cold[name])) for baseline in BASELINES for name in names]
        for r in results
    ]
    return Table(f"Calls until compiling has paid for itself, {words}", columns, rows, keys=2)
