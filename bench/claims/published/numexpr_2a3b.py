"""2 a + 3 b for two arrays of a million numbers: NumPy against numexpr.

The introduction of numexpr's documentation: it works block by block, so that temporaries stay in a cache, on all
threads.
"""

import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work, elementwise


def setup(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Two arrays."""
    return rng.random(n), rng.random(n)


def numpy_form(a: Array, b: Array) -> Array:
    """Whole arrays, with temporaries."""
    r: Array = 2 * a + 3 * b
    return r


def numexpr_form(a: Array, b: Array) -> Array:  # noqa: ARG001 it reads its caller's names
    """Block by block."""
    import numexpr

    r: Array = numexpr.evaluate("2*a + 3*b")
    return r


def with_out(a: Array, b: Array, first: Array, second: Array) -> Array:
    """Whole arrays, into arrays that are there."""
    np.multiply(a, 2, out=first)
    np.multiply(b, 3, out=second)
    return np.add(first, second, out=first)


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(numpy_form, title="NumPy", printed=18.9e-3),
        Way(numexpr_form, title="numexpr", printed=5.83e-3, needs=("numexpr",)),
        Way(with_out, title="NumPy, out=", prepare=lambda a, b: (a, b, np.zeros_like(a), np.zeros_like(a))),
    ),
    n=1_000_000,
    shape="2 a + 3 b, arrays of {n} numbers",
    ratio=Ratio("numpy_form", "numexpr_form", stated=3.2),
    causes=(Cause("numpy_form", "with_out", "Three new arrays a call; with out= there are none"),),
    source=Source("David M. Cooke, Francesc Alted and others", "Introduction", "numexpr documentation", 2018),
    tolerance=elementwise(2),
    work=lambda n: Work(24.0 * n, 3.0 * n),
    threads="all",
)
