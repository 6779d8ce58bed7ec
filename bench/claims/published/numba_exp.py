"""exp of ten thousand numbers: np.exp against a loop in Numba, which is "6 times slower".

The issue asks why np.exp inside njit is slower than in NumPy.
Odd: the figures give 5.0. NumPy has an exp of its own for AVX-512, which takes eight numbers at a time; Numba calls the
C library for one at a time, unless it has Intel's SVML.
"""

import numba
import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work, elementwise
from kernels._exp import exp


def setup(n: int, rng: np.random.Generator) -> Array:
    """Normal numbers."""
    return rng.standard_normal(n)


def exps(x: Array) -> Array:
    """Exp of the array."""
    return np.exp(x)


numba_exps = numba.njit(exps)


@numba.njit(error_model="numpy")
def numba_vectorized(x: Array) -> Array:
    """Exp as a polynomial, e^x = 1 / e^-x for x > 0, which LLVM vectorizes."""
    r = np.empty_like(x)
    for i in range(len(x)):
        e = exp(-abs(x[i]))
        r[i] = 1.0 / e if x[i] > 0.0 else e
    return r


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(numba_exps, name="numba_exps", title="njit np.exp", printed=34.2e-6),
        Way(exps, title="np.exp", printed=6.8e-6),
        Way(numba_vectorized, name="numba_vectorized", title="njit, a vectorized exp"),
    ),
    n=10_000,
    shape="exp of {n} numbers",
    ratio=Ratio("numba_exps", "exps", stated=6.0),
    causes=(Cause("numba_exps", "numba_vectorized", "Numba calls the C library's exp for each number"),),
    source=Source("Ricardo Vieira", "Numba np.exp overload 6x slower than numpy", "Numba issue 10060", 2025),
    tolerance=elementwise(4),
    work=lambda n: Work(16.0 * n, n),
)
