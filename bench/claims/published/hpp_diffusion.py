"""A step of diffusion on a grid of 640 by 640: pure Python, NumPy with temporaries, NumPy with buffers.

The book's chapter on matrices prints the seconds of 500 steps, and counts instructions: 1.29e12, 7.11e9, 5.89e9. Here
a call is one step, and what is printed is divided by 500.
"""

import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work, elementwise

STEPS = 500
DT, D = 0.1, 1.0
Grid = list[list[float]]


def setup(n: int, rng: np.random.Generator) -> Array:
    """A grid of numbers from 0 to 1."""
    return rng.random((n, n))


def loop(grid: Grid) -> Grid:
    """Point by point, over lists."""
    n = len(grid)
    new = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            around = grid[(i + 1) % n][j] + grid[(i - 1) % n][j] + grid[i][(j + 1) % n] + grid[i][(j - 1) % n]
            new[i][j] = grid[i][j] + DT * D * (around - 4.0 * grid[i][j])
    return new


def temporaries(grid: Array) -> Array:
    """Whole arrays, rolled."""
    around = np.roll(grid, 1, 0) + np.roll(grid, -1, 0) + np.roll(grid, 1, 1) + np.roll(grid, -1, 1)
    return grid + DT * D * (around - 4.0 * grid)


def buffers(grid: Array, new: Array) -> Array:
    """Into an array that is there, added in place."""
    np.multiply(grid, -4.0, out=new)
    for axis in (0, 1):
        shifted, source = np.moveaxis(new, axis, 0), np.moveaxis(grid, axis, 0)
        shifted[1:] += source[:-1]
        shifted[0] += source[-1]
        shifted[:-1] += source[1:]
        shifted[-1] += source[0]
    new *= DT * D
    new += grid
    return new


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(loop, title="pure Python", printed=153.8 / STEPS, prepare=lambda grid: (grid.tolist(),)),
        Way(temporaries, title="NumPy, temporaries", printed=2.27 / STEPS),
        Way(buffers, title="NumPy, buffers", printed=1.42 / STEPS, prepare=lambda grid: (grid, np.zeros_like(grid))),
    ),
    n=640,
    shape="a step of diffusion, {n} × {n} points",
    ratio=Ratio("loop", "buffers"),
    others=(Ratio("loop", "temporaries"), Ratio("temporaries", "buffers")),
    causes=(Cause("temporaries", "buffers", "A new array for each operation; in place there are none"),),
    source=Source("Micha Gorelick and Ian Ozsvald", "Matrix and vector computation", "High Performance Python", 2020),
    tolerance=elementwise(16),
    scale=lambda _: 1.0,
    work=lambda n: Work(16.0 * n * n, 6.0 * n * n),
    memory=lambda n: 120.0 * n * n,
)
