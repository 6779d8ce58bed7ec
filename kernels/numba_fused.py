"""One pass over X: forward and backward product on a block of examples while it is in the cache.

Changes: what `numba_passes` does with all examples, done one block at a time. The size of a block follows from the
caches and n_x. Few features in order F are first copied into a small array with each feature contiguous, because SIMD
needs the examples side by side where there are fewer features than lanes.
Passes over X: one from memory; the second finds the block in the cache.
Allocates: three arrays of a block's length, dw, and the copied block.
"""

import math

import numpy as np
from numba.extending import overload

from kernels._caches import L1_BYTES, L2_BYTES, LAST_BYTES
from kernels._exp import exp
from kernels._kernel import Array, CostAndGradient, Kernel
from kernels.numba_passes import (
    FACTORS,
    activate,
    backward,
    backward_columns,
    forward,
    forward_columns,
    inlined,
    log_product,
    relaxed,
)

# A quarter of the first-level cache for X: the rest is for intermediate results and for the prefetcher.
BLOCK_BYTES = L1_BYTES // 4
FEW_FEATURES = 8  # the lanes of the widest SIMD registers
SHORTEST_ROWS, SHORTEST_COLUMNS, SHORTEST_RUNS = 16, 64, 256
# From how many features on four examples, or one, fill about a page of memory; and from how many one is too long.
FOUR_TO_A_PAGE, ONE_TO_A_PAGE, TOO_LONG = 96, 193, 769
PAGE_BYTES = 4096


@relaxed
def rows_block(n_x: int, m: int) -> int:
    """Examples in a block, where each example is contiguous: at least a few SIMD registers of activations."""
    size = L1_BYTES if 8 * n_x * m <= LAST_BYTES // 2 else BLOCK_BYTES
    return min(m, max(SHORTEST_ROWS, size // (8 * n_x)))


@relaxed
def columns_block(n_x: int, m: int) -> int:
    """Examples in a block, where each feature is contiguous: runs of memory long enough for the prefetcher.

    With few features, the runs of a block that fits in the first-level cache are long enough. With so many features
    that no block would fit in four times the second-level cache, there is only one block: the second pass then finds X
    where the first one did.
    """
    if n_x <= 2 * FEW_FEATURES:
        return min(m, max(SHORTEST_COLUMNS, BLOCK_BYTES // (32 * n_x)))
    if 8 * n_x * SHORTEST_RUNS > 4 * L2_BYTES:
        return m
    return min(m, max(SHORTEST_RUNS, L2_BYTES // 4 // (8 * n_x)))


@relaxed
def turn(XT: Array, start: int, n: int, T: Array) -> None:
    """Copy n examples of XT (m, n_x) into T (n_x, n)."""
    o = np.uint64(start)
    if XT.shape[1] == 2:  # LLVM vectorizes a stride that it knows
        for i in range(np.uint64(n)):
            T[0, i] = XT[o + i, 0]
            T[1, i] = XT[o + i, 1]
    else:
        for j in range(XT.shape[1]):
            for i in range(np.uint64(n)):
                T[j, i] = XT[o + i, j]


@relaxed
def by_blocks(w: Array, b: float, X: Array, Y: Array, start: int, stop: int, block: int, dw: Array) -> CostAndGradient:
    """The sums of the losses and of dz over the examples from start to stop, by blocks. Adds X dz to dw (n_x,)."""
    z, dz, q = np.empty(block), np.empty(block), np.zeros(block)
    J = db = 0.0
    blocks = 0
    for first in range(start, stop, block):
        n = min(block, stop - first)
        forward(w, b, X, first, n, z)
        sums = activate(z, Y, first, n, dz, q)
        J += sums[0]
        db += sums[1]
        backward(X, first, n, dz, dw)
        blocks += 1
        if blocks == FACTORS:
            J += log_product(q, block, blocks)
            q[:] = 0.0
            blocks = 0
    if blocks > 0:
        J += log_product(q, min(block, stop - start), blocks)
    return J, dw, db


@relaxed
def by_turned_blocks(
    w: Array, b: float, XT: Array, Y: Array, start: int, stop: int, block: int, dw: Array
) -> CostAndGradient:
    """`by_blocks` for few features, with each example contiguous: XT (m, n_x)."""
    z, dz, q, T = np.empty(block), np.empty(block), np.zeros(block), np.empty((w.size, block))
    J = db = 0.0
    blocks = 0
    for first in range(start, stop, block):
        n = min(block, stop - first)
        turn(XT, first, n, T)
        forward_columns(w, b, T, 0, n, z)
        sums = activate(z, Y, first, n, dz, q)
        J += sums[0]
        db += sums[1]
        backward_columns(T, 0, n, dz, dw)
        blocks += 1
        if blocks == FACTORS:
            J += log_product(q, block, blocks)
            q[:] = 0.0
            blocks = 0
    if blocks > 0:
        J += log_product(q, min(block, stop - start), blocks)
    return J, dw, db


@relaxed
def zeros_apart(X: Array, n: int) -> Array:
    """Zeros (n,) whose addresses differ from X's by half a page and a cache line.

    A load waits for an earlier store if the last twelve bits of their addresses agree, as if it read what was stored.
    """
    spare = np.zeros(n + PAGE_BYTES // 8)
    start = (X.ctypes.data + PAGE_BYTES // 2 + 64 - spare.ctypes.data) % PAGE_BYTES // 8
    return spare[start : start + n]


@inlined
def activate_one(z: float, y: float) -> tuple[float, float, float]:
    """The values dz, max(s, 0) and e of one example: `activate` for a loop that keeps them in registers."""
    sign = 1.0 - 2.0 * y
    s = sign * z
    e = exp(-abs(s))
    return sign * ((1.0 if s >= 0.0 else e) / (1.0 + e)), s if s > 0.0 else 0.0, e


@relaxed
def by_pages(w: Array, b: float, XT: Array, Y: Array, start: int, stop: int, fours: int, dw: Array) -> CostAndGradient:
    """`by_blocks` for examples of about a page, XT (m, n_x).

    The first 4 * fours examples are taken four at a time, the rest one at a time. Forward and backward take turns so
    often that memory keeps delivering while the sums are computed.
    """
    z, dz = np.empty(4), np.empty(4)
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
            dz[k], loss, e = activate_one(z[k], Y[i + k])
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
        d, loss, e = activate_one(s, Y[i])
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


def share(w: Array, b: float, X: Array, Y: Array, start: int, stop: int, dw: Array) -> CostAndGradient:
    """The sums over the examples from start to stop, by blocks that suit the order of X. For compiled code only."""
    raise NotImplementedError


@overload(share)
def _share(w, b, X, Y, start, stop, dw):  # type: ignore[no-untyped-def]
    def rows(w, b, X, Y, start, stop, dw):  # type: ignore[no-untyped-def]
        if w.size < FEW_FEATURES:
            return by_turned_blocks(w, b, X.T, Y, start, stop, columns_block(w.size, stop - start), dw)
        if FOUR_TO_A_PAGE <= w.size < TOO_LONG:
            many = w.size >= ONE_TO_A_PAGE and 8 * X.size > LAST_BYTES
            return by_pages(w, b, X.T, Y, start, stop, 0 if many else (stop - start) // 4, dw)
        return by_blocks(w, b, X, Y, start, stop, rows_block(w.size, stop - start), dw)

    def columns(w, b, X, Y, start, stop, dw):  # type: ignore[no-untyped-def]
        return by_blocks(w, b, X, Y, start, stop, columns_block(w.size, stop - start), dw)

    return rows if X.layout == "F" else columns


@relaxed
def cost_and_gradient(w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """J, dw (n_x,) and db at w (n_x,) and b, for X (n_x, m) and Y (m,)."""
    m = Y.size
    J, dw, db = share(w, b, X, Y, 0, m, zeros_apart(X, w.size))
    return J / m, dw / m, db / m


@relaxed
def descend(w: Array, b: float, X: Array, Y: Array, alpha: float, iterations: int) -> tuple[Array, float, Array]:
    """Gradient descent from w and b with the iterations compiled too. Returns w, b and the costs (iterations,)."""
    costs = np.empty(iterations)
    for k in range(iterations):
        J, dw, db = cost_and_gradient(w, b, X, Y)
        costs[k] = J
        w = w - alpha * dw
        b = b - alpha * db
    return w, b, costs


KERNEL = Kernel(
    name="numba_fused",
    title="Numba, fused blocks",
    change="Blocks of examples small enough for the cache, so that X is read from memory once.",
    function=cost_and_gradient,
    question="Must X be read from memory twice?",
    compiles="once",
    descend=descend,
    shows=("by_blocks",),
    grew_from="numba_passes",
    cause="X read once",
    expects="Where X does not fit in the cache, up to twice as fast as two passes. The second pass still reads from "
    "the cache, and the two don't overlap, so the gain is smaller than that. No intermediate result leaves the "
    "first-level cache.",
    predicted_by="read_once",
    more="Blocks with few features are also copied, so that SIMD can work on examples side by side.",
    less="Memory is not the bottleneck here.",
    isolates=True,
    passes=1,
    vectors=0,
    rivals=("numpy_vectorized", "numba_fastmath"),
    work="compiled",
    arithmetic="relaxed",
)
