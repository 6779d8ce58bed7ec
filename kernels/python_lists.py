"""The same loop on plain Python lists and floats.

Changes: X is a list of examples, each a list of floats, so no ndarray is touched. `bind` converts it.
A float of Python is a float64, so there is no float32 of it.
Passes over X: as before, but the floats are objects scattered over memory, and each is one pointer away.
Allocates: dw as a list, and a Python float for each result of arithmetic. Reading an element allocates nothing.
"""

import math
from typing import Any

from kernels._kernel import Array, Kernel


def cost_and_gradient(
    w: list[float], b: float, X: list[list[float]], Y: list[float]
) -> tuple[float, list[float], float]:
    """J, dw (n_x floats) and db at w (n_x floats) and b, for X (m lists of n_x floats) and Y (m floats)."""
    n_x, m = len(w), len(Y)
    J = 0.0
    dw = [0.0] * n_x
    db = 0.0
    for i in range(m):
        x = X[i]
        y = Y[i]
        z = b
        for j in range(n_x):
            z += w[j] * x[j]
        e = math.exp(-abs(z))
        a = 1.0 / (1.0 + e) if z >= 0.0 else e / (1.0 + e)
        J += max((1.0 - 2.0 * y) * z, 0.0) + math.log1p(e)
        dz = a - y
        for j in range(n_x):
            dw[j] += x[j] * dz
        db += dz
    return J / m, [dw_j / m for dw_j in dw], db / m


def to_lists(array: Array) -> Any:
    """A vector as a list of floats; X (n_x, m) as m lists of n_x floats, so that an example is one list."""
    return array.T.tolist()


KERNEL = Kernel(
    name="python_lists",
    title="Python loop over lists",
    change="The same loop on plain lists and floats: no ndarray element is boxed.",
    function=cost_and_gradient,
    question="Is it the arrays that are slow? What if the same loop runs over plain lists?",
    native=to_lists,
    dtypes=("float64",),
    grew_from="python_loop",
    cause="no boxing",
    expects="Faster, because reading an ndarray element is expensive: it takes an index tuple, a boxed float64 scalar, "
    "and that scalar's slow arithmetic. All three go away.",
    predicted_by="instructions",
    more="The count takes every bytecode for equal. What it leaves out is how long one takes: a bytecode on an ndarray "
    "element makes a new object, and one on a list item does not.",
    isolates=True,
    passes=1,
    work="interpreted",
)
