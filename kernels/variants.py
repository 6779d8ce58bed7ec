"""Kernels that differ from a rung in one thing, so that what is measured between the two has one cause. No rungs.

A variant of a compiled kernel is that kernel's very function, compiled with one option changed or with one of its names
meaning something else: nothing is written twice. Each is named in words, "pair: exp, scalar", as all that is
measured and is no kernel; `bench.causes` says which is compared with which.
"""

import math
from collections.abc import Callable, Mapping
from types import FunctionType, MappingProxyType
from typing import Any

import numba
import numpy as np

from kernels import numba_fused, numba_loop, numba_passes, numpy_vectorized, python_loop
from kernels._aligned import in_order_c
from kernels._kernel import Array, CostAndGradient, Kernel
from kernels.numba_fastmath import RELAXED
from kernels.numba_passes import inlined, relaxed


def with_names(compiled: Any, **meanings: Any) -> Callable[..., Any]:
    """The Python function behind a compiled one, with some of its global names meaning something else."""
    function = compiled.py_func
    return FunctionType(function.__code__, function.__globals__ | meanings, function.__name__)


def by_np_vectorize(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """`python_loop` with np.vectorize in the place of its loop over the examples; the loops over features stay."""
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

    # With its types given it does not call an example once more to find them.
    losses, dZ = np.vectorize(example, otypes=[float, float])(np.arange(m))
    return losses.sum() / m, dw / m, dZ.sum() / m


def _variant(label: str, of: Kernel, function: Callable[..., Any], native: Any = None) -> Kernel:
    return Kernel(
        name=f"pair: {label}",
        title=label,
        change=f"{of.name} with one thing changed.",
        function=function,
        compiled=of.compiled,
        native=native or of.native,
    )


_passes, _loop = numba_passes.KERNEL, numba_loop.KERNEL
_scalar_exp = inlined(with_names(numba_passes.activate, exp=math.exp))
_checked_activate = numba.njit(error_model="python", fastmath=RELAXED, forceinline=True)(numba_passes.activate.py_func)
# With products of one factor, there is a logarithm for each.
_many_logs = relaxed(with_names(numba_passes.log_product, FACTORS=1))

SCALAR_EXP = _variant("exp, scalar", _passes, relaxed(with_names(numba_passes.cost_and_gradient, activate=_scalar_exp)))
MANY_LOGS = _variant(
    "a logarithm an example", _passes, relaxed(with_names(numba_passes.cost_and_gradient, log_product=_many_logs))
)
CHECKED_DIVISION = _variant(
    "activation, error model of Python",
    _passes,
    relaxed(with_names(numba_passes.cost_and_gradient, activate=_checked_activate)),
)
CHECKED_LOOP = _variant(
    "loop, error model of Python", _loop, numba.njit(error_model="python")(python_loop.cost_and_gradient)
)
CHECKED_BOUNDS = _variant(
    "loop, bounds checked",
    _loop,
    numba.njit(error_model="numpy", boundscheck=True)(python_loop.cost_and_gradient),
)
LOOP_ORDER_C = _variant("loop, X in order C", _loop, _loop.function, in_order_c)
NUMPY_ORDER_C = _variant("NumPy, X in order C", numpy_vectorized.KERNEL, numpy_vectorized.cost_and_gradient, in_order_c)
NP_VECTORIZE = _variant("np.vectorize", python_loop.KERNEL, by_np_vectorize)
# In a cell of all threads, where the ladder has no kernel that uses one only.
ONE_THREAD = _variant("fused blocks, one thread", numba_fused.KERNEL, numba_fused.cost_and_gradient)

VARIANTS: Mapping[str, Kernel] = MappingProxyType(
    {
        kernel.name: kernel
        for kernel in (
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

OF_ALL_THREADS = (ONE_THREAD.name,)
