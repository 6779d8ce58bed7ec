"""2 a + b ** 10 for two arrays of a million numbers: NumPy against numexpr.

From the same page as `numexpr-2a3b`. numexpr turns the power into four multiplications; NumPy called the C library's
pow for each number.
"""

from bench.claims import Array, Cause, Claim, Ratio, Way, Work, elementwise
from bench.claims.published.numexpr_2a3b import CLAIM as OTHER
from bench.claims.published.numexpr_2a3b import setup


def numpy_form(a: Array, b: Array) -> Array:
    """Whole arrays, with a power."""
    r: Array = 2 * a + b**10
    return r


def numexpr_form(a: Array, b: Array) -> Array:  # noqa: ARG001 it reads its caller's names
    """Block by block."""
    import numexpr

    r: Array = numexpr.evaluate("2*a + b**10")
    return r


def multiplied(a: Array, b: Array) -> Array:
    """Whole arrays, the power as four multiplications."""
    square = b * b
    fourth = square * square
    r: Array = 2 * a + fourth * fourth * square
    return r


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(numpy_form, title="NumPy", printed=158e-3),
        Way(numexpr_form, title="numexpr", printed=7.59e-3, needs=("numexpr",)),
        Way(multiplied, title="NumPy, multiplied"),
    ),
    n=1_000_000,
    shape="2 a + b¹⁰, arrays of {n} numbers",
    ratio=Ratio("numpy_form", "numexpr_form", stated=20.0),
    causes=(Cause("numpy_form", "multiplied", "b**10 is a call of pow for each number, or four multiplications"),),
    source=OTHER.source,
    tolerance=elementwise(16),
    work=lambda n: Work(24.0 * n, 7.0 * n),
    threads="all",
)
