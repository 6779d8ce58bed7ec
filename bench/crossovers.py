"""From which m on one kernel overtakes another: from measured speed-ups, and by the model where nothing was measured.

Between two cells in which the sign test is sure of the faster kernel, and of a different one, the logarithm of the
speed-up is interpolated over ln m. Its interval is from where the upper end of the speed-up first reaches 1 to where
the lower end last does; both are widened by the cells' noise floors. What the curve does between cells is not known.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.costmodel import Array, fit_all
from bench.results import Run
from bench.stats import Interval
from bench.tables import Table, bounds_text
from bench.variant import Variant, of_variant, variant_words, variants

PAIRS = (
    ("python_loop", "numpy_vectorized"),
    ("numba_loop", "numpy_vectorized"),
    ("numba_fastmath", "numpy_vectorized"),
    ("numpy_vectorized", "numba_fused"),
    ("numba_fastmath", "numba_fused"),
    ("numba_fused", "numba_fused_parallel"),
)
STEPS = 241  # of m, where the model is asked


@dataclass(frozen=True)
class Crossover:
    """Where one kernel overtakes another as m grows."""

    below: str
    above: str
    m: Interval


def crossings(
    ms: Sequence[float], ratios: Sequence[Interval], first: str = "first", second: str = "second"
) -> list[Crossover]:
    """The crossovers of two kernels.

    Args:
        ms: Ascending numbers of examples.
        ratios: Speed-up of the second kernel over the first at each.
        first: Name of the first kernel.
        second: Name of the second.
    """
    sides = [1 if ratio.low > 1.0 else -1 if ratio.high < 1.0 else 0 for ratio in ratios]
    sure = [k for k, side in enumerate(sides) if side]
    found = []
    for start, end in itertools.pairwise(sure):
        if sides[start] == sides[end]:
            continue
        part, x = ratios[start : end + 1], np.log(np.array(ms[start : end + 1], dtype=float))
        zeros = [_zeros(x, np.log([getattr(ratio, which) for ratio in part])) for which in ("estimate", "low", "high")]
        reached = [math.exp(min(zeros[1] + zeros[2])), math.exp(max(zeros[1] + zeros[2]))]
        names = (first, second) if sides[end] > 0 else (second, first)
        found.append(Crossover(*names, Interval(math.exp(zeros[0][0]), *reached)))
    return found


def _zeros(x: Array, y: Array) -> list[float]:
    """Where the line through the points (x, y) changes its sign."""
    return [
        float(x[k] - y[k] * (x[k + 1] - x[k]) / (y[k + 1] - y[k]))
        for k in range(len(x) - 1)
        if y[k] != y[k + 1] and y[k] * y[k + 1] <= 0.0
    ]


def words(found: list[Crossover], ratios: Sequence[Interval], first: str, second: str) -> str:
    """The crossovers of a pair at one n_x, in words."""

    def count(m: float) -> str:
        return f"{float(f'{m:.2g}'):,.0f}"

    if found:
        later = [f"from m = {bounds_text(c.m, count)} on {c.above} beats {c.below}" for c in found[1:]]
        return "; ".join(
            [f"below m = {bounds_text(found[0].m, count)} {found[0].below} beats {found[0].above}", *later]
        )
    winners = {second if r.low > 1.0 else first for r in ratios if r.low > 1.0 or r.high < 1.0}
    if not winners:
        return "too close to tell"
    if len({r.estimate > 1.0 for r in ratios}) > 1:
        return f"{winners.pop()} is faster where it is clear; elsewhere too close to tell"
    return f"never in the measured range: {winners.pop()} is faster"


def tables(run: Run) -> Iterator[Table]:
    """A table of crossovers for each variant in which a pair was measured."""
    for variant in variants(run):
        rows = [*_measured(run, variant), *_predicted(run, variant)]
        if rows:
            title = f"Who overtakes whom as m grows, {variant_words(variant)}"
            yield Table(title, ["kernels", "n_x", "what is known", "from"], rows, keys=4)


def _measured(run: Run, variant: Variant) -> Iterator[list[str]]:
    results = sorted(of_variant(run, variant), key=lambda r: r.cell.m)
    for first, second in PAIRS:
        for n_x in sorted({r.cell.n_x for r in results}):
            ms, ratios = [], []
            for result in results:
                ratio = result.speedup(first, second) if result.cell.n_x == n_x else None
                if ratio is not None:
                    floor = 1.0 + result.noise_floor
                    ms.append(result.cell.m)
                    ratios.append(Interval(ratio.estimate, ratio.low / floor, ratio.high * floor))
            if len(ms) > 1:
                known = words(crossings(ms, ratios, first, second), ratios, first, second)
                yield [f"{first}, {second}", f"{n_x:,}", known, "measured"]


def _predicted(run: Run, variant: Variant) -> Iterator[list[str]]:
    """By the model, halfway between the n_x that were measured."""
    fitted, _ = fit_all(run, variant)
    cells = [result.cell for result in of_variant(run, variant)]
    n_xs = sorted({cell.n_x for cell in cells})
    between = [round(math.sqrt(a * b)) for a, b in itertools.pairwise(n_xs)]
    ms = [float(m) for m in np.geomspace(min(c.m for c in cells), max(c.m for c in cells), STEPS)]
    for first, second in PAIRS:
        if first not in fitted or second not in fitted:
            continue
        for n_x in (n for n in between if n not in n_xs):
            ratios = []
            for m in ms:
                one, two = fitted[first], fitted[second]
                ratio = one.seconds(m, n_x).estimate / two.seconds(m, n_x).estimate
                wide = math.exp(math.hypot(one.spread(m, n_x), two.spread(m, n_x)))
                ratios.append(Interval(ratio, ratio / wide, ratio * wide))
            known = words(crossings(ms, ratios, first, second), ratios, first, second)
            yield [f"{first}, {second}", f"{n_x:,}", known, "predicted"]
