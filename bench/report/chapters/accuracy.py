"""Speed against accuracy: the error of J, dw and db beside the time."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter

from bench.report.charts import WIDTH, Plot, style, text_style
from bench.report.findings import shape_words
from bench.report.tables import Table, digits
from bench.report.terminal import seconds_text
from bench.results.run import CellResult
from bench.variant import variant_words

OUTPUTS = ("J", "dw", "db")
STRICT, RELAXED = "numba_loop", "numba_fastmath"


def figure(result: CellResult) -> Plot | None:
    """Time and errors of every kernel in a cell, the slowest on top; None where no errors were recorded."""
    names = [name for name in result.kernels if name in result.agreement]
    names.sort(key=lambda name: result.median(name).estimate)
    if not names:
        return None
    height = 0.25 * len(names) + 1.3
    drawn = Figure(figsize=(WIDTH, height))
    axes = drawn.subplots(1, 4, sharey=True, squeeze=False)[0]
    drawn.subplots_adjust(left=1.65 / WIDTH, right=1 - 0.25 / WIDTH, bottom=0.55 / height, top=1 - 0.72 / height)
    for y, name in enumerate(names):
        color, marker = style(name)
        values = [result.median(name).estimate, *(result.agreement[name][output] for output in OUTPUTS)]
        for ax, value in zip(axes, values, strict=True):
            ax.plot([value], [y], color=color, marker=marker, ms=6, mew=1.3, linestyle="none", zorder=3)
    axes[0].set(xscale="log", title="time of a call", xlabel="seconds")
    axes[0].xaxis.set_major_formatter(EngFormatter(unit="s"))
    for ax, output in zip(axes[1:], OUTPUTS, strict=True):
        most = max(result.agreement[name][output] for name in names)
        # Linear up to one unit, so that an error of 0 has its place; the ticks that fit.
        ax.set_xscale("symlog", linthresh=1.0, linscale=0.7)
        ax.set_xlim(-0.15, max(2.0, most) * 1.6)
        ticks = [0.0, *(10.0**k for k in range(0, 9, 1 if most < 1e3 else 2))]
        ax.set_xticks([tick for tick in ticks if tick <= max(2.0, most) * 1.6])
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.set(title=f"error of {output}", xlabel="units of rounding")
    for ax in axes:
        ax.minorticks_off()
        ax.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(names)), names, fontsize=8)
    for label, name in zip(axes[0].get_yticklabels(), names, strict=True):
        label.set_color(text_style(name))
    words = f"{shape_words(result)}, {variant_words((result.cell.order, result.cell.threads))}"
    drawn.suptitle(f"Speed against accuracy ({words})", x=0.01, ha="left", weight="bold")
    caption = f"Time of a step and errors of J, dw and db against the reference, in units of rounding, {words}."
    return Plot("accuracy", caption, drawn, finding(result), table(result, names, words), section="accuracy")


def finding(result: CellResult) -> str:
    """What relaxed arithmetic gains and loses: strict and relaxed loop side by side, or the fastest kernel's error."""
    ratio = result.speedup(STRICT, RELAXED)
    if ratio is not None and {STRICT, RELAXED} <= set(result.agreement):
        strict, relaxed = (result.agreement[name]["dw"] for name in (STRICT, RELAXED))
        return (
            f"At {shape_words(result)}, the compiled loop takes {digits(1.0 / ratio.estimate)} of its time with "
            f"relaxed arithmetic, and dw is off by {digits(relaxed)} units of rounding, by {digits(strict)} "
            "with strict."
        )
    fastest = min(result.agreement.keys() & set(result.kernels), key=lambda name: result.median(name).estimate)
    return f"The fastest here, {fastest}, has a dw within {digits(result.agreement[fastest]['dw'])} units of rounding."


def table(result: CellResult, names: Sequence[str], words: str) -> Table:
    """Time and errors of every kernel in the cell."""
    rows = [
        [name, seconds_text(result.median(name).estimate), *(f"{result.agreement[name][o]:.3g}" for o in OUTPUTS)]
        for name in reversed(names)
    ]
    return Table(f"Time, and errors in units of rounding, {words}", ["kernel", "time", *OUTPUTS], rows)
