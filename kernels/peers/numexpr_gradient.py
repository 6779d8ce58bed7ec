"""numexpr: the vectorized form, its elementwise part evaluated in blocks that stay in the cache.

Written as: `numpy_vectorized`, with each elementwise line one string for numexpr and the products left to NumPy.
Passes over X: two, in NumPy's products.
Allocates: five arrays of m elements.
"""

from collections.abc import Callable

import numpy as np

from kernels._kernel import Array, At, CostAndGradient
from kernels.peers._peer import by_feature, peer


def prepare(X: Array, Y: Array) -> At:
    """The step on X (n_x, m) and Y (m,)."""
    import numexpr

    X, Y = by_feature(X), Y.copy()
    m = Y.size

    def at(w: Array, b: float) -> Callable[[], CostAndGradient]:
        w = w.copy()

        def step() -> CostAndGradient:
            Z = np.dot(w, X)
            Z += b
            arrays = {"Z": Z, "Y": Y, "E": numexpr.evaluate("exp(-abs(Z))", {"Z": Z})}
            # Whole numbers take the dtype of the arrays; 1.0 would make float64 of float32.
            losses = numexpr.evaluate("where(Z > 0, Z, 0) - Y * Z + log1p(E)", arrays)
            dZ = numexpr.evaluate("where(Z >= 0, 1, E) / (1 + E) - Y", arrays)
            return losses.mean(), np.dot(X, dZ) / m, dZ.mean()

        return step

    return at


KERNEL = peer(
    name="numexpr_gradient",
    title="numexpr",
    change="The vectorized form with its elementwise lines compiled to numexpr's virtual machine, block by block.",
    prepare=prepare,
    requires=[("numexpr", "numexpr")],
    expects="The temporaries of a line stay in the cache instead of going to memory. Each call of `evaluate` has a "
    "cost of its own.",
)
