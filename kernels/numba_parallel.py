"""The relaxed compiled loop, with the examples spread over threads.

Changes: each thread takes one contiguous share of the examples and sums into its own memory. The shares are then
added in the order of the threads, so every run with the same number of threads gives the same result.
Sums are in the dtypes of `numba_fastmath`.
Passes over X: as `numba_fastmath`, divided among the threads.
Allocates: one row of n_x + 2 sums per thread.
"""

import math

import numba
import numpy as np

from kernels._kernel import Array, CostAndGradient, Kernel
from kernels._shares import in_shares
from kernels.numba_fastmath import RELAXED


@numba.njit(error_model="numpy", fastmath=RELAXED, parallel=True)
def cost_and_gradient(w: Array, b: float, X: Array, Y: Array, shares: int) -> CostAndGradient:
    """J, dw (n_x,) and db at w (n_x,) and b, for X (n_x, m) and Y (m,), in so many shares, one for a thread."""
    n_x, m = X.shape
    # Eight spare columns (64 bytes) keep two threads from writing to one cache line.
    sums = np.empty((shares, n_x + 2 + 8))
    for share in numba.prange(shares):
        J = 0.0
        dw = np.zeros(n_x)
        db = 0.0
        for i in range(share * m // shares, (share + 1) * m // shares):
            z = b
            for j in range(n_x):
                z += w[j] * X[j, i]
            e = math.exp(-abs(z))
            a = 1.0 / (1.0 + e) if z >= 0.0 else e / (1.0 + e)
            J += max((1.0 - 2.0 * Y[i]) * z, 0.0) + math.log1p(e)
            dz = a - Y[i]
            for j in range(n_x):
                dw[j] += X[j, i] * dz
            db += dz
        for j in range(n_x):
            sums[share, j] = dw[j]
        sums[share, n_x] = J
        sums[share, n_x + 1] = db
    # Loops, because parallel=True would also spread each array operation over the threads, and wake them every time.
    for share in range(1, shares):
        for j in range(n_x + 2):
            sums[0, j] += sums[share, j]
    for j in range(n_x + 2):
        sums[0, j] /= m
    return sums[0, n_x], np.asarray(sums[0, :n_x], dtype=w.dtype), sums[0, n_x + 1]


KERNEL = Kernel(
    name="numba_parallel",
    title="Numba loop, all threads",
    change="The relaxed loop with the examples spread over threads, each with its own sums.",
    function=cost_and_gradient,
    question="What if all threads share the examples?",
    prepare=in_shares(cost_and_gradient),
    threads="all",
    compiles="once",
    grew_from="numba_fastmath",
    cause="all threads",
    expects="At best as many times faster as there are threads, less the cost of waking them. On few examples it is "
    "slower.",
    predicted_by="threads",
    more="One thread is farther from its limit than all threads are from theirs.",
    less="All threads are farther from their limit than one thread is from its own: waking them, and waiting for the "
    "last one, is not in the limit.",
    passes=1,
    vectors=0,
    rivals=("numba_fastmath", "numpy_vectorized"),
    work="compiled",
    arithmetic="relaxed",
)
