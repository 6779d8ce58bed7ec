"""The vectorized form with every result written into memory that exists already.

Changes: each operation names where its result goes (`out=`). The arrays are allocated once, in `bind`, and reused.
For X in float32 all is float32; NumPy adds pairwise, and np.dot as the BLAS library does.
Passes over X: two from memory, as `numpy_vectorized`.
Allocates: dw in each call; four arrays of m elements once.
"""

from collections.abc import Callable

import numpy as np

from kernels._kernel import Array, At, CostAndGradient, Kernel


def prepare(X: Array, Y: Array) -> At:
    """The step on X (n_x, m) and Y (m,), with its buffers."""
    m = Y.size
    Z, E, A, T = (np.empty(m, X.dtype) for _ in range(4))

    def at(w: Array, b: float) -> Callable[[], CostAndGradient]:
        def step() -> CostAndGradient:
            np.dot(w, X, out=Z)
            np.add(Z, b, out=Z)
            np.abs(Z, out=E)
            np.negative(E, out=E)
            np.exp(E, out=E)
            # The losses: max(z, 0) - y z + log1p(e).
            np.maximum(Z, 0.0, out=T)
            np.multiply(Y, Z, out=A)
            np.subtract(T, A, out=T)
            np.log1p(E, out=A)
            np.add(T, A, out=T)
            J = T.sum() / m
            # a = 1 / (1 + e) for z >= 0, else e / (1 + e).
            np.add(E, 1.0, out=A)
            np.copyto(E, 1.0, where=Z >= 0.0)
            np.divide(E, A, out=A)
            dZ = np.subtract(A, Y, out=A)
            dw = np.dot(X, dZ)
            dw /= m
            return J, dw, dZ.sum() / m

        return step

    return at


def cost_and_gradient(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """J, dw (n_x,) and db at w (n_x,) and b, for X (n_x, m) and Y (m,). Allocates its buffers for one step."""
    J, dw, db = prepare(X, Y)(w, b)()
    return J, dw, db


KERNEL = Kernel(
    name="numpy_buffers",
    title="NumPy, no temporaries",
    change="Every result goes into an existing buffer (out=); the arithmetic is that of numpy_vectorized.",
    function=cost_and_gradient,
    question="How much of the time goes into temporary arrays?",
    threads="all",
    prepare=prepare,
    grew_from="numpy_vectorized",
    cause="no temporaries",
    expects="The system need not supply and zero new pages, and fewer arrays share the cache. Where the allocator "
    "kept the memory of numpy_vectorized's temporaries, only the second effect is left.",
    predicted_by="fresh",
    more="A new array costs more than the bytes that are moved.",
    isolates=True,
    passes=2,
    work="arrays",
)
