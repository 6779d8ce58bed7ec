"""Where a kernel is called while it is timed: not at one w and b, but at several in turn, each answer known.

A kernel that remembers its answer by its bias, its shape or the address of an array is wrong at the next point. One
that remembers by everything gains little where a call is short, and is faster than memory where a call is long.
"""

from dataclasses import dataclass, replace

import numpy as np

from bench.agreement.bounds import Expected, ExpectedDescent, expect
from bench.problem import Problem
from kernels._kernel import Array

# Elements of X from which on a point takes so long to work out that two have to do, or one. A step takes longer there
# than any look-up, so the machine's limit shows one that remembers.
LARGE, HUGE = 2**22, 2**24


@dataclass(frozen=True)
class Point:
    """Weights w (n_x,) and bias b, and what is expected there."""

    w: Array
    b: float
    expected: Expected | ExpectedDescent


def points(problem: Problem) -> tuple[Point, ...]:
    """The problem's own w and b; another w with the same b, and the same w with another b; where X is large, fewer."""
    w, b = 0.75 * problem.w + 0.125 / np.sqrt(problem.n_x), problem.b - 0.375
    others = [(w, problem.b), (problem.w, b)]
    if problem.X.size > LARGE:
        others = [(w, b)] if problem.X.size <= HUGE else []
    return tuple(Point(w, b, expect(replace(problem, w=w, b=b))) for w, b in [(problem.w, problem.b), *others])
