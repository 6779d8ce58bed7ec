"""The exponential of ten million numbers: a loop over math.exp against np.exp.

From the same notebook as `coursera-dot-1e7`.
Odd: the loop fills an array of shape (n, 1), so each u[i] is an array of one element.
"""

import math

import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work, elementwise


def setup(n: int, rng: np.random.Generator) -> Array:
    """Numbers from 0 to 1."""
    return rng.random(n)


def loop(v: Array, u: Array) -> Array:
    """math.exp of each element, into u (n, 1) or (n,)."""
    for i in range(len(v)):
        u[i] = math.exp(v[i])
    return u.ravel()


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
        Way(loop, title="loop, u (n, 1)", printed=10.31, prepare=lambda v: (v, np.zeros((len(v), 1)))),
        Way(vectorized, title="np.exp", printed=0.0392),
        Way(loop, name="flat", title="loop, u (n,)", prepare=lambda v: (v, np.zeros(len(v)))),
        Way(loop_of_lists, title="the loop over lists", prepare=lambda v: (v.tolist(),)),
    ),
    n=10_000_000,
    shape="exp of {n} numbers",
    ratio=Ratio("loop", "vectorized"),
    causes=(
        Cause(
            "loop",
            "flat",
            "Assigning to u[i] of an (n, 1) array fills an array of one element, of an (n,) array a number",
        ),
        Cause("flat", "loop_of_lists", "Each element of an ndarray that the loop reads or writes is converted"),
    ),
    source=Source("Joshua Ronis", "Vectorizing vs For-Loop", "GitHub, a notebook", 2019),
    tolerance=elementwise(2),
    work=lambda n: Work(16.0 * n, n),
)
