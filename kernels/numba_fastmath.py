"""The same function compiled again, with relaxed floating-point rules.

Changes: the compiler may reorder sums, and fuse a multiplication with an addition.
Sums are in the dtypes of `numba_loop`, in another order.
Passes over X: as `numba_loop`.
Allocates: as `numba_loop`.
"""

import numba

from kernels import python_loop
from kernels._kernel import Kernel

# Everything that fastmath=True allows, except nnan and ninf: with those a NaN or an infinity in a result would be
# undefined, and the agreement gate could miss it.
RELAXED = {"reassoc", "contract", "arcp", "afn", "nsz"}

cost_and_gradient = numba.njit(error_model="numpy", fastmath=RELAXED)(python_loop.cost_and_gradient)

KERNEL = Kernel(
    name="numba_fastmath",
    title="Numba loop, relaxed",
    change="The same compiled function, allowed to reorder sums and to fuse operations.",
    function=cost_and_gradient,
    question="What if the compiler may reorder the sums?",
    compiles="once",
    grew_from="numba_loop",
    cause="sums reordered, SIMD",
    expects="The sum over the features is split over SIMD lanes. The gain grows with n_x, and there is none where n_x "
    "is 1 or 2.",
    predicted_by="reordered",
    isolates=True,
    passes=1,
    vectors=0,
    work="compiled",
    arithmetic="relaxed",
)
