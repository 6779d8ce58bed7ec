"""The loop of the notes in pure Python: over m examples, and within each one over n_x features.

Changes: nothing, this is the baseline. It is the listing of the notes with its slips corrected (see the README).
Sums over the examples are in float64. For X in float32 all else is float32, but what Python's math computes.
Passes over X: two per example (z, then dw), but the second finds the example in the cache: one from memory.
Allocates: dw, and a boxed float64 for every element that is read and every result of arithmetic.
"""

import math

import numpy as np

from kernels._kernel import Array, CostAndGradient, Kernel


def cost_and_gradient(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """J, dw (n_x,) and db at w (n_x,) and b, for X (n_x, m) and Y (m,)."""
    n_x, m = X.shape
    J = np.float64(0.0)
    dw = np.zeros(n_x)
    db = np.float64(0.0)
    for i in range(m):
        z = b
        for j in range(n_x):
            z += w[j] * X[j, i]
        # exp(-|z|) can't overflow, and the cost is computed from z, so it stays finite and accurate.
        e = math.exp(-abs(z))
        a = 1.0 / (1.0 + e) if z >= 0.0 else e / (1.0 + e)
        # max(z, 0) - y z, written without a difference so that numba_fastmath may add the terms in any order.
        J += max((1.0 - 2.0 * Y[i]) * z, 0.0) + math.log1p(e)
        dz = a - Y[i]
        for j in range(n_x):
            dw[j] += X[j, i] * dz
        db += dz
    return J / m, np.asarray(dw / m, dtype=w.dtype), db / m


KERNEL = Kernel(
    name="python_loop",
    title="Python loop over ndarray elements",
    change="The baseline: the looped algorithm of the notes, one interpreted step for each example and feature.",
    function=cost_and_gradient,
    question="How long does the algorithm of the notes take, one number at a time?",
    expects="Every element of X costs dozens of interpreted instructions, far more than its arithmetic.",
    passes=1,
    work="interpreted",
)
