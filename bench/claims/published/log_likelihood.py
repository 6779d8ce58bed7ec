"""The log-likelihood of a million normal numbers on one thread: NumPy against compiled code.

A comparison of many languages, whose surprise was that NumPy (62 ms) came between Fortran (57 ms) and C++ (83 ms), and
ahead of numexpr (71 ms). Fortran and C++ are not run here: a loop in Numba stands beside them.
Odd: log(exp(t)) is t, so most of the work need not be done at all.
"""

import math

import numba
import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work, summed

MU, SIGMA = 0.1, 1.5
ROOT = math.sqrt(2.0 * math.pi)


def setup(n: int, rng: np.random.Generator) -> Array:
    """Normal numbers."""
    return rng.standard_normal(n)


def numpy_form(x: Array) -> float:
    """Whole arrays."""
    return float(np.sum(np.log(np.exp(-((x - MU) ** 2) / (2.0 * SIGMA**2)) / (SIGMA * ROOT))))


def numexpr_form(x: Array) -> float:  # noqa: ARG001 it reads its caller's names
    """Block by block."""
    import numexpr

    mu, sigma, root = MU, SIGMA, ROOT  # noqa: F841 names of the expression
    return float(numexpr.evaluate("sum(log(exp(-(x - mu)**2 / (2*sigma**2)) / (sigma*root)))"))


@numba.njit
def compiled(x: Array) -> float:
    """One loop."""
    total = 0.0
    for i in range(len(x)):
        total += math.log(math.exp(-((x[i] - MU) ** 2) / (2.0 * SIGMA**2)) / (SIGMA * ROOT))
    return total


def simplified(x: Array) -> float:
    """With log(exp(t)) = t."""
    t = x - MU
    return float(-np.dot(t, t) / (2.0 * SIGMA**2) - len(x) * math.log(SIGMA * ROOT))


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(numexpr_form, title="numexpr", printed=71.0e-3, needs=("numexpr",)),
        Way(numpy_form, title="NumPy", printed=62.2e-3),
        Way(compiled, name="compiled", title="njit loop"),
        Way(simplified, title="NumPy, simplified"),
    ),
    n=1_000_000,
    shape="log-likelihood of {n} normal numbers",
    ratio=Ratio("numexpr_form", "numpy_form"),
    others=(Ratio("compiled", "numpy_form"),),
    causes=(
        Cause("numpy_form", "simplified", "log(exp(t)) is t: neither needs to be computed"),
        Cause("compiled", "numpy_form", "NumPy vectorizes exp and log where the CPU can; Numba calls the C library's"),
    ),
    source=Source("Alex Rogozhnikov", "Benchmarks of speed: NumPy vs all", "Brilliantly wrong", 2015),
    # Terms of one sign, each of exp, log and five roundings.
    tolerance=summed(lambda n: n + 16),
    work=lambda n: Work(8.0 * n, 7.0 * n),
)
