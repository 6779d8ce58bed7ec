"""A random walk of ten thousand steps: a class, a function, itertools, NumPy.

The book's first example. It says that NumPy is 500 times faster.
Odd: its figures give 1121. An early manuscript shows why they are so far apart: there the NumPy form draws 1000 steps,
whatever n is. The steps are random and drawn inside each way, so what must agree is that each walk has n or n + 1
positions, and that each step is one up or one down.
"""

import itertools
import random
from collections.abc import Iterator

import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work


class Walker:
    """A position that moves."""

    def __init__(self) -> None:
        self.position = 0

    def walk(self, n: int) -> Iterator[int]:
        """Yield the position before each of n steps."""
        self.position = 0
        for _ in range(n):
            yield self.position
            self.position += 2 * random.randint(0, 1) - 1


def object_oriented(n: int) -> list[int]:
    """A class and its generator."""
    return list(Walker().walk(n))


def procedural(n: int) -> list[int]:
    """A loop."""
    position, walk = 0, [0]
    for _ in range(n):
        position += 2 * random.randint(0, 1) - 1
        walk.append(position)
    return walk


def with_random(n: int) -> list[int]:
    """The loop, with random.random in place of random.randint."""
    position, walk = 0, [0]
    for _ in range(n):
        position += 1 if random.random() < 0.5 else -1
        walk.append(position)
    return walk


def accumulate(n: int) -> list[int]:
    """All steps at once, accumulated."""
    return [0, *itertools.accumulate(random.choices([-1, 1], k=n))]


def vectorized(n: int) -> Array:
    """All steps at once, as an array."""
    return np.cumsum(np.random.choice([-1, 1], n))  # noqa: NPY002 as it was written


def thousand(n: int) -> Array:  # noqa: ARG001 as it was written
    """The NumPy form of the early manuscript: a thousand steps, whatever n is."""
    return np.cumsum(np.random.choice([-1, 1], 1000))  # noqa: NPY002 as it was written


def check(walk: list[int] | Array) -> tuple[int, int, int]:
    """What all walks have in common: the smallest and the largest step, and how many positions there are."""
    steps = np.abs(np.diff(walk))
    return int(steps.min(initial=1)), int(steps.max(initial=1)), len(walk)


CLAIM = Claim(
    setup=lambda n: n,
    ways=(
        Way(object_oriented, title="class", printed=15.7e-3),
        Way(procedural, title="function", printed=15.6e-3),
        Way(accumulate, title="itertools.accumulate", printed=2.21e-3),
        Way(vectorized, title="NumPy", printed=14e-6),
        Way(with_random, title="function, random.random()"),
        Way(thousand, title="NumPy, always 1000 steps", judged=False),
    ),
    n=10_000,
    shape="random walk of {n} steps",
    ratio=Ratio("object_oriented", "vectorized", stated=500.0),
    others=(Ratio("procedural", "accumulate"),),
    causes=(
        Cause("vectorized", "thousand", "The early manuscript draws 1000 steps where n says 10,000"),
        Cause("procedural", "with_random", "random.randint goes through several Python functions for each bit"),
        Cause("procedural", "accumulate", "random.choices draws all steps in one call"),
    ),
    source=Source("Nicolas Rougier", "Introduction", "From Python to NumPy", 2017),
    dtype="int64",
    tolerance=lambda n: 1.0 / n,  # one position more or less; a wrong step is off by 1
    compared=check,
    work=lambda n: Work(8.0 * n, n),
)
