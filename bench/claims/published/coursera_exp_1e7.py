"""The exponential of ten million numbers: a loop over math.exp against np.exp.

From the same notebook as `coursera-dot-1e7`. The loop fills an array that was made before it.
"""

import math

import numpy as np

from bench.claims import Cause, Claim, Ratio, Source, Way, Work, elementwise
from kernels._kernel import Array


def setup(n: int, rng: np.random.Generator) -> Array:
    """Numbers from 0 to 1."""
    return rng.random(n)


def loop(v: Array) -> Array:
    """math.exp of each element."""
    u = np.zeros(len(v))
    for i in range(len(v)):
        u[i] = math.exp(v[i])
    return u


def loop_of_lists(v: list[float]) -> list[float]:
    """The same loop over a list, into a list."""
    u = [0.0] * len(v)
    for i in range(len(v)):
        u[i] = math.exp(v[i])
    return u


def vectorized(v: Array) -> Array:
    """np.exp of the array."""
    exponentials: Array = np.exp(v)
    return exponentials


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(loop, title="Python loop", printed=10.31),
        Way(vectorized, title="np.exp", printed=0.0392),
        Way(loop_of_lists, title="the loop over lists", prepare=lambda v: (v.tolist(),)),
    ),
    n=10_000_000,
    shape="exp of {n} numbers",
    ratio=Ratio("loop", "vectorized"),
    causes=(
        Cause("loop", "loop_of_lists", "The loop reads and writes elements of ndarrays, which convert at each access"),
    ),
    source=Source("joshuaronis", "Coursera-Course-Programs", "GitHub, a notebook", 2019),
    tolerance=elementwise(2),
    work=lambda n: Work(16.0 * n, n),
)
