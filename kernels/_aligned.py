"""Arrays that begin on a cache line (64 bytes).

Otherwise the allocator decides where an array begins, and how fast a SIMD loop runs over it depends on that.
"""

from typing import Any

import numpy as np

from kernels._inputs import Array


def aligned(shape: tuple[int, ...], dtype: Any = np.float64) -> Array:
    """An empty array of this shape and dtype."""
    nbytes = np.dtype(dtype).itemsize
    count = int(np.prod(shape))
    buffer = np.empty(count + 64 // nbytes, dtype)
    start = (-buffer.ctypes.data % 64) // nbytes
    return buffer[start : start + count].reshape(shape)


def in_order_c(array: Array) -> Array:
    """A copy of X (n_x, m) with each feature contiguous; a vector is returned as it is."""
    if array.ndim == 1:
        return array
    copy = aligned(array.shape, array.dtype)
    copy[:] = array
    return copy
