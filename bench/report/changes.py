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
from rich.text import Text

from bench.analysis.compare import CONFIDENCE, WAYS, Change, Comparison, NothingTold, Verdict, rounds_needed
from bench.report.charts import SETTINGS, WIDTH, Plot
from bench.report.tables import Table, bounds_text, digits, times_words
from bench.report.terminal import seconds_text
from bench.stats import Interval, quotient

COLUMNS = ["m", "n_x", "X, t", "first", "second", "ratio", "apart", "noise"]
ROWS = 24  # in a terminal, of at most so many cells in all
OF_EACH = 4  # and of each kernel
COLOURS = {"slower": "#d55e00", "faster": "#0072b2", "same": "#9a9a9a", "unknown": "#777777"}
ONE = Interval(1.0, 1.0, 1.0)


def as_slow(ratio: Interval) -> str:
    """A ratio in words: "1.2 times (1.15 to 1.25) as slow"; 0.5: "2 times as fast"."""
    if ratio.estimate >= 1.0:
        return f"{times_words(ratio)} as slow"
    return f"{times_words(quotient(ONE, ratio))} as fast"


def _ratio(value: float) -> str:
    return digits(value) if value >= 10.0 else f"{value:.2f}" if abs(np.log(value)) > 0.02 else f"{value:.3f}"


def verdict(found: Comparison) -> str:
    """The answer in plain sentences."""
    slower, faster, same, unknown = (len(found.of(v)) for v in ("slower", "faster", "same", "unknown"))
    counts = [f"{slower:,} {_are(slower)} slower beyond noise", f"{faster:,} faster"]
    if unknown:
        counts.append(f"{unknown:,} can't be told, with too few rounds")
    words = f"Of {_comparisons(len(found.changes))}, {', '.join(counts)}; {same:,} {_show(same)} no change."
    return " ".join([words, *_in_common(found), *_most_changed(found)])


def _comparisons(count: int) -> str:
    return "1 comparison" if count == 1 else f"{count:,} comparisons"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _show(count: int) -> str:
    return "shows" if count == 1 else "show"


def _in_common(found: Comparison) -> Iterator[str]:
    """What all did, where it is beyond noise, and how many did more or less."""
    for baseline, common in found.drift.items():
        slower, faster = (sum(c.baseline == baseline for c in found.apart(way)) for way in WAYS)
        beyond = f"beyond that, {slower:,} {_are(slower)} slower and {faster:,} faster."
        if baseline is None:
            what = "the machine as a whole, or something that all kernels share"
            yield f"In common, they are {as_slow(common.ratio)}: {what}; {beyond}"
        else:
            yield f"Against {baseline}, in common, they are {as_slow(common.ratio)}: {baseline} changed; {beyond}"


def _most_changed(found: Comparison) -> Iterator[str]:
    """The kernel that changed in most cells, beyond what is common."""
    apart = {id(c) for way in WAYS for c in found.apart(way)}
    changed = [c for c in found.changed if id(c) in apart]
    if changed:
        kernel, count = Counter(c.kernel for c in changed).most_common(1)[0]
        most = next(c for c in changed if c.kernel == kernel)
        total = sum(c.kernel == kernel for c in found.changes)
        over = f", against {most.baseline}" if most.baseline else ""
        yield (
            f"Most changed: {kernel}, in {count:,} of {total:,}, at most {as_slow(most.ratio)} at "
            f"{most.cell.label}{over}."
        )


def basis(found: Comparison) -> str:
    """What was compared, and how sure the intervals are."""
    what = "The machines differ, so speed-ups are compared and not seconds" if found.hardware else "Compared: seconds"
    sure = f"hold at once with {100 * CONFIDENCE:.0f}% confidence (Bonferroni), given independent rounds"
    words = f"{what}. The intervals of all {_comparisons(len(found.changes))} {sure}."
    common = found.common.get(None)
    if common is None or common.verdict in WAYS:
        return words
    why = "no more than noise" if common.verdict == "same" else "too few cells to tell"
    return f"{words} In common, they are {as_slow(common.ratio)}: {why}."


def regressed(found: Comparison, allowed: float) -> tuple[bool, str]:
    """Whether the second run is to be refused, where a kernel may be slower by `allowed`; and that in words.

    Seconds are judged as they are (or speed-ups, on machines that differ); what all have in common is named beside it.

    Raises:
        NothingTold: If no comparison could be decided, and so nothing at all be said.
    """
    worse, apart = found.regressions(allowed), found.regressions_apart(allowed)
    total, unknown = len(found.changes), len(found.of("unknown"))
    than = f"slower by more than {100 * allowed:g}%"
    if unknown == total and not found.lost:
        raise NothingTold(
            f"whether a kernel is {than} can't be told of any of {_comparisons(total)}; measure with more rounds, "
            f"at least {rounds_needed(total)} in both runs: pytest --benchmark-only --benchmark-min-rounds="
            f"{rounds_needed(total)}"
        )
    words = [f"REGRESSED: {len(worse):,} {than}" if worse or found.lost else f"Nothing is {than} beyond doubt"]
    if found.lost:
        words.append(f"{len(found.lost)} failed")
    if unknown:
        words.append(f"{unknown:,} of {total:,} can't be told, with too few rounds")
    if found.drift and (worse or apart):
        words.append(f"beyond what is common to all, {len(apart):,} {_are(len(apart))} {than}")
    again = " If the machine was slower as a whole, measure again." if len(worse) > 2 * len(apart) else ""
    return bool(worse or found.lost), f"{'; '.join(words)}.{again}"


def changed_table(found: Comparison) -> Table:
    """What changed beyond noise, the largest first."""
    rows = [[_name(change), *_row(found, change)] for change in found.changed]
    return Table("Changed beyond noise; ratio above 1: the second run is slower", ["kernel", *COLUMNS], rows, keys=4)


def _name(change: Change) -> str:
    return f"{change.kernel} / {change.baseline}" if change.baseline else change.kernel


def _row(found: Comparison, change: Change) -> list[str]:
    cell, ratio = change.cell, change.ratio
    show = seconds_text if change.baseline is None else lambda value: f"{digits(value)}×"
    key = [f"{cell.m:,}", f"{cell.n_x:,}", f"{cell.order}, {cell.threads}"]
    apart = _ratio(found.beyond(change).estimate)
    return [*key, show(change.a), show(change.b), bounds_text(ratio, _ratio), apart, f"{100 * change.floor:.1f}%"]


def render(found: Comparison) -> RenderableType:
    """What differs between the runs, the table of changes, what was left out, and the verdict."""
    return Group(*_parts(found))


def _parts(found: Comparison) -> Iterator[RenderableType]:
    for what, differing in (("machine", found.hardware), ("version", found.versions)):
        for key, before, after in differing:
            yield Text(f"{what} differs: {key}: {before} -> {after}", style="yellow" if what == "machine" else "")
    yield from _table(found)
    for line in found.alone:
        yield Text(line, style="dim")
    for line in found.lost:
        yield Text(f"FAILED in the second run: {line}", style="bold red")
    yield Text("")
    yield Text(verdict(found), style="bold")
    yield Text(basis(found))


def _table(found: Comparison) -> Iterator[Text]:
    """The cells that changed, under their kernels: names of any length, and no line longer than 80 columns."""
    groups: dict[str, list[Change]] = {}
    for change in found.changed:
        groups.setdefault(_name(change), []).append(change)
    if not groups:
        return
    yield Text("Changed beyond noise; ratio above 1: the second run is slower", style="bold")
    if found.drift:
        yield Text("apart: the ratio over what all have in common")
    shown, left = [], ROWS
    for name, changes in groups.items():
        rows = [_row(found, change) for change in changes[: min(OF_EACH, left)]]
        left -= len(rows)
        shown.append((name, changes, rows))
    columns = [c for c in range(len(COLUMNS)) if found.drift or COLUMNS[c] != "apart"]
    wide = [max(len(row[c]) for row in (COLUMNS, *(r for _, _, rows in shown for r in rows))) for c in columns]

    def line(row: list[str]) -> str:
        return " ".join(row[c].rjust(width) for c, width in zip(columns, wide, strict=True))

    yield Text(f"  {line(COLUMNS)}", style="dim")
    for name, changes, rows in shown:
        counts = Counter(change.verdict for change in changes)
        all_of = sum(_name(change) == name for change in found.changes)
        told = f": of {all_of:,}, {counts['slower']:,} slower, {counts['faster']:,} faster"
        yield Text.assemble((name, "bold"), told)
        for change, row in zip(changes, rows, strict=False):
            yield Text(f"  {line(row)}", style={"slower": "red", "faster": "green"}.get(change.verdict, ""))


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
            if baseline in kernels:
                ax.text(1.0, kernels.index(baseline), " the baseline", color="#555555", fontsize=8, va="center")
            ax.set_title(f"speed-up over {baseline}" if baseline else "seconds of a call")
            ax.set_xlabel("second run / first: how many times as slow")
            ax.tick_params(axis="y", length=0)
            ax.grid(visible=False, axis="y")
            ax.axvline(1.0, color="#555555", linewidth=0.9, zorder=1)
            if baseline in found.drift:
                common = found.drift[baseline].ratio.estimate
                ax.axvline(common, color="black", linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        _dress(axes.flat[0], kernels, found)
        verdicts: tuple[Verdict, ...] = (*WAYS, "same", "unknown")
        shown = [v for v in verdicts if found.of(v)]
        words = {"same": "no change", "unknown": "too few rounds"}
        handles: list[Any] = [
            mpl.lines.Line2D([], [], linestyle="none", label=words.get(v, v), **_dot(v)) for v in shown
        ]
        handles.append(mpl.patches.Patch(color="#e8e8e8", label="noise of the cell"))
        if found.drift:
            dashes = mpl.lines.Line2D([], [], color="black", linewidth=0.9, linestyle=(0, (4, 3)), label="in common")
            handles.append(dashes)
        figure.legend(handles=handles, loc="outside lower center", ncols=6, frameon=False, fontsize=8)
        figure.suptitle("What changed from the first run to the second", x=0.01, ha="left", fontweight="bold")
    what = "speed-up" if found.hardware else "time of a call"
    caption = (
        f"How many times as slow the second run is, by {what}: a dot for each cell of each kernel, the quietest cell "
        "at the bottom of its band, in front of the noise floor of that cell; with its interval where it changed."
    )
    if found.drift:
        caption += " Dashed: what all kernels have in common."
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
        ax.plot([change.ratio.estimate], [height], zorder=3 if beyond else 2, **_dot(change.verdict))
        if beyond:
            ax.hlines(height, change.ratio.low, change.ratio.high, color=colour, linewidth=0.7, alpha=0.6)


def _dot(verdict: Verdict) -> dict[str, Any]:
    """How a cell is drawn: hollow, where it can't be told."""
    face = "white" if verdict == "unknown" else COLOURS[verdict]
    return {
        "marker": "o",
        "markersize": 2.5,
        "color": COLOURS[verdict],
        "markerfacecolor": face,
        "markeredgewidth": 0.6,
    }


def _dress(ax: Axes, kernels: list[str], found: Comparison) -> None:
    """The axes that all panels share: wide enough for the dots, the changes' intervals and most of the noise."""
    reach = [np.log(1.03), *(abs(np.log(c.ratio.estimate)) for c in found.changes)]
    reach += [abs(np.log(bound)) for c in found.changed for bound in (c.ratio.low, c.ratio.high)]
    reach.append(float(np.quantile([np.log1p(min(c.floor, 0.5)) for c in found.changes], 0.9)))
    most = 1.06 * max(reach)
    ax.set(xscale="log", xlim=(np.exp(-most), np.exp(most)), ylim=(-0.6, len(kernels) - 0.4))
    if most < np.log(4.0):
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    ax.set_yticks(range(len(kernels)), kernels)


def save(plot: Plot, folder: Path) -> Path:
    """Write the figure as SVG and PNG into a folder, made if need be; returns the SVG's path."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(SETTINGS):
        plot.figure.savefig(folder / f"{plot.name}.svg", metadata={"Date": None})
        plot.figure.savefig(folder / f"{plot.name}.png")
    return folder / f"{plot.name}.svg"
