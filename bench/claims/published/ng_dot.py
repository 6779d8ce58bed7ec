"""A dot product: a Python loop against np.dot.

The lecture's demonstration multiplies two random vectors of a million numbers, prints the milliseconds of both forms,
and concludes that vectorizing pays. Copies of its notebook on the web print 780 and 2.0, 293 and 4.96, 327 and 0.97 ms.
Odd: each form is timed once, by the wall clock, so the figure of np.dot includes whatever a first call costs.
"""

import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work, summed


def setup(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Two vectors."""
    return rng.random(n), rng.random(n)


def loop(a: Array, b: Array) -> float:
    """Element by element."""
    c = 0.0
    for i in range(len(a)):
        c += a[i] * b[i]
    return c


def dot(a: Array, b: Array) -> float:
    """BLAS."""
    return float(np.dot(a, b))


WORK = Work(16.0, 2.0)  # for each element
SOURCE = Source("Andrew Ng", "Vectorization", "Neural Networks and Deep Learning, week 2", 2017)
CLAIM = Claim(
    setup=setup,
    ways=(
        Way(loop, title="Python loop", printed=0.4743),
        Way(dot, title="np.dot", printed=1.5e-3),
        Way(loop, name="lists", title="the loop over lists", prepare=lambda a, b: (a.tolist(), b.tolist())),
    ),
    n=1_000_000,
    shape="dot product of two vectors of {n} numbers",
    ratio=Ratio("loop", "dot"),
    causes=(
        Cause("loop", "lists", "Reading an element of an ndarray makes a NumPy number each time; a list has Python's"),
        Cause(
            "dot", "dot", "The lecture times one call, the first; repeated calls find data and code warm", first=True
        ),
    ),
    source=SOURCE,
    tolerance=summed(),
    work=lambda n: Work(WORK.nbytes * n, WORK.operations * n),
)
