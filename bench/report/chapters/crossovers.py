"""Loop or NumPy: the compiled loop against vectorized NumPy over m and n_x, and where one overtakes the other."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from bench import words
from bench.analysis import crossovers, pairs
from bench.analysis.crossovers import Compared
from bench.analysis.ratios import TYPICAL_N_X, Ratio, ratios
from bench.grid import Setting
from bench.report.charts import Plot, grid_axes, square
from bench.report.runtables import shape
from bench.report.section import Section
from bench.report.style import NARROW, WIDTH, text_on
from bench.report.tables import Column, Table
from bench.results import VECTORIZED, Run
from bench.stats import Interval

LEAD = [
    "The compiled loop is one call, where vectorized NumPy makes a dozen: that decides where m is small. In the "
    "compiled loop every exp and every sum is scalar, where NumPy's use SIMD: that decides where m is large. The black "
    "line is where the two take the same time. Between two cells it follows the cost model."
]
SHADES = 4.0  # in powers of two: beyond 16 times, a darker shade shows nothing
TIE = "tie"


def section(run: Run) -> Section | None:
    """The section of the page; None where the two were not compared in several cells."""
    if run.problem != "synthetic" or not run.cells:
        return None
    plot = figure(run, run.settings[0])
    return Section("crossovers", "Loop or NumPy", LEAD, [plot]) if plot else None


def detail(run: Run) -> Section | None:
    """Which kernel overtakes which in every setting, for the appendix."""
    tables = []
    for setting in run.settings if run.problem == "synthetic" else ():
        data = table(setting, crossovers.measured(run, setting), crossovers.predicted(run, setting))
        tables += [data] if data else []
    return Section("overtaking", "Where one kernel overtakes another", tables=tables).or_none()


def figure(run: Run, setting: Setting) -> Plot | None:
    """One map of the ratio of the two times, with the crossover drawn on it; None for fewer than two cells."""
    loop = pairs.compiled_loop()
    speedups = ratios(run.of(setting), loop, [VECTORIZED])
    if len(speedups) < 2:
        return None
    compared = [at for at in crossovers.measured(run, setting) if (at.first, at.second) == (loop, VECTORIZED)]
    wide, narrow = (_draw(speedups, compared, setting, width) for width in (WIDTH, NARROW))
    caption = (
        f"How many times faster vectorized NumPy is than {loop} in every cell, {setting.label}; ↓ where it is slower. "
        "The black line is where the two take the same time."
    )
    return Plot(
        "loop-or-numpy", caption, wide, finding(run, setting, speedups, compared), _data(speedups), narrow=narrow
    )


def finding(run: Run, setting: Setting, speedups: Sequence[Ratio], compared: Sequence[Compared]) -> str:
    """Where NumPy overtakes the compiled loop, at a typical n_x, and how far ahead each ever is."""
    least, most = (choose(speedups, key=lambda ratio: ratio.estimate) for choose in (min, max))
    ends = (
        f"NumPy is between {words.faster(least.estimate)} ({least.result.cell.shape}) and "
        f"{words.faster(most.estimate)} ({most.result.cell.shape})."
    )
    crossing = [at for at in compared if at.crossovers]
    return f"{sentence(run, setting, typical(crossing))} {ends}" if crossing else ends


def _draw(speedups: Sequence[Ratio], compared: Sequence[Compared], setting: Setting, width: float) -> Figure:
    wide = width > NARROW
    cells = [ratio.result.cell for ratio in speedups]
    ms, n_xs = sorted({cell.m for cell in cells}), sorted({cell.n_x for cell in cells})
    drawn = Figure(figsize=(width, 0.36 * len(n_xs) + 1.15), layout="constrained")
    ax = drawn.subplots()
    color_map, norm = mpl.colormaps["PuOr"], mpl.colors.Normalize(-SHADES, SHADES, clip=True)
    for ratio in speedups:
        color = color_map(norm(np.log2(ratio.estimate)))
        x, y = ms.index(ratio.result.cell.m), n_xs.index(ratio.result.cell.n_x)
        ax.add_patch(square(x, y, color))
        text = _text(ratio)
        ax.text(x, y, text, ha="center", va="center", fontsize=9 if wide else 8, color=text_on(color), zorder=5)
    grid_axes(ax, ms, n_xs)
    places = np.log(np.array(ms, dtype=float))
    for at in compared:
        for crossover in at.crossovers if at.n_x in n_xs else ():
            place = float(np.interp(math.log(crossover.m.estimate), places, range(len(ms))))
            row = n_xs.index(at.n_x)
            for shade, thick in (("white", 5.0), ("black", 2.6)):
                ax.vlines(place, row - 0.5, row + 0.5, color=shade, linewidth=thick, zorder=3)
    ax.set(xlabel="m, examples", ylabel="n_x, features")
    title = "Vectorized NumPy over the compiled loop" if wide else "NumPy over the compiled loop"
    ax.set_title(f"{title} ({setting.label})" if wide else title)
    return drawn


def _text(ratio: Ratio) -> str:
    """A ratio in few characters; in percent where a factor would read as 1."""
    if not (ratio.faster or ratio.slower):
        return TIE
    side, arrow = (ratio.estimate, "") if ratio.estimate > 1.0 else (1.0 / ratio.estimate, "↓")
    return words.short(ratio.estimate) if side >= 1.1 else f"{arrow}{words.percent(side - 1.0)}"


def _data(speedups: Sequence[Ratio]) -> Table:
    rows = [[*shape(r.result), r.interval, "yes" if r.faster or r.slower else "no: a tie"] for r in speedups]
    columns = [Column("n_x"), Column("m"), Column("NumPy over the compiled loop"), Column("more than noise")]
    return Table("NumPy over the compiled loop", columns, rows, keys=2)


def label(run: Run, setting: Setting, kernel: str) -> str:
    """A kernel's name; where all threads are allowed, whether it uses one only."""
    alone = setting.threads > 1 and run.kernels[kernel].threads == "one"
    return f"{kernel} (one thread)" if alone else kernel


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
