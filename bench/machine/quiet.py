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

import os

import bench


def settings() -> dict[str, str]:
    """What applies in this process, for the run's header."""
    return {"memory_layout": "random"} | {name: os.environ.get(name, "unset") for name in bench.SPIN}
