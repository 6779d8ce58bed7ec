"""The listing of the notes with np.dot as its inner loop; the loop over the examples stays.

Changes: the two loops over features become one np.dot and one array operation.
Sums over the examples are in float64, as in `python_loop`; for X in float32, np.dot adds in float32.
Passes over X: two per example, the second from the cache: one from memory.
Allocates: two short arrays per example (x * dz, and the new view of x), besides dw.
"""

import math

import numpy as np

from kernels._kernel import Array, CostAndGradient, Kernel


def cost_and_gradient(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """J, dw (n_x,) and db at w (n_x,) and b, for X (n_x, m) and Y (m,)."""
    n_x, m = X.shape
    J = np.float64(0.0)
    dw = np.zeros(n_x)
    db = np.float64(0.0)
    for i in range(m):
        x = X[:, i]
        z = np.dot(w, x) + b
        e = math.exp(-abs(z))
        a = 1.0 / (1.0 + e) if z >= 0.0 else e / (1.0 + e)
        J += max((1.0 - 2.0 * Y[i]) * z, 0.0) + math.log1p(e)
        dz = a - Y[i]
        dw += x * dz
        db += dz
    return J / m, np.asarray(dw / m, dtype=w.dtype), db / m


KERNEL = Kernel(
    name="numpy_dot_in_loop",
    title="np.dot inside the loop",
    change="The loop over features becomes np.dot; the loop over examples stays in Python.",
    function=cost_and_gradient,
    question="What if NumPy does the inner loop, over the features?",
    grew_from="python_loop",
    cause="inner loop in np.dot",
    expects="A feature costs almost nothing any more. An example costs more, because each one takes several calls "
    "of NumPy.",
    predicted_by="instructions",
    less="The cost of a NumPy call itself is not counted.",
    passes=1,
    work="interpreted",
)
