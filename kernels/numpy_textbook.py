"""The vectorized listing of the notes, with the cost as the formula prints it.

Changes: no loop is left; each line works on all m examples at once, in compiled code that NumPy brings along.
Passes over X: two from memory (Z, then dw): X is gone from the cache before the second begins, unless it fits.
Allocates: some ten arrays of m elements, one for each intermediate result.
So: the cost of an element falls to that of a matrix-vector product, that of a call rises, for a
dozen functions of NumPy are called, and the m elements of every intermediate go through memory.

Valid only while no activation saturates: past |z| of about 36.7, a is exactly 0 or 1 in float64, log(0) is -inf,
0 * log(0) is NaN, and J with it. Below z = -709.78 exp(-z) overflows; NumPy warns, and a = 0 is right all the same.
"""

import numpy as np

from kernels._kernel import Array, CostAndGradient, Kernel


def cost_and_gradient(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """J, dw (n_x,) and db at w (n_x,) and b, for X (n_x, m) and Y (m,)."""
    m = Y.size
    Z = np.dot(w, X) + b
    A = 1.0 / (1.0 + np.exp(-Z))
    J = -np.mean(Y * np.log(A) + (1.0 - Y) * np.log(1.0 - A))
    dZ = A - Y
    dw = (1.0 / m) * np.dot(X, dZ)
    db = (1.0 / m) * np.sum(dZ)
    return J, dw, db


KERNEL = Kernel(
    name="numpy_textbook",
    title="NumPy, textbook cost",
    change="The vectorized listing of the notes; valid only while no activation saturates (|z| below about 36).",
    function=cost_and_gradient,
    threads="all",
    cost_from="a",
)
