"""The oracle: cost and gradient in double-double arithmetic, rounded to float64 once, at the end.

Inputs in float32 are taken for what they are, numbers of float64 that end in zeros, so it is as exact for them.

It is never timed, and computes in a different way from all kernels: products are exact, sums carry 106 bits, and exp
and log1p are its own. Its error is at least 100 times smaller than every bound that it helps to check (the tests
compare it with mpmath).

With s = (1 - 2y) z the loss of an example is log(1 + e^s) and dz = (1 - 2y) sigma(s), so no digit is lost where the
loss or dz is tiny.
"""

import numpy as np
import numpy.typing as npt

from kernels import _double_double as dd
from kernels._double_double import Pair
from kernels._inputs import Array, check_inputs
from kernels._kernel import CostAndGradient

BLOCK = 2**15  # elements of X at a time, so that the intermediates stay in the cache


def cost_and_gradient(w: npt.ArrayLike, b: float, X: npt.ArrayLike, Y: npt.ArrayLike) -> CostAndGradient:
    """J, dw (n_x,) and db, correct up to the final rounding.

    Arguments and errors are those of `Kernel.__call__`.
    """
    w, b, X, Y = check_inputs(w, b, X, Y)
    w, Y = w.astype(np.float64), Y.astype(np.float64)
    n_x, m = X.shape
    # Powers of two scale each feature to at most 1 without rounding, so that splitting can't overflow.
    scale = np.ldexp(1.0, np.clip(np.frexp(_largest(X))[1], -1000, 1000))
    w_scaled = w * scale
    size = max(1, BLOCK // n_x)
    J, db = _zeros(()), _zeros(())
    dw = _zeros((n_x,))
    for start in range(0, m, size):
        x = X[:, start : start + size] / scale[:, None]
        loss, dz = _loss_and_dz(_weighted_sum(w_scaled, b, x), Y[start : start + size])
        J = dd.add(J, dd.total(loss, 0))
        db = dd.add(db, dd.total(dz, 0))
        product = dd.two_product(x, dz[0])
        dw = dd.add(dw, dd.total((product[0], product[1] + x * dz[1]), 1))
    J, dw, db = (dd.divide(mean, (np.float64(m), np.float64(0.0))) for mean in (J, dw, db))  # type: ignore[arg-type]
    return float(J[0]), dw[0] * scale, float(db[0])


def _largest(X: Array) -> Array:
    largest: Array = np.maximum(X.max(axis=1), -X.min(axis=1)).astype(np.float64)
    return largest


def _zeros(shape: tuple[int, ...]) -> Pair:
    return np.zeros(shape), np.zeros(shape)


def _weighted_sum(w: Array, b: float, x: Array) -> Pair:
    """Z of the examples in x (n_x, examples)."""
    Z = dd.total(dd.two_product(w[:, None], x), 0)
    return dd.add(Z, (np.float64(b), np.float64(0.0)))  # type: ignore[arg-type]


def _loss_and_dz(Z: Pair, Y: Array) -> tuple[Pair, Pair]:
    sign = 1.0 - 2.0 * Y
    s = Z[0] * sign, Z[1] * sign
    flip = np.where(s[0] > 0.0, -1.0, 1.0)
    e = dd.exp((s[0] * flip, s[1] * flip))
    positive = s[0] > 0.0
    loss = dd.add(dd.log1p(e), (np.where(positive, s[0], 0.0), np.where(positive, s[1], 0.0)))
    above = np.where(positive, 1.0, e[0]), np.where(positive, 0.0, e[1])
    a = dd.divide(above, dd.add(e, (np.ones_like(Y), np.zeros_like(Y))))
    return loss, (a[0] * sign, a[1] * sign)
