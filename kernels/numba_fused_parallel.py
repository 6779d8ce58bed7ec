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
from kernels.numba_fastmath import RELAXED
from kernels.numba_fused import share, zeros_apart


# numba.prange spreads the shares; all arithmetic is in `share`, compiled apart, for parallel=True slows its loops.
@numba.njit(error_model="numpy", fastmath=RELAXED)
def one_share(w: Array, b: float, X: Array, Y: Array, start: int, stop: int, sums: Array) -> None:
    """Sums over the examples from start to stop: dw, J and db, one after another in sums (n_x + 2,)."""
    J, dw, db = share(w, b, X, Y, start, stop, zeros_apart(X, w.size))
    sums[: w.size] = dw
    sums[w.size] = J
    sums[w.size + 1] = db


@numba.njit(error_model="numpy", fastmath=RELAXED, parallel=True)
def cost_and_gradient(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """J, dw (n_x,) and db at w (n_x,) and b, for X (n_x, m) and Y (m,), on numba.get_num_threads() threads."""
    n_x, m = X.shape
    shares = min(numba.get_num_threads(), m)
    # Eight spare columns (64 bytes) keep two threads from writing to one cache line.
    sums = np.zeros((shares, n_x + 2 + 8))
    for k in numba.prange(shares):
        # prange counts in unsigned integers, for which all that is called would be compiled once more.
        start, stop = np.int64(k) * m // shares, np.int64(k + 1) * m // shares
        one_share(w, b, X, Y, start, stop, sums[k, : n_x + 2])
    total = np.zeros(n_x + 2)
    for k in range(shares):
        total += sums[k, : n_x + 2]
    total /= m
    return total[n_x], total[:n_x].copy(), total[n_x + 1]  # type: ignore[return-value]


KERNEL = Kernel(
    name="numba_fused_parallel",
    title="Numba, fused blocks, all threads",
    change="The fused blocks with the examples spread over threads, each with private sums.",
    function=cost_and_gradient,
    threads="all",
    compiled=True,
)
