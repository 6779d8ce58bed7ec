"""Memory of this process: how much it can get, the most that it had, and whether freed memory is kept.

The C library may give freed memory back to the system, or not, depending on what was freed before; then each call of
NumPy's vectorized form has its temporaries' pages mapped and zeroed anew. A measuring process keeps freed memory, which
is the best case for NumPy: the baseline is not handicapped.
"""

import ctypes
import platform
import sys
from pathlib import Path

import psutil

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # <malloc.h>
KEPT_BYTES = 2**30
# Larger arrays (X itself, in the large cells) still go back to the system, so that the peak of memory stays low.
MMAP_BYTES = 2**27


def memory_limit() -> int:
    """Bytes that this process can still get: what the machine has free, less what a container (cgroup 2) denies."""
    available = int(psutil.virtual_memory().available)
    try:
        used, most = (Path("/sys/fs/cgroup", name).read_text().strip() for name in ("memory.current", "memory.max"))
        return available if most == "max" else min(available, int(most) - int(used))
    except (OSError, ValueError):
        return available


def peak_bytes() -> int:
    """The most memory that this process has had; 0 where the system does not know that of one process.

    Not ru_maxrss: that begins with the memory of the process that started this one.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def keep_freed_memory() -> bool:
    """Make the allocator keep what is freed; False where it can't be set (it is not glibc's)."""
    if not _is_glibc():
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_THRESHOLD, MMAP_BYTES)) and bool(mallopt(M_TRIM_THRESHOLD, KEPT_BYTES))


def release_freed_memory() -> None:
    """Return what was kept to the system, between problems: what one has freed does not add to what the next needs."""
    if _is_glibc():
        ctypes.CDLL(None).malloc_trim(0)


def _is_glibc() -> bool:
    return sys.platform == "linux" and platform.libc_ver()[0] == "glibc"
