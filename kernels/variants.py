"""Kernels that differ from a rung in one thing, so that what is measured between the two has one cause.

They are no rungs: nobody would choose them. Each is named in words, "pair: ...", as all that is measured and is no
kernel; they pass the same gate, and run in the same rounds, in a few cells of the full grid. `bench.causes` says which
is compared with which.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

import numba
import numpy as np

from kernels import numba_fused, numba_loop, numpy_vectorized, python_loop
from kernels._exp import exp
from kernels._kernel import Array, CostAndGradient, Kernel
from kernels.numba_passes import backward, forward, log_product, relaxed


@relaxed
def activate_by_math_exp(z: Array, Y: Array, dz: Array, q: Array) -> tuple[float, float]:
    """`numba_passes.activate` with the C library's exp, which a loop calls one number at a time."""
    J = db = 0.0
    for i in range(np.uint64(z.size)):
        sign = 1.0 - 2.0 * Y[i]
        s = sign * z[i]
        e = math.exp(-abs(s))
        d = sign * ((1.0 if s >= 0.0 else e) / (1.0 + e))
        J += s if s > 0.0 else 0.0
        q[i] += e * (1.0 + q[i])
        dz[i] = d
        db += d
    return J, db


@relaxed
def scalar_exp(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """`numba_passes` with exp alone changed."""
    n_x, m = X.shape
    z, dz, q, dw = np.empty(m), np.empty(m), np.zeros(m), np.zeros(n_x)
    forward(w, b, X, 0, m, z)
    J, db = activate_by_math_exp(z, Y, dz, q)
    J += log_product(q, m, 1)
    backward(X, 0, m, dz, dw)
    return J / m, dw / m, db / m


@relaxed
def activate_with_logarithms(z: Array, Y: Array, dz: Array) -> tuple[float, float]:
    """`numba_passes.activate` with a logarithm for every example."""
    J = db = 0.0
    for i in range(np.uint64(z.size)):
        sign = 1.0 - 2.0 * Y[i]
        s = sign * z[i]
        e = exp(-abs(s))
        d = sign * ((1.0 if s >= 0.0 else e) / (1.0 + e))
        J += (s if s > 0.0 else 0.0) + math.log1p(e)
        dz[i] = d
        db += d
    return J, db


@relaxed
def logarithm_each(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """`numba_passes` with the logarithms alone changed."""
    n_x, m = X.shape
    z, dz, dw = np.empty(m), np.empty(m), np.zeros(n_x)
    forward(w, b, X, 0, m, z)
    J, db = activate_with_logarithms(z, Y, dz)
    backward(X, 0, m, dz, dw)
    return J / m, dw / m, db / m


def _loss_and_dz(z: float, y: float) -> tuple[float, float]:
    e = math.exp(-abs(z))
    a = 1.0 / (1.0 + e) if z >= 0.0 else e / (1.0 + e)
    return max(z, 0.0) - y * z + math.log1p(e), a - y


loss_and_dz = np.vectorize(_loss_and_dz, otypes=[np.float64, np.float64])


def by_np_vectorize(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """`numpy_vectorized` with its elementwise part by np.vectorize."""
    m = Y.size
    losses, dZ = loss_and_dz(np.dot(w, X) + b, Y)
    return np.mean(losses), (1.0 / m) * np.dot(X, dZ), (1.0 / m) * np.sum(dZ)


def other_order(array: Array) -> Array:
    """X in the order that it is not in; w and Y as they are."""
    return np.array(array, order="C" if array.flags.f_contiguous else "F") if array.ndim == 2 else array


VARIANTS: Mapping[str, Kernel] = MappingProxyType(
    {
        kernel.name: kernel
        for kernel in (
            Kernel("pair: exp, scalar", "numba_passes, math.exp", "exp is the C library's.", scalar_exp, compiled=True),
            Kernel(
                *("pair: log1p, one an example", "numba_passes, log1p each", "A logarithm for every example."),
                logarithm_each,
                compiled=True,
            ),
            Kernel(
                *("pair: Python's division", "numba_loop, error_model python", "Divisions are checked for zero."),
                numba.njit(error_model="python")(python_loop.cost_and_gradient),
                compiled=True,
            ),
            Kernel(
                *("pair: bounds checked", "numba_loop, boundscheck", "Every index is checked."),
                numba.njit(error_model="numpy", boundscheck=True)(python_loop.cost_and_gradient),
                compiled=True,
            ),
            Kernel(
                *("pair: loop, other order", "numba_loop, X in the other order", "X is in the other order."),
                numba_loop.cost_and_gradient,
                compiled=True,
                native=other_order,
            ),
            Kernel(
                *("pair: NumPy, other order", "numpy_vectorized, X in the other order", "X is in the other order."),
                numpy_vectorized.cost_and_gradient,
                native=other_order,
            ),
            Kernel(
                *("pair: np.vectorize", "numpy_vectorized, by np.vectorize", "Its elementwise part by np.vectorize."),
                by_np_vectorize,
            ),
            Kernel(
                *(
                    "pair: fused, one thread",
                    "numba_fused beside all threads",
                    "One thread of them.",
                ),
                numba_fused.cost_and_gradient,
                compiled=True,
            ),
        )
    }
)
OF_ALL_THREADS = ("pair: fused, one thread",)
