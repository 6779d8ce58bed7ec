"""The best kernel over (m, n_x): named in each cell, with what ties with it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from string import ascii_uppercase

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench import words
from bench.analysis.ratios import Best, best
from bench.grid import Cell, Setting
from bench.report.charts import Plot, grid_axes, square, titled
from bench.report.section import Section
from bench.report.style import NARROW, WIDTH, styles, text_on
from bench.report.tables import Column, Table
from bench.results import CellResult, Run

LEAD = [
    "The fastest kernel of each cell. Kernels within the noise of the cell tie with it (≈). Where all threads are "
    "allowed, a kernel on one thread is allowed too (¹)."
]
MOST = 5  # kernels with a colour of their own; the others share a grey
GREY = "#d9d9d9"

Winners = Mapping[Cell, Best]


def section(run: Run) -> Section | None:
    """The section of the page: the first order, on one thread and on all."""
    if run.problem != "synthetic" or not run.cells:
        return None
    order, dtype = run.settings[0].order, run.settings[0].dtype
    settings = [setting for setting in run.settings if (setting.order, setting.dtype) == (order, dtype)]
    plot = figure(run, settings)
    return Section("best", "The best kernel at your size", LEAD, [plot] if plot else []).or_none()


def detail(run: Run) -> Section | None:
    """The best kernel in every setting, for the appendix."""
    winners = winners_of(run, run.cells)
    return Section("winners", "The best kernel in every cell", tables=[table(winners)]) if winners else None


def winners_of(run: Run, results: Sequence[CellResult]) -> dict[Cell, Best]:
    """Cell -> its best kernel, wherever two were timed."""
    return {result.cell: first for result in results if (first := best(run, result)) is not None}


def figure(run: Run, settings: Sequence[Setting]) -> Plot | None:
    """A map for each of these settings; None where no cell has a winner."""
    winners = winners_of(run, [result for setting in settings for result in run.of(setting)])
    if not winners:
        return None
    wide, narrow = (_draw(run, settings, winners, width) for width in (WIDTH, NARROW))
    caption = f"The fastest kernel in each cell, {' and '.join(setting.label for setting in settings)}; ≈: a tie."
    return Plot("best", caption, wide, finding(list(winners.values())), table(winners), narrow=narrow)


def _draw(run: Run, settings: Sequence[Setting], winners: Winners, width: float) -> Figure:
    wide = width > NARROW
    cells = [cell for cell in winners if cell.setting in settings]
    ms, n_xs = sorted({cell.m for cell in cells}), sorted({cell.n_x for cell in cells})
    counts = Counter(first.kernel for first in winners.values())
    keys = dict(zip(counts, ascii_uppercase, strict=False))
    color_of = {name: styles(run)[name].color for name, _ in counts.most_common(MOST)}
    row = 0.4 if wide else 0.3
    key = 0.0 if wide else 0.17 * len(keys) + 0.15
    height = (row * len(n_xs) + 0.85) * len(settings) + 0.5 + key
    drawn = Figure(figsize=(width, height), layout="constrained")
    if key:
        drawn.get_layout_engine().set(rect=(0, key / height, 1, 1 - key / height))  # type: ignore[union-attr, call-arg]
    axes = drawn.subplots(len(settings), 1, squeeze=False)[:, 0]
    for ax, setting in zip(axes, settings, strict=True):
        _panel(ax, ms, n_xs, {c: w for c, w in winners.items() if c.setting == setting}, color_of, keys, wide)
        ax.set(title=setting.label, ylabel="n_x, features")
    axes[-1].set_xlabel("m, examples")
    titled(drawn, "The fastest kernel (≈: a tie" + ("; ¹: on one thread)" if len(settings) > 1 else ")"))
    for k, (name, letter) in enumerate(keys.items() if key else ()):
        drawn.text(0.03, (key - 0.12 - 0.17 * k) / height, f"{letter}  {name}", fontsize=8, va="center")
    return drawn


def _panel(
    ax: Axes,
    ms: Sequence[int],
    n_xs: Sequence[int],
    winners: Winners,
    color_of: Mapping[str, str],
    keys: Mapping[str, str],
    wide: bool,
) -> None:
    for cell, first in winners.items():
        x, y, color = ms.index(cell.m), n_xs.index(cell.n_x), mpl.colors.to_rgb(color_of.get(first.kernel, GREY))
        if first.ties:  # a lighter shade: nobody has won
            color = tuple(0.45 * part + 0.55 for part in color)  # type: ignore[assignment]
        ax.add_patch(square(x, y, color))
        name = first.kernel if wide else keys.get(first.kernel, "?")
        text = f"{name}{'¹' if first.alone else ''}"
        if first.ties:
            many = len(first.ties) > 1
            text += f"\n≈ {f'{len(first.ties)} others' if many else first.ties[0][0]}" if wide else " ≈"
        elif first.over is not None and wide:
            text += f"\n{words.faster(first.over.estimate)}"
        ax.text(
            x,
            y,
            text,
            ha="center",
            va="center",
            fontsize=_size(text) if wide else 8.5,
            color=text_on(color),
            linespacing=1.1,
        )
    grid_axes(ax, ms, n_xs)


def _size(text: str) -> float:
    """Points that let the longest line fit into a cell."""
    return min(7.0, 7.0 * 19 / max(map(len, text.splitlines())))


def finding(winners: Sequence[Best]) -> str:
    """In how many cells each kernel wins, how many are ties, and how often one thread is enough."""
    clear = Counter(first.kernel for first in winners if not first.ties)
    parts = [f"{name} in {count}" for name, count in clear.most_common(4)]
    rest = sum(count for _, count in clear.most_common()[4:])
    parts += [f"others in {rest}"] if rest else []
    ties = sum(bool(first.ties) for first in winners)
    sentence = f"Fastest by more than the noise, of {words.plural(len(winners), 'cell')}: {', '.join(parts) or 'none'}"
    sentence = f"{sentence}; {words.plural(ties, 'tie')}." if ties else f"{sentence}."
    alone = sum(first.alone for first in winners)
    return f"{sentence} One thread is the fastest in {alone} of the cells that allow more." if alone else sentence


def table(winners: Winners) -> Table:
    """The fastest kernel of every cell, what ties with it, and its lead over the next."""
    columns = [*(Column(name) for name in ("cell", "fastest", "ties with it", "lead over the next", "next"))]
    rows = [
        [
            cell.label,
            first.kernel + (" on one thread" if first.alone else ""),
            ", ".join(other + (" on one thread" if alone else "") for other, alone in first.ties) or None,
            first.over,
            first.next or None,
        ]
        for cell, first in winners.items()
    ]
    return Table(f"The fastest kernel of {words.plural(len(winners), 'cell')}", columns, rows)
