"""The smallest of a million numbers: Python's min against np.min.

Stands beside `pdsh-sum`, and is odd in the same way: min is given the ndarray, and takes from it one NumPy number
after another.
"""

import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work
from bench.claims.published.pdsh_sum import setup


def builtin(x: Array) -> float:
    """Python's min."""
    return float(min(x))


def numpy_min(x: Array) -> float:
    """NumPy's min."""
    return float(np.min(x))


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(builtin, title="min(ndarray)", printed=72e-3),
        Way(numpy_min, title="np.min(ndarray)", printed=564e-6),
        Way(builtin, name="of_list", title="min(list)", prepare=lambda x: (x.tolist(),)),
    ),
    n=1_000_000,
    shape="smallest of {n} numbers",
    ratio=Ratio("builtin", "numpy_min"),
    causes=(
        Cause("builtin", "of_list", "min makes a NumPy number of each element of an ndarray; a list has Python's own"),
    ),
    source=Source("Jake VanderPlas", "Aggregations", "Python Data Science Handbook, 02.04", 2016),
    tolerance=0.0,
    work=lambda n: Work(8.0 * n, n),
)
