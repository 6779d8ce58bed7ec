"""Bytes that NumPy moves in a step, counted and not timed: each operation on whole arrays reads and writes its own.

The kernel is called on arrays of a class that tells of each operation on them (NumPy's protocols `__array_ufunc__` and
`__array_function__`), so what is counted is what the kernel's own lines ask for. Where the bytes come from, a cache or
memory, is not known; nor is what an operation such as np.dot reads more than once.
"""

from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

from bench.problem import make_problem
from kernels import Kernel

WHOLE = (np.dot, np.where, np.copyto)  # of what is no ufunc; other functions are made of these and of ufuncs


class Counting(np.ndarray):
    """An array that adds to `moved` what operations on it read and write, and to `made` what they allocate."""

    moved = made = 0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Count the arrays of an operation, and do it on plain ones."""
        return _count(getattr(ufunc, method), inputs, options)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """The same for a function."""
        if func in WHOLE:
            return _count(func, args, kwargs)
        return super().__array_function__(func, types, args, kwargs)


def _count(operation: Callable[..., Any], inputs: Any, options: dict[str, Any]) -> Any:
    out = options.pop("out", None)
    outs = out if isinstance(out, tuple) else () if out is None else (out,)
    read = [each for each in (*inputs, options.get("where")) if isinstance(each, np.ndarray)]
    if any(out is not None for out in outs):
        options["out"] = tuple(_plain(each) for each in outs) if isinstance(out, tuple) else _plain(out)
    result = operation(*map(_plain, inputs), **{key: _plain(value) for key, value in options.items()})
    written = [each for each in outs if each is not None] or [each for each in [result] if isinstance(each, np.ndarray)]
    Counting.moved += sum(each.nbytes for each in (*read, *written))
    if written and not outs:
        Counting.made += result.nbytes
    return result.view(Counting) if isinstance(result, np.ndarray) else result


def _counting_empty(*shape: Any, make: Any = np.empty) -> Any:
    return make(*shape).view(Counting)


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Counting) else value


def moved(kernel: Kernel, m: int, n_x: int) -> tuple[int, int]:
    """Bytes that a step reads and writes, and bytes of the arrays that it makes, for X (n_x, m)."""
    problem = make_problem(m, n_x)
    w, X, Y = (kernel.native(each).view(Counting) for each in (problem.w, problem.X, problem.Y))
    Counting.moved = Counting.made = 0
    with mock.patch.object(np, "empty", _counting_empty):
        kernel.function(w, problem.b, X, Y)
    return Counting.moved, Counting.made


def traffic(kernel: Kernel) -> dict[str, float]:
    """Bytes read and written for each element of X and, besides, for each example; bytes made for each example."""
    (short, made), (long, more) = (moved(kernel, m, 4) for m in (1_000, 2_000))
    example = (long - short) / 1_000
    element = ((moved(kernel, 2_000, 12)[0] - moved(kernel, 1_000, 12)[0]) / 1_000 - example) / 8
    return {
        "moved_per_element": element,
        "moved_per_example": example - 4 * element,
        "made_per_example": (more - made) / 1_000,
    }
