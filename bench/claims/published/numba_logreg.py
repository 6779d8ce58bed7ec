"""Logistic regression by gradient descent, ten features and 30 iterations: Numba, sequential against parallel.

The example of Numba's own collection. The talk at SciPy 2017 showed it 5.9 to 11.8 times faster with automatic
parallelization, on 12 cores and for 20 million examples.
Odd: a step is not divided by the number of examples. So that the weights converge, the features are divided by its root
here. Issue 9395 finds the parallel form slow where the problem is small.
"""

import math

import numba
import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work, gamma

D, ITERATIONS = 10, 30


def setup(n: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Y (n,) of -1 and 1, X (n, D), w (D,)."""
    X = rng.standard_normal((n, D)) / math.sqrt(n)
    truth = np.linspace(-1.0, 1.0, D) * math.sqrt(n)
    Y = np.where(X @ truth + rng.logistic(size=n) > 0.0, 1.0, -1.0)
    return Y, X, np.zeros(D)


def regression(Y: Array, X: Array, w: Array) -> Array:
    """The weights after all iterations."""
    w = w.copy()
    for _ in range(ITERATIONS):
        w -= np.dot(((1.0 / (1.0 + np.exp(-Y * np.dot(X, w))) - 1.0) * Y), X)
    return w


sequential = numba.njit(fastmath=True)(regression)
parallel = numba.njit(parallel=True, fastmath=True)(regression)

CLAIM = Claim(
    setup=setup,
    ways=(
        Way(sequential, name="sequential", title="njit, sequential"),
        Way(parallel, name="parallel", title="njit, parallel"),
        Way(regression, title="NumPy"),
    ),
    n=20_000_000,
    shape="logistic regression of {n} examples, 30 iterations",
    ratio=Ratio("sequential", "parallel", stated=(5.9, 11.8)),
    causes=(Cause("regression", "sequential", "Numba fuses the operations on arrays into one loop"),),
    source=Source("Ehsan Totoni and others", "Numba: automatic parallelization", "SciPy 2017; numba-examples", 2017),
    # The rounding of a sum over all examples, added up over the iterations; each step contracts what was off before.
    tolerance=lambda n: 2.0 * ITERATIONS * gamma(n + 2 * D + 8),
    scale=lambda _Y, X, _w: np.abs(X).sum(axis=0),
    work=lambda n: Work(8.0 * (D + 1) * n * ITERATIONS, (4.0 * D + 6.0) * n * ITERATIONS),
    memory=lambda n: 8.0 * (3 * D + 16) * n,
    threads="all",
)
