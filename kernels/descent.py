"""Gradient descent: the iterations around a step."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kernels._inputs import Array, check_inputs
from kernels._kernel import Kernel


@dataclass(frozen=True)
class Descent:
    """The result of gradient descent.

    Attributes:
        w: Weights after the last iteration, shape (n_x,).
        b: Bias after the last iteration.
        costs: J before each update, shape (iterations,).
    """

    w: Array
    b: float
    costs: Array


def gradient_descent(
    kernel: Kernel,
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    alpha: float,
    iterations: int,
    w: npt.ArrayLike | None = None,
    b: float = 0.0,
    *,
    compiled: bool = False,
) -> Descent:
    """Descend from w and b (zeros, as in the notes): w <- w - alpha dw, b <- b - alpha db in each iteration.

    Args:
        kernel: The kernel that computes J, dw and db in each iteration.
        X: Examples in columns, shape (n_x, m).
        Y: Labels 0 or 1, shape (m,).
        alpha: Learning rate.
        iterations: How many steps to take, 0 or more.
        w: Weights to start from, shape (n_x,); zeros if None.
        b: Bias to start from.
        compiled: Compile the loop over the iterations too, which saves calling the kernel from Python in each of
            them; only for a kernel that has such a form (`kernel.descend`).

    Raises:
        ValueError: As a kernel raises it; also if alpha is not finite, iterations is negative, or compiled=True and
            the kernel has no compiled form.
        TypeError: As a kernel raises it.
    """
    if w is None:
        w = np.zeros(np.shape(X)[0] if np.ndim(X) == 2 else 0)
    w, b, X, Y = check_inputs(w, b, X, Y)
    if not np.isfinite(alpha):
        raise ValueError(f"alpha must be finite; got {alpha}")
    if iterations < 0:
        raise ValueError(f"iterations must be 0 or more; got {iterations}")
    if compiled:
        if kernel.descend is None:
            raise ValueError(f"{kernel.name} has no form with compiled iterations")
        return Descent(*kernel.descend(w, b, X, Y, float(alpha), iterations))
    at = kernel.at(X, Y)
    costs = np.empty(iterations)
    w = w.copy()
    for k in range(iterations):
        costs[k], dw, db = at(w, b)()
        w = w - alpha * np.asarray(dw)
        b = b - alpha * float(db)
    return Descent(w, b, costs)
