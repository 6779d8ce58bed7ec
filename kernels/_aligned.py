"""Arrays that begin on a cache line (64 bytes).

Where an array begins is up to the allocator else, and a SIMD loop over it is faster or slower with it.
"""

import numpy as np

from kernels._kernel import Array


def aligned(shape: tuple[int, ...]) -> Array:
    """An empty array of a shape."""
    count = int(np.prod(shape))
    buffer = np.empty(count + 8)
    start = (-buffer.ctypes.data % 64) // 8
    return buffer[start : start + count].reshape(shape)


def in_order_c(array: Array) -> Array:
    """A copy of X (n_x, m) with each feature contiguous; a vector as it is."""
    if array.ndim == 1:
        return array
    copy = aligned(array.shape)
    copy[:] = array
    return copy
