"""Each cause isolated by a controlled pair: what one change is worth, from the rounds that the two share."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from bench.drawing import WIDTH, Plot, ratio_text
from bench.results import CellResult, Run
from bench.stats import Interval
from bench.tables import Table, bounds_text, digits

Prediction = Callable[[Run, CellResult], float | None]


def twice_from_memory(run: Run, result: CellResult) -> float | None:
    """X is read twice or once: twice the bytes where it comes from memory, and none where a cache holds it."""
    return 2.0 if result.cell.nbytes > max(run.header["machine"]["caches"].values(), default=0) else 1.0


def as_many_as_threads(_run: Run, result: CellResult) -> float | None:
    """The work divided among the threads."""
    return float(result.cell.threads)


def nothing(_run: Run, _result: CellResult) -> float | None:
    """The same work in the same order."""
    return 1.0


def as_many_as_lanes(run: Run, _result: CellResult) -> float | None:
    """As many numbers at once as a register of the compiled loop holds, against one."""
    lanes = run.counts.get("numba_fastmath", {}).get("lanes")
    return float(lanes) if lanes else None


def not_predicted(_run: Run, _result: CellResult) -> float | None:
    """Nothing that is counted tells."""
    return None


@dataclass(frozen=True)
class Pair:
    """A cause, the two that differ in it alone, and what counting predicts of the factor, if it predicts one."""

    cause: str
    before: str
    after: str
    predict: Prediction = not_predicted


PAIRS = (
    Pair("boxing: ndarray elements → list items", "python_loop", "python_lists"),
    Pair("np.vectorize around the loop's body", "python_loop", "pair: np.vectorize", nothing),
    Pair("the interpreter: interpreted → compiled", "python_loop", "numba_loop"),
    Pair("bounds checked → not checked", "pair: loop, bounds checked", "numba_loop"),
    Pair("division checked → not, strict loop", "pair: loop, error model of Python", "numba_loop"),
    Pair("X in order C → F, compiled loop", "pair: loop, X in order C", "numba_loop"),
    Pair("sums in order → reordered, SIMD", "numba_loop", "numba_fastmath", as_many_as_lanes),
    Pair("np.vectorize → array operations", "pair: np.vectorize", "numpy_vectorized"),
    Pair("X in order C → F, NumPy", "pair: NumPy, X in order C", "numpy_vectorized", nothing),
    Pair("cost from a → from z", "numpy_textbook", "numpy_vectorized", nothing),
    Pair("temporaries → buffers (out=)", "numpy_vectorized", "numpy_buffers"),
    Pair("exp: one at a time → SIMD", "pair: exp, scalar", "numba_passes"),
    Pair("log1p: one an example → one for many", "pair: a logarithm an example", "numba_passes"),
    Pair("division checked → not, SIMD", "pair: activation, error model of Python", "numba_passes"),
    Pair("X read twice → once, in blocks", "numba_passes", "numba_fused", twice_from_memory),
    Pair("one thread → all", "pair: fused blocks, one thread", "numba_fused_parallel", as_many_as_threads),
)
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


def chosen(run: Run) -> list[CellResult]:
    """The cells that hold most of the pairs: those with variants, or else some of those with all rungs."""
    timed = [result for result in run.cells if result.seconds and not result.cell.iterations]
    explained = [result for result in timed if any(name.startswith("pair: ") for name in result.seconds)]
    if explained:
        return explained
    whole = [r for r in timed if r.cell.threads == 1 and "python_loop" in r.seconds and "numpy_vectorized" in r.seconds]
    return whole[-1:]


def factors(run: Run) -> dict[Pair, dict[str, Interval]]:
    """Pair -> cell -> how many times faster the one change makes it; pairs that no cell holds are left out."""
    found: dict[Pair, dict[str, Interval]] = {}
    for pair in PAIRS:
        for result in chosen(run):
            ratio = result.speedup(pair.before, pair.after)
            if ratio is not None:
                found.setdefault(pair, {})[_label(result)] = ratio
    return found


def _label(result: CellResult) -> str:
    cell = result.cell
    words = f"m = {cell.m:,}, n_x = {cell.n_x:,}"
    return words + (f", {cell.threads} threads" if cell.threads > 1 else "")


def figure(run: Run) -> Plot | None:
    """A row for each cause, a dot with its interval for each cell."""
    found = factors(run)
    if not found:
        return None
    cells = list(dict.fromkeys(label for ratios in found.values() for label in ratios))
    drawn = Figure(figsize=(WIDTH, 0.42 * len(found) + 1.3), layout="constrained")
    ax = drawn.subplots()
    for row, ratios in enumerate(found.values()):
        for k, label in enumerate(cells):
            if label not in ratios:
                continue
            ratio, y = ratios[label], row + 0.5 * ((k + 0.5) / len(cells) - 0.5)
            color = COLORS[k % len(COLORS)]
            ax.plot([ratio.estimate], [y], "o", color=color, label=label if _first(found, row, label) else None)
            if ratio.low > 0.0 and np.isfinite(ratio.high):
                ax.hlines(y, ratio.low, ratio.high, color=color, linewidth=2.0)
    ax.axvline(1.0, color="#555555", linewidth=0.9, zorder=1)
    ax.set_yticks(range(len(found)), [pair.cause for pair in found])
    ax.set(xscale="log", ylim=(len(found) - 0.4, -0.6), xlabel="times as fast after the one change")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}×" if value >= 1.0 else f"1/{1.0 / value:g}")
    ax.minorticks_off()
    drawn.legend(loc="outside lower left", ncols=3, frameon=False, fontsize=8)
    drawn.suptitle("What each cause alone is worth", x=0.01, ha="left", fontweight="bold")
    largest = max(((pair, max(ratios.values(), key=lambda r: r.low)) for pair, ratios in found.items()), key=_low)
    return Plot(
        "causes",
        "The factor that one change alone makes, for each cause, in each of the chosen cells; above 1 is faster.",
        drawn,
        finding=f"The largest of them is “{largest[0].cause}”: up to {digits(largest[1].estimate)} times as fast "
        f"(95% interval {digits(largest[1].low)} to {digits(largest[1].high)}).",
        table=_table(found, cells),
        section="causes",
    )


def _low(found: tuple[Pair, Interval]) -> float:
    return found[1].low


def _first(found: dict[Pair, dict[str, Interval]], row: int, label: str) -> bool:
    """Whether this row is the first that holds the cell: the one whose dot names it in the legend."""
    return row == next(k for k, ratios in enumerate(found.values()) if label in ratios)


def _table(found: dict[Pair, dict[str, Interval]], cells: list[str]) -> Table:
    rows = [
        [pair.cause, pair.before, pair.after, *(bounds_text(ratios.get(label)) for label in cells)]
        for pair, ratios in found.items()
    ]
    return Table("What each cause alone is worth", ["cause", "before", "after", *cells], rows, keys=3)


def predictions(run: Run) -> Table | None:
    """What counting predicts, beside what was measured; a row for each pair and cell that has a prediction."""
    rows = []
    for pair in PAIRS:
        for result in chosen(run):
            ratio, predicted = result.speedup(pair.before, pair.after), pair.predict(run, result)
            if ratio is None or predicted is None:
                continue
            off = max(predicted / ratio.estimate, ratio.estimate / predicted)
            verdict = "as predicted" if off <= 1.25 else f"off by {digits(off)} times" if off > 2.0 else "near"
            why = " ".join((pair.predict.__doc__ or "").split())
            rows.append([pair.cause, _label(result), ratio_text(predicted), bounds_text(ratio), verdict, why])
    columns = ["cause", "cell", "predicted", "measured", "verdict", "why"]
    return Table("Predicted from counted work, and measured", columns, rows, keys=2, prose=True) if rows else None


def counted(run: Run) -> Table | None:
    """What was counted of each rung: interpreted instructions, bytes allocated, arithmetic in the innermost loops."""
    if not run.counts:
        return None
    rows = []
    for name, counts in run.counts.items():
        packed = f"{counts['packed']:g} of {counts['lanes']:g}, {counts['scalar']:g}" if "packed" in counts else "–"
        keys = ("instructions_per_element", "instructions_per_example", "bytes_per_example")
        rows.append([name, *(f"{counts[key]:g}" if key in counts else "–" for key in keys), packed])
    columns = ["kernel", "interpreted, an element", "interpreted, an example", "bytes allocated, an example"]
    title = "Counted: interpreted instructions, bytes, and arithmetic instructions in the innermost loops"
    return Table(title, [*columns, "packed of so many lanes, scalar"], rows)
