"""float32: what half the bytes and twice the lanes are worth, in digits and in time, kernel by kernel."""

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter

from bench import words
from bench.analysis.ratios import gain, in_both
from bench.grid import ALPHA, PRECISIONS, Dtype
from bench.problem import Problem, accuracy, load_breast_cancer
from bench.report.chapters.accuracy import TEXTBOOK
from bench.report.charts import Plot, Point, name_ends, titled
from bench.report.section import Section
from bench.report.style import WIDTH, Style, styles, text_color
from bench.report.tables import Column, Table
from bench.results import VECTORIZED, CellResult, Run
from bench.results.records import OUTPUTS
from kernels import KERNELS, Descent, gradient_descent

LEAD = [
    "A float32 has half the bytes of a float64, so memory delivers twice as many in a second, and a cache or a SIMD "
    "register has room for twice as many. It has 24 significant bits instead of 53: about 7 digits instead of 16.",
    "In float32 cells X, Y, w and dw are float32, and so is the arithmetic in the loops of NumPy and of the fused "
    "blocks. Long sums are the danger: where terms are added one by one, those that come late are rounded away. NumPy "
    "adds pairwise, the fused blocks in short spans whose sums are added in float64, and plain loops in float64.",
]
DTYPES: tuple[Dtype, ...] = ("float64", "float32")
ITERATIONS = 1_000
# What the curves show: the rungs that are meant to overtake others. The table has all.
DRAWN = [name for name, kernel in KERNELS.items() if kernel.rivals]

Pairs = Sequence[tuple[CellResult, CellResult]]


def section(run: Run) -> Section | None:
    """The section of the page; None for a run that has nothing in float32."""
    if not any(result.cell.dtype == "float32" and result.samples for result in run.cells):
        return None
    pairs = [(double, single) for double, single in in_both(run) if single.samples and double.samples]
    steps = [pair for pair in pairs if not pair[0].cell.iterations]
    plots = []
    for setting in dict.fromkeys(double.cell.setting for double, _ in steps):
        here = [pair for pair in steps if pair[0].cell.setting == setting]
        plot = figure(run, here)
        plots += [plot] if plot else []
    if run.problem != "synthetic":
        plots.append(training(load_breast_cancer()))
    tables = [gains(run, pairs), errors(run)] if pairs else [errors(run)]
    return Section("float32", "float32: half the bytes, 7 digits", LEAD, plots, tables, ceilings(run)).or_none()


# Time


def ceilings(run: Run) -> list[str]:
    """What the machine itself can do in float32, by what it can in float64."""
    sentences = []
    for threads, ceiling in run.ceilings.items():
        if ceiling.single is not None:
            flops, exps = ceiling.single.flops / ceiling.flops, ceiling.single.exps / ceiling.exps
            sentences.append(
                f"With {words.plural(threads, 'thread')} this machine multiplies and adds {words.times(flops)} as many "
                f"float32 as float64 a second and takes {words.times(exps)} as many exponentials. It reads as many "
                "bytes, so twice as many numbers."
            )
    return sentences


def figure(run: Run, pairs: Pairs) -> Plot | None:
    """How many times faster float32 is, against m, a panel for each n_x; None where no kernel was timed in both."""
    setting = pairs[0][0].cell.setting
    n_xs = sorted({double.cell.n_x for double, _ in pairs})
    names = [name for name in run.measured if name in DRAWN and any(gain(*pair, name) for pair in pairs)]
    if not names:
        return None
    columns = min(2, len(n_xs))
    rows = -(-len(n_xs) // columns)
    drawn = Figure(figsize=(WIDTH, 2.4 * rows + 0.6))
    axes = drawn.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    drawn.subplots_adjust(
        left=0.09,
        right=0.86,
        top=1 - 0.7 / (2.4 * rows + 0.6),
        bottom=0.5 / (2.4 * rows + 0.6),
        wspace=0.5,
        hspace=0.35,
    )
    style_of = styles(run)
    for ax, n_x in itertools.zip_longest(axes.flat, n_xs):
        if n_x is None:
            ax.set_axis_off()
            continue
        here = [pair for pair in pairs if pair[0].cell.n_x == n_x]
        curves = {name: _points(here, name) for name in names}
        curves = {name: points for name, points in curves.items() if points}
        for name, points in curves.items():
            _curve(ax, style_of[name], points)
        _draw_limit(ax, run, here)
        ax.set(xscale="log", yscale="log", ylim=(0.8, 3.2), title=f"n_x = {n_x:,}")
        ax.minorticks_off()
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))
        ax.tick_params(labelbottom=True)
        ax.set_xlabel("m, examples")
        ax.set_yticks([1.0, 1.5, 2.0, 3.0], ["1×", "1.5×", "2×", "3×"])
        if ax in axes[:, 0]:
            ax.set_ylabel("float32 over float64")
        last = {name: points[-1].value.estimate for name, points in curves.items()}
        name_ends(ax, [(name, value, text_color(style_of[name]), "normal") for name, value in last.items()], 8.0)
    titled(drawn, f"How many times faster float32 is ({setting.label})")
    return Plot(
        f"float32-{setting.id}",
        f"Time in float64 by time in float32 of the same step, against m, {setting.label}; dashed: of the limit.",
        drawn,
        finding(pairs),
        fold="" if setting.order == "F" and setting.threads == 1 else setting.label,
    )


def _curve(ax: Axes, style: Style, points: Sequence[Point]) -> None:
    """One kernel's gain against m, with its intervals."""
    ms = [point.m for point in points]
    ax.plot(ms, [point.value.estimate for point in points], color=style.color, marker=style.marker)
    bars = [point for point in points if words.bounded(point.value)]
    low, high = [point.value.low for point in bars], [point.value.high for point in bars]
    ax.vlines([point.m for point in bars], low, high, color=style.color, linewidth=2.2)


def _points(pairs: Pairs, name: str) -> list[Point]:
    points = ((double.cell.m, gain(double, single, name)) for double, single in pairs)
    return sorted((Point(m, value) for m, value in points if value is not None), key=lambda point: point.m)


def _draw_limit(ax: Axes, run: Run, pairs: Pairs) -> None:
    """The limit's own gain, dashed."""
    ratios = sorted((double.cell.m, run.bound(double.cell) / run.bound(single.cell)) for double, single in pairs)
    known = [(m, ratio) for m, ratio in ratios if np.isfinite(ratio)]
    if known:
        ax.plot(*zip(*known, strict=True), color="#555555", linestyle="--", linewidth=0.9, zorder=1)


def finding(pairs: Pairs) -> str:
    """From where to where the gain of the fastest kernel goes."""
    gained = []
    for double, single in pairs:
        both = [name for name in double.kernels if name in single.kernels]
        if both:
            fastest = min(both, key=lambda name: single.median(name).estimate)
            value = gain(double, single, fastest)
            gained += [(value, fastest, single.cell)] if value else []
    if not gained:
        return ""
    least, most = (choose(gained, key=lambda each: each[0].estimate) for choose in (min, max))
    first, second = (
        f"At {cell.shape}, {name} in float32 is {words.faster_with_interval(value)}"
        for value, name, cell in (most, least)
    )
    return f"{first}: the most that a fastest kernel gains. {second}: the least." if most != least else f"{first}."


def gains(run: Run, pairs: Pairs) -> Table:
    """The gain of every kernel in every cell."""
    names = [name for name in run.measured if any(gain(*pair, name) for pair in pairs)]
    columns = [Column("m"), Column("n_x"), Column("setting"), *(Column(name) for name in names)]
    rows = [
        [double.cell.m, double.cell.n_x, double.cell.setting.label, *(gain(double, single, name) for name in names)]
        for double, single in pairs
    ]
    return Table("How many times faster float32 is", columns, rows, keys=3)


# Digits


def errors(run: Run) -> Table:
    """The largest error of each output in each dtype, as a part of the terms that are summed."""
    rows = []
    for name in run.measured:
        for dtype in DTYPES:
            agreed = [r.agreement[name] for r in run.cells if r.cell.dtype == dtype and name in r.agreement]
            if agreed:
                u = PRECISIONS[dtype].u
                rows.append([name, dtype, *(u * max(getattr(each, output) for each in agreed) for output in OUTPUTS)])
    outputs = OUTPUTS if run.problem == "synthetic" else ("costs", "w", "b")
    columns = [Column("kernel"), Column("dtype"), *(Column(output, "{:.1e}".format) for output in outputs)]
    return Table("Largest relative error, by dtype", columns, rows, keys=2)


# Training: computed when the page is made, since no clock is needed


def training(problem: Problem) -> Plot:
    """How far training in float32 is from training in float64, at each iteration; and where both end."""
    ends = {dtype: _trained(problem.rounded(dtype, problem.order), VECTORIZED) for dtype in DTYPES}
    double, single = (ends[dtype] for dtype in DTYPES)
    apart = np.abs(single.costs - double.costs) / double.costs
    drawn = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    ax = drawn.subplots()
    at = np.arange(1, ITERATIONS + 1)
    ax.plot(at, np.maximum(apart, 1e-10), linewidth=1.0, color="#1f5f8b")
    ax.axhline(PRECISIONS["float32"].u, color="#555555", linestyle="--", linewidth=0.9)
    ax.annotate("2⁻²⁴", (1.0, PRECISIONS["float32"].u), xytext=(2, 3), textcoords="offset points", fontsize=8)
    ax.set(xscale="log", yscale="log", xlabel="iteration", ylabel="relative difference of J", xlim=(1, ITERATIONS))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.minorticks_off()
    titled(drawn, "Training in float32 beside training in float64")
    rows = [
        [dtype, float(end.costs[-1]), float(accuracy(end.w, end.b, problem)), _first_lost(problem, dtype)]
        for dtype, end in ends.items()
    ]
    columns = [
        Column("dtype"),
        Column(f"J at iteration {ITERATIONS:,}", "{:.9g}".format),
        Column("classified rightly", words.percent),
        Column("the textbook's J is lost at iteration", lambda value: f"{value:,}" if value else "none"),
    ]
    weights = float(np.abs(single.w - double.w).max() / np.abs(double.w).max())
    right = sum((np.dot(end.w, problem.X) + end.b > 0.0).astype(int) for end in ends.values())
    others = int(np.count_nonzero(right == 1))
    return Plot(
        "float32-training",
        f"Relative difference of the cost, float32 against float64, in {ITERATIONS:,} iterations of gradient descent.",
        drawn,
        f"After {ITERATIONS:,} iterations the costs differ by {apart[-1]:.1g} of their value and the weights by "
        f"{weights:.1g} of the largest; {words.plural(others, 'example')} of {problem.m} "
        f"{'is' if others == 1 else 'are'} classified differently. Rounding errors do not pile up: each step goes "
        "downhill from where the last one ended.",
        Table("Where training ends", columns, rows),
    )


def _trained(problem: Problem, name: str) -> Descent:
    with np.errstate(all="ignore"):
        return gradient_descent(KERNELS[name], problem.X, problem.Y, ALPHA, ITERATIONS)


def _first_lost(problem: Problem, dtype: Dtype) -> int | None:
    """The first iteration at which the textbook's cost is no number any more; None if it never is."""
    costs = _trained(problem.rounded(dtype, problem.order), TEXTBOOK).costs
    lost = np.flatnonzero(~np.isfinite(costs))
    return int(lost[0]) + 1 if lost.size else None
