"""The ways to take a step over data on disk: the sums of a chunk, and what hands out the chunks.

Every way is a function of (w, b) that returns (J, dw, db); a way that keeps something open is a context.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

import numba
import numpy as np

from bench.machine.threads import limited_to
from bench.scale.cluster import holding_back
from bench.scale.data import Data
from bench.words import human_bytes
from kernels import _cache, numba_fused_parallel
from kernels._aligned import aligned
from kernels._kernel import Array
from kernels.numba_fused_parallel import one_share

FAN_IN = 32
Answer = tuple[float, Array, float]
Step = Callable[[Array, float], Answer]


@numba.njit(error_model="numpy", nogil=True)
def without_gil(w: Array, b: float, X: Array, Y: Array, row: Array) -> None:
    """The sums of the fused kernel over X (n_x, m), written to row (n_x + 2,), while other threads of Python run."""
    one_share(w, b, X, Y, 0, Y.size, row)


@cache
def _compiled() -> Any:
    """`without_gil`, with its code kept on disk for all processes."""
    _cache.keep_on_disk(_cache.cache_folder())
    return without_gil


def sums(w: Array, b: float, data: Data, start: int, stop: int) -> Array:
    """The sums of X dz, the losses and dz over a chunk, in this order: (n_x + 2,)."""
    row = np.empty(data.n_x + 2)
    with data.rows(start, stop) as (X, Y):
        _compiled()(w, b, X, Y, row)
    return row


def add(parts: Sequence[Array]) -> Array:
    """The sum of some sums, from the first to the last: the same bits, whoever computed them."""
    total = parts[0].copy()
    for part in parts[1:]:
        total += part
    return total


def means(total: Array, m: int) -> Answer:
    """J, dw and db of the sums over m examples."""
    total = total / m
    return float(total[-2]), total[:-2].copy(), float(total[-1])


def by_tree(parts: Sequence[Any], join: Callable[[Sequence[Any]], Any]) -> Any:
    """Join FAN_IN neighbours at a time, until one is left."""
    while len(parts) > 1:
        parts = [join(parts[k : k + FAN_IN]) for k in range(0, len(parts), FAN_IN)]
    return parts[0]


def dask_chunks(client: Any, data: Data, chunk_rows: int) -> Step:
    """A task a chunk, which opens its rows itself; a tree of sums."""
    starts, stops = zip(*data.chunks(chunk_rows), strict=True)

    def step(w: Array, b: float) -> Answer:
        parts = client.map(sums, [w] * len(starts), [b] * len(starts), [data] * len(starts), starts, stops, pure=False)
        root = by_tree(parts, lambda some: client.submit(add, some, pure=False))
        del parts  # so that the scheduler may forget what is summed
        return means(root.result(), data.m)

    return step


def dask_array(client: Any, data: Data, chunk_rows: int) -> Step:
    """The step written in dask.array, as dask-glm writes it, with the cost from z."""
    import dask.array as da
    from dask.base import compute

    X, Y = _arrays(data, chunk_rows)

    def step(w: Array, b: float) -> Answer:
        Z = X.dot(w) + b
        J = da.logaddexp(0.0, (1.0 - 2.0 * Y) * Z).sum()
        dZ = 1.0 / (1.0 + da.exp(-Z)) - Y
        with holding_back(client):
            J, dw, db = compute(J, X.T.dot(dZ), dZ.sum(), scheduler=client)
        return float(J) / data.m, dw / data.m, float(db) / data.m

    return step


def _arrays(data: Data, chunk_rows: int) -> tuple[Any, Any]:
    """X (m, n_x) and Y (m,) as Dask arrays whose chunks are opened by the tasks: what Dask's documents advise."""
    import dask.array as da
    from dask.delayed import delayed

    load = delayed(_chunk, pure=True)

    def whole(which: int) -> Any:
        parts = []
        for start, stop in data.chunks(chunk_rows):
            shape = (stop - start, data.n_x) if which == 0 else (stop - start,)
            parts.append(da.from_delayed(load(data, which, start, stop), shape, dtype=np.float64))
        return da.concatenate(parts)

    return whole(0), whole(1)


def _chunk(data: Data, which: int, start: int, stop: int) -> Array:
    """Rows of X (0) or Y (1); mapped for as long as the task's result lives."""
    with data.rows(start, stop) as (X, Y):
        return X.T if which == 0 else Y


@contextmanager
def read_ahead(data: Data, chunk_rows: int, threads: int) -> Iterator[Step]:
    """No Dask: threads take chunk after chunk, each asking for the one that it will come to next."""
    chunks = data.chunks(chunk_rows)
    with ThreadPoolExecutor(threads) as pool:

        def step(w: Array, b: float) -> Answer:
            def one(k: int) -> Array:
                if k + threads < len(chunks):
                    data.ask_ahead(*chunks[k + threads])
                return sums(w, b, data, *chunks[k])

            return means(by_tree(list(pool.map(one, range(len(chunks)))), add), data.m)

        yield step


@contextmanager
def in_memory(data: Data, threads: int) -> Iterator[Step]:
    """All of the data in memory, and the fused kernel on all threads."""
    XT, Y = aligned((data.m, data.n_x)), aligned((1, data.m))[0]
    for start, stop in data.chunks(max(1, 2**24 // data.row_bytes)):
        with data.rows(start, stop) as (X, y):
            XT[start:stop], Y[start:stop] = X.T, y
    with limited_to(threads):
        _cache.keep_on_disk(_cache.cache_folder())
        yield lambda w, b: numba_fused_parallel.KERNEL.step(w, b, XT.T, Y)()


CHANGES = {
    "dask_array": "The step written in dask.array, as dask-glm writes it, with the cost from z.",
    "dask_chunks": "A Dask task a chunk: it opens its rows itself, runs the fused kernel, and returns small sums.",
    "read_ahead": "No Dask: a plain loop over the chunks, the system asked ahead for the next.",
    "in_memory": "All of the data in memory, the fused kernel on all threads; only where it fits.",
}
NAMES = tuple(CHANGES)


def too_large(data: Data, memory: int) -> str | None:
    """Why data can't be held in memory; None where it can."""
    share = memory // 2
    if data.nbytes <= share:
        return None
    return f"{human_bytes(data.nbytes)} do not fit: half of --memory is {human_bytes(share)}"
