"""The sums of a hundred pairs of numbers: a comprehension over two lists against np.add.

The book says that the second is faster by one order of magnitude.
Odd: its figures give 60; and the listing gives lists to both, which np.add has to convert. In an early manuscript the
same two figures stand beside different inputs: lists of 100 numbers, and arrays of 1000.
"""

import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work


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
        Way(add, name="add_of_lists", title="np.add(lists)", printed=1.14e-6, prepare=_lists),
        Way(add, title="np.add(arrays)"),
        Way(comprehension, name="of_arrays", title="the comprehension over arrays"),
    ),
    n=100,
    shape="sums of {n} pairs of whole numbers",
    ratio=Ratio("comprehension", "add_of_lists", stated=10.0),
    others=(Ratio("comprehension", "add"),),
    causes=(
        Cause("add_of_lists", "add", "np.add of lists has to make arrays of them first"),
        Cause("of_arrays", "comprehension", "Over arrays the comprehension makes a NumPy number of each element"),
    ),
    source=Source("Nicolas Rougier", "Code vectorization", "From Python to NumPy", 2017),
    dtype="int64",
    tolerance=0.0,
    work=lambda n: Work(24.0 * n, n),
)
