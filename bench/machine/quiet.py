"""What keeps a measuring process quiet, so that a kernel finds it the same whichever kernel was called before.

Interleaving has a price: a kernel finds the process as the kernel before it left it. Two things make the same call
several times slower after one neighbour than after another. Both are settled for all kernels alike:

- Threads of OpenBLAS and OpenMP spin for many milliseconds after a call, waiting for the next; with as many spinning
  pools as cores, the next kernel's threads have nowhere to run. Here they spin long enough to stay awake from one call
  to the next, and sleep soon after (`bench.SPIN`).
- The C library may return freed memory to the system, or not, depending on what was freed before; then each call of
  NumPy's vectorized form has its temporaries' pages mapped and zeroed anew. Here freed memory is kept
  (`bench.machine.memory`), which is the best case for NumPy: the baseline is not handicapped.

A third is not settled but sampled: Linux lays out each process at random addresses, and Python hashes text with a
random seed. Where code and data lie decides which cache lines they share (Mytkowicz et al., "Producing wrong data
without doing anything obviously wrong!", 2009), so a run takes several processes, and its intervals come from what they
differ in.
"""

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

import bench

PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


def settings() -> dict[str, str]:
    """What applies in this process, for the run's header."""
    return {"memory_layout": "random"} | {name: os.environ.get(name, "unset") for name in bench.SPIN}


def die_with(parent: int, before_others: bool = False) -> None:
    """On Linux: end this process when its parent ends, so that a kernel that hangs does not outlive its run.

    Args:
        parent: The parent's process id.
        before_others: Be the first that is killed where memory runs out.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above, and its signal never comes
            os._exit(1)
        if before_others:
            with contextlib.suppress(OSError):
                Path("/proc/self/oom_score_adj").write_text("1000")
