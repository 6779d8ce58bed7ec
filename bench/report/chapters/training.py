"""Training: the cost against wall time, for all kernels, on the data set that the run trained on."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from bench import words
from bench.analysis import pairs
from bench.grid import ALPHA, Cell
from bench.problem import load_breast_cancer, make_problem
from bench.report.charts import Plot, titled
from bench.report.runtables import time_table
from bench.report.section import Section
from bench.report.style import NARROW, WIDTH, Style, styles, text_color
from bench.results import LOOP, VECTORIZED, CellResult, Run
from bench.stats import Interval
from kernels import KERNELS, gradient_descent
from kernels._kernel import Array

LEAD = [
    "Gradient descent on real data. Apart from rounding, the cost after an iteration is the same for every kernel, so "
    "it was computed once, when this page was made, and spread over the time that each kernel took to train."
]


OTHERS = Style("#5c5c5c", "o")


def section(run: Run) -> Section | None:
    """The section of the page; None for a run of single gradient steps."""
    if run.problem == "synthetic":
        return None
    plots = [figure(run, result) for result in run.cells if result.kernels]
    return Section("training", "Training", LEAD, plots).or_none()


def costs(cell: Cell, seed: int) -> Array:
    """J at every iteration, computed anew with the vectorized kernel."""
    real = cell.problem == "breast_cancer"
    problem = load_breast_cancer(cell.order) if real else make_problem(cell.m, cell.n_x, seed, cell.order)
    return gradient_descent(KERNELS[VECTORIZED], problem.X, problem.Y, ALPHA, cell.iterations).costs


def figure(run: Run, result: CellResult) -> Plot:
    """The cost against wall time, and below it how long each kernel took."""
    cell = result.cell
    J = costs(cell, run.plan.seed)
    wide, narrow = (_draw(run, result, J, width) for width in (WIDTH, NARROW))
    where = cell.setting.label
    caption = f"Cost against wall time in {cell.iterations:,} iterations of training on {run.problem}, {where}."
    table = time_table(run, [result], where)
    return Plot(f"training-{cell.setting.id}", caption, wide, finding(result, J), table, narrow=narrow)


def _draw(run: Run, result: CellResult, J: Array, width: float) -> Figure:
    """Curves of the kernels of the story, and a point for each kernel."""
    cell = result.cell
    names = sorted(result.kernels, key=lambda name: -result.median(name).estimate)
    share = np.arange(1, cell.iterations + 1) / cell.iterations
    ends_height, curves_height = 0.24 * len(names) + 0.2, 2.6
    height = ends_height + curves_height + 1.55
    drawn = Figure(figsize=(width, height))
    ratios = (curves_height, ends_height)
    above, below = drawn.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": ratios})
    left, right = 1.8 / width, 1 - 0.9 / width
    drawn.subplots_adjust(left=left, right=right, bottom=0.55 / height, top=1 - 0.5 / height, hspace=0.12)
    # Four curves; with one of the user's own and the grey of all others, no more than six colours.
    shown = (LOOP, pairs.compiled_loop(), VECTORIZED, pairs.main_branch())
    style_of = {name: style for name, style in styles(run).items() if name in [*shown, *run.own[:1]]}
    for y, name in enumerate(names):
        time = result.median(name)
        if name in style_of:
            above.plot(time.estimate * share, J, color=style_of[name].color, linewidth=1.6)
        _end(below, y, time, style_of.get(name, OTHERS))
    above.set(xscale="log", ylabel="J, cost", ylim=(0.0, 1.08 * float(J[0])))
    below.set_yticks(range(len(names)), names, fontsize=8)
    for label, name in zip(below.get_yticklabels(), names, strict=True):
        label.set_color(text_color(style_of.get(name, OTHERS)))
    below.set_ylim(-0.7, len(names) - 0.3)
    below.set_xlabel(f"wall time; the points: the end of {cell.iterations:,} iterations")
    below.xaxis.set_major_formatter(EngFormatter(unit="s"))
    for ax in (above, below):
        ax.minorticks_off()
    titled(drawn, f"Training on {run.problem}" + (f" ({cell.setting.label})" if width > NARROW else ""))
    return drawn


def _end(ax: Axes, y: float, time: Interval, style: Style) -> None:
    """The time of a whole training run, with its interval and its value."""
    ax.plot([time.estimate], [y], color=style.color, marker=style.marker, markersize=6, markeredgewidth=1.3)
    right = time.estimate
    if words.bounded(time):
        ax.hlines(y, time.low, time.high, color=style.color, linewidth=2.2)
        right = time.high
    ax.annotate(
        words.seconds(time.estimate), (right, y), xytext=(8, 0), textcoords="offset points", va="center", fontsize=8
    )


def finding(result: CellResult, J: Array) -> str:
    """From which cost to which, and how long the slowest and the fastest took."""
    ordered = sorted(result.kernels, key=lambda name: result.median(name).estimate)
    fastest, slowest = ordered[0], ordered[-1]
    sentence = (
        f"{result.cell.iterations:,} iterations lower the cost from {words.digits(J[0])} to {words.digits(J[-1])}, in "
        f"{words.seconds(result.median(fastest).estimate, 2)} with {fastest} and in "
        f"{words.seconds(result.median(slowest).estimate, 2)} with {slowest}"
    )
    ratio = result.speedup(LOOP, fastest)
    if ratio is None or fastest == LOOP:
        return f"{sentence}."
    return f"{sentence}; {fastest} is {words.faster_than(ratio, LOOP)}."
