"""x + (y² + (z x + 1) 3) for arrays of a million numbers: NumPy against numexpr.

The recipe of the IPython Cookbook for array computations that NumPy's temporaries make slow.
"""

import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work, elementwise


def setup(n: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Three arrays."""
    return rng.random(n), rng.random(n), rng.random(n)


def numpy_form(x: Array, y: Array, z: Array) -> Array:
    """Whole arrays, with temporaries."""
    r: Array = x + (y**2 + (z * x + 1) * 3)
    return r


def numexpr_form(x: Array, y: Array, z: Array) -> Array:  # noqa: ARG001 it reads its caller's names
    """Block by block."""
    import numexpr

    r: Array = numexpr.evaluate("x + (y**2 + (z*x + 1)*3)")
    return r


def with_out(x: Array, y: Array, z: Array, first: Array, second: Array) -> Array:
    """Whole arrays, into arrays that are there."""
    np.multiply(z, x, out=first)
    first += 1
    first *= 3
    np.multiply(y, y, out=second)
    second += first
    second += x
    return second


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(numpy_form, title="NumPy", printed=6.94e-3),
        Way(numexpr_form, title="numexpr", printed=1.47e-3, needs=("numexpr",)),
        Way(with_out, title="NumPy, out=", prepare=lambda x, y, z: (x, y, z, np.zeros_like(x), np.zeros_like(x))),
    ),
    n=1_000_000,
    shape="x + (y² + (z x + 1) 3), arrays of {n} numbers",
    ratio=Ratio("numpy_form", "numexpr_form"),
    causes=(Cause("numpy_form", "with_out", "A new array for each operation; with out= there are none"),),
    source=Source("Cyrille Rossant", "Evaluating array expressions", "IPython Cookbook, 2nd edition, ch. 5", 2018),
    tolerance=elementwise(4),
    work=lambda n: Work(32.0 * n, 6.0 * n),
    threads="all",
)
