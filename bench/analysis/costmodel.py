"""Cost per call, per example and per element of each kernel.

The model is seconds = per call + per example * m + per element * m * n_x. Its three numbers are fitted to the median
times of a run's cells by non-negative least squares in relative error: the sum of ((predicted - measured) / measured)^2
is least, so that a cell of a microsecond counts as much as one of a second. Costs per example and per element may
depend on where the data live (L2, L3, memory). Whether they do is decided by predicting cells that were left out, so
that a kernel gets more numbers only where they help.

There are two kinds of interval. Those of the three numbers come from resampled cells (bootstrap, within each level,
from a fixed seed): a line misses the cells by more than their samples scatter, so noise of the samples alone would
promise too much. That of a predicted time comes from cells left out: the model and its levels are chosen and fitted
without a cell, which is then predicted, and 95% of these predictions were no farther off, as a factor (leave-one-out
conformal prediction: Vovk, Gammerman, Shafer, Algorithmic Learning in a Random World, 2005).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from bench.grid import Precision, Setting
from bench.results import Run
from bench.stats import Interval

Array = npt.NDArray[np.float64]
Number = TypeVar("Number", float, Array)
Cuts = tuple[float, ...]  # bytes at which one level ends and the next begins, ascending

MIN_CELLS = 6  # three numbers, from twice as many cells
MIN_LEVEL_CELLS = 5
VECTORS = 4  # of m numbers each: Y, and what a vectorized step makes on its way
CACHE_SHARE = 0.75  # data stay in a cache if they fill no more of it; the rest is for what else runs
BETTER = 0.95  # a further level must lower the held-out error below this share
GOOD_ENOUGH = 1e-3  # a held-out error that asks for no further level
FOLDS = 5
RESAMPLES = 400
CONFIDENCE = 0.95
DEFAULT = Setting()
MIN_STRATUM = 8


class TooFewCells(Exception):
    """A kernel that was timed in too few cells to fit three numbers to."""


@dataclass(frozen=True)
class Level:
    """What an example and an element cost while the data live there.

    Attributes:
        name: Such as "L2", "L3 and memory", or "anywhere" where one line fits all.
        cells: How many cells it was fitted to.
        per_example: Seconds for each example.
        per_element: Seconds for each element of X.
    """

    name: str
    cells: int
    per_example: Interval
    per_element: Interval


@dataclass(frozen=True)
class HeldOut:
    """A cell, and what the model that had not seen it predicted, in seconds."""

    m: int
    n_x: int
    measured: float
    predicted: float

    @property
    def error(self) -> float:
        """ln(predicted / measured)."""
        return math.log(self.predicted / self.measured)


@dataclass(frozen=True)
class Costs:
    """The costs of a kernel in a layout of X on a number of threads.

    Attributes:
        kernel: Its name.
        setting: Order, threads and dtype.
        per_call: Seconds for each call.
        levels: The other two numbers, from the nearest memory to the farthest.
        cuts: Bytes of data at which a level ends and the next begins.
        near: Bytes up to which data count as near, for the interval of a prediction.
        fit_errors: |predicted / measured - 1| of each cell, by the model fitted to all.
        held_out: Each cell as predicted by a model that was chosen and fitted without it.
    """

    kernel: str
    setting: Setting
    per_call: Interval
    levels: tuple[Level, ...]
    cuts: Cuts
    near: float
    fit_errors: tuple[float, ...]
    held_out: tuple[HeldOut, ...]

    @property
    def per_example(self) -> Interval:
        """Seconds for each example while the data live nearest."""
        return self.levels[0].per_example

    @property
    def per_element(self) -> Interval:
        """Seconds for each element of X while the data live nearest."""
        return self.levels[0].per_element

    @property
    def held_out_errors(self) -> tuple[float, ...]:
        """|predicted / measured - 1| of each cell, predicted without it."""
        return tuple(abs(math.expm1(cell.error)) for cell in self.held_out)

    def spread(self, m: float, n_x: float) -> float:
        """|ln(predicted / measured)| that 95% of the held-out predictions kept to, of data as near as these.

        With fewer than 19 such cells it is the largest of them, and covers somewhat less than 95%.
        """
        return self._spreads[data_bytes(m, n_x, self.setting.precision) <= self.near]

    @cached_property
    def _spreads(self) -> dict[bool, float]:
        """The spread of data that are far, and of those that are near."""
        spreads, precision = {}, self.setting.precision
        for near in (False, True):
            errors = [abs(c.error) for c in self.held_out if (data_bytes(c.m, c.n_x, precision) <= self.near) == near]
            if len(errors) < MIN_STRATUM:
                errors = [abs(cell.error) for cell in self.held_out]
            rank = min(len(errors), math.ceil(CONFIDENCE * (len(errors) + 1)))
            spreads[near] = sorted(errors)[rank - 1]
        return spreads

    def seconds(self, m: float, n_x: float) -> Interval:
        """Predicted seconds of a call, with the interval that held-out cells earned; m, n_x as in X (n_x, m)."""
        nbytes = data_bytes(m, n_x, self.setting.precision)
        level = self.levels[sum(nbytes > cut for cut in self.cuts)]
        estimate = self.per_call.estimate + level.per_example.estimate * m + level.per_element.estimate * m * n_x
        factor = math.exp(self.spread(m, n_x))
        return Interval(estimate, estimate / factor, estimate * factor)


def data_bytes(m: Number, n_x: Number, precision: Precision) -> Number:
    """Bytes that a step works on: X, Y and a few vectors as long as Y."""
    return precision.nbytes * m * (n_x + VECTORS)


@dataclass(frozen=True)
class _Cells:
    """The measured cells of one kernel; arrays of one number a cell."""

    m: Array
    n_x: Array
    seconds: Array
    precision: Precision

    def of(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "_Cells":
        return _Cells(self.m[index], self.n_x[index], self.seconds[index], self.precision)

    def level(self, cuts: Cuts) -> npt.NDArray[np.intp]:
        nbytes = data_bytes(self.m, self.n_x, self.precision)
        return np.searchsorted(np.array(cuts, dtype=np.float64), nbytes, side="left")

    def terms(self, cuts: Cuts) -> Array:
        """(cells, 1 + 2 levels): what the cost per call, per example and per element of each level multiply."""
        at = self.level(cuts)[:, None] == np.arange(len(cuts) + 1)
        return np.hstack([np.ones((self.m.size, 1)), self.m[:, None] * at, (self.m * self.n_x)[:, None] * at])

    def solve(self, cuts: Cuts) -> Array:
        """The costs, of which none is negative, that are least wrong in relative error."""
        return np.asarray(nnls(self.terms(cuts) / self.seconds[:, None], np.ones(self.m.size))[0])


def fit(run: Run, kernel: str, setting: Setting = DEFAULT) -> Costs:
    """The costs of a kernel, from the cells of a setting in which it was timed.

    Raises:
        TooFewCells: If these are fewer than 6, or of fewer than two m or two n_x.
    """
    timed = sorted((r for r in run.of(setting) if kernel in r.samples), key=lambda r: (r.cell.n_x, r.cell.m))
    if len(timed) < MIN_CELLS or len({r.cell.m for r in timed}) < 2 or len({r.cell.n_x for r in timed}) < 2:
        raise TooFewCells(f"{kernel}: timed in {len(timed)} cells; a fit needs {MIN_CELLS}, of several m and n_x")
    cells = _Cells(
        np.array([float(result.cell.m) for result in timed]),
        np.array([float(result.cell.n_x) for result in timed]),
        np.array([result.median(kernel).estimate for result in timed]),
        setting.precision,
    )
    places = cache_limits(run)
    cuts = _choose(cells, limits := tuple(places.values()))
    costs, low, high = cells.solve(cuts), *_bootstrap(cells, cuts)
    numbers = [Interval(float(c), float(min(a, c)), float(max(b, c))) for c, a, b in zip(costs, low, high, strict=True)]
    counts = np.bincount(cells.level(cuts), minlength=len(cuts) + 1).tolist()
    levels = tuple(
        Level(_level_name(places, cuts, k), count, numbers[1 + k], numbers[1 + len(counts) + k])
        for k, count in enumerate(counts)
    )
    return Costs(
        kernel=kernel,
        setting=setting,
        per_call=numbers[0],
        levels=levels,
        cuts=cuts,
        near=limits[0] if limits else math.inf,
        fit_errors=tuple(float(e) for e in abs(cells.terms(cuts) @ costs / cells.seconds - 1.0)),
        held_out=_leave_one_out(cells, limits),
    )


@lru_cache(maxsize=16)
def fit_all(run: Run, setting: Setting) -> tuple[dict[str, Costs], list[str]]:
    """The costs of every kernel of a setting, in ladder order; and why some have none, a line for each.

    The fits are kept, for several chapters need them and they take longer than the figures. A `Run` is frozen and
    compared by identity, so what is kept can't go out of date or be mixed up with another run's.
    """
    fitted: dict[str, Costs] = {}
    refused = []
    timed = {name for result in run.of(setting) for name in result.kernels}
    for name in run.measured:
        try:
            if name in timed:
                fitted[name] = fit(run, name, setting)
        except TooFewCells as error:
            refused.append(str(error))
    return fitted, refused


def cache_limits(run: Run) -> dict[str, float]:
    """Cache -> bytes of data that stay in it, of the caches that the run's machine card knows; ascending."""
    caches = run.header.machine.caches
    return {name: CACHE_SHARE * caches[name] for name in ("L2", "L3") if name in caches}


def _level_name(places: dict[str, float], cuts: Cuts, level: int) -> str:
    """The places between two cuts, such as "L3 and memory"."""
    if not cuts:
        return "anywhere"
    names, ends = [*places, "memory"], [*places.values(), math.inf]
    edges = (0.0, *cuts, math.inf)
    return " and ".join(n for n, end in zip(names, ends, strict=True) if edges[level] < end <= edges[level + 1])


def _choose(cells: _Cells, limits: Sequence[float]) -> Cuts:
    """The cuts with which cells that are left out, a fifth at a time, are predicted best; fewer where it is close."""
    chosen: Cuts = ()
    least = _error_of(cells, ())
    for count in range(1, len(limits) + 1):
        for cuts in combinations(limits, count):
            if min(np.bincount(cells.level(cuts), minlength=count + 1)) < MIN_LEVEL_CELLS:
                continue
            error = _error_of(cells, cuts)
            if error < BETTER * least and least > GOOD_ENOUGH:
                chosen, least = cuts, error
    return chosen


def _error_of(cells: _Cells, cuts: Cuts) -> float:
    """Root mean square of ln(predicted / measured) of the cells, each predicted from the folds without it."""
    fold = np.arange(cells.m.size) % FOLDS
    errors = [_log_error(cells.of(fold != k).solve(cuts), cells.of(fold == k), cuts) for k in range(FOLDS)]
    return float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))


def _log_error(costs: Array, cells: _Cells, cuts: Cuts) -> Array:
    # A prediction of nothing at all counts as a thousandth.
    return np.log(np.maximum(cells.terms(cuts) @ costs / cells.seconds, 1e-3))


def _leave_one_out(cells: _Cells, limits: Sequence[float]) -> tuple[HeldOut, ...]:
    held_out = []
    for k in range(cells.m.size):
        one, others = cells.of(np.array([k])), cells.of(np.arange(cells.m.size) != k)
        cuts = _choose(others, limits)
        error = float(_log_error(others.solve(cuts), one, cuts)[0])
        measured = float(one.seconds[0])
        held_out.append(HeldOut(int(one.m[0]), int(one.n_x[0]), measured, measured * math.exp(error)))
    return tuple(held_out)


def _bootstrap(cells: _Cells, cuts: Cuts) -> tuple[Array, Array]:
    """The ends of the intervals of all costs, from cells resampled within each level."""
    rng = np.random.default_rng(0)
    levels = [np.flatnonzero(cells.level(cuts) == k) for k in range(len(cuts) + 1)]
    drawn = [
        cells.of(np.concatenate([rng.choice(level, level.size) for level in levels])).solve(cuts)
        for _ in range(RESAMPLES)
    ]
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(np.array(drawn), [tail, 1.0 - tail], axis=0)
    return low, high
