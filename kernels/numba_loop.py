"""The Python loop compiled: the very function of `python_loop`, not a copy.

Changes: the interpreter goes. The arithmetic is the same, in the same order, in strict IEEE arithmetic.
Sums over the examples are in float64, as in `python_loop`; for X in float32, z is a sum in float32.
Passes over X: two per example, the second from the cache: one from memory.
Allocates: dw, and a second array for dw / m.
"""

import numba
import numpy as np

from kernels import python_loop
from kernels._kernel import Array, Kernel

# error_model="numpy": a division by zero gives infinity, as in IEEE 754. Python's check for it would keep loops scalar.
cost_and_gradient = numba.njit(error_model="numpy")(python_loop.cost_and_gradient)


@numba.njit(error_model="numpy")
def descend(w: Array, b: float, X: Array, Y: Array, alpha: float, iterations: int) -> tuple[Array, float, Array]:
    """Gradient descent from w and b with the iterations compiled too. Returns w, b and the costs (iterations,)."""
    costs = np.empty(iterations)
    for k in range(iterations):
        J, dw, db = cost_and_gradient(w, b, X, Y)
        costs[k] = J
        w = w - alpha * dw
        b = w.dtype.type(b - alpha * db)
    return w, b, costs


KERNEL = Kernel(
    name="numba_loop",
    title="Numba loop, strict",
    change="python_loop's own function, compiled by Numba in strict IEEE arithmetic.",
    function=cost_and_gradient,
    question="What is the interpreter alone worth? What if the very same loop is compiled?",
    compiles="once",
    descend=descend,
    grew_from="python_loop",
    cause="no interpreter",
    expects="An element costs a few machine instructions instead of dozens of interpreted ones. The sum over the "
    "features must keep its order, so each addition waits for the one before and SIMD is not used.",
    unpredicted="how long an interpreted instruction takes, in machine instructions, is not counted",
    isolates=True,
    passes=1,
    vectors=0,
    work="compiled",
)
