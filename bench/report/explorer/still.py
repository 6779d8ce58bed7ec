"""What stands in the explorer's place where no script runs: its first view, as a figure."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from bench.analysis import pairs, ratios
from bench.analysis.costmodel import Costs, fit_all
from bench.report.charts import Plot, name_ends
from bench.report.style import NARROW, WIDTH, styles, text_color
from bench.results import Run


def still(run: Run) -> Plot:
    """Time against m by the cost model, and the measured cells, for the kernels of the story."""
    results = ratios.headline_cells(run)
    setting, n_x = results[0].cell.setting, results[0].cell.n_x
    fitted = fit_all(run, setting)[0]
    shown = {name: fitted[name] for name in pairs.cast() if name in fitted} or dict(list(fitted.items())[:6])
    wide, narrow = (_draw(run, shown, n_x, width) for width in (WIDTH, NARROW))
    caption = (
        f"Time of a step against m at n_x = {n_x}, {setting.label}. Lines: the cost model; points: measured cells."
    )
    last = results[-1].cell.m
    fastest = min(shown, key=lambda name: shown[name].seconds(last, n_x).estimate)
    finding = f"By the cost model, {fastest} is the fastest of these at m = {last:,}."
    return Plot("explorer", caption, wide, finding, narrow=narrow)


def _draw(run: Run, shown: dict[str, Costs], n_x: int, width: float) -> Figure:
    wide = width > NARROW
    height = 4.4
    drawn = Figure(figsize=(width, height))
    right = 1.7 if wide else 1.35
    ax = drawn.add_axes((0.75 / width, 0.6 / height, 1 - (0.75 + right) / width, 1 - 0.95 / height))
    _curves(ax, run, shown, n_x)
    ax.set(xscale="log", yscale="log", xlabel="m, examples", title=f"Time of a step at n_x = {n_x}")
    ax.minorticks_off()
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.yaxis.set_major_formatter(EngFormatter(unit="s"))
    style_of = styles(run)
    last = max(result.cell.m for result in ratios.headline_cells(run))
    ends = [(name, c.seconds(last, n_x).estimate, text_color(style_of[name]), "bold") for name, c in shown.items()]
    name_ends(ax, ends, 9.0 if wide else 8.0)
    return drawn


def _curves(ax: Axes, run: Run, shown: dict[str, Costs], n_x: int) -> None:
    results, style_of = ratios.headline_cells(run), styles(run)
    ms = np.geomspace(results[0].cell.m, results[-1].cell.m, 80)
    for name, costs in shown.items():
        color, marker = style_of[name]
        ax.plot(ms, [costs.seconds(m, n_x).estimate for m in ms], color=color, linewidth=1.8)
        timed = [result for result in results if name in result.samples]
        times = [result.median(name).estimate for result in timed]
        ax.plot([r.cell.m for r in timed], times, color=color, marker=marker, linestyle="none", markersize=5.5)
