"""Maps over (m, n_x): the speed-up of each kernel, and the fastest kernel."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from bench.report import findings
from bench.report.charts import WIDTH, Plot, speedup_point, style, text_on, text_style
from bench.report.runtables import speedup_table
from bench.report.tables import Table, digits, ratio_text
from bench.results.run import CellResult, Run
from bench.variant import Variant, of_variant, variant_file, variant_words, variants


def grid_axes(ax: Axes, ms: Sequence[int], n_xs: Sequence[int]) -> None:
    """Ticks of a map over (m, n_x): a square a cell."""
    ax.set_xticks(range(len(ms)), [EngFormatter(sep="")(m) for m in ms])
    ax.set_yticks(range(len(n_xs)), [str(n_x) for n_x in n_xs])
    ax.set(xlim=(-0.5, len(ms) - 0.5), ylim=(-0.5, len(n_xs) - 0.5))
    ax.tick_params(length=0)
    ax.grid(visible=False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def panels(
    results: Sequence[CellResult],
    titles: Mapping[str, str],
    told: Callable[[CellResult, str], tuple[str, Any] | None],
) -> Figure:
    """A map over (m, n_x) for each kernel of `titles`; `told` gives the text and colour of a cell, or None.

    Without a colour, the text stands on white.
    """
    ms, n_xs = sorted({r.cell.m for r in results}), sorted({r.cell.n_x for r in results})
    columns = min(2, len(titles))
    rows = -(-len(titles) // columns)
    figure = Figure(figsize=(WIDTH, (0.29 * len(n_xs) + 0.85) * rows + 0.6), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax, (name, title) in zip(axes.flat, titles.items(), strict=False):
        for result in results:
            found = told(result, name)
            if found is None:
                continue
            text, color = found
            x, y = ms.index(result.cell.m), n_xs.index(result.cell.n_x)
            if color is None:
                ax.text(x, y, text, ha="center", va="center", color="#888888")
                continue
            ax.add_patch(square(x, y, color))
            shade = text_on(mpl.colors.to_rgba(color))
            ax.text(x, y, text, ha="center", va="center", fontsize=7.5, color=shade)
        grid_axes(ax, ms, n_xs)
        ax.set_title(title, color=text_style(name))
    for k, ax in enumerate(axes.flat):
        ax.set_visible(k < len(titles))
        ax.set_ylabel("n_x" if k % columns == 0 else "")
        ax.set_xlabel("m, examples" if k + columns >= len(titles) else "")
    return figure


def heat_maps(run: Run, variant: Variant, baseline: str) -> Plot:
    """The speed-up over a baseline in every cell: a panel for each kernel."""
    results = of_variant(run, variant)
    names = [
        name for name in run.measured if name != baseline and any(speedup_point(r, name, baseline) for r in results)
    ]
    points = {name: {(r.cell.m, r.cell.n_x): speedup_point(r, name, baseline) for r in results} for name in names}
    logs = [np.log2(p.value.estimate) for of_name in points.values() for p in of_name.values() if p]
    # Beyond 64 times, a shade more or less tells nothing; below it, small differences should show.
    most = min(6.0, max(1.0, float(np.max(np.abs(logs)))))
    color_map, norm = mpl.colormaps["PuOr"], mpl.colors.Normalize(-most, most)

    def told(result: CellResult, name: str) -> tuple[str, Any]:
        point = points[name][result.cell.m, result.cell.n_x]
        if point is None:
            return "–", None
        text = ratio_text(point.value.estimate)
        return text if point.measured else f"({text})", color_map(norm(np.log2(point.value.estimate)))

    figure = panels(results, dict(zip(names, names, strict=True)), told)
    words = variant_words(variant)
    figure.suptitle(f"Speed-up over {baseline} ({words}; purple is faster)", x=0.01, ha="left", fontweight="bold")
    caption = f"Speed-up over {baseline} in every cell, {words}. In brackets: from a predicted time. –: not measured."
    name, finding = f"map-over-{baseline}-{variant_file(variant)}", findings.extremes(run, results, baseline)
    return Plot(name, caption, figure, finding, speedup_table(run, variant, baseline), section="maps")


def square(x: float, y: float, color: Any) -> Any:
    """The square of a cell."""
    return mpl.patches.Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=color, linewidth=0)


def lead(result: CellResult) -> tuple[str, str, float, bool] | None:
    """The fastest kernel of a cell, the next, the lead as a ratio, and whether it is more than noise."""
    ordered = sorted(result.kernels, key=lambda name: result.median(name).estimate)
    if len(ordered) < 2:
        return None
    ratio = result.speedup(ordered[1], ordered[0])
    if ratio is None:
        return None
    return ordered[0], ordered[1], ratio.estimate, ratio.low > 1.0 + result.noise_floor


def fastest(run: Run) -> Plot:
    """Which kernel is the fastest in each cell, and how far ahead of the next."""
    shown = variants(run)
    columns = min(2, len(shown))
    rows = -(-len(shown) // columns)
    n_x_count = len({r.cell.n_x for r in run.cells})
    figure = Figure(figsize=(WIDTH, (0.34 * n_x_count + 0.95) * rows + 0.9), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    winners: set[str] = set()
    for ax, variant in zip(axes.flat, shown, strict=False):
        results = of_variant(run, variant)
        ms, n_xs = sorted({r.cell.m for r in results}), sorted({r.cell.n_x for r in results})
        for result in results:
            first = lead(result)
            if first is None:
                continue
            name, _, ratio, clear = first
            winners.add(name)
            color = mpl.colors.to_rgba(style(name)[0], 1.0 if clear else 0.35)
            ax.add_patch(square(ms.index(result.cell.m), n_xs.index(result.cell.n_x), color))
            ax.text(
                ms.index(result.cell.m),
                n_xs.index(result.cell.n_x),
                f"{ratio:.2g}×" if clear and ratio >= 1.095 else f"{ratio:.2f}×" if clear else "tie",
                ha="center",
                va="center",
                fontsize=8,
                color=text_on(color) if clear else "black",
            )
        grid_axes(ax, ms, n_xs)
        ax.set(title=variant_words(variant), xlabel="m, examples", ylabel="n_x")
    for ax in list(axes.flat)[len(shown) :]:
        ax.set_visible(False)
    handles = [mpl.patches.Patch(color=style(name)[0], label=name) for name in run.measured if name in winners]
    figure.legend(handles=handles, loc="outside lower left", ncols=min(5, len(handles)), frameon=False, fontsize=8)
    figure.suptitle("The fastest kernel, and its lead over the next", x=0.01, ha="left", fontweight="bold")
    caption = "The fastest kernel in each cell and its lead over the next; faint: a lead within the noise floor, a tie."
    leads = [(result, lead(result)) for result in run.cells]
    told = [
        [result.cell.label, first[0], first[1], digits(first[2]), "yes" if first[3] else "no: a tie"]
        for result, first in leads
        if first is not None
    ]
    table = Table("The fastest kernel", ["cell", "fastest", "next", "lead, times", "more than noise"], told, keys=3)
    return Plot("fastest", caption, figure, findings.winners([first for _, first in leads]), table, section="maps")
