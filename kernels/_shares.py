"""How many shares a kernel makes of the examples, one for a thread: an argument of its compiled code."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numba

from kernels._kernel import Array, At


def in_shares(function: Callable[..., Any]) -> Callable[[Array, Array], At]:
    """`prepare` of a kernel whose compiled function takes (w, b, X, Y, shares): on numba.get_num_threads() threads.

    Code that asks for the number itself has an address in it that no other process has, and can't be kept on disk.
    """

    def prepare(X: Array, Y: Array) -> At:
        shares = min(numba.get_num_threads(), Y.size)
        return lambda w, b: partial(function, w, b, X, Y, shares)

    return prepare
