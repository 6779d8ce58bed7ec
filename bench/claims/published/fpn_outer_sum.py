"""The sum over i and j of X[i] Y[j]: two loops, broadcasting, and the product of two sums.

The book's point is that a better algorithm beats vectorizing: the sum of products is the product of sums. It says that
broadcasting is 150 times faster than the loops, and the product of NumPy's sums 70,000 times.
"""

import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work


def setup(n: int) -> tuple[Array, Array]:
    """The whole numbers below n, twice."""
    return np.arange(n), np.arange(n)


def loops(X: Array, Y: Array) -> int:
    """Two loops."""
    result = 0
    for i in range(len(X)):
        for j in range(len(Y)):
            result += X[i] * Y[j]
    return result


def broadcasting(X: Array, Y: Array) -> int:
    """All n² products, then their sum."""
    return int(np.sum(X[:, np.newaxis] * Y))


def product_of_sums(X: Array, Y: Array) -> int:
    """Two sums and one product, with Python's sum."""
    return sum(X) * sum(Y)


def product_of_numpy_sums(X: Array, Y: Array) -> int:
    """Two sums and one product, with NumPy's sum."""
    return int(np.sum(X) * np.sum(Y))


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(loops, title="two loops", printed=0.274),
        Way(broadcasting, title="broadcasting", printed=1.58e-3),
        Way(product_of_sums, title="sum times sum", printed=156e-6),
        Way(product_of_numpy_sums, title="np.sum times np.sum", printed=3.97e-6),
    ),
    n=1_000,
    shape="sum of the products of {n} by as many numbers",
    ratio=Ratio("loops", "product_of_numpy_sums", stated=70_000.0),
    others=(Ratio("loops", "broadcasting", stated=150.0),),
    causes=(
        Cause("broadcasting", "product_of_numpy_sums", "The product of the sums needs n additions in place of n²"),
        Cause("product_of_sums", "product_of_numpy_sums", "Python's sum takes one NumPy number after another"),
    ),
    source=Source("Nicolas Rougier", "Problem vectorization", "From Python to NumPy", 2017),
    dtype="int64",
    tolerance=0.0,
    work=lambda n: Work(16.0 * n, 2.0 * n),
    memory=lambda n: 16.0 * n * n,
)
