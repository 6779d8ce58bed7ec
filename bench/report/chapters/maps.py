"""Times and speed-ups of every kernel in every setting: the appendix's tables, and a map for each setting."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np

from bench import words
from bench.analysis.ratios import ratios
from bench.grid import Setting
from bench.report.charts import Plot, panels, speedup_point, titled
from bench.report.runtables import speedup_table, time_table
from bench.report.section import Section
from bench.report.tables import Table
from bench.results import BASELINES, VECTORIZED, CellResult, Run

LEAD = [
    "Numbers marked est. rest on an estimated time: that kernel was too slow to run there. A cell marked (!) has a "
    "warning.",
]
SHADES = 6.0  # in powers of two: beyond 64 times, a shade more or less shows nothing; below, small differences should


def detail(run: Run) -> Section | None:
    """The section of the appendix."""
    plots, tables = list[Plot](), list[Table]()
    for setting in run.settings:
        results = run.of(setting)
        tables.append(time_table(run, results, setting.label))
        shown = {baseline: speedup_table(run, setting, baseline) for baseline in BASELINES}
        if run.problem == "synthetic" and any(ratios([r], VECTORIZED, r.kernels) for r in results):
            plots.append(speedup_map(run, setting, VECTORIZED))
            shown.pop(VECTORIZED)  # stands below its map
        tables += [table for table in shown.values() if table]
    return Section("times", "Times and speed-ups of every kernel", LEAD, plots, tables).or_none()


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

    figure = panels(results, dict(zip(names, names, strict=True)), show)
    titled(figure, f"Speed-up over {baseline} ({setting.label}; purple is faster)")
    caption = (
        f"Speed-up over {baseline} in every cell, {setting.label}. ↓: slower. In brackets: from an estimated time. "
        "–: not measured."
    )
    finding, table = extremes(run, results, baseline), speedup_table(run, setting, baseline)
    return Plot(f"map-over-{baseline}-{setting.id}", caption, figure, finding, table)


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
