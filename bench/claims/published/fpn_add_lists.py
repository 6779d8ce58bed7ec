"""The sums of a hundred pairs of numbers: two lists against two arrays.

The book calls it one order of magnitude, for a size that is small on purpose.
Odd: its figures give 60.
"""

import numpy as np

from bench.claims import Cause, Claim, Ratio, Source, Way, Work
from kernels._kernel import Array


def setup(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Whole numbers below 1000."""
    return rng.integers(0, 1000, n), rng.integers(0, 1000, n)


def comprehension(Z1: list[int], Z2: list[int]) -> list[int]:
    """Pair by pair."""
    return [z1 + z2 for z1, z2 in zip(Z1, Z2)]  # noqa: B905 as it was written


def add(Z1: Array, Z2: Array) -> Array:
    """One call."""
    return np.add(Z1, Z2)


def _lists(*arrays: Array) -> tuple[list[int], ...]:
    return tuple(array.tolist() for array in arrays)


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(comprehension, title="lists", printed=68e-6, prepare=_lists),
        Way(add, title="np.add(arrays)", printed=1.14e-6),
        Way(add, name="add_of_lists", title="np.add(lists)", prepare=_lists),
        Way(comprehension, name="of_arrays", title="the comprehension over arrays"),
    ),
    n=100,
    shape="sums of {n} pairs of whole numbers",
    ratio=Ratio("comprehension", "add", stated=10.0),
    causes=(
        Cause("add_of_lists", "add", "np.add of lists has to make arrays of them first"),
        Cause("of_arrays", "comprehension", "Over arrays the comprehension makes a NumPy number of each element"),
    ),
    source=Source("Nicolas Rougier", "Code vectorization", "From Python to NumPy", 2017),
    dtype="int64",
    tolerance=0.0,
    work=lambda n: Work(24.0 * n, n),
)
