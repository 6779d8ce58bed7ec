"""Problems to compute a gradient step on: synthetic ones from a seed, and a real data set."""

import zlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from bench.grid import Dtype, Order
from kernels._aligned import aligned, in_order_c
from kernels._kernel import Array


@dataclass(frozen=True)
class Problem:
    """Inputs of a gradient step: w (n_x,), b, X (n_x, m) in order "F" or "C", Y (m,) of 0.0 and 1.0.

    w, X and Y are of one dtype, float64 or float32, and b is a number of that dtype.
    """

    w: Array
    b: float
    X: Array
    Y: Array
    order: Order

    @property
    def m(self) -> int:
        """Number of examples."""
        return int(self.X.shape[1])

    @property
    def n_x(self) -> int:
        """Number of features."""
        return int(self.X.shape[0])

    @cached_property
    def by_feature(self) -> Array:
        """X with each feature contiguous, made once: for libraries that want it so, and would each make their own."""
        return self.X if self.order == "C" else in_order_c(self.X)

    @property
    def dtype(self) -> Dtype:
        """The dtype of w, X and Y."""
        return "float32" if self.X.dtype == np.float32 else "float64"

    def at(self, w: Array, b: float) -> "Problem":
        """The same examples at another w and b, rounded to the dtype."""
        kind = self.X.dtype
        return replace(self, w=np.asarray(w, dtype=kind), b=float(kind.type(b)))

    def rounded(self, dtype: Dtype, order: Order) -> "Problem":
        """The same problem with each number rounded to a dtype, once, and X in an order."""
        if (dtype, order) == (self.dtype, self.order):
            return self
        n_x, m = self.X.shape
        X = aligned((m, n_x), dtype).T if order == "F" else aligned((n_x, m), dtype)
        X[:] = self.X
        w, Y = self.w.astype(dtype), self.Y.astype(dtype)
        return Problem(w, float(X.dtype.type(self.b)), X, Y, order)

    @cached_property
    def checksum(self) -> int:
        """A checksum of X and Y as they are when it is first asked for."""
        return self._checksum_now()

    @property
    def changed(self) -> bool:
        """Whether X or Y were changed since `checksum` was first asked for."""
        return self._checksum_now() != self.checksum

    def _checksum_now(self) -> int:
        X: Any = self.X.T if self.order == "F" else self.X
        Y: Any = self.Y
        return zlib.crc32(Y, zlib.crc32(X))

    def restore(self, right: "Problem") -> None:
        """Write another problem's numbers into this one's arrays, which others hold."""
        self.X[:], self.Y[:] = right.X, right.Y
        if "by_feature" in vars(self):
            self.by_feature[:] = right.X

    def head(self, m: int) -> "Problem":
        """The same problem on its first m examples, X contiguous in the same order."""
        return Problem(self.w.copy(), self.b, np.array(self.X[:, :m], order=self.order), self.Y[:m].copy(), self.order)


def make_problem(m: int, n_x: int, seed: int = 0, order: Order = "F") -> Problem:
    """A synthetic problem: X standard normal, Y drawn from a true logistic model, w and b some way off that model.

    The same seed gives the same bits; both orders hold the same values; a smaller m holds the first examples of a
    larger one. z has a standard deviation of about 2, so that no activation saturates.

    Args:
        m: Number of examples.
        n_x: Number of features.
        seed: Seed of the random numbers.
        order: "F": each example contiguous; "C": each feature contiguous.

    Raises:
        ValueError: For m or n_x below 1, or another order.
    """
    if m < 1 or n_x < 1:
        raise ValueError(f"a problem needs at least one example and one feature; got m = {m}, n_x = {n_x}")
    if order not in ("F", "C"):
        raise ValueError(f'order must be "F" or "C"; got {order!r}')
    model, examples, labels = (np.random.default_rng([seed, stream]) for stream in range(3))
    w_true = 2.0 * model.standard_normal(n_x) / np.sqrt(n_x)
    b_true = model.standard_normal()
    w = w_true + 0.5 * model.standard_normal(n_x) / np.sqrt(n_x)
    b = float(b_true + 0.5 * model.standard_normal())
    X = aligned((m, n_x))
    examples.standard_normal(out=X)
    X = X.T
    if order == "C":
        X = in_order_c(X)
    # einsum and not BLAS: its sums do not depend on the number of threads, so neither do the labels.
    probability = 1.0 / (1.0 + np.exp(-(np.einsum("j,ji->i", w_true, X) + b_true)))
    Y = (labels.random(m) < probability).astype(np.float64)
    return Problem(w, b, X, Y, order)


def load_breast_cancer(order: Order = "F") -> Problem:
    """The Wisconsin breast cancer set that scikit-learn ships: 569 examples, 30 features, standardised; w and b zero.

    W. N. Street, W. H. Wolberg and O. L. Mangasarian, "Nuclear feature extraction for breast tumor diagnosis", 1993.
    """
    from sklearn.datasets import load_breast_cancer as load

    data, target = load(return_X_y=True)
    X = ((data - data.mean(axis=0)) / data.std(axis=0)).T
    X = np.array(X, dtype=np.float64, order=order)
    return Problem(np.zeros(X.shape[0]), 0.0, X, target.astype(np.float64), order)


def accuracy(w: Array, b: float, problem: Problem) -> float:
    """Share of the examples that are classified rightly."""
    return float(np.mean((np.dot(w, problem.X) + b > 0.0) == (problem.Y == 1.0)))
