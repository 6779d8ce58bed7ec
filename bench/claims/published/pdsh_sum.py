"""The sum of a million numbers: Python's sum against np.sum.

Odd: sum is given the ndarray, not a list. It takes from it one NumPy number after another.
"""

import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work, summed


def setup(n: int, rng: np.random.Generator) -> Array:
    """Numbers from 0 to 1."""
    return rng.random(n)


def builtin(x: Array) -> float:
    """Python's sum."""
    return float(sum(x))


def numpy_sum(x: Array) -> float:
    """NumPy's sum."""
    return float(np.sum(x))


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(builtin, title="sum(ndarray)", printed=89.9e-3),
        Way(numpy_sum, title="np.sum(ndarray)", printed=521e-6),
        Way(builtin, name="of_list", title="sum(list)", prepare=lambda x: (x.tolist(),)),
        Way(numpy_sum, name="numpy_of_list", title="np.sum(list)", prepare=lambda x: (x.tolist(),)),
    ),
    n=1_000_000,
    shape="sum of {n} numbers",
    ratio=Ratio("builtin", "numpy_sum"),
    causes=(
        Cause("builtin", "of_list", "sum makes a NumPy number of each element of an ndarray; a list has Python's own"),
        Cause("numpy_of_list", "of_list", "np.sum of a list has to make an array of it first"),
    ),
    source=Source("Jake VanderPlas", "Aggregations", "Python Data Science Handbook, 02.04", 2016),
    tolerance=summed(),
    work=lambda n: Work(8.0 * n, n),
)
