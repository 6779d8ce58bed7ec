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
(n_x, 1) and (1, m), are refused: (1, m) against (m,) gives the right shape by luck, and (n_x, 1) against (n_x,) gives
a matrix.

ValueError: wrong or mismatched shapes, m = 0, n_x = 0, labels other than 0 and 1, NaN or infinity in an input, or
numbers so large (about 1e298) that a sum may overflow.
TypeError: dtypes that would be silently converted (complex, object). Integers and float32 are converted to float64.

Read the ladder as chapters, top to bottom: each file changes one thing in the kernel that it grew from.
"""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from kernels import numba_descent, reference
from kernels._kernel import Kernel, Pair
from kernels.descent import Descent, gradient_descent

# The rungs in order, each named after its file.
LADDER = (
    "python_loop",
    "python_lists",
    "numpy_dot_in_loop",
    "numba_loop",
    "numba_fastmath",
    "numba_parallel",
    "numpy_textbook",
    "numpy_vectorized",
    "numpy_buffers",
    "numba_passes",
    "numba_fused",
    "numba_fused_parallel",
)

KERNELS: Mapping[str, Kernel] = MappingProxyType({name: import_module(f"kernels.{name}").KERNEL for name in LADDER})

# Kernels of training runs only.
DESCENTS: Mapping[str, Kernel] = MappingProxyType({kernel.name: kernel for kernel in (numba_descent.KERNEL,)})


def find(name: str) -> Kernel | None:
    """The kernel of this name: a rung, a descent, a peer or a controlled kernel; None if there is none."""
    # Imported here, so that the ladder alone is loaded where nothing else is wanted.
    from kernels.controlled import CONTROLLED
    from kernels.peers import PEERS

    for kernels in (KERNELS, DESCENTS, PEERS, CONTROLLED):
        if name in kernels:
            return kernels[name]
    return None


def keep_on_disk() -> None:
    """Keep compiled code for the processes that follow, which load it in a fraction of a second.

    It lies in the folder that UNLOOP_CACHE names, or in the user's folder for caches.
    """
    from kernels import _cache

    _cache.keep_on_disk(_cache.cache_folder())


__all__ = [
    "DESCENTS",
    "KERNELS",
    "LADDER",
    "Descent",
    "Kernel",
    "Pair",
    "find",
    "gradient_descent",
    "keep_on_disk",
    "reference",
]
