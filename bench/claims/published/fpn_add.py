"""X + 2 Y for two arrays of 100 million whole numbers, with and without temporaries.

The book shows that temporary arrays cost time: an update in place is faster, and two additions with `out=` are
faster still.
Odd: an array of that size takes 0.8 GB. The times that are printed fit arrays a hundred times smaller.
"""

import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work


def setup(n: int) -> tuple[Array, Array]:
    """Ones, twice."""
    return np.ones(n, dtype=np.int64), np.ones(n, dtype=np.int64)


def times_float(X: Array, Y: Array) -> Array:
    """X + 2.0 Y, which converts to floating point."""
    result: Array = X + 2.0 * Y
    return result


def times_int(X: Array, Y: Array) -> Array:
    """X + 2 Y."""
    result: Array = X + 2 * Y
    return result


def in_place(X: Array, Y: Array) -> Array:
    """X += 2 Y, with one temporary."""
    X += 2 * Y
    return X


def add_twice(X: Array, Y: Array) -> Array:
    """X += Y, twice, without a temporary."""
    np.add(X, Y, out=X)
    np.add(X, Y, out=X)
    return X


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(times_float, title="X + 2.0*Y", printed=3.61e-3),
        Way(times_int, title="X + 2*Y", printed=3.47e-3),
        Way(in_place, title="X += 2*Y", printed=2.79e-3, in_place=True),
        Way(add_twice, title="np.add(X, Y, out=X) twice", printed=1.57e-3, in_place=True, passes=2),
    ),
    n=100_000_000,
    shape="X + 2 Y, arrays of {n} whole numbers",
    ratio=Ratio("times_int", "add_twice"),
    others=(Ratio("times_int", "in_place"),),
    causes=(Cause("in_place", "add_twice", "2*Y makes a temporary array; adding Y twice with out= makes none"),),
    source=Source("Nicolas Rougier", "Anatomy of an array", "From Python to NumPy", 2017),
    dtype="int64",
    tolerance=0.0,
    work=lambda n: Work(24.0 * n, n),
    memory=lambda n: 8.0 * 8.0 * n,
)
