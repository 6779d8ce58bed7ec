"""Maps over (m, n_x): time and speed-up of each kernel, and which kernel is the fastest."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench import words
from bench.analysis import estimates
from bench.analysis.ratios import Lead, lead, ratios
from bench.grid import Setting
from bench.report.charts import (
    LINE,
    TIME,
    Plot,
    curve_figure,
    draw_curves,
    dress,
    grid_axes,
    name_ends,
    panels,
    speedup_point,
    square,
    titled,
)
from bench.report.runtables import speedup_table, time_table
from bench.report.section import Section
from bench.report.style import WIDTH, Style, styles, text_on
from bench.report.tables import Column, Table
from bench.results import LOOP, VECTORIZED, CellResult, Run

LEAD = [
    "Which kernel is the fastest depends on m and n_x. A lead within the noise of the cell counts as a tie.",
    "Hollow points and numbers in brackets rest on an estimated time (est.): that kernel was too slow to run there.",
]
SHADES = 6.0  # in powers of two: beyond 64 times, a shade more or less shows nothing; below, small differences should


def section(run: Run) -> Section | None:
    """The section of the page; None for training runs, which have no map."""
    if run.problem != "synthetic" or not run.cells:
        return None
    plots = [fastest(run), *(plot for setting in run.settings for plot in _of_setting(run, setting))]
    return Section("maps", "The maps: which kernel, at which size", LEAD, plots)


def _of_setting(run: Run, setting: Setting) -> Iterator[Plot]:
    """Curves and maps of a setting; only those that show the most stand outside a fold."""
    first = setting == run.settings[0]
    fold = f"More of {setting.label}" if first else setting.label[:1].upper() + setting.label[1:]
    yield replace(time_curves(run, setting), fold="" if first else fold)
    for baseline in (VECTORIZED, LOOP):
        if any(ratios([result], baseline, result.kernels) for result in run.of(setting)):
            yield replace(speedup_map(run, setting, baseline), fold="" if first and baseline == VECTORIZED else fold)
            yield replace(speedup_curves(run, setting, baseline), fold=fold)


def time_curves(run: Run, setting: Setting) -> Plot:
    """Time against m: a panel for each n_x."""
    results = run.of(setting)
    figure = _curves(run, results, TIME)
    titled(figure, f"Time of one gradient step ({setting.label})")
    caption = f"Time of one gradient step against m, {setting.label}.{_hollow(results)}"
    table = time_table(run, results, setting.label)
    return Plot(f"time-{setting.id}", caption, figure, growth(results), table)


def speedup_curves(run: Run, setting: Setting, baseline: str) -> Plot:
    """Speed-up over a baseline against m: a panel for each n_x."""
    results = run.of(setting)
    figure = _curves(run, results, baseline)
    titled(figure, f"Speed-up over {baseline} ({setting.label})")
    caption = f"Speed-up over {baseline} against m, {setting.label}. ↓: slower.{_hollow(results)}"
    finding, table = extremes(run, results, baseline), speedup_table(run, setting, baseline)
    return Plot(f"speedup-over-{baseline}-{setting.id}", caption, figure, finding, table)


def _hollow(results: Sequence[CellResult]) -> str:
    return " Hollow: estimated (est.), too slow to run." if estimates.any_too_slow(results) else ""


def _curves(run: Run, results: Sequence[CellResult], what: str) -> Figure:
    n_xs = sorted({result.cell.n_x for result in results})
    columns = min(2, len(n_xs))
    rows = -(-len(n_xs) // columns)
    figure, axes = curve_figure(rows, columns, panel_height=max(2.75, LINE * len(run.measured) + 0.5))
    shown = list(zip(axes.flat, n_xs, strict=False))
    # Panels share their axes, so names find their place only when all curves are drawn.
    curves = [draw_curves(ax, run, [r for r in results if r.cell.n_x == n_x], what) for ax, n_x in shown]
    for k, (ax, n_x) in enumerate(shown):
        ax.set_title(f"n_x = {n_x:,}")
        dress(ax, what, left=k % columns == 0, bottom=k + columns >= len(n_xs))
        name_ends(ax, curves[k], styles(run))
    for ax in list(axes.flat)[len(n_xs) :]:
        ax.set_visible(False)
    return figure


def speedup_map(run: Run, setting: Setting, baseline: str) -> Plot:
    """The speed-up over a baseline in every cell: a panel for each kernel."""
    results = run.of(setting)
    names = [
        name
        for name in run.measured
        if name != baseline and any(speedup_point(run, r, name, baseline) for r in results)
    ]
    points = {name: {result.cell: speedup_point(run, result, name, baseline) for result in results} for name in names}
    logs = [np.log2(p.value.estimate) for of_kernel in points.values() for p in of_kernel.values() if p]
    most = min(SHADES, max(1.0, float(np.max(np.abs(logs)))))
    color_map, norm = mpl.colormaps["PuOr"], mpl.colors.Normalize(-most, most)

    def show(result: CellResult, name: str) -> tuple[str, Any]:
        point = points[name][result.cell]
        if point is None:
            return words.NONE, None
        text = words.short(point.value.estimate)
        return text if point.measured else f"({text})", color_map(norm(np.log2(point.value.estimate)))

    figure = panels(results, dict(zip(names, names, strict=True)), show, styles(run))
    titled(figure, f"Speed-up over {baseline} ({setting.label}; purple is faster)")
    caption = (
        f"Speed-up over {baseline} in every cell, {setting.label}. ↓: slower. In brackets: from an estimated time. "
        "–: not measured."
    )
    finding, table = extremes(run, results, baseline), speedup_table(run, setting, baseline)
    return Plot(f"map-over-{baseline}-{setting.id}", caption, figure, finding, table)


def fastest(run: Run) -> Plot:
    """Which kernel is the fastest in each cell, and how far ahead of the next: a panel for each setting."""
    columns = min(2, len(run.settings))
    rows = -(-len(run.settings) // columns)
    n_x_count = len({result.cell.n_x for result in run.cells})
    figure = Figure(figsize=(WIDTH, (0.34 * n_x_count + 0.95) * rows + 0.9), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    style_of = styles(run)
    leads = {result.cell: first for result in run.cells if (first := lead(result)) is not None}
    for ax, setting in zip(axes.flat, run.settings, strict=False):
        _winners(ax, run.of(setting), leads, style_of)
        ax.set(title=setting.label, xlabel="m, examples", ylabel="n_x")
    for ax in list(axes.flat)[len(run.settings) :]:
        ax.set_visible(False)
    winners = {first.kernel for first in leads.values()}
    handles = [mpl.patches.Patch(color=style_of[name].color, label=name) for name in run.measured if name in winners]
    if handles:
        figure.legend(handles=handles, loc="outside lower left", ncols=min(5, len(handles)), frameon=False, fontsize=8)
    titled(figure, "The fastest kernel, and its lead over the next")
    caption = "The fastest kernel in each cell and its lead over the next; faint: a lead within the noise floor, a tie."
    return Plot("fastest", caption, figure, winners_finding(list(leads.values())), fastest_table(leads))


def _winners(ax: Axes, results: Sequence[CellResult], leads: dict[Any, Lead], style_of: dict[str, Style]) -> None:
    ms, n_xs = sorted({r.cell.m for r in results}), sorted({r.cell.n_x for r in results})
    for cell in (result.cell for result in results if result.cell in leads):
        first = leads[cell]
        ratio = first.ratio.estimate
        color = mpl.colors.to_rgba(style_of[first.kernel].color, 1.0 if first.clear else 0.35)
        x, y = ms.index(cell.m), n_xs.index(cell.n_x)
        ax.add_patch(square(x, y, color))
        lead_text = f"{ratio:.2g}×" if ratio >= 1.095 else f"{ratio:.2f}×"
        ax.text(
            x,
            y,
            lead_text if first.clear else "tie",
            ha="center",
            va="center",
            fontsize=8,
            color=text_on(color) if first.clear else "black",
        )
    grid_axes(ax, ms, n_xs)


def fastest_table(leads: dict[Any, Lead]) -> Table:
    """The fastest kernel of every cell, the next, and its lead."""
    columns = [
        *(Column(name) for name in ("cell", "fastest", "next", "lead, times")),
        Column("more than noise", lambda clear: "yes" if clear else "no: a tie"),
    ]
    rows = [[cell.label, first.kernel, first.next, first.ratio.estimate, first.clear] for cell, first in leads.items()]
    return Table("The fastest kernel", columns, rows, keys=3)


def growth(results: Sequence[CellResult]) -> str:
    """How the time of the vectorized form grows from the smallest to the largest m, at the n_x that has most cells."""
    timed = [result for result in results if VECTORIZED in result.samples]
    counts = Counter(result.cell.n_x for result in timed)
    if not counts:
        return ""
    n_x, count = counts.most_common(1)[0]
    if count < 2:
        time = words.seconds(timed[0].median(VECTORIZED).estimate, 2)
        return f"At {timed[0].cell.shape}, {VECTORIZED} takes {time}."
    ordered = sorted((result for result in timed if result.cell.n_x == n_x), key=lambda result: result.cell.m)
    small, large = ordered[0], ordered[-1]
    before, after = (result.median(VECTORIZED).estimate for result in (small, large))
    longer = after / before
    time = f"{words.times(longer)} the" if longer > 1.05 else "about the same" if longer > 0.95 else "less"
    return (
        f"At n_x = {n_x:,}, {VECTORIZED} takes {words.seconds(before, 2)} for m = {small.cell.m:,} and "
        f"{words.seconds(after, 2)} for m = {large.cell.m:,}: {words.times(large.cell.m / small.cell.m)} the examples, "
        f"{time} time."
    )


def extremes(run: Run, results: Sequence[CellResult], baseline: str) -> str:
    """The largest speed-up over a baseline, and the largest slow-down."""
    speedups = ratios(results, baseline, run.measured)
    if not speedups:
        return ""
    best, worst = (choose(speedups, key=lambda ratio: ratio.estimate) for choose in (max, min))
    ahead, behind = words.faster_than(best.interval, baseline), words.faster_with_interval(worst.interval)
    sentence = f"Furthest ahead: {best.kernel}, {ahead}, at {best.result.cell.shape}"
    if worst.estimate >= 1.0:
        return f"{sentence}; no kernel is slower in any cell."
    return f"{sentence}. Furthest behind: {worst.kernel}, {behind}, at {worst.result.cell.shape}."


def winners_finding(leads: Sequence[Lead]) -> str:
    """In how many cells each of the fastest kernels has a clear lead, and how many cells are ties."""
    if not leads:
        return ""
    clear = Counter(first.kernel for first in leads if first.clear)
    parts = [f"{name} in {count}" for name, count in clear.most_common(4)]
    rest = sum(count for _, count in clear.most_common()[4:])
    parts += [f"others in {rest}"] if rest else []
    ties = len(leads) - sum(clear.values())
    sentence = f"Fastest by more than the noise, of {words.plural(len(leads), 'cell')}: {', '.join(parts) or 'none'}"
    return f"{sentence}; {words.plural(ties, 'tie')}." if ties else f"{sentence}."
