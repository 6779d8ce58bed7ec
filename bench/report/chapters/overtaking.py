"""The figure of the crossovers: for two kernels, which is the faster at each m and n_x, and where one overtakes."""

import math
from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, NullFormatter

from bench.analysis.crossovers import Compared, count_text, measured, table
from bench.report.charts import WIDTH, Plot, style
from bench.results.run import Run
from bench.variant import Variant, variant_file, variant_words, variants

MOST = 4  # panels; the pairs beyond are in the table
CLOSE = "#555555"  # where neither is known to be the faster
TYPICAL = 32  # the n_x of which a finding speaks, or the nearest


def figures(run: Run) -> Iterator[Plot]:
    """The figure of each variant in which a kernel overtakes another; those of the first order outside a fold."""
    for variant in variants(run):
        found = figure(run, variant)
        if found is not None:
            yield found


def figure(run: Run, variant: Variant) -> Plot | None:
    """A panel for each pair of which one overtakes the other somewhere; None where none does."""
    by_pair: dict[tuple[str, str], list[Compared]] = {}
    for each in measured(run, variant):
        by_pair.setdefault((each.first, each.second), []).append(each)
    crossing = {pair: each for pair, each in by_pair.items() if any(compared.found for compared in each)}
    shown = dict(list(crossing.items())[:MOST])
    if not shown:
        return None
    columns = min(2, len(shown))
    rows = -(-len(shown) // columns)
    drawn = Figure(figsize=(WIDTH, 2.9 * rows + 1.0), layout="constrained")
    axes = drawn.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for ax, (pair, compared) in zip(axes.flat, shown.items(), strict=False):
        _panel(ax, compared)
        ax.set_title(" or ".join(named(variant, name) for name in pair))
    for ax in list(axes.flat)[len(shown) :]:
        ax.set_visible(False)
    for ax in axes[:, 0]:
        ax.set_ylabel("m, examples")
    for ax in list(axes.flat)[max(0, len(shown) - columns) : len(shown)]:
        ax.set_xlabel("n_x, features")
        ax.tick_params(labelbottom=True)
    markers = {name: marker for pair in reversed(shown) for name, marker in zip(pair, "os", strict=True)}
    handles = [Line2D([], [], marker=markers[n], linestyle="", color=style(n)[0], label=n) for n in reversed(markers)]
    handles.append(Line2D([], [], marker="o", linestyle="", color=CLOSE, markerfacecolor="white", label="too close"))
    handles.append(Line2D([], [], marker="_", color="black", label="one overtakes, 95% interval"))
    drawn.legend(handles=handles, loc="outside lower left", ncols=3, frameon=False, fontsize=8)
    words = variant_words(variant)
    drawn.suptitle(f"Which of two is faster, and from which m on ({words})", x=0.01, ha="left", fontweight="bold")
    return Plot(
        f"crossovers-{variant_file(variant)}",
        f"For pairs of kernels, the faster one in each cell measured, and the m at which one overtakes the other, with "
        f"its interval, {words}.",
        drawn,
        finding=" ".join(sentence(variant, nearest(compared)) for compared in list(shown.values())[:2]),
        table=table(run, variant),
        section="numbers",
        fold="" if variant[0] == variants(run)[0][0] else f"Order {variant[0]}",
    )


def named(variant: Variant, kernel: str) -> str:
    """A kernel's name; with all threads, which of them uses one only."""
    return kernel if variant[1] == 1 or kernel not in ("numba_fastmath", "numba_fused") else f"{kernel} (one thread)"


def _panel(ax: Axes, compared: list[Compared]) -> None:
    first, second = compared[0].first, compared[0].second
    cells = [(each.n_x, m, ratio) for each in compared for m, ratio in zip(each.ms, each.ratios, strict=True)]
    for points, marker, color, face in (
        ([cell for cell in cells if cell[2].high < 1.0], "o", style(first)[0], style(first)[0]),
        ([cell for cell in cells if cell[2].low > 1.0], "s", style(second)[0], style(second)[0]),
        ([cell for cell in cells if 1.0 in cell[2]], "o", CLOSE, "white"),
    ):
        at = [n_x for n_x, _, _ in points], [m for _, m, _ in points]
        ax.plot(*at, marker, color=color, markerfacecolor=face, markersize=6.0)
    crossings = [(each.n_x, crossing.m) for each in compared for crossing in each.found]
    xs = [n_x for n_x, _ in crossings]
    ax.vlines(xs, [m.low for _, m in crossings], [m.high for _, m in crossings], color="black", linewidth=1.6, zorder=3)
    ax.plot(xs, [m.estimate for _, m in crossings], "_", color="black", markersize=13, markeredgewidth=2.0, zorder=4)
    ax.set(xscale="log", yscale="log")
    n_xs = sorted({each.n_x for each in compared})
    ax.set_xticks(n_xs, [f"{n_x:,}" for n_x in n_xs], fontsize=8)
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.minorticks_off()
    ax.set_xlim(min(n_xs) / 1.6, max(n_xs) * 1.6)
    ax.yaxis.set_major_formatter(EngFormatter(sep=""))


def nearest(compared: list[Compared]) -> Compared:
    """Of those in which one overtakes, the one with the n_x nearest to TYPICAL."""
    return min((each for each in compared if each.found), key=lambda each: abs(math.log(each.n_x / TYPICAL)))


def sentence(variant: Variant, each: Compared) -> str:
    """Where one kernel overtakes another at one n_x."""
    first, *later = each.found
    below, above = named(variant, first.below), named(variant, first.above)
    said = f"Below m = {_with_interval(each, 0)} {below} beats {above} at n_x = {each.n_x:,}; above, {above} does"
    for k, crossing in enumerate(later, start=1):
        said += f", and from m = {_with_interval(each, k)} on {named(variant, crossing.above)} again"
    return f"{said}."


def _with_interval(each: Compared, k: int) -> str:
    m = each.found[k].m
    return f"{count_text(m.estimate)} (95% interval {count_text(m.low)} to {count_text(m.high)})"
