"""The vectorized form compiled: three passes over all examples, an exp that works in SIMD, and few logarithms.

Changes: one loop computes z, one the activation, the loss and dz, one dw. `_exp.exp` has no branch, so LLVM can
vectorize the loop around it. One logarithm serves many examples: sum log(1 + e_i) = log prod(1 + e_i).
For X in float32 SIMD works on twice as many numbers, and so all in the loops is float32: z, and the sums over SPAN
examples. The sums of those sums are in float64.
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

# 1 + e is at most 2, so a product of 1000 factors is at most 2^1000, which is finite. Of 100 in float32.
FACTORS = 1000
SPAN = 2**13

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
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = dw.dtype.type(0.0)
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
        s0 = s1 = dw.dtype.type(0.0)
        for i in range(np.uint64(n)):
            s0 += dz[i] * X[j, o + i]
            s1 += dz[i] * X[j + 1, o + i]
        dw[j] += s0
        dw[j + 1] += s1
        j += 2
    while j < dw.size:
        s = dw.dtype.type(0.0)
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
    # A literal is a float64, which would make all that it meets one.
    zero, one, two = z.dtype.type(0.0), z.dtype.type(1.0), z.dtype.type(2.0)
    J = db = zero
    for i in range(np.uint64(n)):
        sign = one - two * Y[o + i]
        s = sign * z[i]
        e = exp(-abs(s))
        d = sign * ((one if s >= zero else e) / (one + e))
        J += s if s > zero else zero
        q[i] += e * (one + q[i])
        dz[i] = d
        db += d
    return J, db


@inlined
def most_factors(q: Array) -> int:
    """How many factors of at most 2 a product in q may have."""
    return FACTORS if q.itemsize == 8 else max(1, FACTORS // 10)


@inlined
def span(X: Array) -> int:
    """Over how many examples a sum may be in the dtype of X: in float64 over all."""
    return X.shape[1] if X.itemsize == 8 else SPAN


@relaxed
def log_product(q: Array, n: int, factors: int) -> float:
    """The sum of log(1 + q_i) over the first n, from few logarithms; exact where q is tiny.

    Each 1 + q_i is a product of `factors` factors, each of them at most 2. Products in float32 are short, so the last
    ones are in float64.
    """
    one, most = q.dtype.type(1.0), most_factors(q)
    while n > 1 and 2 * factors <= most:
        half = (n + 1) // 2
        for i in range(n - half):
            q[i] += q[half + i] * (one + q[i])
        n = half
        factors *= 2
    J = 0.0
    together = max(1, FACTORS // factors)
    for first in range(0, n, together):
        p = np.float64(q[first])
        for i in range(first + 1, min(n, first + together)):
            p += q[i] * (1.0 + p)
        J += math.log1p(p)
    return J


def forward(w: Array, b: float, X: Array, start: int, n: int, z: Array) -> None:
    """Z (n,) of the examples from `start` of X (n_x, m) in either order. Callable from compiled code only."""
    raise NotImplementedError


def backward(X: Array, start: int, n: int, dz: Array, dw: Array) -> None:
    """Add X dz to dw, for the n examples from `start` of X (n_x, m). Callable from compiled code only."""
    raise NotImplementedError


def add_backward(X: Array, start: int, n: int, dz: Array, dw: Array) -> None:
    """`backward`, for dw in float64 whatever the dtype of X. Callable from compiled code only."""
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


@overload(add_backward)
def _add_backward(X, start, n, dz, dw):  # type: ignore[no-untyped-def]
    def through_a_part(X, start, n, dz, dw):  # type: ignore[no-untyped-def]
        part = np.zeros(dw.size, X.dtype)
        backward(X, start, n, dz, part)
        for j in range(dw.size):
            dw[j] += part[j]

    if X.dtype == dw.dtype:
        return lambda X, start, n, dz, dw: backward(X, start, n, dz, dw)
    return through_a_part


@relaxed
def cost_and_gradient(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """J, dw (n_x,) and db at w (n_x,) and b, for X (n_x, m) and Y (m,)."""
    n_x, m = X.shape
    z, dz, q, dw = np.empty(m, X.dtype), np.empty(m, X.dtype), np.zeros(m, X.dtype), np.zeros(n_x)
    forward(w, b, X, 0, m, z)
    J = db = 0.0
    for first in range(0, m, span(X)):
        n = min(span(X), m - first)
        sums = activate(z[first:], Y, first, n, dz[first:], q[first:])
        J += sums[0]
        db += sums[1]
    J += log_product(q, m, 1)
    for first in range(0, m, span(X)):
        add_backward(X, first, min(span(X), m - first), dz[first:], dw)
    return J / m, np.asarray(dw / m, dtype=w.dtype), db / m


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
