"""cos² + sin² of ten million numbers: NumPy, Numba over arrays, Python, a loop in Numba.

An older edition of Numba's page on performance shows that a loop in Numba is as fast as NumPy, and far faster than the
same loop in Python.
Odd: Python's loop calls np.cos and np.sin on one number at a time, and the cost of such calls is most of its time.
"""

import math
from typing import Any

import numba
import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work, elementwise


def setup(n: int) -> Array:
    """The whole numbers below n."""
    return np.arange(n, dtype=np.float64)


def arrays(x: Array) -> Array:
    """Whole arrays at a time."""
    r: Array = np.cos(x) ** 2 + np.sin(x) ** 2
    return r


def loop(x: Array) -> Array:
    """Element by element."""
    r = np.empty_like(x)
    for i in range(len(x)):
        r[i] = np.cos(x[i]) ** 2 + np.sin(x[i]) ** 2
    return r


def loop_of_math(x: Array) -> Array:
    """The loop with math.cos and math.sin, over a list."""
    r = np.empty(len(x))
    for i in range(len(x)):
        r[i] = math.cos(x[i]) ** 2 + math.sin(x[i]) ** 2
    return r


numba_arrays = numba.njit(arrays)
numba_loop = numba.njit(loop)


def compiled_anew(x: Array) -> Array:
    """The loop in Numba, with the compiler inside the time."""
    compiled: Any = numba.njit(loop)
    r: Array = compiled(x)
    return r


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(loop, title="Python loop", printed=25.2),
        Way(arrays, title="NumPy", printed=0.581),
        Way(numba_arrays, name="njit_arrays", title="njit over arrays", printed=0.659),
        Way(numba_loop, name="njit_loop", title="njit loop", printed=0.670),
        Way(loop_of_math, title="the loop with math.cos", prepare=lambda x: (x.tolist(),)),
        Way(compiled_anew, title="njit loop, first call"),
    ),
    n=10_000_000,
    shape="cos² + sin² of {n} numbers",
    ratio=Ratio("loop", "njit_loop"),
    others=(Ratio("njit_loop", "arrays"), Ratio("njit_arrays", "arrays")),
    causes=(
        Cause("loop", "loop_of_math", "np.cos and np.sin of one number each cost a call of a ufunc"),
        Cause("compiled_anew", "njit_loop", "A first call has the compiler inside its time"),
    ),
    source=Source("Numba documentation", "Performance Tips", "Numba user guide, an older edition", 2018),
    # The squares are of errors that end in a sum of 1.
    tolerance=elementwise(8),
    work=lambda n: Work(16.0 * n, 5.0 * n),
)
