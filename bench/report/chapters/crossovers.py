"""Crossovers: for two kernels, which is faster at each m and n_x, and from which m one overtakes the other."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, NullFormatter

from bench import words
from bench.analysis import crossovers
from bench.analysis.crossovers import Compared
from bench.analysis.ratios import TYPICAL_N_X
from bench.grid import Setting
from bench.report.charts import Plot, titled
from bench.report.section import Section
from bench.report.style import WIDTH, Style, styles
from bench.report.tables import Column, Table
from bench.results import Run
from bench.stats import Interval

LEAD = [
    "As m grows, one kernel may overtake another. Where it does so between two measured cells, the cost model "
    "estimates the m; its interval allows for the model's error."
]
MOST = 4  # panels; the pairs beyond are in the table
CLOSE = "#555555"  # where neither is surely faster
MARKERS = "os"  # of the first and of the second kernel of a pair

Pair = tuple[str, str]


def section(run: Run) -> Section | None:
    """The section of the page."""
    plots, tables = [], []
    for setting in run.settings if run.problem == "synthetic" else ():
        compared = list(crossovers.measured(run, setting))
        data = table(setting, compared, crossovers.predicted(run, setting))
        plot = figure(run, setting, compared, data)
        plots += [plot] if plot else []
        tables += [data] if data and not plot else []
    return Section("crossovers", "Crossovers: where one kernel overtakes another", LEAD, plots, tables).or_none()


def figure(run: Run, setting: Setting, compared: Sequence[Compared], data: Table | None) -> Plot | None:
    """A panel for each pair of which one overtakes the other somewhere; None where none does."""
    by_pair = {pair: list(group) for pair, group in groupby(compared, key=lambda at: (at.first, at.second))}
    crossing = {pair: of_pair for pair, of_pair in by_pair.items() if any(at.crossovers for at in of_pair)}
    shown = dict(list(crossing.items())[:MOST])
    if not shown:
        return None
    style_of = styles(run)
    columns = min(2, len(shown))
    rows = -(-len(shown) // columns)
    drawn = Figure(figsize=(WIDTH, 2.9 * rows + 1.0), layout="constrained")
    axes = drawn.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for ax, (pair, of_pair) in zip(axes.flat, shown.items(), strict=False):
        _panel(ax, of_pair, style_of)
        ax.set_title(" or ".join(label(run, setting, name) for name in pair))
    for k, ax in enumerate(axes.flat):
        ax.set_visible(k < len(shown))
        ax.set_ylabel("m, examples" if k % columns == 0 else "")
        if k + columns >= len(shown):
            ax.set_xlabel("n_x, features")
            ax.tick_params(labelbottom=True)
    drawn.legend(handles=_handles(shown, style_of), loc="outside lower left", ncols=3, frameon=False, fontsize=8)
    titled(drawn, f"Which of two is faster, and from which m on ({setting.label})")
    return Plot(
        f"crossovers-{setting.id}",
        f"For pairs of kernels, the faster one in each cell measured, and the m at which one overtakes the other, with "
        f"its interval, {setting.label}.",
        drawn,
        " ".join(sentence(run, setting, typical(of_pair)) for of_pair in list(shown.values())[:2]),
        data,
        "" if setting.order == run.settings[0].order else f"Order {setting.order}",
    )


def label(run: Run, setting: Setting, kernel: str) -> str:
    """A kernel's name; where all threads are allowed, whether it uses one only."""
    alone = setting.threads > 1 and run.kernels[kernel].threads == "one"
    return f"{kernel} (one thread)" if alone else kernel


def _panel(ax: Axes, compared: Sequence[Compared], style_of: Mapping[str, Style]) -> None:
    colors = [style_of[name].color for name in (compared[0].first, compared[0].second)]
    cells = [(at.n_x, m, ratio) for at in compared for m, ratio in zip(at.ms, at.ratios, strict=True)]
    for points, marker, color, face in (
        ([cell for cell in cells if cell[2].high < 1.0], MARKERS[0], colors[0], colors[0]),
        ([cell for cell in cells if cell[2].low > 1.0], MARKERS[1], colors[1], colors[1]),
        ([cell for cell in cells if 1.0 in cell[2]], "o", CLOSE, "white"),
    ):
        xs, ys = [n_x for n_x, _, _ in points], [m for _, m, _ in points]
        ax.plot(xs, ys, marker, color=color, markerfacecolor=face, markersize=6.0)
    crossings = [(at.n_x, crossover.m) for at in compared for crossover in at.crossovers]
    xs = [n_x for n_x, _ in crossings]
    ax.vlines(xs, [m.low for _, m in crossings], [m.high for _, m in crossings], color="black", linewidth=1.6, zorder=3)
    ax.plot(xs, [m.estimate for _, m in crossings], "_", color="black", markersize=13, markeredgewidth=2.0, zorder=4)
    ax.set(xscale="log", yscale="log")
    n_xs = sorted({at.n_x for at in compared})
    ax.set_xticks(n_xs, [f"{n_x:,}" for n_x in n_xs], fontsize=8)
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.minorticks_off()
    ax.set_xlim(min(n_xs) / 1.6, max(n_xs) * 1.6)
    ax.yaxis.set_major_formatter(EngFormatter(sep=""))


def _handles(pairs: Iterable[Pair], style_of: Mapping[str, Style]) -> list[Line2D]:
    markers: dict[str, str] = {}
    for pair in pairs:
        for name, marker in zip(pair, MARKERS, strict=True):
            markers.setdefault(name, marker)
    dot = partial(Line2D, [], [], linestyle="")
    return [
        *(dot(marker=marker, color=style_of[name].color, label=name) for name, marker in markers.items()),
        dot(marker="o", color=CLOSE, markerfacecolor="white", label="too close"),
        dot(marker="_", color="black", label="one overtakes, 95% interval"),
    ]


def typical(compared: Iterable[Compared]) -> Compared:
    """Of those in which one overtakes, the one with the n_x nearest to what is typical."""
    crossing = [at for at in compared if at.crossovers]
    return min(crossing, key=lambda at: abs(math.log(at.n_x / TYPICAL_N_X)))


def sentence(run: Run, setting: Setting, compared: Compared) -> str:
    """Where one kernel overtakes another at one n_x."""
    first, *later = compared.crossovers
    below, above = label(run, setting, first.below), label(run, setting, first.above)
    text = f"At n_x = {compared.n_x:,}, {below} beats {above} below m = {_with_interval(first.m)}; above, {above} wins"
    again = [
        f"from m = {_with_interval(crossover.m)} on, {label(run, setting, crossover.above)} wins again"
        for crossover in later
    ]
    return f"{'; '.join([text, *again])}."


def examples(m: float) -> str:
    """An m in two digits: that of a crossover is not known better."""
    return words.digits(round(m), 2)


def _with_interval(m: Interval) -> str:
    return f"{examples(m.estimate)} (95% interval {examples(m.low)} to {examples(m.high)})"


def table(setting: Setting, measured: Iterable[Compared], predicted: Iterable[Compared]) -> Table | None:
    """The crossovers of a setting, measured, and predicted between the n_x that were measured."""
    rows = []
    for source, compared in (("measured", measured), ("predicted", predicted)):
        # Neighbouring n_x of which the same is known share a row.
        for (first, second, known), same in groupby(compared, lambda at: (at.first, at.second, known_words(at))):
            n_xs = [at.n_x for at in same]
            span = f"{n_xs[0]:,}" + (f" to {n_xs[-1]:,}" if len(n_xs) > 1 else "")
            rows.append([f"{first}, {second}", span, known, source])
    columns = list(map(Column, ("kernels", "n_x", "what is known", "from")))
    return Table(f"Which kernel overtakes which as m grows, {setting.label}", columns, rows, keys=4) if rows else None


def known_words(compared: Compared) -> str:
    """What is known of a pair at one n_x."""
    if compared.crossovers:
        first, *later = compared.crossovers
        parts = [f"below m = {words.bounds(first.m, examples)} {first.below} beats {first.above}"]
        parts += [
            f"from m = {words.bounds(crossover.m, examples)} on {crossover.above} beats {crossover.below}"
            for crossover in later
        ]
        return "; ".join(parts)
    if not compared.winners:
        return "too close to tell"
    (winner,) = compared.winners
    if not compared.one_sided:
        return f"{winner} is faster where it is clear; elsewhere too close to tell"
    return f"no crossover in the measured range: {winner} is faster"
