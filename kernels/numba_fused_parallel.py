"""The fused blocks, with the examples spread over threads.

Changes: each thread takes one contiguous share of the examples and sums into its own memory. The shares are then
added in the order of the threads, so every run with the same number of threads gives the same bits.
Sums within a share are in the dtypes of `numba_fused`; those of the shares are in float64.
Passes over X: one from memory, divided among the threads.
Allocates: what `numba_fused` does, for each thread, and a row of sums.
"""

import numba
import numpy as np

from kernels._kernel import Array, CostAndGradient, Kernel
from kernels._shares import in_shares
from kernels.numba_fused import add_spans, room_for
from kernels.numba_passes import relaxed


# These two are compiled on their own: inside a parallel=True function their loops would be slower, and each sum of
# arrays would be spread over the threads too.
@relaxed
def one_share(w: Array, b: float, X: Array, Y: Array, start: int, stop: int, row: Array) -> None:
    """Write the sums over the examples from start to stop, dw, J and db in this order, to row (n_x + 2,)."""
    row[: w.size] = 0.0
    J, db = add_spans(w, b, X, Y, start, stop, room_for(X, stop - start), row)
    row[w.size] = J
    row[w.size + 1] = db


@relaxed
def means(rows: Array, w: Array, m: int) -> CostAndGradient:
    """J, dw and db from the sums of all shares (shares, at least n_x + 2), added in the order of the shares."""
    n_x = w.size
    total = np.zeros(n_x + 2)
    for k in range(rows.shape[0]):
        for j in range(total.size):
            total[j] += rows[k, j]
    return total[n_x] / m, np.asarray(total[:n_x] / m, dtype=w.dtype), total[n_x + 1] / m


@numba.njit(error_model="numpy", parallel=True)
def cost_and_gradient(w: Array, b: float, X: Array, Y: Array, shares: int) -> CostAndGradient:
    """J, dw (n_x,) and db at w (n_x,) and b, for X (n_x, m) and Y (m,), in so many shares, one for a thread."""
    n_x, m = X.shape
    # Eight spare columns (64 bytes) keep two threads from writing to one cache line.
    rows = np.empty((shares, n_x + 2 + 8))
    for k in numba.prange(shares):
        # prange counts in unsigned integers; everything that is called would be compiled again for them.
        start, stop = np.int64(k) * m // shares, np.int64(k + 1) * m // shares
        one_share(w, b, X, Y, start, stop, rows[k])
    return means(rows, w, m)


KERNEL = Kernel(
    name="numba_fused_parallel",
    title="Numba, fused blocks, all threads",
    change="The fused blocks with the examples spread over threads, each with its own sums.",
    function=cost_and_gradient,
    question="What if all threads share the blocks?",
    prepare=in_shares(cost_and_gradient),
    threads="all",
    compiles="once",
    grew_from="numba_fused",
    cause="all threads",
    expects="While X fits in the cache, as many times faster as there are threads, less the cost of waking them. From "
    "memory, faster until the bandwidth is used up. On few examples it is slower.",
    predicted_by="threads",
    more="One thread is farther from its limit than all threads are from theirs.",
    less="All threads are farther from their limit than one thread is from its own: waking them, and waiting for the "
    "last one, is not in the limit.",
    passes=1,
    vectors=0,
    rivals=("numba_fused", "numpy_vectorized"),
    work="compiled",
    arithmetic="relaxed",
)
