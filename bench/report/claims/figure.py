"""The one figure of a run of claims: the claimed and the measured ratio of each, on one logarithmic axis."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench import words
from bench.claims import verdicts
from bench.claims.results import ClaimResult, Claims, Verdict
from bench.report.charts import Plot, ratio_tick
from bench.report.claims.sentences import farthest
from bench.report.claims.tables import published, table
from bench.report.style import WIDTH

# Colours of Okabe and Ito, darkened until they can be read as text on white.
COLORS: dict[Verdict, str] = {
    "reproduced": "#007a5a",
    "smaller": "#b94a00",
    "larger": "#0072b2",
    "undecided": "#666666",
    "contradicts itself": "#a0457a",
    "impossible as printed": "#000000",
    "nothing printed": "#666666",
    "not measured": "#666666",
}
CLAIMED = "#666666"
ROW = 0.27  # inches
LABELS, VERDICTS, TOP, BOTTOM = 1.75, 2.75, 0.82, 0.5  # inches around the axis


def plot(claims: Claims) -> Plot | None:
    """The figure; None where there is nothing to draw."""
    shown = [result for result in published(claims) if result.ratios and _values(result)]
    if not shown:
        return None
    shown.sort(key=lambda result: _values(result)[0], reverse=True)
    shown.sort(key=lambda result: result.ratios[0].claimed is None)
    return Plot(
        name="claims",
        caption="Claimed and measured speed-up of each claim, on a logarithmic axis: an open diamond as the printed "
        "times give it, a cross as the text states it where that differs, a dot with its 95% interval as measured.",
        figure=_draw(shown),
        finding=farthest(shown),
        table=table(claims),
    )


def _values(result: ClaimResult) -> list[float]:
    """What a line of the figure shows; the first decides its place."""
    head = result.ratios[0]
    values = [head.claimed[1]] if head.claimed is not None else []
    return values + ([head.measured.estimate] if head.measured is not None else [])


def _draw(shown: Sequence[ClaimResult]) -> Figure:
    height = TOP + BOTTOM + ROW * len(shown)
    figure = Figure(figsize=(WIDTH, height))
    left, right = LABELS / WIDTH, 1.0 - VERDICTS / WIDTH
    ax = figure.add_axes((left, BOTTOM / height, right - left, 1.0 - (TOP + BOTTOM) / height))
    for row, result in enumerate(shown):
        _line(ax, row, result)
    ax.set(xscale="log", ylim=(len(shown) - 0.4, -0.6), xlabel="speed-up, the slower way over the faster one")
    values = [value for result in shown for value in _values(result)]
    ax.set_xlim(min(0.5, *values) / 1.6, max(values) * 1.8)
    ax.set_yticks(range(len(shown)), [result.card.id for result in shown])
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(LogLocator(base=10.0, numticks=12))
    ax.xaxis.set_major_formatter(FuncFormatter(ratio_tick))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.axvline(1.0, color="#555555", linewidth=0.9, zorder=1)
    ax.grid(visible=False, axis="y")
    figure.suptitle("Claimed, and measured here", x=0.01, y=1.0 - 0.08 / height, va="top", ha="left", fontweight="bold")
    figure.legend(handles=_legend(), loc="upper left", bbox_to_anchor=(0.0, 1.0 - 0.3 / height), ncols=4, frameon=False)
    return figure


def _line(ax: Any, row: int, result: ClaimResult) -> None:
    head, color = result.ratios[0], COLORS[result.verdict]
    measured = head.measured.interval if head.measured is not None else None
    if head.claimed is not None:
        low, high = head.claimed
        middle = (low * high) ** 0.5
        if high > low:
            ax.hlines(row, low, high, color=CLAIMED, linewidth=1.0)
        if measured is not None:
            arrow = {"arrowstyle": "-|>", "color": color, "lw": 0.8, "alpha": 0.7, "shrinkA": 4, "shrinkB": 4}
            ax.annotate("", xy=(measured.estimate, row), xytext=(middle, row), arrowprops=arrow, zorder=2)
        ax.plot(middle, row, "D", markerfacecolor="white", markeredgecolor=CLAIMED, markersize=5, zorder=3)
        if verdicts.contradiction(head) is not None:
            ax.plot(head.stated[0], row, "x", color=CLAIMED, markersize=5, zorder=3)
    if measured is not None:
        if words.bounded(measured):
            ax.hlines(row, measured.low, measured.high, color=color, linewidth=3.2, alpha=0.55, zorder=3)
        ax.plot(measured.estimate, row, "o", color=color, markersize=5, zorder=4)
    claimed = "–" if head.claimed is None else words.times((head.claimed[0] * head.claimed[1]) ** 0.5)
    here = "–" if measured is None else words.times(measured.estimate)
    text = f"{claimed} → {here}"
    place = {"transform": ax.get_yaxis_transform(), "va": "center", "clip_on": False, "fontsize": 8}
    ax.text(1.02, row, text, color="#222222", **place)
    ax.text(1.3, row, result.verdict, color=color, fontweight="bold", **place)


def _legend() -> list[Line2D]:
    return [
        Line2D(
            [], [], marker="D", linestyle="", markerfacecolor="white", markeredgecolor=CLAIMED, label="printed times"
        ),
        Line2D([], [], marker="x", linestyle="", color=CLAIMED, label="as the text says, where that differs"),
        Line2D([], [], marker="o", color="#222222", linewidth=3.2, alpha=0.8, label="measured here, 95% interval"),
    ]
