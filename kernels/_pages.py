"""Part of `numba_fused`: examples of about a page of memory, taken a few at a time instead of in blocks."""

import math

import numpy as np

from kernels._exp import exp
from kernels._kernel import Array, CostAndGradient
from kernels.numba_passes import FACTORS, inlined


@inlined
def activate_one(z: float, Y: Array, i: int) -> tuple[float, float, float]:
    """The values dz, max(s, 0) and e of example i: `activate` for a loop that keeps them in registers."""
    zero, one, two = Y.dtype.type(0.0), Y.dtype.type(1.0), Y.dtype.type(2.0)
    sign = one - two * Y[i]
    s = sign * z
    e = exp(-abs(s))
    return sign * ((one if s >= zero else e) / (one + e)), s if s > zero else zero, e


@inlined
def by_pages(w: Array, b: float, XT: Array, Y: Array, start: int, stop: int, fours: int, dw: Array) -> CostAndGradient:
    """`by_blocks` for examples of about a page, XT (m, n_x).

    The first 4 * fours examples are taken four at a time, the rest one at a time. Forward and backward take turns so
    often that memory keeps delivering while the sums are computed.
    """
    z, dz = np.empty(4, XT.dtype), np.empty(4, XT.dtype)
    J = db = q = 0.0
    factors = 0
    i = start
    for _ in range(fours):
        for k in range(4):
            s = b
            for j in range(w.size):
                s += w[j] * XT[i + k, j]
            z[k] = s
        for k in range(4):
            dz[k], loss, e = activate_one(z[k], Y, i + k)
            J += loss
            db += dz[k]
            q += e * (1.0 + q)
        factors += 4
        if factors >= FACTORS:
            J += math.log1p(q)
            q, factors = 0.0, 0
        d0, d1, d2, d3 = dz[0], dz[1], dz[2], dz[3]
        for j in range(dw.size):
            dw[j] += d0 * XT[i, j] + d1 * XT[i + 1, j] + d2 * XT[i + 2, j] + d3 * XT[i + 3, j]
        i += 4
    while i < stop:
        s = b
        for j in range(w.size):
            s += w[j] * XT[i, j]
        d, loss, e = activate_one(s, Y, i)
        J += loss
        db += d
        q += e * (1.0 + q)
        factors += 1
        if factors >= FACTORS:
            J += math.log1p(q)
            q, factors = 0.0, 0
        for j in range(dw.size):
            dw[j] += d * XT[i, j]
        i += 1
    return J + math.log1p(q), dw, db
