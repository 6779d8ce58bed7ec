"""The price of compiling, and after how many calls it has paid for itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl

from bench import words
from bench.analysis.payback import calls, cold_seconds, paybacks, rungs
from bench.grid import Setting
from bench.report.charts import Plot, panels, titled
from bench.report.runtables import COLD, SHAPE, shape, titled_cold
from bench.report.section import Section
from bench.report.style import styles
from bench.report.tables import Column, Table
from bench.results import BASELINES, VECTORIZED, CellResult, Run

LEAD = ["The first call of a compiled kernel is slow. After how many calls that has paid off depends on the size."]
NO_PAYBACK = "#e8e8e8"


def section(run: Run) -> Section | None:
    """The section of the page."""
    plot = figure(run, run.settings[0]) if run.settings and run.problem == "synthetic" else None
    prices = price_table(run)
    tables = [prices] if prices else []
    return Section("compiling", "The price of compiling", LEAD, [plot] if plot else [], tables).or_none()


def price_table(run: Run) -> Table | None:
    """What the first call costs, cold, cached and warm."""
    if not run.prices:
        return None
    columns = [
        Column("kernel"),
        Column(COLD, words.seconds),
        Column("cached on disk", lambda value: value if isinstance(value, str) else words.seconds(value)),
        Column("the next call", words.seconds),
    ]
    rows = [
        [name, price.cold, "not possible" if price.cached is None else price.cached, price.warm]
        for name, price in run.prices.items()
    ]
    return Table("The first call in a fresh process", columns, rows)


def figure(run: Run, setting: Setting) -> Plot | None:
    """A map of the number of calls that it takes, against numpy_vectorized: a panel for each compiled rung."""
    prices = cold_seconds(run)
    cold = {name: prices[name] for name in rungs(run)}
    results = [result for result in run.of(setting) if result.samples]
    names = [name for name in cold if any(result.speedup(VECTORIZED, name) for result in results)]
    if not names:
        return None
    color_map, norm = mpl.colormaps["YlGnBu_r"], mpl.colors.LogNorm(1e2, 1e7, clip=True)

    def show(result: CellResult, name: str) -> tuple[str, Any] | None:
        count = calls(result, name, VECTORIZED, cold[name])
        if count is None:
            return None
        return words.calls(count), NO_PAYBACK if count == words.NEVER else color_map(norm(count))

    titles = {name: f"{name} ({words.seconds(cold[name], 2)})" for name in names}
    drawn = panels(results, titles, show, styles(run))
    titled(drawn, f"Calls until compiling has paid off, against {VECTORIZED} ({setting.label})")
    return Plot(
        f"payback-{setting.id}",
        f"After how many calls each compiled kernel has made up for its compilation against {VECTORIZED}, in every "
        f"cell, {setting.label}. In brackets: what compiling costs.",
        drawn,
        finding(results, cold),
        _table(run, results, names, setting),
    )


def finding(results: Sequence[CellResult], cold: Mapping[str, float]) -> str:
    """Where compiling pays off first, and where last."""
    counts = paybacks(results, VECTORIZED, cold)
    if not counts:
        return f"Compiling never pays off here: no compiled kernel is surely faster than {VECTORIZED}."
    soonest, latest = (choose(counts, key=lambda payback: payback.calls) for choose in (min, max))
    return (
        f"Against {VECTORIZED}, compiling pays off soonest for {soonest.kernel} at {soonest.result.cell.label}: after "
        f"{words.calls(soonest.calls)} calls. Where it pays off at all, it does so latest for {latest.kernel} at "
        f"{latest.result.cell.label}: after {words.calls(latest.calls)} calls."
    )


def _table(run: Run, results: Sequence[CellResult], names: Sequence[str], setting: Setting) -> Table:
    cold = cold_seconds(run)
    over = [(name, baseline) for baseline in BASELINES for name in names]
    columns = [*SHAPE, *(Column(f"{name} over {baseline}", words.calls) for name, baseline in over)]
    rows = [[*shape(r), *(calls(r, name, baseline, cold[name]) for name, baseline in over)] for r in results]
    return Table(titled_cold(f"Calls until compiling has paid off, {setting.label}", run, names), columns, rows, keys=2)
