"""How many shares a kernel makes of the examples, one for a thread: an argument of its compiled code.

Numba's threads do not survive a fork: a forked process has their pool and none of its threads. GNU OpenMP then waits
for them for ever, or ends the process. So a kernel of several threads refuses to be bound there.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numba

from kernels._kernel import Array, At

_lost = False  # whether this process was forked from one that had started OpenMP's threads


def _after_fork() -> None:
    global _lost
    try:
        _lost = numba.threading_layer() == "omp"  # type: ignore[attr-defined]
    except ValueError:  # no threads were started before, so this process starts its own
        _lost = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def in_shares(function: Callable[..., Any]) -> Callable[[Array, Array], At]:
    """`prepare` of a kernel whose compiled function takes (w, b, X, Y, shares): on numba.get_num_threads() threads.

    Code that asks for the number itself has an address in it that no other process has, and can't be kept on disk.

    Raises:
        RuntimeError: By `prepare`, in a process that was forked from one whose OpenMP threads had started.
    """

    def prepare(X: Array, Y: Array) -> At:
        if _lost:
            raise RuntimeError(
                "this process was forked from one that had started OpenMP's threads, and a kernel of several threads "
                'would wait for them for ever; start processes by multiprocessing\'s "spawn"'
            )
        shares = min(numba.get_num_threads(), Y.size)
        return lambda w, b: partial(function, w, b, X, Y, shares)

    return prepare
