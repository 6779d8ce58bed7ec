"""What keeps a measuring process quiet, so that a cell measures the same thing twice.

Interleaving has a price: a kernel finds the process as the kernel before it left it. Two things make the same call
several times slower after one neighbour than after another; a third makes two runs differ by more than either can see.
All three are settled for all kernels alike:

- Threads of OpenBLAS and OpenMP spin for many milliseconds after a call and wait for the next. With as many spinning
  pools as cores, the next kernel's threads have nowhere to run. With `bench.SPIN` they spin long enough to stay awake
  from one call to the next, and sleep soon after.
- Freed memory is kept: see `bench.machine.memory`.
- Linux lays out each process at random addresses, and Python hashes text with a random seed. Where code and data
  happen to lie decides which cache lines they share (Mytkowicz et al., "Producing wrong data without doing anything
  obviously wrong!", 2009). Here a measuring process starts itself again with both fixed: two runs on one machine then
  compare kernels, not layouts. The layout is still one of many: another build may shift a kernel by some percent.

This module loads neither NumPy nor Numba: a process starts itself again before it has loaded anything heavy.
"""

import ctypes
import os
import sys

from bench import SPIN

PINNED = "UNLOOP_PINNED"
QUERY_PERSONALITY, ADDR_NO_RANDOMIZE = 0xFFFFFFFF, 0x0040000  # <sys/personality.h>


def pin_layout() -> None:
    """Start this process again at fixed addresses; returns if it runs so already, or if the system can't do that.

    Containers often refuse; a run then records that its layout was random.
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
    """What is set in this process, for the run's header."""
    layout = "fixed" if os.environ.get(PINNED) == "1" else "random"
    return {"memory_layout": layout} | {name: os.environ.get(name, "unset") for name in SPIN}
