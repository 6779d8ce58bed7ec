"""Training: the cost against wall time, all kernels, on the problem that the run descended on."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from bench.grid import ALPHA, Cell
from bench.problem import load_breast_cancer, make_problem
from bench.report.charts import WIDTH, Plot, style, text_style
from bench.report.runtables import time_table
from bench.report.tables import digits, times_words
from bench.report.terminal import seconds_text
from bench.results.run import LOOP, CellResult, Run
from bench.variant import variant_file, variant_words
from kernels import KERNELS, gradient_descent
from kernels._kernel import Array


def costs(cell: Cell, seed: int) -> Array:
    """J of every iteration, computed anew: it is the same for every kernel, but for rounding, and takes no clock."""
    real = cell.problem == "breast_cancer"
    problem = load_breast_cancer(cell.order) if real else make_problem(cell.m, cell.n_x, seed, cell.order)
    return gradient_descent(KERNELS["numpy_vectorized"], problem.X, problem.Y, ALPHA, cell.iterations).costs


def figures(run: Run) -> Iterator[Plot]:
    """For each cell: the cost against wall time, and below it how long each kernel took to the end."""
    for result in run.cells:
        if result.kernels:
            yield _figure(run, result)


def _figure(run: Run, result: CellResult) -> Plot:
    cell = result.cell
    names = sorted(result.kernels, key=lambda name: -result.median(name).estimate)
    J = costs(cell, run.header["seed"])
    share = np.arange(1, cell.iterations + 1) / cell.iterations
    ends_height, curves_height = 0.24 * len(names) + 0.2, 2.6
    height = ends_height + curves_height + 1.55
    drawn = Figure(figsize=(WIDTH, height))
    ratios = (curves_height, ends_height)
    above, below = drawn.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": ratios})
    drawn.subplots_adjust(
        left=1.8 / WIDTH, right=1 - 0.9 / WIDTH, bottom=0.55 / height, top=1 - 0.5 / height, hspace=0.12
    )
    for y, name in enumerate(names):
        color, marker = style(name)
        time = result.median(name)
        above.plot(time.estimate * share, J, color=color, linewidth=1.2)
        below.plot([time.estimate], [y], color=color, marker=marker, markersize=6, markeredgewidth=1.3)
        high = time.high if np.isfinite(time.high) else time.estimate
        if time.low > 0.0:
            below.hlines(y, time.low, high, color=color, linewidth=2.2)
        below.annotate(
            EngFormatter(unit="s", places=2)(time.estimate),
            (max(time.estimate, high), y),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    above.set(xscale="log", ylabel="J, cost", ylim=(0.0, 1.08 * float(J[0])))
    below.set_yticks(range(len(names)), names, fontsize=8)
    for label, name in zip(below.get_yticklabels(), names, strict=True):
        label.set_color(text_style(name))
    below.set_ylim(-0.7, len(names) - 0.3)
    below.set_xlabel(f"wall time; the points: the end of {cell.iterations:,} iterations")
    below.xaxis.set_major_formatter(EngFormatter(unit="s"))
    for ax in (above, below):
        ax.minorticks_off()
    words = variant_words((cell.order, cell.threads))
    drawn.suptitle(f"Training on {run.problem} ({words})", x=0.01, ha="left", fontweight="bold")
    caption = f"Cost against wall time in {cell.iterations:,} iterations of training on {run.problem}, {words}."
    table = time_table(run, [result], words)
    name = f"training-{variant_file((cell.order, cell.threads))}"
    return Plot(name, caption, drawn, finding(result, J), table, section="training")


def finding(result: CellResult, J: Array) -> str:
    """From which cost to which, and how long the slowest and the fastest took."""
    ordered = sorted(result.kernels, key=lambda name: result.median(name).estimate)
    fastest, slowest = ordered[0], ordered[-1]
    said = (
        f"{result.cell.iterations:,} iterations bring the cost from {digits(J[0])} to {digits(J[-1])}, in "
        f"{seconds_text(result.median(fastest).estimate)} with {fastest} and in "
        f"{seconds_text(result.median(slowest).estimate)} with {slowest}"
    )
    ratio = result.speedup(LOOP, fastest)
    return said + (f"; {fastest} is {times_words(ratio)} as fast as {LOOP}." if ratio and fastest != LOOP else ".")
