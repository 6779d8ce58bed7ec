"""The Mandelbrot set, 400 by 400 points and 100 iterations: Python, NumPy, Numba.

The recipe compiles the Python loop with one line, and is far faster than the vectorized form, which keeps computing
all points that are near.
Odd: near the edge of the set one rounding decides how long a point stays. So counts up to 10 must agree exactly, and
the mean count to one part in a thousand.
"""

from typing import Any

import numba
import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work

ITERATIONS = 100


def loop(size: int) -> Array:
    """Point by point."""
    counts = np.zeros((size, size), dtype=np.int64)
    for i in range(size):
        for j in range(size):
            c = complex(-2.0 + 3.0 / size * j, 1.5 - 3.0 / size * i)
            z = 0j
            for n in range(ITERATIONS):
                if abs(z) > 10.0:
                    break
                z = z * z + c
                counts[i, j] = n
    return counts


def by_square(size: int) -> Array:
    """Point by point, with the square of |z| in place of |z|."""
    counts = np.zeros((size, size), dtype=np.int64)
    for i in range(size):
        for j in range(size):
            c = complex(-2.0 + 3.0 / size * j, 1.5 - 3.0 / size * i)
            z = 0j
            for n in range(ITERATIONS):
                if z.real * z.real + z.imag * z.imag > 100.0:
                    break
                z = z * z + c
                counts[i, j] = n
    return counts


def vectorized(size: int) -> Array:
    """All points that are still near, at once."""
    x = -2.0 + 3.0 / size * np.arange(size)
    y = 1.5 - 3.0 / size * np.arange(size)
    c = x + 1j * y[:, np.newaxis]
    z = np.zeros_like(c)
    counts = np.zeros((size, size), dtype=np.int64)
    for n in range(ITERATIONS):
        near = np.abs(z) <= 10.0
        z[near] = z[near] ** 2 + c[near]
        counts[near] = n
    return counts


compiled = numba.njit(loop)
compiled_by_square = numba.njit(by_square)


def summary(counts: Any) -> tuple[Array, float]:
    """What must agree: counts up to 10, and the mean count."""
    return np.minimum(counts, 10), float(np.mean(counts))


CLAIM = Claim(
    setup=lambda size: size,
    ways=(
        Way(loop, title="Python loop", printed=5.45),
        Way(vectorized, title="NumPy", printed=174e-3),
        Way(compiled, name="compiled", title="njit", printed=34.5e-3),
        Way(compiled_by_square, name="by_square", title="njit, |z|²"),
    ),
    n=400,
    shape="Mandelbrot set, {n} × {n} points",
    ratio=Ratio("loop", "compiled"),
    others=(Ratio("loop", "vectorized"), Ratio("vectorized", "compiled")),
    causes=(Cause("compiled", "by_square", "abs of a complex number guards against overflow; |z|² needs no root"),),
    source=Source("Cyrille Rossant", "Accelerating with Numba", "IPython Cookbook, 2nd edition, ch. 5", 2018),
    dtype="complex128",
    tolerance=1e-3,
    compared=summary,
    work=lambda n: Work(8.0 * n * n, 10.0 * n * n),
    memory=lambda n: 80.0 * n * n,
)
