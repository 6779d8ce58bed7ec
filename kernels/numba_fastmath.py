"""The same function compiled again, with the floating-point rules relaxed.

Changes: the compiler may reorder sums and fuse multiply with add.
Passes over X: as `numba_loop`.
Allocates: as `numba_loop`.
So: the sum over the features may be split over SIMD lanes. It gains with n_x, and nothing where n_x is 1 or 2.
"""

import numba

from kernels import python_loop
from kernels._kernel import Kernel

# All that fastmath=True allows but nnan and ninf: with those a NaN or an infinity in a result would be undefined,
# and the agreement gate could no longer rely on seeing it.
RELAXED = {"reassoc", "contract", "arcp", "afn", "nsz"}

cost_and_gradient = numba.njit(error_model="numpy", fastmath=RELAXED)(python_loop.cost_and_gradient)

KERNEL = Kernel(
    name="numba_fastmath",
    title="Numba loop, relaxed",
    change="The same compiled function, with leave to reorder sums and fuse operations.",
    function=cost_and_gradient,
    compiled=True,
)
