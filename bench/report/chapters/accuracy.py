"""Speed against accuracy: errors beside times, and where the textbook's cost breaks down."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter

from bench import words
from bench.analysis.ratios import story_cells
from bench.report.charts import Plot, titled
from bench.report.runtables import agreement_table, three_digits
from bench.report.section import Section
from bench.report.style import NARROW, WIDTH, styles
from bench.report.tables import Column, Table
from bench.results import CellResult, Run
from bench.results.records import OUTPUTS
from kernels import KERNELS, Kernel, reference

LEAD = [
    "Every kernel agrees with one reference within the bound that the theory of rounding gives, or it is not timed. A "
    "unit of rounding is 2⁻⁵³, in float32 2⁻²⁴, times the mean magnitude of the terms that are summed.",
]
BREAKS = [
    "The textbook computes the cost from the activation: −(y log a + (1 − y) log(1 − a)). Once a rounds to exactly 0 "
    "or 1, the logarithm is infinite. Computed from z, the same cost is max(z, 0) − y z + log1p(e^−|z|), which is "
    "right for every finite z."
]
LABELS = {0.0: "label 0: wrong, and sure of it", 1.0: "label 1: right, and sure of it"}
Z = (5.0, 10.0, 20.0, 30.0, 36.0, 37.0, 40.0, 100.0, 700.0)
DRAWN_Z = np.linspace(0.5, 50.0, 100)
DOT = "#0072b2"
SMALLEST = 1e-18  # where an error of nothing is drawn


def _first_step(wanted: Callable[[Kernel, Kernel], bool]) -> tuple[str, str]:
    """The first rung for which `wanted(before, rung)` holds, after the rung before it; two empty names if none does."""
    for name, kernel in KERNELS.items():
        before = KERNELS.get(kernel.grew_from or "")
        if before is not None and wanted(before, kernel):
            return before.name, name
    return "", ""


STRICT, RELAXED = _first_step(
    lambda before, rung: (before.arithmetic, rung.arithmetic) == ("strict", "relaxed") and before.work == rung.work
)
TEXTBOOK, STABLE = _first_step(lambda before, rung: (before.cost_from, rung.cost_from) == ("a", "z"))


class Costs(NamedTuple):
    """The cost of one example: true, by the textbook's formula, and computed from z."""

    true: float
    textbook: float
    stable: float


class CostError(NamedTuple):
    """The relative error of a cost, and the cost."""

    error: float
    cost: float

    def __str__(self) -> str:
        return f"{self.error:.2g}" if math.isfinite(self.cost) else f"all of it: the cost is {self.cost}"


def section(run: Run) -> Section | None:
    """The section of the page; None where the textbook's cost was not measured."""
    plot = breakdown(run)
    return Section("accuracy", "Where the textbook's cost breaks", BREAKS, [plot]) if plot else None


def detail(run: Run) -> Section | None:
    """Errors beside times, for the appendix."""
    cells = story_cells(run) if run.cells and run.problem == "synthetic" else []
    plot = figure(cells[len(cells) // 2]) if cells else None
    tables = [table for table in (agreement_table(run),) if table.rows]
    return Section("errors", "Speed against accuracy", LEAD, [plot] if plot else [], tables).or_none()


# Errors beside times


def figure(result: CellResult) -> Plot | None:
    """Time and errors of every kernel in a cell, the slowest on top; None where no errors were recorded."""
    names = [name for name in result.kernels if name in result.agreement]
    names.sort(key=lambda name: result.median(name).estimate)
    if not names:
        return None
    height = 0.25 * len(names) + 1.3
    drawn = Figure(figsize=(WIDTH, height))
    axes = drawn.subplots(1, 1 + len(OUTPUTS), sharey=True, squeeze=False)[0]
    drawn.subplots_adjust(left=1.65 / WIDTH, right=1 - 0.25 / WIDTH, bottom=0.55 / height, top=1 - 0.72 / height)
    for y, name in enumerate(names):
        for ax, value in zip(axes, [result.median(name).estimate, *_errors(result, name)], strict=True):
            ax.plot([value], [y], color=DOT, marker="o", ms=6, linestyle="none", zorder=3)
    axes[0].set(xscale="log", title="time of a call", xlabel="seconds")
    axes[0].xaxis.set_major_formatter(EngFormatter(unit="s"))
    for ax, output in zip(axes[1:], OUTPUTS, strict=True):
        _error_axis(ax, max(getattr(result.agreement[name], output) for name in names))
        ax.set(title=f"error of {output}", xlabel="units of rounding")
    for ax in axes:
        ax.minorticks_off()
        ax.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(names)), names, fontsize=8)
    titled(drawn, f"Speed against accuracy ({result.cell.label})")
    caption = (
        f"Time of a step and errors of J, dw and db against the reference, in units of rounding, {result.cell.label}."
    )
    return Plot("accuracy", caption, drawn, finding(result), _table(result, names))


def _errors(result: CellResult, name: str) -> list[float]:
    return [getattr(result.agreement[name], output) for output in OUTPUTS]


def _error_axis(ax: Axes, most: float) -> None:
    """Linear up to one unit, so that an error of 0 has its place; the ticks that fit."""
    ax.set_xscale("symlog", linthresh=1.0, linscale=0.7)
    end = max(2.0, most) * 1.6
    ax.set_xlim(-0.15, end)
    ticks = [0.0, *(10.0**k for k in range(0, 9, 1 if most < 1e3 else 2))]
    ax.set_xticks([tick for tick in ticks if tick <= end])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def finding(result: CellResult) -> str:
    """What relaxed arithmetic gains and loses: strict and relaxed loop side by side, or the fastest kernel's error."""
    ratio = result.speedup(STRICT, RELAXED)
    if ratio is not None and {STRICT, RELAXED} <= set(result.agreement):
        strict, relaxed = (result.agreement[name].dw for name in (STRICT, RELAXED))
        return (
            f"At {result.cell.shape}, {RELAXED} is {words.faster_than(ratio, STRICT)}. With its relaxed arithmetic dw "
            f"is off by {words.digits(relaxed, 2)} units of rounding, with strict arithmetic by "
            f"{words.digits(strict, 2)}."
        )
    fastest = min(result.agreement.keys() & set(result.kernels), key=lambda name: result.median(name).estimate)
    error = words.digits(result.agreement[fastest].dw, 2)
    return f"The dw of the fastest kernel here, {fastest}, is off by {error} units of rounding."


def _table(result: CellResult, names: Sequence[str]) -> Table:
    """Time and errors of every kernel in the cell."""
    columns = [Column("kernel"), Column("time", words.seconds), *(Column(output, three_digits) for output in OUTPUTS)]
    rows = [[name, result.median(name).estimate, *_errors(result, name)] for name in reversed(names)]
    return Table(f"Time, and errors in units of rounding, {result.cell.label}", columns, rows)


# Where the textbook's cost breaks down: computed when the report is made, since no clock is needed


def costs(z: float, label: float) -> Costs:
    """The cost of one example with this z and label."""
    inputs = (np.array([1.0]), 0.0, np.array([[z]]), np.array([label]))
    with np.errstate(all="ignore"):
        textbook, stable = (KERNELS[name](*inputs)[0] for name in (TEXTBOOK, STABLE))
    return Costs(reference.cost_and_gradient(*inputs)[0], textbook, stable)


def breakdown(run: Run) -> Plot | None:
    """The relative error of both costs against z, a panel for each label; None where the textbook was not measured."""
    if TEXTBOOK not in run.measured:
        return None
    (wide, ends), (narrow, _) = (_breakdown(run, width) for width in (WIDTH, NARROW))
    return Plot(
        "breakdown",
        f"Relative error of the cost of one example against z, by {TEXTBOOK} and {STABLE}, for both labels. Computed "
        "for this page, not measured in the run.",
        wide,
        f"The textbook's cost loses digits as z grows, and is {' for label 0 and '.join(ends)} for label 1. Computed "
        "from z, the cost keeps all its digits."
        if len(ends) == len(LABELS)
        else "",
        _breakdown_table(),
        narrow=narrow,
    )


def _breakdown(run: Run, width: float) -> tuple[Figure, list[str]]:
    """The figure, its panels below each other where it is narrow; and where the textbook's cost ends."""
    shape, size = ((1, 2), (width, 3.4)) if width > NARROW else ((2, 1), (width, 5.2))
    drawn = Figure(figsize=size, layout="constrained")
    axes = drawn.subplots(*shape, sharey=True, squeeze=False).flat
    ends = []
    for k, (ax, (label, title)) in enumerate(zip(axes, LABELS.items(), strict=True)):
        end = _draw_breakdown(ax, run, [costs(z, label) for z in DRAWN_Z])
        ends += [end] if end else []
        ax.set(yscale="log", ylim=(SMALLEST / 3, 10.0), title=title, xlabel="z", xlim=(0.0, DRAWN_Z[-1]))
        ax.set_yticks([SMALLEST, 1e-15, 1e-10, 1e-5, 1.0], ["none", "1e-15", "1e-10", "1e-5", "all of it"])
        if k == 0 or width <= NARROW:
            ax.set_ylabel("relative error of the cost")
        if k == 0:
            ax.legend(loc="upper left", frameon=False, fontsize=8)
    titled(
        drawn, "The cost of one example, as the activation saturates" if width > NARROW else "The cost as a saturates"
    )
    return drawn, ends


def _draw_breakdown(ax: Axes, run: Run, curve: Sequence[Costs]) -> str:
    """Draw both errors; returns what the textbook's cost becomes and where, "" if it stays finite."""
    end = next((k for k, cost in enumerate(curve) if not math.isfinite(cost.textbook)), len(curve))
    style_of = styles(run)
    for name, errors in (
        (TEXTBOOK, [_relative(cost.textbook, cost.true) for cost in curve[:end]]),
        (STABLE, [_relative(cost.stable, cost.true) for cost in curve]),
    ):
        style = style_of[name]
        at = DRAWN_Z[: len(errors)]
        drawn = np.maximum(errors, SMALLEST)
        ax.plot(at, drawn, color=style.color, marker=style.marker, markevery=8, markersize=5, label=name)
    if end == len(curve):
        return ""
    ax.axvspan(DRAWN_Z[end], DRAWN_Z[-1], color="#f3dcc8", linewidth=0)
    where = ((DRAWN_Z[end] + DRAWN_Z[-1]) / 2, 1e-8)
    ax.annotate(f"textbook:\n{_broken(curve[end].textbook)}", where, ha="center", fontsize=8)
    return f"{_broken(curve[end].textbook)} from z = {DRAWN_Z[end]:g} on"


def _broken(cost: float) -> str:
    return "NaN" if math.isnan(cost) else "infinite"


def _relative(cost: float, true: float) -> float:
    return abs(cost - true) / true


def _breakdown_table() -> Table:
    """The cost of one example at some z, by formula."""
    rows = []
    for label, title in LABELS.items():
        for z in Z:
            cost = costs(z, label)
            errors = [CostError(_relative(value, cost.true), value) for value in (cost.textbook, cost.stable)]
            rows.append([title, z, cost.true, *errors])
    columns = [Column("label"), Column("z", "{:g}".format), Column("cost", "{:.6g}".format)]
    columns += [Column(f"relative error of {TEXTBOOK}"), Column(f"of {STABLE}")]
    return Table("The cost of one example, by formula", columns, rows, keys=2)
