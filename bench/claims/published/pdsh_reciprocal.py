"""The reciprocals of a million whole numbers: a loop against 1.0 / values.

The chapter shows how slow loops are in CPython, and that the ufunc is some thousand times faster.
"""

import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work


def setup(n: int, rng: np.random.Generator) -> Array:
    """Whole numbers from 1 to 99."""
    return rng.integers(1, 100, n)


def loop(values: Array) -> Array:
    """Element by element, into an array."""
    output = np.empty(len(values))
    for i in range(len(values)):
        output[i] = 1.0 / values[i]
    return output


def ufunc(values: Array) -> Array:
    """One division of arrays."""
    return 1.0 / values


def loop_of_lists(values: list[int]) -> list[float]:
    """The same loop over a list, into a list."""
    output = [0.0] * len(values)
    for i in range(len(values)):
        output[i] = 1.0 / values[i]
    return output


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(loop, title="Python loop", printed=2.61),
        Way(ufunc, title="1.0 / values", printed=2.54e-3),
        Way(loop_of_lists, title="the loop over lists", prepare=lambda values: (values.tolist(),)),
    ),
    n=1_000_000,
    shape="reciprocals of {n} whole numbers",
    ratio=Ratio("loop", "ufunc"),
    causes=(
        Cause("loop", "loop_of_lists", "Each values[i] is a NumPy integer, and dividing one takes NumPy's slow path"),
    ),
    source=Source("Jake VanderPlas", "Computation on NumPy Arrays", "Python Data Science Handbook, 02.03", 2016),
    dtype="int64, float64",
    tolerance=0.0,
    work=lambda n: Work(16.0 * n, n),
)
