"""Kernels that differ from a rung in one thing, so that the factor between the two has one cause. They are not rungs.

A controlled kernel of a compiled rung is that rung's own function, compiled with one option changed or with one global
name replaced, so nothing is written twice. Its name says what differs, as in "pair: exp, scalar". PAIRS says which two
kernels are compared, and why; a rung that isolates one cause makes a pair with the kernel that it grew from
(`Pair.of`).
"""

import math
from collections.abc import Callable, Mapping
from types import FunctionType, MappingProxyType
from typing import Any

import numba
import numpy as np

from kernels import numba_fused, numba_fused_parallel, numba_loop, numba_passes, numpy_vectorized, python_loop
from kernels._aligned import in_order_c
from kernels._kernel import Array, CostAndGradient, Kernel, Pair
from kernels.numba_fastmath import RELAXED
from kernels.numba_passes import inlined, relaxed


def with_names(compiled: Any, **meanings: Any) -> Callable[..., Any]:
    """The Python function behind a compiled one, with some of its global names replaced."""
    function = compiled.py_func
    return FunctionType(function.__code__, function.__globals__ | meanings, function.__name__)


def by_np_vectorize(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """`python_loop` with np.vectorize in place of its loop over the examples; the loops over features stay."""
    n_x, m = X.shape
    dw = np.zeros(n_x)

    def example(i: int) -> tuple[float, float]:
        z = b
        for j in range(n_x):
            z += w[j] * X[j, i]
        e = math.exp(-abs(z))
        a = 1.0 / (1.0 + e) if z >= 0.0 else e / (1.0 + e)
        dz = a - Y[i]
        for j in range(n_x):
            dw[j] += X[j, i] * dz
        return max((1.0 - 2.0 * Y[i]) * z, 0.0) + math.log1p(e), dz

    # Without the types it would call `example` once more to find them out.
    losses, dZ = np.vectorize(example, otypes=[float, float])(np.arange(m))
    return losses.sum() / m, dw / m, dZ.sum() / m


def as_objects(array: Array) -> Any:
    """The same array, of Python's own floats: reading an element makes no new object."""
    return array.astype(object)


def of_objects(w: Any, b: float, X: Any, Y: Any) -> CostAndGradient:
    """The loop over arrays of objects; only what it returns is made an array of numbers."""
    J, dw, db = python_loop.cost_and_gradient(w, b, X, Y)
    return J, dw.astype(np.float64), db


def _controlled(label: str, of: Kernel, function: Callable[..., Any], **different: Any) -> Kernel:
    """A kernel that is `of` but for this function, and for the fields that are `different`."""
    fields: dict[str, Any] = {
        "compiles": of.compiles,
        "native": of.native,
        "passes": of.passes,
        "vectors": of.vectors,
        "work": of.work,
        "arithmetic": of.arithmetic,
    }
    return Kernel(
        name=f"pair: {label}",
        title=label,
        change=f"{of.name} with one thing changed.",
        function=function,
        **fields | different,
    )


_passes, _loop = numba_passes.KERNEL, numba_loop.KERNEL
_scalar_exp = inlined(with_names(numba_passes.activate, exp=math.exp))
_checked_activate = numba.njit(error_model="python", fastmath=RELAXED, forceinline=True)(numba_passes.activate.py_func)
# With one factor in each product, every example has its own logarithm.
_many_logs = relaxed(with_names(numba_passes.log_product, FACTORS=1))

SCALAR_EXP = _controlled(
    "exp, scalar", _passes, relaxed(with_names(numba_passes.cost_and_gradient, activate=_scalar_exp))
)
MANY_LOGS = _controlled(
    "a logarithm an example", _passes, relaxed(with_names(numba_passes.cost_and_gradient, log_product=_many_logs))
)
CHECKED_DIVISION = _controlled(
    "activation, error model of Python",
    _passes,
    relaxed(with_names(numba_passes.cost_and_gradient, activate=_checked_activate)),
)
CHECKED_LOOP = _controlled(
    "loop, error model of Python", _loop, numba.njit(error_model="python")(python_loop.cost_and_gradient)
)
CHECKED_BOUNDS = _controlled(
    "loop, bounds checked",
    _loop,
    numba.njit(error_model="numpy", boundscheck=True)(python_loop.cost_and_gradient),
)
LOOP_ORDER_C = _controlled("loop, X in order C", _loop, _loop.function, native=in_order_c, layout="C")
NUMPY_ORDER_C = _controlled(
    "NumPy, X in order C",
    numpy_vectorized.KERNEL,
    numpy_vectorized.cost_and_gradient,
    native=in_order_c,
    layout="C",
)
OBJECTS = _controlled("loop, arrays of Python floats", python_loop.KERNEL, of_objects, native=as_objects)
NP_VECTORIZE = _controlled("np.vectorize", python_loop.KERNEL, by_np_vectorize)
# The ladder has no kernel that uses one thread only in cells of all threads.
ONE_THREAD = _controlled(
    "fused blocks, one thread",
    numba_fused.KERNEL,
    numba_fused.cost_and_gradient,
    prepare=numba_fused.prepare,
    stands_for=numba_fused.KERNEL.name,
)

CONTROLLED: Mapping[str, Kernel] = MappingProxyType(
    {
        kernel.name: kernel
        for kernel in (
            OBJECTS,
            NP_VECTORIZE,
            CHECKED_LOOP,
            CHECKED_BOUNDS,
            LOOP_ORDER_C,
            NUMPY_ORDER_C,
            SCALAR_EXP,
            MANY_LOGS,
            CHECKED_DIVISION,
            ONE_THREAD,
        )
    }
)

_THREADS = Pair.of(numba_fused_parallel.KERNEL)

PAIRS = (
    Pair(
        "python_loop",
        OBJECTS.name,
        "new float64 objects → Python's floats",
        "instructions",
        more="The bytecodes are the same ones. Making a float64 object for each element, and its slow arithmetic, take "
        "the difference.",
        explains="python_lists",
    ),
    Pair(
        "python_loop",
        NP_VECTORIZE.name,
        "np.vectorize around the loop's body",
        "instructions",
        less="What np.vectorize itself does for each example is not counted.",
    ),
    Pair(
        CHECKED_BOUNDS.name,
        "numba_loop",
        "bounds checked → not checked",
        "same_code",
        less="The loops with more packed arithmetic are not the ones that take the time.",
    ),
    Pair(CHECKED_LOOP.name, "numba_loop", "division checked → not, strict loop", "same_code"),
    Pair(
        LOOP_ORDER_C.name,
        "numba_loop",
        "X in order C → F, compiled loop",
        "same_code",
        more="The code is the same, so the layout of X in memory makes the difference: an example's features lie side "
        "by side, or far apart.",
    ),
    Pair(NP_VECTORIZE.name, "numpy_vectorized", "np.vectorize → array operations", "interpreter_gone"),
    Pair(NUMPY_ORDER_C.name, "numpy_vectorized", "X in order C → F, NumPy", "same_work"),
    Pair(SCALAR_EXP.name, "numba_passes", "exp: one at a time → SIMD", "exp_lanes"),
    Pair(
        MANY_LOGS.name,
        "numba_passes",
        "log1p: one per example → one for many",
        unpredicted="the number of logarithms is known, but the time of one is not measured",
    ),
    Pair(CHECKED_DIVISION.name, "numba_passes", "division checked → not, SIMD", "division_lanes"),
    # In a cell of all threads, the pair of numba_fused_parallel itself.
    Pair(
        ONE_THREAD.name,
        _THREADS.after,
        "one thread → all",
        _THREADS.predicted_by,
        more=_THREADS.more,
        less=_THREADS.less,
    ),
)
