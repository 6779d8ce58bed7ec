"""What keeps a measuring process quiet, so that a cell measures the same thing twice.

Interleaving has a price: a kernel finds the process as the kernel before it left it. Two things make the same call
several times slower after one neighbour than after another; a third makes two runs differ by more than either knows
of itself. All are settled here, for all kernels alike:

- Threads of OpenBLAS and OpenMP spin for many milliseconds after a call, in wait for the next; with as many
  spinning pools as cores, the next kernel's threads have nowhere to run. Here they spin long enough to stay awake from
  one call to the next, and sleep soon after. Read by the libraries when they load, so set before NumPy is imported.
- The C library may give freed memory back to the system, or not, depending on what was freed before; then each call
  of NumPy's vectorized form has its temporaries' pages mapped and zeroed anew. Here freed memory is kept, which is
  the best case for NumPy: the baseline is not handicapped.
- Linux lays out each process at random addresses, and Python hashes text with a random seed. Where code and data
  happen to lie decides which cache lines they share (Mytkowicz et al., "Producing wrong data without doing anything
  obviously wrong!", 2009). Here a measuring process starts itself again with both fixed: two runs on one machine then
  compare kernels, not layouts. The layout is still one of many: another build may shift a kernel by some percent.
"""

import ctypes
import os
import platform
import sys

PINNED = "UNLOOP_PINNED"
QUERY_PERSONALITY, ADDR_NO_RANDOMIZE = 0xFFFFFFFF, 0x0040000  # <sys/personality.h>
SPIN = {
    "GOMP_SPINCOUNT": "15000",  # iterations
    "OPENBLAS_THREAD_TIMEOUT": "18",  # 2^18 cycles
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


def release_freed_memory() -> None:
    """Give back what was kept, between problems: what one has freed does not add to what the next needs."""
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def pin_layout() -> None:
    """Start this process again at fixed addresses; returns if it runs so already, or if the system can't do that.

    Containers often refuse; a run then says that its layout was random.
    """
    if sys.platform != "linux" or PINNED in os.environ:
        return
    libc = ctypes.CDLL(None)
    persona = libc.personality(QUERY_PERSONALITY)
    os.environ[PINNED] = "0"
    if persona < 0 or libc.personality(persona | ADDR_NO_RANDOMIZE) < 0:
        return
    os.environ |= {PINNED: "1", "PYTHONHASHSEED": "0"}
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def settings() -> dict[str, str]:
    """What holds in this process, for the run's header."""
    layout = "fixed" if os.environ.get(PINNED) == "1" else "random"
    return {"memory_layout": layout} | {name: os.environ.get(name, "unset") for name in SPIN}
