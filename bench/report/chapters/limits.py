"""How near the kernels come to this machine's limit: the roofline of this problem, and shares of the limit.

The limit of a cell is the lower bound of `bench.ceilings`: the time to read X once, to do 4 m n_x floating-point
operations, or to take m exponentials, whichever is longest. A gradient step has one exponential for each 8 n_x bytes of
X, so n_x stands where a roofline has its arithmetic intensity: few features are held up by exp, many by memory.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from bench.machine.card import human_bytes
from bench.machine.ceilings import READ
from bench.report.chapters.maps import panels
from bench.report.charts import WIDTH, Plot, style
from bench.report.tables import Table, bounds_text, percent
from bench.results.run import CellResult, Run
from bench.stats import Interval
from bench.variant import Variant, of_variant, variant_file, variant_words

# The kernels that the figures show, of those that were measured: the path from the loop to the limit.
SHOWN = (
    *("python_loop", "numba_loop", "numba_fastmath", "numba_parallel", "numpy_vectorized"),
    *("numba_passes", "numba_fused", "numba_fused_parallel"),
)
FROM_MEMORY = 4  # times the last cache; a larger X is read from memory, whatever the caches keep of it


def share(run: Run, result: CellResult, kernel: str) -> float:
    """The share of the limit that a kernel reaches in a cell, from 0 to 1."""
    return run.bound(result.cell) / result.median(kernel).estimate


def shown(run: Run, results: Sequence[CellResult]) -> list[str]:
    """The kernels of the figures that were timed in these cells."""
    return [
        name
        for name in (*SHOWN, *run.own)
        if name in run.measured and any(name in result.seconds for result in results)
    ]


def last_cache(run: Run) -> int:
    """Bytes of the largest cache of the run's machine."""
    return max(run.header["machine"]["caches"].values(), default=0)


def roofline(run: Run, variant: Variant) -> Plot | None:
    """Bytes of X a second against n_x, with the roof above: in the cache and from memory."""
    results = [r for r in of_variant(run, variant) if r.seconds and np.isfinite(run.bound(r.cell))]
    cache = run.header["machine"]["caches"].get("L2", 2**20)
    by_n_x: dict[int, list[CellResult]] = {}
    for result in results:
        by_n_x.setdefault(result.cell.n_x, []).append(result)
    inside, beyond = [], []
    for n_x in sorted(by_n_x):
        ordered = sorted(by_n_x[n_x], key=lambda r: r.cell.nbytes)
        fitting = [r for r in ordered if cache / 16 <= r.cell.nbytes <= 2 * cache]
        inside += fitting[-1:]
        beyond += [r for r in ordered[-1:] if r.cell.nbytes > last_cache(run)]
    panels = [(f"X in the cache ({_sizes(inside)})", inside), (f"X in memory ({_sizes(beyond)})", beyond)]
    panels = [(title, cells) for title, cells in panels if len(cells) > 1]
    if not panels:
        return None
    figure = Figure(figsize=(WIDTH, 4.3), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)
    names = shown(run, inside + beyond)
    rows: list[list[str]] = []
    for ax, (title, cells) in zip(axes.flat, panels, strict=True):
        _roof(ax, run, cells, names, rows)
        ax.set_title(title)
        ax.set_xlabel("n_x, features")
    axes[0, 0].set_ylabel("X processed, GB/s")
    highest = max(r.cell.nbytes / run.bound(r.cell) / 1e9 for _, cells in panels for r in cells)
    axes[0, 0].set_ylim(top=2.0 * highest)  # shared
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=5, frameon=False, fontsize=8)
    words = variant_words(variant)
    figure.suptitle(f"The roofline of the gradient step ({words})", x=0.01, ha="left", fontweight="bold")
    best = max(((share(run, r, n), n, r) for _, cells in panels for r in cells for n in names if n in r.seconds))
    return Plot(
        f"roofline-{variant_file(variant)}",
        f"Bytes of X that each kernel processes a second against n_x, below the roof that exponentials and linear "
        f"reads set, {words}.",
        figure,
        finding=f"The nearest to the roof is {best[1]} at {best[2].cell.label}: {100 * best[0]:.0f}% of what this "
        "machine could do at most.",
        table=Table("The roofline", ["n_x", "m", "limited by", "limit, GB/s", *names], rows, keys=2),
        section="limits",
    )


def _sizes(results: Sequence[CellResult]) -> str:
    if not results:
        return ""
    sizes = [result.cell.nbytes for result in results]
    low, high = human_bytes(min(sizes)), human_bytes(max(sizes))
    return low if low == high else f"{low} to {high}"


def _roof(ax: Axes, run: Run, cells: list[CellResult], names: list[str], rows: list[list[str]]) -> None:
    """One panel: the roof over these cells, and the kernels below it."""
    n_xs = [r.cell.n_x for r in cells]
    roof = [r.cell.nbytes / run.bound(r.cell) / 1e9 for r in cells]
    ax.fill_between(n_xs, roof, [10.0 * max(roof)] * len(roof), color="#eeeeee", zorder=0)
    ax.plot(n_xs, roof, color="#222222", linewidth=2.2, label="limit", zorder=4)
    for name in names:
        timed = [r for r in cells if name in r.seconds]
        color, marker = style(name)
        rates = [r.cell.nbytes / r.median(name).estimate / 1e9 for r in timed]
        ax.plot([r.cell.n_x for r in timed], rates, color=color, marker=marker, label=name)
    for result, most in zip(cells, roof, strict=True):
        limits = run.ceilings[result.cell.threads].limits(result.cell.m, result.cell.n_x)
        rates_text = [
            f"{result.cell.nbytes / result.median(name).estimate / 1e9:.3g} ({100 * share(run, result, name):.0f}%)"
            if name in result.seconds
            else "–"
            for name in names
        ]
        most_text, why = f"{most:.3g}", max(limits, key=limits.__getitem__)
        rows.append([f"{result.cell.n_x:,}", f"{result.cell.m:,}", why, most_text, *rates_text])
    ax.set(xscale="log", yscale="log")
    ax.set_xticks(n_xs, [f"{n_x:,}" for n_x in n_xs])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.minorticks_off()
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def limit_maps(run: Run, variant: Variant) -> Plot | None:
    """Percentage of the limit over (m, n_x): a panel for each kernel."""
    results = [r for r in of_variant(run, variant) if r.seconds and np.isfinite(run.bound(r.cell))]
    names = shown(run, results)
    if not names:
        return None
    color_map, norm = mpl.colormaps["YlGnBu"], mpl.colors.LogNorm(0.01, 1.0, clip=True)

    def told(result: CellResult, name: str) -> tuple[str, Any] | None:
        if name not in result.seconds:
            return None
        of_limit = share(run, result, name)
        return percent(of_limit), color_map(norm(of_limit))

    figure = panels(results, dict(zip(names, names, strict=True)), told)
    words = variant_words(variant)
    figure.suptitle(f"Percentage of this machine's limit ({words})", x=0.01, ha="left", fontweight="bold")
    largest = max(results, key=lambda r: (r.cell.nbytes, r.cell.m))
    reached = {name: share(run, largest, name) for name in names if name in largest.seconds}
    best = max(reached, key=reached.__getitem__)
    return Plot(
        f"limit-{variant_file(variant)}",
        f"Each kernel's percentage of the limit that reading X once, arithmetic and exponentials set, in every cell, "
        f"{words}.",
        figure,
        finding=f"At {largest.cell.label}, {best} reaches {percent(reached[best])} of the limit; on few examples the "
        "cost of a call leaves every kernel far below it.",
        table=limit_table(run, variant),
        section="limits",
    )


def limit_table(run: Run, variant: Variant) -> Table | None:
    """The percentage of the limit of every kernel in every cell."""
    results = [r for r in of_variant(run, variant) if r.seconds and np.isfinite(run.bound(r.cell))]
    if not results:
        return None
    names = [name for name in run.measured if any(name in r.seconds for r in results)]
    rows = [
        [f"{r.cell.n_x:,}", f"{r.cell.m:,}", f"{1e6 * run.bound(r.cell):.3g} µs"]
        + [percent(share(run, r, name)) if name in r.seconds else "–" for name in names]
        for r in results
    ]
    return Table(f"Percentage of the limit, {variant_words(variant)}", ["n_x", "m", "limit", *names], rows, keys=2)


def from_memory(run: Run) -> Table | None:
    """Where X comes from memory: each kernel's share of a linear read of X, measured in the same rounds."""
    least = FROM_MEMORY * last_cache(run)
    results = [r for r in run.cells if READ in r.seconds and r.cell.nbytes >= least]
    names = [name for name in run.measured if any(name in r.seconds for r in results)]
    if not results:
        return None
    rows = [
        [r.cell.label, f"{r.cell.nbytes / r.median(READ).estimate / 1e9:.3g} GB/s"]
        + [bounds_text(_of_read(r, name), percent) for name in names]
        for r in results
    ]
    return Table("Share of a linear read, X from memory", ["cell", "linear read", *names], rows)


def _of_read(result: CellResult, kernel: str) -> Interval | None:
    return result.speedup(READ, kernel)


def tables(run: Run) -> list[Table]:
    """The tables beside those of the figures."""
    found = from_memory(run)
    return [found] if found else []
