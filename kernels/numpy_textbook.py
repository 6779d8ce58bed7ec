"""The vectorized listing of the notes, with the cost exactly as the formula is printed.

Changes: no loop is left. Each line works on all m examples at once, in compiled code that ships with NumPy.
Passes over X: two from memory (Z, then dw): unless X fits in the cache, it is gone before the second pass begins.
Allocates: about ten arrays of m elements, one for each intermediate result.

For X in float32 all is float32; NumPy adds pairwise, and np.dot as the BLAS library does.

Valid only while no activation saturates: past z of about 36.7, or 16.6 in float32, a is exactly 1, log(0) is -inf,
0 * log(0) is NaN, and so is J. Below z = -709.78, or -88.7, exp(-z) overflows: NumPy warns, and a = 0 is still right.
"""

import numpy as np

from kernels._kernel import Array, CostAndGradient, Kernel


def cost_and_gradient(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """J, dw (n_x,) and db at w (n_x,) and b, for X (n_x, m) and Y (m,)."""
    m = Y.size
    Z = np.dot(w, X) + b
    A = 1.0 / (1.0 + np.exp(-Z))
    J = -np.mean(Y * np.log(A) + (1.0 - Y) * np.log(1.0 - A))
    dZ = A - Y
    dw = (1.0 / m) * np.dot(X, dZ)
    db = (1.0 / m) * np.sum(dZ)
    return J, dw, db


KERNEL = Kernel(
    name="numpy_textbook",
    title="NumPy, textbook cost",
    change="The vectorized listing of the notes; valid only while no activation saturates (|z| below about 36).",
    function=cost_and_gradient,
    question="What if the loop over the examples goes, too?",
    threads="all",
    cost_from="a",
    grew_from="numpy_dot_in_loop",
    cause="no loop in Python",
    expects="An element costs no more than in a matrix-vector product. A call costs more, because it runs a dozen "
    "NumPy functions and moves the m elements of every intermediate result through memory.",
    predicted_by="interpreter_gone",
    passes=2,
    work="arrays",
)
