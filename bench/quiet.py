"""What keeps the kernels of one process out of each other's way, so that a cell measures the same thing twice.

Interleaving has a price: a kernel finds the process as the kernel before it left it. Two things made the same call
two to four times slower after one neighbour than after another, and both are settled here, for all kernels alike:

- Threads of OpenBLAS and OpenMP spin for many milliseconds after a call, in wait for the next; with as many
  spinning pools as cores, the next kernel's threads have nowhere to run. Here they spin long enough to stay awake from
  one call to the next, and sleep soon after. Read by the libraries when they load, so set before NumPy is imported.
- The C library may give freed memory back to the system, or not, depending on what was freed before; then each call
  of NumPy's vectorized form has its temporaries' pages mapped and zeroed anew. Here freed memory is kept, which is
  the best case for NumPy: the baseline is not handicapped.
"""

import ctypes
import os
import platform
import sys

SPIN = {
    "GOMP_SPINCOUNT": "30000",  # iterations
    "OPENBLAS_THREAD_TIMEOUT": "20",  # 2^20 cycles
}
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # <malloc.h>
KEPT_BYTES = 2**30
# Larger arrays (X itself, at the large cells) still go back to the system, so that the peak of memory stays low.
MMAP_BYTES = 2**27


def shorten_spinning() -> None:
    """Set the environment that the thread pools read when they load; what the user has set stays."""
    for name, value in SPIN.items():
        os.environ.setdefault(name, value)


def keep_freed_memory() -> bool:
    """Tell the allocator to keep what is freed; True if it could be told (glibc)."""
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_THRESHOLD, MMAP_BYTES)) and bool(mallopt(M_TRIM_THRESHOLD, KEPT_BYTES))


def settings() -> dict[str, str]:
    """What holds in this process, for the run's header."""
    return {name: os.environ.get(name, "unset") for name in SPIN}
