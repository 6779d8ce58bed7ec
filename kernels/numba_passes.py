"""The vectorized form compiled: three passes over all examples, an exp that works in SIMD, and few logarithms.

Changes: one loop computes z, one the activation, the loss and dz, one dw. `_exp.exp` has no branch, so LLVM can
vectorize the loop around it. One logarithm serves many examples: sum log(1 + e_i) = log prod(1 + e_i).
Passes over X: two from memory, as `numpy_vectorized`.
Allocates: three arrays of m elements, and dw.
"""

import math

import numba
import numpy as np
from numba.extending import overload

from kernels._exp import exp
from kernels._kernel import Array, CostAndGradient, Kernel
from kernels.numba_fastmath import RELAXED

# 1 + e is at most 2, so a product of 1000 factors is at most 2^1000, which is finite.
FACTORS = 1000

relaxed = numba.njit(error_model="numpy", fastmath=RELAXED)
# For functions that compiled code calls on a few examples at a time: a call would cost as much as the work itself.
inlined = numba.njit(error_model="numpy", fastmath=RELAXED, forceinline=True)


@inlined
def forward_rows(w: Array, b: float, XT: Array, start: int, n: int, z: Array) -> None:
    """Z (n,) of the examples from `start`, for XT (m, n_x) with each example contiguous."""
    for i in range(n):
        s = b
        for j in range(w.size):
            s += w[j] * XT[start + i, j]
        z[i] = s


@inlined
def backward_rows(XT: Array, start: int, n: int, dz: Array, dw: Array) -> None:
    """Add X dz to dw (n_x,), four examples at a time, so that dw is read and written once for all four."""
    i = 0
    while i + 4 <= n:
        d0, d1, d2, d3 = dz[i], dz[i + 1], dz[i + 2], dz[i + 3]
        k = start + i
        for j in range(dw.size):
            dw[j] += d0 * XT[k, j] + d1 * XT[k + 1, j] + d2 * XT[k + 2, j] + d3 * XT[k + 3, j]
        i += 4
    while i < n:
        for j in range(dw.size):
            dw[j] += dz[i] * XT[start + i, j]
        i += 1


# Unsigned indices: a signed one needs a test for Python's X[-1], which would keep these loops scalar.
@inlined
def forward_columns(w: Array, b: float, X: Array, start: int, n: int, z: Array) -> None:
    """Z (n,) of the examples from `start`, for X (n_x, m) with each feature contiguous, eight features at a time."""
    o = np.uint64(start)
    z[:n] = b
    j = 0
    while j + 8 <= w.size:
        w0, w1, w2, w3, w4, w5, w6, w7 = w[j], w[j + 1], w[j + 2], w[j + 3], w[j + 4], w[j + 5], w[j + 6], w[j + 7]
        for i in range(np.uint64(n)):
            k = o + i
            z[i] += w0 * X[j, k] + w1 * X[j + 1, k] + w2 * X[j + 2, k] + w3 * X[j + 3, k]
            z[i] += w4 * X[j + 4, k] + w5 * X[j + 5, k] + w6 * X[j + 6, k] + w7 * X[j + 7, k]
        j += 8
    while j + 2 <= w.size:
        w0, w1 = w[j], w[j + 1]
        for i in range(np.uint64(n)):
            z[i] += w0 * X[j, o + i] + w1 * X[j + 1, o + i]
        j += 2
    while j < w.size:
        for i in range(np.uint64(n)):
            z[i] += w[j] * X[j, o + i]
        j += 1


@inlined
def backward_columns(X: Array, start: int, n: int, dz: Array, dw: Array) -> None:
    """Add X dz to dw (n_x,), eight features at a time, so that dz is read once for all eight."""
    o = np.uint64(start)
    j = 0
    while j + 8 <= dw.size:
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
        for i in range(np.uint64(n)):
            d, k = dz[i], o + i
            s0 += d * X[j, k]
            s1 += d * X[j + 1, k]
            s2 += d * X[j + 2, k]
            s3 += d * X[j + 3, k]
            s4 += d * X[j + 4, k]
            s5 += d * X[j + 5, k]
            s6 += d * X[j + 6, k]
            s7 += d * X[j + 7, k]
        dw[j] += s0
        dw[j + 1] += s1
        dw[j + 2] += s2
        dw[j + 3] += s3
        dw[j + 4] += s4
        dw[j + 5] += s5
        dw[j + 6] += s6
        dw[j + 7] += s7
        j += 8
    while j + 2 <= dw.size:
        s0 = s1 = 0.0
        for i in range(np.uint64(n)):
            s0 += dz[i] * X[j, o + i]
            s1 += dz[i] * X[j + 1, o + i]
        dw[j] += s0
        dw[j + 1] += s1
        j += 2
    while j < dw.size:
        s = 0.0
        for i in range(np.uint64(n)):
            s += dz[i] * X[j, o + i]
        dw[j] += s
        j += 1


@inlined
def activate(z: Array, Y: Array, start: int, n: int, dz: Array, q: Array) -> tuple[float, float]:
    """Compute dz (n,) from z (n,), multiply 1 + e into q + 1, and return the sums of max(s, 0) and of dz.

    With s = -z for label 1 and z for label 0, the loss is max(s, 0) + log1p(e), e = exp(-|s|), and |dz| = sigma(s).
    """
    o = np.uint64(start)
    J = db = 0.0
    for i in range(np.uint64(n)):
        sign = 1.0 - 2.0 * Y[o + i]
        s = sign * z[i]
        e = exp(-abs(s))
        d = sign * ((1.0 if s >= 0.0 else e) / (1.0 + e))
        J += s if s > 0.0 else 0.0
        q[i] += e * (1.0 + q[i])
        dz[i] = d
        db += d
    return J, db


@relaxed
def log_product(q: Array, n: int, factors: int) -> float:
    """The sum of log(1 + q_i) over the first n, from few logarithms; exact where q is tiny.

    Each 1 + q_i is a product of `factors` factors, each of them at most 2.
    """
    while n > 1 and 2 * factors <= FACTORS:
        half = (n + 1) // 2
        for i in range(n - half):
            q[i] += q[half + i] * (1.0 + q[i])
        n = half
        factors *= 2
    J = 0.0
    for i in range(n):
        J += math.log1p(q[i])
    return J


def forward(w: Array, b: float, X: Array, start: int, n: int, z: Array) -> None:
    """Z (n,) of the examples from `start` of X (n_x, m) in either order. Callable from compiled code only."""
    raise NotImplementedError


def backward(X: Array, start: int, n: int, dz: Array, dw: Array) -> None:
    """Add X dz to dw, for the n examples from `start` of X (n_x, m). Callable from compiled code only."""
    raise NotImplementedError


# Numba requires the same parameters of an implementation and of the function that chooses it, so neither is annotated.
@overload(forward)
def _forward(w, b, X, start, n, z):  # type: ignore[no-untyped-def]
    if X.layout == "F":
        return lambda w, b, X, start, n, z: forward_rows(w, b, X.T, start, n, z)
    return lambda w, b, X, start, n, z: forward_columns(w, b, X, start, n, z)


@overload(backward)
def _backward(X, start, n, dz, dw):  # type: ignore[no-untyped-def]
    if X.layout == "F":
        return lambda X, start, n, dz, dw: backward_rows(X.T, start, n, dz, dw)
    return lambda X, start, n, dz, dw: backward_columns(X, start, n, dz, dw)


@relaxed
def cost_and_gradient(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """J, dw (n_x,) and db at w (n_x,) and b, for X (n_x, m) and Y (m,)."""
    n_x, m = X.shape
    z, dz, q, dw = np.empty(m), np.empty(m), np.zeros(m), np.zeros(n_x)
    forward(w, b, X, 0, m, z)
    J, db = activate(z, Y, 0, m, dz, q)
    J += log_product(q, m, 1)
    backward(X, 0, m, dz, dw)
    return J / m, dw / m, db / m


KERNEL = Kernel(
    name="numba_passes",
    title="Numba, three passes, SIMD exp",
    change="The vectorized form compiled, with an exp that works in SIMD and one log for many examples.",
    function=cost_and_gradient,
    question="What if one compiled function makes the same passes, and takes exp in SIMD?",
    compiles="once",
    grew_from="numpy_buffers",
    cause="one call, SIMD exp, few logs",
    expects="The activation costs a few SIMD instructions per example, and the products cost what NumPy's do. A call "
    "costs as much as one call of a compiled function, because it is only one.",
    predicted_by="moved",
    more="One call instead of many, and a cheaper exp and log: neither is in the bytes.",
    less="Moving bytes is not the bottleneck here.",
    passes=2,
    vectors=3,
    work="compiled",
    arithmetic="relaxed",
)
