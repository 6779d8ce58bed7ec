"""The time of a kernel at any m and n_x, from the measured cells around it and the cost model between them.

The cost model (a cost per call, per example and per element of X) gives the shape of the curve. What it leaves,
ln(measured / model), changes slowly with m, with n_x and with the size of X, which decides the cache it fits in: a
Gaussian process over ln m, ln n_x and ln(m n_x) brings in what is near in all three (C. E. Rasmussen and C. K. I.
Williams, "Gaussian Processes for Machine Learning", 2006, chapter 2 and section 5.4.2). How far is near is fixed: few
cells fit any lengths that are learned from them, and then promise too much. Only the share of noise is chosen, as the
one with which cells that are left out are estimated best.

The interval is checked and not believed: each cell is estimated from all the others, and its error is divided by the
standard deviation that the process gave it; 90% of the cells were off by no more than `reach` such deviations
(normalized conformal prediction: Vovk, Gammerman, Shafer, Algorithmic Learning in a Random World, 2005).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

from bench.stats import Interval

CONFIDENCE = 0.9
MIN_CELLS = 6  # three numbers of the model, from twice as many cells
LENGTHS = (20.0, 8.0, 2.0)  # over which it changes, in ln m, ln n_x and ln(m n_x): the size of X tells most
NOISE = (0.01, 0.03, 0.1, 0.3)  # the share of the variance that no neighbour knows of

Array = npt.NDArray[np.float64]


class TooFewCells(Exception):
    """A kernel that was timed in too few cells to estimate it elsewhere."""


@dataclass(frozen=True)
class Timed:
    """Seconds of a call of a kernel in a cell."""

    m: int
    n_x: int
    seconds: float


class Local:
    """What a kernel takes at any size.

    Args:
        cells: Where it was timed; six cells or more, of several m and several n_x.

    Raises:
        TooFewCells: If there are fewer.
    """

    def __init__(self, cells: Sequence[Timed]) -> None:
        if len(cells) < MIN_CELLS or len({cell.m for cell in cells}) < 2 or len({cell.n_x for cell in cells}) < 2:
            raise TooFewCells(f"timed in {len(cells)} cells; an estimate takes {MIN_CELLS}, of several m and n_x")
        sizes = np.array([[cell.m, cell.n_x] for cell in cells], dtype=np.float64)
        seconds = np.array([cell.seconds for cell in cells])
        self._sizes = [(cell.m, cell.n_x) for cell in cells]
        self._costs = nnls(_terms(sizes) / seconds[:, None], np.ones(len(cells)))[0]
        left = np.log(seconds / (_terms(sizes) @ self._costs))
        processes = [
            GaussianProcessRegressor(
                Matern(LENGTHS, nu=1.5) + WhiteKernel(noise), alpha=0.0, optimizer=None, normalize_y=True
            ).fit(_places(sizes), left)
            for noise in NOISE
        ]
        self._process = min(processes, key=lambda process: float(np.abs(_held_out(process)[0]).mean()))
        self._left = left

    def seconds(self, m: float, n_x: float) -> Interval:
        """Seconds of a call, with the interval that 90% of the held-out cells kept to."""
        sizes = np.array([[m, n_x]], dtype=np.float64)
        left, deviation = self._process.predict(_places(sizes), return_std=True)
        estimate = float((_terms(sizes) @ self._costs)[0] * np.exp(left[0]))
        factor = math.exp(self.reach * float(deviation[0]))
        return Interval(estimate, estimate / factor, estimate * factor)

    def estimates(self, sizes: Array) -> Array:
        """Seconds of a call at many sizes at once, without intervals; sizes (count, 2): m and n_x."""
        return np.asarray((_terms(sizes) @ self._costs) * np.exp(self._process.predict(_places(sizes))))

    @cached_property
    def errors(self) -> dict[tuple[int, int], float]:
        """(m, n_x) of each cell -> ln(estimated / measured), estimated from the other cells alone."""
        return dict(zip(self._sizes, _held_out(self._process)[0].tolist(), strict=True))

    @cached_property
    def reach(self) -> float:
        """How many standard deviations 90% of the held-out cells kept to; the largest, with fewer than 9 of them."""
        errors, deviations = _held_out(self._process)
        return quantile(np.abs(errors) / deviations)


def _held_out(process: GaussianProcessRegressor) -> tuple[Array, Array]:
    """Error and standard deviation of each cell as estimated from the others (Rasmussen and Williams, 5.12)."""
    scale = float(process._y_train_std)
    factor: Array = process.L_
    inverse = np.linalg.inv(factor @ factor.T)
    return -scale * np.ravel(process.alpha_) / np.diag(inverse), scale / np.sqrt(np.diag(inverse))


def quantile(scores: Array) -> float:
    """The score that 90% of further ones keep to, if they are like these: a conformal quantile."""
    ordered = np.sort(scores)
    return float(ordered[min(ordered.size, math.ceil(CONFIDENCE * (ordered.size + 1))) - 1])


def _terms(sizes: Array) -> Array:
    """What the costs per call, per example and per element multiply."""
    m, n_x = sizes.T
    return np.column_stack([np.ones_like(m), m, m * n_x])


def _places(sizes: Array) -> Array:
    """Where a size lies for the process: ln m, ln n_x and ln of the numbers in X."""
    m, n_x = np.log(sizes.T)
    return np.column_stack([m, n_x, m + n_x])
