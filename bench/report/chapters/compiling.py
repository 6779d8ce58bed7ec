"""When compiling pays: after how many calls it has paid for itself, cold and with the code cached on disk."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl

from bench import words
from bench.analysis import pairs
from bench.analysis.payback import calls, cold_seconds, paybacks, rungs
from bench.grid import Setting
from bench.report.charts import Plot, panels, titled
from bench.report.runtables import COLD, SHAPE, shape, titled_cold
from bench.report.section import Section
from bench.report.style import NARROW, WIDTH
from bench.report.tables import Column, Table
from bench.results import BASELINES, VECTORIZED, CellResult, Run

LEAD = [
    "Numba compiles a kernel at its first call, and that call is slow. Later processes load the code from disk. The "
    "map counts the calls after which the compiled kernel has caught up with NumPy."
]
NO_PAYBACK = "#e8e8e8"


def section(run: Run) -> Section | None:
    """The section of the page."""
    plot = figure(run, run.settings[0]) if run.settings and run.problem == "synthetic" else None
    prices = price_table(run)
    tables = [prices] if prices else []
    return Section("compiling", "When compiling pays", LEAD, [plot] if plot else [], tables).or_none()


def detail(run: Run) -> Section | None:
    """The numbers of calls of every compiled kernel, for the appendix."""
    if run.problem != "synthetic" or not run.cells:
        return None
    setting = run.settings[0]
    results = [result for result in run.of(setting) if result.samples]
    names = _compared(run, results)
    tables = [_table(run, results, names, setting)] if names else []
    return Section("paybacks", "Calls until compiling has paid off", tables=tables).or_none()


def _compared(run: Run, results: Sequence[CellResult]) -> list[str]:
    """The compiled rungs whose price is known and that were timed beside NumPy."""
    return [name for name in rungs(run) if any(result.speedup(VECTORIZED, name) for result in results)]


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
    """A map of the number of calls, against NumPy, for the end of the ladder: cold, and cached where that is known."""
    results = [result for result in run.of(setting) if result.samples]
    name = pairs.main_branch()
    if name not in _compared(run, results):
        return None
    prices = {"cold": cold_seconds(run)[name]}
    cached = run.prices[name].cached if name in run.prices else None
    if cached is not None:
        prices["cached"] = cached
    color_map, norm = mpl.colormaps["YlGnBu_r"], mpl.colors.LogNorm(1e1, 1e6, clip=True)

    def show(result: CellResult, start: str) -> tuple[str, Any] | None:
        count = calls(result, name, VECTORIZED, prices[start])
        if count is None:
            return None
        return words.calls(count), NO_PAYBACK if count == words.NEVER else color_map(norm(count))

    titles = {start: f"{start}: {words.seconds(price, 2)} to begin" for start, price in prices.items()}
    wide, narrow = (panels(results, titles, show, width) for width in (WIDTH, NARROW))
    titled(wide, f"Calls until {name} has caught up with {VECTORIZED} ({setting.label})")
    titled(narrow, f"Calls until {name} has caught up")
    caption = f"After how many calls {name} has made up for compiling, against {VECTORIZED}, in every cell."
    found = finding(results, {name: prices["cold"]})
    if cached is not None:
        counts = paybacks(results, VECTORIZED, {name: cached})
        soonest = min((payback.calls for payback in counts), default=None)
        found += f" From the cache, {words.calls(soonest)} calls are enough at best." if soonest else ""
    return Plot(f"payback-{setting.id}", caption, wide, found, narrow=narrow)


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
