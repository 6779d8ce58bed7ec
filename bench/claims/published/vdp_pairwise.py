"""All distances between a thousand points in space: a Python loop, broadcasting, Numba.

A post that was cited for years in discussions of Numba against Cython: Numba compiles the loop and is ten times
faster than broadcasting.
"""

import numba
import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work, gamma


def setup(n: int, rng: np.random.Generator) -> Array:
    """N points with three coordinates."""
    return rng.random((n, 3))


def loop(X: Array) -> Array:
    """Pair by pair, coordinate by coordinate."""
    M, N = X.shape
    D = np.empty((M, M))
    for i in range(M):
        for j in range(M):
            d = 0.0
            for k in range(N):
                t = X[i, k] - X[j, k]
                d += t * t
            D[i, j] = np.sqrt(d)
    return D


def broadcasting(X: Array) -> Array:
    """All differences at once."""
    distances: Array = np.sqrt(((X[:, None, :] - X) ** 2).sum(-1))
    return distances


def by_coordinate(X: Array) -> Array:
    """A coordinate at a time, so that the axis that is summed is not the short one."""
    D = np.zeros((len(X), len(X)))
    for x in np.ascontiguousarray(X.T):
        difference = x[:, None] - x
        difference *= difference
        D += difference
    return np.sqrt(D, out=D)


compiled = numba.njit(loop)

CLAIM = Claim(
    setup=setup,
    ways=(
        Way(loop, title="Python loop", printed=13.4),
        Way(broadcasting, title="NumPy broadcasting", printed=111e-3),
        Way(compiled, name="compiled", title="njit", printed=9.12e-3),
        Way(by_coordinate, title="NumPy, a coordinate at a time"),
    ),
    n=1_000,
    shape="distances between {n} points",
    ratio=Ratio("loop", "compiled"),
    others=(Ratio("loop", "broadcasting"), Ratio("broadcasting", "compiled")),
    causes=(Cause("broadcasting", "by_coordinate", "The sum over an axis of three numbers is a call for each pair"),),
    source=Source("Jake VanderPlas", "Numba vs Cython: Take 2", "Pythonic Perambulations", 2013),
    tolerance=lambda _: 4.0 * gamma(6),
    work=lambda n: Work(8.0 * n * n, 8.0 * n * n),
    memory=lambda n: 80.0 * n * n,
)
