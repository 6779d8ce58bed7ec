"""The fused blocks, with the examples spread over threads.

Changes: each thread takes one contiguous share of the examples and sums into its own memory; the shares are then
added in the order of the threads, so the bits are the same on every run with the same number of threads.
Passes over X: one from memory, divided among the threads.
Allocates: what `numba_fused` does, for each thread, and a row of sums.
So: in the cache as many times faster as there are threads, less the cost of waking them; from memory until its
bandwidth is used up; on few examples a loss.
"""

import numba
import numpy as np

from kernels._kernel import Array, CostAndGradient, Kernel
from kernels.numba_fused import share, zeros_apart
from kernels.numba_passes import relaxed


# Both are compiled apart: parallel=True slows the loops of what it holds, and would spread each sum of arrays too.
@relaxed
def one_share(w: Array, b: float, X: Array, Y: Array, start: int, stop: int, sums: Array) -> None:
    """Sums over the examples from start to stop: dw, J and db, one after another in sums (n_x + 2,)."""
    J, dw, db = share(w, b, X, Y, start, stop, zeros_apart(X, w.size))
    for j in range(w.size):
        sums[j] = dw[j]
    sums[w.size] = J
    sums[w.size + 1] = db


@relaxed
def means(sums: Array, n_x: int, m: int) -> CostAndGradient:
    """J, dw and db from the sums of all shares (shares, at least n_x + 2), added in the order of the shares."""
    total = np.zeros(n_x + 2)
    for k in range(sums.shape[0]):
        for j in range(total.size):
            total[j] += sums[k, j]
    return total[n_x] / m, total[:n_x] / m, total[n_x + 1] / m


@numba.njit(error_model="numpy", parallel=True)
def cost_and_gradient(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """J, dw (n_x,) and db at w (n_x,) and b, for X (n_x, m) and Y (m,), on numba.get_num_threads() threads."""
    n_x, m = X.shape
    shares = min(numba.get_num_threads(), m)
    # Eight spare columns (64 bytes) keep two threads from writing to one cache line.
    sums = np.empty((shares, n_x + 2 + 8))
    for k in numba.prange(shares):
        # prange counts in unsigned integers, for which all that is called would be compiled once more.
        start, stop = np.int64(k) * m // shares, np.int64(k + 1) * m // shares
        one_share(w, b, X, Y, start, stop, sums[k])
    return means(sums, n_x, m)


KERNEL = Kernel(
    name="numba_fused_parallel",
    title="Numba, fused blocks, all threads",
    change="The fused blocks with the examples spread over threads, each with private sums.",
    function=cost_and_gradient,
    threads="all",
    compiled=True,
)
