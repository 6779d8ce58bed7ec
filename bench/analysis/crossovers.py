"""From which m one kernel overtakes another: from measured speed-ups, and by the model where nothing was measured.

Two neighbouring cells of an n_x in which the sign test is sure of the faster kernel, and of a different one, have a
crossover between them, or more; cells that are not sure may lie between. Both ends of a speed-up's interval are
widened by the noise floor of its cell first.

Where between the two it lies was not measured. The cost model gives the shape of the curve there:
ln of the ratio of the two predicted times, moved so that it passes through what was measured in the cells, linearly in
ln m between them. The interval is all m at which this curve is no farther from 0 than the two models' held-out errors
together (as independent: the root of the sum of squares), and never more than what the two cells leave open; all of
that where there is no model.

A kernel of one thread is compared with one of all threads from two cells, whose rounds are not shared; then the
interval is that of the ratio of two medians.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

import kernels
from bench import stats
from bench.analysis.costmodel import Array, Costs, fit_all
from bench.grid import Setting
from bench.results import CellResult, Run
from bench.stats import Interval
from kernels import Kernel

STEPS = 241  # of m, where the model is asked

Shape = Callable[[float], tuple[float, float]]  # m -> ln of the ratio by the model, and how far off that may be


@dataclass(frozen=True)
class Crossover:
    """Where one kernel overtakes another as m grows."""

    below: str
    above: str
    m: Interval


@dataclass(frozen=True)
class Compared:
    """Two kernels at one n_x.

    Attributes:
        first: The rival.
        second: The kernel that is weighed against it.
        n_x: The number of features.
        ms: Ascending numbers of examples.
        ratios: The speed-up of the second over the first at each.
        crossovers: Where one overtakes the other.
    """

    first: str
    second: str
    n_x: int
    ms: Sequence[float]
    ratios: Sequence[Interval]
    crossovers: Sequence[Crossover] = ()

    @property
    def winners(self) -> set[str]:
        """The kernels that are surely faster at some m."""
        return {self.second if r.low > 1.0 else self.first for r in self.ratios if r.low > 1.0 or r.high < 1.0}

    @property
    def one_sided(self) -> bool:
        """Whether the estimates favour the same kernel at every m."""
        return len({ratio.estimate > 1.0 for ratio in self.ratios}) == 1


def crossings(
    ms: Sequence[float],
    ratios: Sequence[Interval],
    first: str = "first",
    second: str = "second",
    shape: Shape | None = None,
) -> list[Crossover]:
    """The crossovers of two kernels.

    Args:
        ms: Ascending numbers of examples.
        ratios: Speed-up of the second kernel over the first at each.
        first: Name of the first kernel.
        second: Name of the second.
        shape: ln of that speed-up by the model, and its error, at any m; None where there is no model.
    """
    sides = [1 if ratio.low > 1.0 else -1 if ratio.high < 1.0 else 0 for ratio in ratios]
    sure = [k for k, side in enumerate(sides) if side]
    crossovers = []
    for start, end in itertools.pairwise(sure):
        if sides[start] == sides[end]:
            continue
        x = np.log(np.array(ms[start : end + 1], dtype=float))
        y = np.log([ratio.estimate for ratio in ratios[start : end + 1]])
        names = (first, second) if sides[end] > 0 else (second, first)
        crossovers.append(Crossover(*names, _between(x, y, shape)))
    return crossovers


def _between(x: Array, y: Array, shape: Shape | None) -> Interval:
    """The m at which a curve through the points (x, y), x = ln m, is 0, and where it may be."""
    if shape is None:
        return Interval(math.exp(_zero(x, y)), math.exp(x[0]), math.exp(x[-1]))
    xs = np.union1d(np.linspace(x[0], x[-1], STEPS), x)
    model, error = np.array([shape(math.exp(log_m)) for log_m in xs]).T
    curve = model + np.interp(xs, x, y - np.interp(x, xs, model))
    near = np.flatnonzero(np.abs(curve) <= error)
    zero = _zero(xs, curve)
    low, high = (xs[near[0]], xs[near[-1]]) if near.size else (zero, zero)
    return Interval(math.exp(zero), math.exp(min(low, zero)), math.exp(max(high, zero)))


def _zero(x: Array, y: Array) -> float:
    """Where the line through the points (x, y) first changes its sign."""
    k = int(np.flatnonzero(y[:-1] * y[1:] <= 0.0)[0])
    return float(x[k] - y[k] * (x[k + 1] - x[k]) / (y[k + 1] - y[k]))


def pairs(setting: Setting) -> list[tuple[str, str]]:
    """The kernels that are compared in a setting, (rival, kernel).

    With one thread these are the kernels that do not spread their own work, with all threads those that do.
    """
    chosen = [kernel for kernel in kernels.KERNELS.values() if _spreads(kernel) == (setting.threads > 1)]
    return [(rival, kernel.name) for kernel in chosen for rival in kernel.rivals]


def _spreads(kernel: Kernel) -> bool:
    """Whether a kernel's own code uses all threads; a library's may, but that is not what is compared."""
    return kernel.threads == "all" and kernel.compiles == "once"


def measured(run: Run, setting: Setting) -> Iterator[Compared]:
    """Every pair at every n_x at which it was measured for two m or more."""
    results = sorted(run.of(setting), key=lambda r: r.cell.m)
    alone = {(r.cell.m, r.cell.n_x): r for r in run.of(_alone(setting))}
    costs = _costs(run, setting)
    for first, second in pairs(setting):
        for n_x in sorted({r.cell.n_x for r in results}):
            ms, ratios = [], []
            for result in (r for r in results if r.cell.n_x == n_x):
                ratio = _ratio(result, alone.get((result.cell.m, n_x)), first, second)
                if ratio is not None:
                    ms.append(float(result.cell.m))
                    ratios.append(ratio)
            if len(ms) > 1:
                shape = _shape(costs, first, second, n_x)
                yield Compared(first, second, n_x, ms, ratios, crossings(ms, ratios, first, second, shape))


def _alone(setting: Setting) -> Setting:
    """The same setting with one thread."""
    return replace(setting, threads=1)


def _ratio(result: CellResult, alone: CellResult | None, first: str, second: str) -> Interval | None:
    """The speed-up of the second over the first, widened by the noise; the first with one thread if need be."""
    ratio, floor = result.speedup(first, second), 1.0 + result.noise_floor
    if ratio is None and alone is not None and first in alone.seconds and second in result.seconds:
        ratio, floor = stats.ratio(alone.seconds[first], result.seconds[second]), floor * (1.0 + alone.noise_floor)
    return Interval(ratio.estimate, ratio.low / floor, ratio.high * floor) if ratio else None


def _costs(run: Run, setting: Setting) -> dict[str, Costs]:
    """The costs of the kernels of a setting, and of those that use one thread in any case."""
    return fit_all(run, _alone(setting))[0] | fit_all(run, setting)[0]


def _shape(costs: dict[str, Costs], first: str, second: str, n_x: int) -> Shape | None:
    if first not in costs or second not in costs:
        return None
    one, two = costs[first], costs[second]

    def shape(m: float) -> tuple[float, float]:
        ratio = one.seconds(m, n_x).estimate / two.seconds(m, n_x).estimate
        return math.log(ratio), math.hypot(one.spread(m, n_x), two.spread(m, n_x))

    return shape


def predicted(run: Run, setting: Setting) -> Iterator[Compared]:
    """By the model, halfway between the n_x that were measured."""
    costs = _costs(run, setting)
    cells = [result.cell for result in run.of(setting)]
    n_xs = sorted({cell.n_x for cell in cells})
    between = [round(math.sqrt(a * b)) for a, b in itertools.pairwise(n_xs)]
    ms = [float(m) for m in np.geomspace(min(c.m for c in cells), max(c.m for c in cells), STEPS)]
    for first, second in pairs(setting):
        for n_x in (n for n in between if n not in n_xs):
            shape = _shape(costs, first, second, n_x)
            if shape is not None:
                logs = [shape(m) for m in ms]
                ratios = [Interval(*(math.exp(y + sign * error) for sign in (0.0, -1.0, 1.0))) for y, error in logs]
                yield Compared(first, second, n_x, ms, ratios, crossings(ms, ratios, first, second))
