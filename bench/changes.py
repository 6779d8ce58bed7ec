"""A comparison in words, as a table for the terminal, and as a figure."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from bench.compare import CONFIDENCE, Change, Comparison
from bench.drawing import SETTINGS, WIDTH, Plot
from bench.summary import seconds_text
from bench.tables import Table, digits

ROWS = 25  # of the table in a terminal; the rest are counted
COLOURS = {"slower": "#d55e00", "faster": "#0072b2", "same": "#9a9a9a", "unknown": "#c8c8c8"}


def times_words(ratio: float) -> str:
    """1.2 -> "1.20 times as slow"; 0.5 -> "2.00 times as fast"."""
    value, way = (ratio, "slow") if ratio >= 1.0 else (1.0 / ratio, "fast")
    return f"{_ratio(value)} times as {way}"


def _ratio(value: float) -> str:
    return digits(value) if value >= 10.0 else f"{value:.2f}" if abs(np.log(value)) > 0.02 else f"{value:.3f}"


def _bounds(ratio: Any) -> str:
    return f"{_ratio(ratio.estimate)} [{_ratio(ratio.low)}, {_ratio(ratio.high)}]"


def verdict(found: Comparison) -> str:
    """The answer in plain sentences."""
    slower, faster, same, unknown = (len(found.of(v)) for v in ("slower", "faster", "same", "unknown"))
    counts = [f"{slower} {'is' if slower == 1 else 'are'} slower beyond noise", f"{faster} faster"]
    if unknown:
        counts.append(f"{unknown} can't be told, with too few rounds")
    words = f"Of {_comparisons(len(found.changes))}, {', '.join(counts)}; {same} {_show(same)} no change."
    return f"{words} {_most_changed(found)}".strip()


def _comparisons(count: int) -> str:
    return "1 comparison" if count == 1 else f"{count:,} comparisons"


def _show(count: int) -> str:
    return "shows" if count == 1 else "show"


def _most_changed(found: Comparison) -> str:
    if not found.changed:
        return ""
    kernel, count = Counter(c.kernel for c in found.changed).most_common(1)[0]
    most = next(c for c in found.changed if c.kernel == kernel)
    total = sum(c.kernel == kernel for c in found.changes)
    return (
        f"Most changed: {kernel}, in {count} of {total}, at most {times_words(most.ratio.estimate)} "
        f"at {most.cell.label}{_over(most)}."
    )


def _over(change: Change) -> str:
    return f", against {change.baseline}" if change.baseline else ""


def basis(found: Comparison) -> str:
    """What was compared, and how sure the intervals are."""
    what = "The machines differ, so speed-ups are compared and not seconds" if found.hardware else "Compared: seconds"
    return (
        f"{what}. All {_comparisons(len(found.changes))} hold at once with {100 * CONFIDENCE:.0f}% confidence "
        f"(Bonferroni). The median of all ratios is {times_words(found.typical)}"
        + ("." if found.hardware else ": a machine that was slower or faster as a whole shows there.")
    )


def changed_table(found: Comparison) -> Table:
    """What changed beyond noise, the largest first."""
    return Table(
        "Changed beyond noise; ratio above 1: the second run is slower",
        ["kernel", "m", "n_x", "X, threads", "first", "second", "ratio", "noise"],
        [_row(change) for change in found.changed],
        keys=4,
    )


def _row(change: Change) -> list[str]:
    cell = change.cell
    if change.baseline:
        values = [f"{digits(value)}×" for value in (change.a, change.b)]
    else:
        values = [seconds_text(value) for value in (change.a, change.b)]
    name = f"{change.kernel} / {change.baseline}" if change.baseline else change.kernel
    key = [name, f"{cell.m:,}", f"{cell.n_x:,}", f"{cell.order}, {cell.threads}"]
    return [*key, *values, _bounds(change.ratio), f"{100 * change.floor:.1f}%"]


def render(found: Comparison) -> RenderableType:
    """What differs between the runs, the table of changes, what was left out, and the verdict."""
    return Group(*_parts(found))


def _parts(found: Comparison) -> Iterator[RenderableType]:
    for what, differing in (("machine", found.hardware), ("version", found.versions)):
        for key, before, after in differing:
            yield Text(f"{what} differs: {key}: {before} -> {after}", style="yellow" if what == "machine" else "")
    if found.changed:
        yield _rich(changed_table(found), found.changed)
    if len(found.changed) > ROWS:
        rest = Counter((c.kernel, c.verdict) for c in found.changed[ROWS:])
        named = ", ".join(f"{kernel} {count} {way}" for (kernel, way), count in rest.most_common())
        yield Text(f"and {len(found.changed) - ROWS} smaller changes: {named}.")
    for line in found.alone:
        yield Text(line, style="dim")
    for line in found.lost:
        yield Text(f"FAILED in the second run: {line}", style="bold red")
    yield Text("")
    yield Text(verdict(found), style="bold")
    yield Text(basis(found))


def _rich(table: Table, changes: list[Change]) -> RichTable:
    rich = RichTable(title=table.title, title_justify="left", title_style="bold", padding=(0, 1, 0, 0), box=None)
    for column in table.columns:
        rich.add_column(column, justify="left" if column == "kernel" else "right", overflow="fold")
    for row, change in list(zip(table.rows, changes, strict=True))[:ROWS]:
        rich.add_row(*row, style="red" if change.verdict == "slower" else "green")
    return rich


def draw(found: Comparison) -> Plot:
    """The ratio of every cell, a band for each kernel; a panel for each baseline where speed-ups are compared."""
    with mpl.rc_context(SETTINGS):
        baselines = list(dict.fromkeys(c.baseline for c in found.changes))
        kernels = list(dict.fromkeys(c.kernel for c in found.changes))[::-1]
        figure = Figure(figsize=(WIDTH, 0.48 * len(kernels) + 1.5), layout="constrained")
        axes = figure.subplots(1, len(baselines), squeeze=False, sharex=True, sharey=True)
        for ax, baseline in zip(axes.flat, baselines, strict=True):
            for y, kernel in enumerate(kernels):
                _band(ax, y, [c for c in found.changes if (c.kernel, c.baseline) == (kernel, baseline)])
            ax.set_title(f"speed-up over {baseline}" if baseline else "seconds of a call")
            ax.axvline(1.0, color="#555555", linewidth=0.9, zorder=1)
        _dress(axes.flat[0], kernels, found)
        figure.supxlabel("second run / first: how many times as slow", fontsize=9)
        shown = [v for v in ("slower", "faster", "same", "unknown") if found.of(v)]
        words = {"same": "no change", "unknown": "too few rounds"}
        handles: list[Any] = [
            mpl.lines.Line2D([], [], color=COLOURS[v], marker="o", linestyle="none", label=words.get(v, v))
            for v in shown
        ]
        handles.append(mpl.patches.Patch(color="#e8e8e8", label="noise of the cell"))
        figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False, fontsize=8)
        figure.suptitle("What changed from the first run to the second", x=0.01, ha="left", fontweight="bold")
    what = "speed-up" if found.hardware else "time of a call"
    caption = (
        f"How many times as slow the second run is, by {what}: a dot for each cell of each kernel, the quietest cell "
        "at the bottom of its band, in front of the noise floor of that cell; with its interval where it changed."
    )
    return Plot("compare", caption, figure, verdict(found), changed_table(found))


def _band(ax: Axes, y: int, changes: list[Change]) -> None:
    """The cells of a kernel one above the other, by their noise: so the shaded zone is a funnel."""
    ordered = sorted(changes, key=lambda c: c.floor)
    heights = y + 0.76 * ((np.arange(len(ordered)) + 0.5) / max(len(ordered), 1) - 0.5)
    # An unbounded floor shades all there is to see.
    floors = np.array([min(c.floor, 99.0) for c in ordered])
    if ordered:
        edges = np.repeat(np.append(heights - 0.38 / len(ordered), heights[-1] + 0.38 / len(ordered)), 2)[1:-1]
        zone = np.repeat(1.0 + floors, 2)
        ax.fill_betweenx(edges, 1.0 / zone, zone, color="#e8e8e8", linewidth=0, zorder=0)
    for change, height in zip(ordered, heights, strict=True):
        colour, beyond = COLOURS[change.verdict], change.verdict in ("slower", "faster")
        ax.plot([change.ratio.estimate], [height], ".", color=colour, markersize=4, zorder=3 if beyond else 2)
        if beyond:
            ax.hlines(height, change.ratio.low, change.ratio.high, color=colour, linewidth=0.7, alpha=0.6)


def _dress(ax: Axes, kernels: list[str], found: Comparison) -> None:
    """The axes that all panels share: wide enough for the dots, the changes' intervals and most of the noise."""
    reach = [np.log(1.03), *(c.size for c in found.changes)]
    reach += [abs(np.log(bound)) for c in found.changed for bound in (c.ratio.low, c.ratio.high)]
    reach.append(float(np.quantile([np.log1p(min(c.floor, 0.5)) for c in found.changes], 0.9)))
    most = 1.06 * max(reach)
    ax.set(xscale="log", xlim=(np.exp(-most), np.exp(most)), ylim=(-0.6, len(kernels) - 0.4))
    if most < np.log(4.0):
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    ax.set_yticks(range(len(kernels)), kernels)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")


def save(plot: Plot, folder: Path) -> Path:
    """Write the figure as SVG and PNG into a folder, made if need be; returns the SVG's path."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(SETTINGS):
        plot.figure.savefig(folder / f"{plot.name}.svg", metadata={"Date": None})
        plot.figure.savefig(folder / f"{plot.name}.png")
    return folder / f"{plot.name}.svg"
