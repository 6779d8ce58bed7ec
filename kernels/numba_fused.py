"""One pass over X: forward and backward product on a block of examples while it is in the cache.

Changes: what `numba_passes` does with all examples, done one block at a time. The size of a block follows from the
caches and n_x. Few features in order F are first copied into a small array with each feature contiguous, because SIMD
needs the examples side by side where there are fewer features than lanes.
For X in float32 all in the loops is float32, and a block holds twice as many examples. The sums over SPAN examples are
float32, and the sums of those sums float64; where J, db and the logarithm take one example at a time, they are float64.
Passes over X: one from memory; the second finds the block in the cache.
Allocates: dw. The room for a block (three arrays of its length, and its copy) is made once, when X is bound.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numba.extending import overload, register_jitable

from kernels._caches import L1_BYTES, L2_BYTES, LAST_BYTES
from kernels._calls import code_for
from kernels._kernel import Array, At, CostAndGradient, Kernel, number
from kernels._pages import by_pages
from kernels.numba_passes import (
    activate,
    backward,
    backward_columns,
    forward,
    forward_columns,
    inlined,
    log_product,
    most_factors,
    relaxed,
)

# A quarter of the first-level cache for X: the rest is for intermediate results and for the prefetcher.
BLOCK_BYTES = L1_BYTES // 4
FEW_FEATURES = 16  # up to so many, a block is small enough for the first-level cache
SHORTEST_ROWS, SHORTEST_COLUMNS, SHORTEST_RUNS = 16, 64, 256
# From how many features on four examples, or one, fill about a page of memory; and from how many one is too long.
FOUR_TO_A_PAGE, ONE_TO_A_PAGE, TOO_LONG = 96, 193, 769
PAGE_BYTES = 4096
SPAN = 2**16  # over so many examples sums are in float32, where X is

anywhere = register_jitable(error_model="numpy")  # for Python and compiled code alike


@anywhere
def lanes(nbytes: int) -> int:
    """Numbers in the widest SIMD register: with fewer features it is not full, unless examples lie side by side."""
    return 64 // nbytes


@anywhere
def rows_block(n_x: int, m: int, nbytes: int) -> int:
    """Examples in a block, where each example is contiguous: at least a few SIMD registers of activations.

    A number has so many bytes.
    """
    size = L1_BYTES if nbytes * n_x * m <= LAST_BYTES // 2 else BLOCK_BYTES
    return min(m, max(SHORTEST_ROWS, size // (nbytes * n_x)))


@anywhere
def columns_block(n_x: int, m: int, nbytes: int) -> int:
    """Examples in a block, where each feature is contiguous: runs of memory long enough for the prefetcher.

    With few features, the runs of a block that fits in the first-level cache are long enough. With so many features
    that no block would fit in four times the second-level cache, there is only one block: the second pass then finds X
    where the first one did.
    """
    if n_x <= FEW_FEATURES:
        return min(m, max(SHORTEST_COLUMNS, BLOCK_BYTES // (4 * nbytes * n_x)))
    if nbytes * n_x * SHORTEST_RUNS > 4 * L2_BYTES:
        return m if nbytes == 8 else min(m, SPAN)
    return min(m, max(SHORTEST_RUNS, L2_BYTES // 4 // (nbytes * n_x)))


@anywhere
def room_for(X: Array, m: int) -> Array:
    """What a step on m examples of X (n_x, m or more) needs: n_x zeros to sum dw in, then the room for a block.

    Its address differs from X's by half a page and a cache line: a load waits for an earlier store if the last twelve
    bits of their addresses agree, as if it read what was stored.
    """
    n_x, nbytes = X.shape[0], X.itemsize
    vectors = 3 + (n_x if n_x < lanes(nbytes) else 0)
    n = n_x + vectors * max(rows_block(n_x, m, nbytes), columns_block(n_x, m, nbytes))
    spare = np.zeros(n + PAGE_BYTES // nbytes, X.dtype)
    start = (X.ctypes.data + PAGE_BYTES // 2 + 64 - spare.ctypes.data) % PAGE_BYTES // nbytes
    return spare[start : start + n]


@inlined
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


@inlined
def by_blocks(
    w: Array, b: float, X: Array, Y: Array, start: int, stop: int, block: int, dw: Array, room: Array
) -> CostAndGradient:
    """The sums of the losses and of dz over the examples from start to stop, by blocks. Adds X dz to dw (n_x,)."""
    z, dz, q = room[:block], room[block : 2 * block], room[2 * block : 3 * block]
    q[:] = 0.0
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
        if blocks >= most_factors(q):
            J += log_product(q, block, blocks)
            q[:] = 0.0
            blocks = 0
    if blocks > 0:
        J += log_product(q, min(block, stop - start), blocks)
    return J, dw, db


@inlined
def by_turned_blocks(
    w: Array, b: float, XT: Array, Y: Array, start: int, stop: int, block: int, dw: Array, room: Array
) -> CostAndGradient:
    """`by_blocks` for few features, with each example contiguous: XT (m, n_x)."""
    z, dz, q = room[:block], room[block : 2 * block], room[2 * block : 3 * block]
    T = room[3 * block : (3 + w.size) * block].reshape(w.size, block)
    q[:] = 0.0
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
        if blocks >= most_factors(q):
            J += log_product(q, block, blocks)
            q[:] = 0.0
            blocks = 0
    if blocks > 0:
        J += log_product(q, min(block, stop - start), blocks)
    return J, dw, db


def share(w: Array, b: float, X: Array, Y: Array, start: int, stop: int, m: int, room: Array) -> CostAndGradient:
    """The sums over the examples from start to stop, by blocks that suit the order of X. For compiled code only.

    They are some of m examples, for which `room_for` has made `room`; the dw returned is its beginning.
    """
    raise NotImplementedError


@overload(share)
def _share(w, b, X, Y, start, stop, m, room):  # type: ignore[no-untyped-def]
    def rows(w, b, X, Y, start, stop, m, room):  # type: ignore[no-untyped-def]
        dw, room = room[: w.size], room[w.size :]
        dw[:] = 0.0
        if w.size < lanes(X.itemsize):
            block = columns_block(w.size, m, X.itemsize)
            return by_turned_blocks(w, b, X.T, Y, start, stop, block, dw, room)
        if FOUR_TO_A_PAGE <= w.size < TOO_LONG:
            many = w.size >= ONE_TO_A_PAGE and X.nbytes > LAST_BYTES
            return by_pages(w, b, X.T, Y, start, stop, 0 if many else (stop - start) // 4, dw)
        return by_blocks(w, b, X, Y, start, stop, rows_block(w.size, m, X.itemsize), dw, room)

    def columns(w, b, X, Y, start, stop, m, room):  # type: ignore[no-untyped-def]
        dw, room = room[: w.size], room[w.size :]
        dw[:] = 0.0
        return by_blocks(w, b, X, Y, start, stop, columns_block(w.size, m, X.itemsize), dw, room)

    return rows if X.layout == "F" else columns


@relaxed
def add_spans(
    w: Array, b: float, X: Array, Y: Array, start: int, stop: int, room: Array, dw: Array
) -> tuple[float, float]:
    """The sums of the losses and of dz over the examples from start to stop. Adds X dz to dw, which is float64."""
    J = db = 0.0
    m = stop - start
    span = m if X.itemsize == 8 else SPAN
    for first in range(start, stop, span):
        sums = share(w, b, X, Y, first, min(first + span, stop), m, room)
        J += sums[0]
        db += sums[2]
        for j in range(w.size):
            dw[j] += sums[1][j]
    return J, db


@relaxed
def cost_and_gradient(w: Array, b: float, X: Array, Y: Array, room: Array, dw: Array) -> tuple[float, float]:
    """J and db at w (n_x,) and b, for X (n_x, m) and Y (m,); dw (n_x,) is written."""
    m = Y.size
    if X.itemsize == 8 or m <= SPAN:
        J, part, db = share(w, b, X, Y, 0, m, m, room)
        for j in range(w.size):
            dw[j] = part[j] / m
    else:
        total = np.zeros(w.size)
        J, db = add_spans(w, b, X, Y, 0, m, room, total)
        for j in range(w.size):
            dw[j] = total[j] / m
    return J / m, db / m


def prepare(X: Array, Y: Array) -> At:
    """The step on X (n_x, m) and Y (m,), with all that a call needs made beforehand but for dw."""
    n_x, room = X.shape[0], room_for(X, Y.size)
    empty = np.empty if X.itemsize == 8 else partial(np.empty, dtype=X.dtype)
    call = code_for(cost_and_gradient, X[:, 0].copy(), number(0.0, X), X, Y, room, room)

    def at(w: Array, b: float) -> Callable[[], CostAndGradient]:
        def step() -> CostAndGradient:
            dw = empty(n_x)
            J, db = call(w, b, X, Y, room, dw)
            return J, dw, db

        return step

    return at


@relaxed
def descend(w: Array, b: float, X: Array, Y: Array, alpha: float, iterations: int) -> tuple[Array, float, Array]:
    """Gradient descent from w and b with the iterations compiled too. Returns w, b and the costs (iterations,)."""
    costs, dw, room = np.empty(iterations), np.empty_like(w), room_for(X, Y.size)
    for k in range(iterations):
        costs[k], db = cost_and_gradient(w, b, X, Y, room, dw)
        w = w - alpha * dw
        b = w.dtype.type(b - alpha * db)
    return w, b, costs


KERNEL = Kernel(
    name="numba_fused",
    title="Numba, fused blocks",
    change="Blocks of examples small enough for the cache, so that X is read from memory once.",
    function=cost_and_gradient,
    prepare=prepare,
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
