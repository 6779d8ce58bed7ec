"""The sum of ten million square roots in Numba: strict, fastmath, parallel, and both.

Numba's page on performance shows what each option brings. With fastmath the sum may be reordered, so it can be
vectorized; with parallel each thread takes a share.
"""

import numba
import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work, summed


def setup(n: int) -> Array:
    """The whole numbers below n."""
    return np.arange(n, dtype=np.float64)


def _sum(x: Array) -> float:
    acc = 0.0
    for i in range(len(x)):
        acc += np.sqrt(x[i])
    return acc


def _sum_parallel(x: Array) -> float:
    acc = 0.0
    for i in numba.prange(len(x)):
        acc += np.sqrt(x[i])
    return acc


strict = numba.njit(_sum)
fast = numba.njit(fastmath=True)(_sum)
parallel = numba.njit(parallel=True)(_sum_parallel)
both = numba.njit(parallel=True, fastmath=True)(_sum_parallel)

CLAIM = Claim(
    setup=setup,
    ways=(
        Way(strict, name="strict", title="njit", printed=35.2e-3),
        Way(fast, name="fastmath", title="njit, fastmath", printed=17.8e-3),
        Way(parallel, name="parallel", title="njit, parallel", printed=9.81e-3),
        Way(both, name="both", title="njit, both", printed=5.37e-3),
    ),
    n=10_000_000,
    shape="sum of {n} square roots",
    ratio=Ratio("strict", "fastmath"),
    others=(Ratio("strict", "parallel"), Ratio("strict", "both")),
    causes=(Cause("fastmath", "both", "The threads of this machine share the work, and its memory"),),
    source=Source("Numba documentation", "Performance Tips", "Numba user guide", 2019),
    tolerance=summed(),
    work=lambda n: Work(8.0 * n, 2.0 * n),
    threads="all",
)
