"""The gradient step of logistic regression, written as a ladder of kernels.

The mathematics (notation of the course; examples are columns):

    Z = w^T X + b,   A = sigma(Z),   J = mean(-(Y log A + (1 - Y) log(1 - A)))
    dZ = A - Y,      dw = X dZ^T / m,     db = mean(dZ)

The contract of every kernel `KERNELS[name](w, b, X, Y) -> (J, dw, db)`, in float64:

    w (n_x,)    weights                 J  float     mean cost, in nats
    b float     bias                    dw (n_x,)    gradient of J by w
    X (n_x, m)  examples in columns     db float     gradient of J by b
    Y (m,)      labels 0.0 and 1.0

X may be in order "F" (each example contiguous) or "C" (each feature contiguous). The course's column vectors,
(n_x, 1) and (1, m), are refused: (1, m) against (m,) is right by luck, (n_x, 1) against (n_x,) gives a matrix.

ValueError: wrong or mismatched shapes, m = 0, n_x = 0, labels other than 0 and 1, NaN or infinity in an input, or
numbers so large (about 1e298) that a sum may overflow.
TypeError: dtypes that would be silently converted (complex, object). Integers and float32 are converted to float64.

Read the ladder as chapters, top to bottom: each file changes one thing from the one before.
"""

from collections.abc import Mapping
from types import MappingProxyType

from kernels import (
    numba_fastmath,
    numba_fused,
    numba_fused_parallel,
    numba_loop,
    numba_parallel,
    numba_passes,
    numpy_buffers,
    numpy_dot_in_loop,
    numpy_textbook,
    numpy_vectorized,
    python_lists,
    python_loop,
    reference,
)
from kernels._kernel import Kernel
from kernels.descent import Descent, gradient_descent

LADDER = (
    python_loop.KERNEL,
    python_lists.KERNEL,
    numpy_dot_in_loop.KERNEL,
    numba_loop.KERNEL,
    numba_fastmath.KERNEL,
    numba_parallel.KERNEL,
    numpy_textbook.KERNEL,
    numpy_vectorized.KERNEL,
    numpy_buffers.KERNEL,
    numba_passes.KERNEL,
    numba_fused.KERNEL,
    numba_fused_parallel.KERNEL,
)

KERNELS: Mapping[str, Kernel] = MappingProxyType({kernel.name: kernel for kernel in LADDER})

__all__ = ["KERNELS", "Descent", "Kernel", "gradient_descent", "reference"]
