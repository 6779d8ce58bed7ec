"""A comparison as a figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from bench.analysis.compare import Comparison
from bench.analysis.differences import WAYS, Change, Verdict
from bench.report.changes.sentences import share
from bench.report.changes.sentences import verdict as in_short
from bench.report.changes.table import changed_table
from bench.report.charts import Plot, titled
from bench.report.style import SETTINGS, WIDTH

COLORS = {"slower": "#d55e00", "faster": "#0072b2", "same": "#9a9a9a", "unknown": "#777777"}
LABELS = {"same": "no change", "unknown": "can't tell"}
DOTTED: dict[str, Any] = {"color": "#777777", "linewidth": 0.7, "linestyle": (0, (1, 2))}
DASHED: dict[str, Any] = {"color": "black", "linewidth": 0.9, "linestyle": (0, (4, 3))}


def draw(comparison: Comparison) -> Plot:
    """The ratio of every cell, a band for each kernel; a panel for each baseline where speed-ups are compared."""
    with mpl.rc_context(SETTINGS):
        baselines = list(dict.fromkeys(c.baseline for c in comparison.changes))
        kernels = list(dict.fromkeys(c.kernel for c in comparison.changes))[::-1]
        figure = Figure(figsize=(WIDTH, 0.48 * len(kernels) + 1.5), layout="constrained")
        axes = figure.subplots(1, len(baselines), squeeze=False, sharex=True, sharey=True)
        for ax, baseline in zip(axes.flat, baselines, strict=True):
            _panel(ax, comparison, kernels, baseline)
        _dress(axes.flat[0], kernels, comparison)
        figure.legend(handles=_handles(comparison), loc="outside lower center", ncols=6, frameon=False, fontsize=8)
        titled(figure, "What changed from the first run to the second")
    what = "speed-up" if comparison.hardware else "time of a call"
    caption = (
        f"Second run ÷ first, by {what}; above 1 is slower. A dot for each cell of each kernel, the quietest cell at "
        f"the bottom of its band; with its interval where it changed. Dotted: ± {share(comparison.tolerance)}; no "
        "change means that all of an interval lies between the two lines."
    )
    if _noisy(comparison):
        caption += " Shaded: the noise floor of each cell."
    if comparison.drift:
        caption += " Dashed: what all kernels have in common."
    return Plot("compare", caption, figure, in_short(comparison), changed_table(comparison))


def _panel(ax: Axes, comparison: Comparison, kernels: Sequence[str], baseline: str | None) -> None:
    for y, kernel in enumerate(kernels):
        _band(ax, y, [c for c in comparison.changes if (c.kernel, c.baseline) == (kernel, baseline)])
    if baseline in kernels:
        ax.text(1.0, kernels.index(baseline), " the baseline", color="#555555", fontsize=8, va="center")
    ax.set_title(f"speed-up over {baseline}" if baseline else "seconds of a call")
    ax.set_xlabel("second run ÷ first (above 1: slower)")
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    ax.axvline(1.0, color="#555555", linewidth=0.9, zorder=1)
    for side in (-1.0, 1.0):
        ax.axvline((1.0 + comparison.tolerance) ** side, zorder=1, **DOTTED)
    if baseline in comparison.drift:
        ax.axvline(comparison.drift[baseline].ratio.estimate, zorder=1, **DASHED)


def _band(ax: Axes, y: int, changes: Sequence[Change]) -> None:
    """The cells of a kernel one above the other, by their noise: so what is shaded, if anything, is a funnel."""
    ordered = sorted(changes, key=lambda c: (c.floor, np.log(c.single.high) - np.log(max(c.single.low, 1e-300))))
    heights = y + 0.76 * ((np.arange(len(ordered)) + 0.5) / max(len(ordered), 1) - 0.5)
    # An unbounded floor shades all there is to see.
    floors = np.array([min(c.floor, 99.0) for c in ordered])
    if floors.any():
        edges = np.repeat(np.append(heights - 0.38 / len(ordered), heights[-1] + 0.38 / len(ordered)), 2)[1:-1]
        zone = np.repeat(1.0 + floors, 2)
        ax.fill_betweenx(edges, 1.0 / zone, zone, color="#e8e8e8", linewidth=0, zorder=0)
    for change, height in zip(ordered, heights, strict=True):
        beyond = change.verdict in WAYS
        ax.plot([change.ratio.estimate], [height], zorder=3 if beyond else 2, **_dot(change.verdict))
        if beyond:
            color = COLORS[change.verdict]
            ax.hlines(height, change.ratio.low, change.ratio.high, color=color, linewidth=0.7, alpha=0.6)


def _dot(verdict: Verdict) -> dict[str, Any]:
    """How a cell is drawn: hollow where it can't be decided."""
    face = "white" if verdict == "unknown" else COLORS[verdict]
    size: dict[str, Any] = {"marker": "o", "markersize": 2.5, "markeredgewidth": 0.6}
    return {**size, "color": COLORS[verdict], "markerfacecolor": face}


def _handles(comparison: Comparison) -> list[Any]:
    """What the legend shows."""
    verdicts: tuple[Verdict, ...] = (*WAYS, "same", "unknown")
    line = mpl.lines.Line2D
    shown = [verdict for verdict in verdicts if comparison.of(verdict)]
    handles: list[Any] = [line([], [], linestyle="none", label=LABELS.get(v, v), **_dot(v)) for v in shown]
    handles.append(line([], [], label=f"± {share(comparison.tolerance)}", **DOTTED))
    if _noisy(comparison):
        handles.append(mpl.patches.Patch(color="#e8e8e8", label="noise of the cell"))
    return handles + ([line([], [], label="in common", **DASHED)] if comparison.drift else [])


def _noisy(comparison: Comparison) -> bool:
    """Whether noise is known apart from the intervals."""
    return any(change.floor for change in comparison.changes)


def _dress(ax: Axes, kernels: Sequence[str], comparison: Comparison) -> None:
    """The axes that all panels share: wide enough for the dots, the changes' intervals and most of the noise."""
    reach = [np.log1p(comparison.tolerance), *(abs(np.log(c.ratio.estimate)) for c in comparison.changes)]
    reach += [abs(np.log(bound)) for c in comparison.changed for bound in (c.ratio.low, c.ratio.high)]
    reach.append(float(np.quantile([np.log1p(min(c.floor, 0.5)) for c in comparison.changes], 0.9)))
    most = 1.06 * max(reach)
    ax.set(xscale="log", xlim=(np.exp(-most), np.exp(most)), ylim=(-0.6, len(kernels) - 0.4))
    if most < np.log(4.0):
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    ax.set_yticks(range(len(kernels)), kernels)


def save(plot: Plot, folder: Path) -> Path:
    """Write the figure as SVG and PNG into a folder, which is made if it is missing; returns the SVG's path."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(SETTINGS):
        plot.figure.savefig(folder / f"{plot.name}.svg", metadata={"Date": None})
        plot.figure.savefig(folder / f"{plot.name}.png")
    return folder / f"{plot.name}.svg"
