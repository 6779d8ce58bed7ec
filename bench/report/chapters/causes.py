"""What each cause is worth on its own: a figure of controlled pairs, and predictions beside measurements."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kernels
from bench import words
from bench.analysis import pairs
from bench.analysis.pairs import Factor, Measured, Outcome, Shape
from bench.analysis.predictions import Prediction, Verdict
from bench.grid import Cell
from bench.report.charts import Plot, ratio_tick, titled
from bench.report.section import Section
from bench.report.style import NARROW, WIDTH
from bench.report.tables import Column, Table
from bench.results import CellResult, Run
from kernels._kernel import Pair

TITLE = "What each cause is worth on its own"
LEAD = ["Each pair differs in one thing only, so the difference between the two has one cause."]
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
PREDICTED = "#a8a8a8"
COUNTED = {
    "instructions_per_element": "bytecodes per element",
    "instructions_per_example": "bytecodes per example",
    "bytes_per_example": "bytes allocated per example",
    "moved_per_example": "bytes moved besides X, per example",
}
PACKED = "packed arithmetic instructions (lanes), scalar ones"


class Packed(NamedTuple):
    """Arithmetic instructions of the innermost loops: packed, the lanes of those, and scalar."""

    packed: float
    lanes: float
    scalar: float

    def __str__(self) -> str:
        return f"{self.packed:g} ({self.lanes:g}), {self.scalar:g}"


def detail(run: Run) -> Section | None:
    """The section of the appendix."""
    plot = figure(run)
    tables = [table for table in (pair_table(run), rung_table(run), counted_table(run)) if table]
    return Section("causes", TITLE, LEAD, [plot] if plot else [], tables).or_none()


# The figure


def figure(run: Run) -> Plot | None:
    """A row for each cause, a dot with its interval for each cell."""
    factors = pairs.factors(run)
    if not factors:
        return None
    rows = [list(group) for _, group in groupby(factors, key=lambda factor: factor.pair)]
    labels = list(dict.fromkeys(_label(factor.result) for factor in factors))
    wide, narrow = (_draw(rows, labels, width) for width in (WIDTH, NARROW))
    largest = max(factors, key=lambda factor: factor.ratio.low)
    return Plot(
        "causes",
        "The speed-up by one change alone, for each cause, in each of the chosen cells. Grey: what was predicted from "
        "counted work.",
        wide,
        f"The largest is “{largest.pair.cause}”: {words.faster_with_interval(largest.ratio)} at "
        f"{_label(largest.result)}.",
        _factor_table(rows, labels),
        narrow=narrow,
    )


def _draw(rows: Sequence[Sequence[Factor]], labels: Sequence[str], width: float) -> Figure:
    """The figure at a width; on a telephone each cause stands above its dots."""
    small = width <= NARROW
    height = 0.6 * len(rows) + 2.4 if small else 0.46 * len(rows) + 1.5
    drawn = Figure(figsize=(width, height), layout="constrained")
    ax = drawn.subplots()
    for y, row in enumerate(rows):
        _draw_row(ax, y, row, labels)
    # For the legend.
    for label, color in zip(labels, _colors(labels), strict=True):
        ax.plot([], [], "o", color=color, label=label)
    ax.plot([], [], color=PREDICTED, linewidth=2.6, solid_capstyle="butt", label="predicted: a range")
    ax.plot([], [], "|", color=PREDICTED, markersize=5.5, markeredgewidth=2.0, label="predicted: a number, or the most")
    ax.axvline(1.0, color="#555555", linewidth=0.9, zorder=1)
    causes = [row[0].pair.cause for row in rows]
    ax.set_yticks(range(len(rows)), ["" for _ in causes] if small else causes)
    if small:
        for y, cause in enumerate(causes):
            ax.annotate(cause, (0.0, y - 0.3), xycoords=("axes fraction", "data"), fontsize=8, va="bottom")
    ax.set(xscale="log", ylim=(len(rows) - 0.4, -0.6), xlabel="speed-up by this change alone (↓: slower)")
    ax.xaxis.set_major_formatter(ratio_tick)
    ax.minorticks_off()
    ax.grid(visible=False, axis="y")
    drawn.legend(loc="outside lower left", ncols=1 if small else 3, frameon=False, fontsize=8)
    titled(drawn, TITLE)
    return drawn


def _label(result: CellResult) -> str:
    cell = result.cell
    return cell.shape + (f", {cell.threads} threads" if cell.threads > 1 else "")


def _colors(labels: Sequence[str]) -> list[str]:
    return [COLORS[k % len(COLORS)] for k in range(len(labels))]


def _draw_row(ax: Axes, row: int, factors: Sequence[Factor], labels: Sequence[str]) -> None:
    color_of = dict(zip(labels, _colors(labels), strict=True))
    for k, factor in enumerate(factors):
        y = row + 0.14 * (k - (len(factors) - 1) / 2)
        ratio, color = factor.ratio, color_of[_label(factor.result)]
        if isinstance(factor.predicted, Prediction):
            _draw_prediction(ax, y, factor.predicted)
        ax.plot([ratio.estimate], [y], "o", color=color)
        if words.bounded(ratio):
            ax.hlines(y, ratio.low, ratio.high, color=color, linewidth=2.0)


def _draw_prediction(ax: Axes, y: float, predicted: Prediction) -> None:
    """What was predicted, behind what was measured: a bar for a range, a tick for a number or for the most."""
    if predicted.low not in (0.0, predicted.high):
        ax.hlines(y, predicted.low, predicted.high, color=PREDICTED, linewidth=2.6, zorder=1.8)
    else:
        ax.plot([predicted.high], [y], "|", color=PREDICTED, markersize=5.5, markeredgewidth=2.0, zorder=1.8)


def _factor_table(rows: Sequence[Sequence[Factor]], labels: Sequence[str]) -> Table:
    values = []
    for row in rows:
        ratios = {_label(factor.result): factor.ratio for factor in row}
        pair = row[0].pair
        values.append([pair.cause, pair.before, pair.after, *(ratios.get(label) for label in labels)])
    return Table(TITLE, list(map(Column, ("cause", "before", "after", *labels))), values, keys=3)


# Prediction beside measurement


def pair_table(run: Run) -> Table | None:
    """A row for each pair: what its prediction follows from, and at each shape prediction and measurement."""
    rows = []
    for pair in pairs.isolated():
        outcomes = pairs.outcomes(run, pair)
        if any(outcomes.values()):
            rows.append([pair.cause, _reasons(outcomes), *outcomes.values(), _lessons(outcomes)])
    columns = [Column("cause"), Column("predicted from"), *_shape_columns(run), Column("where they differ")]
    title = "Each cause, predicted from counted work and measured"
    return Table(title, columns, rows, prose=True, stacked=True) if rows else None


def rung_table(run: Run) -> Table | None:
    """A row for each rung: what its author expects, what was counted, and prediction and measurement at each shape."""
    rows = []
    for pair in pairs.rung_steps():
        outcomes = pairs.outcomes(run, pair)
        if any(outcomes.values()):
            expects = f"Over {pair.before}: {kernels.KERNELS[pair.after].expects}"
            # Where nothing is predicted, the reason stands in the place of what differences show.
            last = _lessons(outcomes) if _predicted(outcomes) else _reasons(outcomes)
            rows.append([pair.after, expects, counted_words(run, pair), *outcomes.values(), last])
    columns = [Column("kernel"), Column("what its author expects"), Column("counted, before → after")]
    columns += [*_shape_columns(run), Column("where they differ")]
    title = "What was predicted of each rung, and measured"
    return Table(title, columns, rows, prose=True, stacked=True) if rows else None


def _shape_columns(run: Run) -> list[Column]:
    return [Column(Cell(m, n_x).shape, outcome_words) for m, n_x in pairs.shapes(run)]


def outcome_words(outcome: Outcome) -> str:
    """Prediction, measurement and verdict: "predicted 4, measured 3.9 [3.8, 4.1]; as predicted"."""
    measured = _measured_words(outcome.measured)
    if outcome.verdict is None:
        return f"measured {measured}"
    verdict = outcome.verdict
    return f"predicted {verdict.predicted.text}, measured {measured}; {verdict_words(verdict)}"


def verdict_words(verdict: Verdict) -> str:
    """A verdict in a few words: "as predicted", "3.7× more than predicted"."""
    way, side = ("more", verdict.off) if verdict.off > 1.0 else ("less", 1.0 / verdict.off)
    match verdict.kind:
        case "unknown":
            return "too few rounds to tell"
        case "near":
            return f"near: {words.percent(abs(verdict.off - 1.0))} {way}"
        case "differs":
            return f"{words.times(side)} {way} than predicted"
        case "within":
            return "within that range"
        case _:
            return "as predicted"


def _measured_words(measured: Measured) -> str:
    threads = measured.result.cell.threads
    text = words.bounds(measured.ratio)
    if threads > 1:
        text += f" with {threads} threads" + ("" if measured.paired else ", not paired")
    return text


def _predicted(outcomes: Mapping[Shape, Outcome | None]) -> bool:
    return any(outcome and outcome.verdict for outcome in outcomes.values())


def _reasons(outcomes: Mapping[Shape, Outcome | None]) -> str:
    """What the predictions follow from, or why there are none; the same reason once."""
    reasons = [
        outcome.why if outcome.verdict else f"not predicted: {outcome.why}" for outcome in outcomes.values() if outcome
    ]
    return "; ".join(dict.fromkeys(reasons))


def _lessons(outcomes: Mapping[Shape, Outcome | None]) -> str | None:
    """What the differences show; the same lesson once."""
    verdicts = [outcome.verdict for outcome in outcomes.values() if outcome and outcome.verdict]
    return " ".join(dict.fromkeys(verdict.lesson for verdict in verdicts if verdict.lesson)) or None


# What was counted


def counted_words(run: Run, pair: Pair) -> str:
    """What was counted of the two, and the bytes of X that each reads from memory."""
    before, after = (run.counts.get(name, {}) for name in (pair.before, pair.after))
    counted = {key: what for key, what in COUNTED.items() if key in before or key in after}
    parts = [f"{what}: {_of(before, key)} → {_of(after, key)}" for key, what in counted.items()]
    if "packed" in before or "packed" in after:
        parts.append(f"{PACKED}: {packed(before) or words.NONE} → {packed(after) or words.NONE}")
    read = [8 * (kernel.passes if (kernel := kernels.find(name)) else 1) for name in (pair.before, pair.after)]
    parts.append(f"bytes of X from memory, per element: {read[0]} → {read[1]}")
    return "; ".join(parts)


def _of(counts: Mapping[str, float], key: str) -> str:
    return words.digits(counts[key]) if key in counts else words.NONE


def packed(counts: Mapping[str, float]) -> Packed | None:
    """The arithmetic instructions that were counted; None where they were not."""
    return Packed(counts["packed"], counts["lanes"], counts["scalar"]) if "packed" in counts else None


def counted_table(run: Run) -> Table | None:
    """What was counted of each rung and controlled variant."""
    if not run.counts:
        return None
    columns = [Column("kernel"), *(Column(what, "{:g}".format) for what in COUNTED.values()), Column(PACKED)]
    rows: list[list[Any]] = [
        [name, *(counts.get(key) for key in COUNTED), packed(counts)] for name, counts in run.counts.items()
    ]
    return Table("Counted: bytecodes, bytes, and arithmetic instructions in the innermost loops", columns, rows)
