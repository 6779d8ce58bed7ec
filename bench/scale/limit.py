"""What no pass over the data can beat: how fast it is read, from disk and page cache; and what a task costs.

As for the other ceilings, the best of several tries counts.
"""

import ctypes
import itertools
import mmap
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import ceilings
from bench.machine.threads import limited_to
from bench.scale.data import Data, read_header
from bench.scale.records import Limit
from bench.scale.ways import sums
from kernels._aligned import aligned

MOST_BYTES = 2**30  # of X that is read for it
WARM_BLOCKS = (2**18, 2**20)
TRIES = 3
FEW, MANY = 100, 400  # empty tasks


def nothing(number: int) -> int:
    """An empty task."""
    return number


def measure(client: Any, data: Data, slots: int) -> Limit:
    """The limit of passes over data on so many threads."""
    flops, exps = _arithmetic(slots)
    disk, how = _disk(data, slots)
    return Limit(_page_cache(data, slots), disk, how, flops, exps, task_seconds(client))


def task_seconds(client: Any) -> float:
    """Seconds that one more empty task takes."""

    def step(count: int) -> float:
        start = time.perf_counter()
        client.gather(client.map(nothing, range(count), pure=False))
        return time.perf_counter() - start

    few, many = (min(step(count) for _ in range(TRIES)) for count in (FEW, MANY))
    return max(0.0, many - few) / (MANY - FEW)


def _arithmetic(threads: int) -> tuple[float, float]:
    """Floating-point operations and exponentials a second, on numbers in the cache."""
    with limited_to(threads):
        few = aligned((1, ceilings.IN_CACHE * threads))[0]
        few[:] = 0.5
        rates = []
        for run, work in ((ceilings.multiply_add, 64), (ceilings.exponentials, 1)):
            run(few, 1, threads)
            times = 2_000
            rates.append(work * few.size * times / min(_timed(lambda: run(few, times, threads)) for _ in range(TRIES)))  # noqa: B023
    return rates[0], rates[1]


def _timed(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _page_cache(data: Data, threads: int) -> float:
    """Bytes a second: the best of copying them into a cache, and of mapping and adding them up."""
    if data.store != "npy":
        part = data.head(max(1, MOST_BYTES // data.row_bytes))
        size = sum(path.stat().st_size for path in part.files())
        return size / min(_timed(lambda: [path.read_bytes() for path in part.files()]) for _ in range(TRIES))
    path = Path(data.X)
    size = min(path.stat().st_size, MOST_BYTES)
    seconds = [_read(path, size, block, threads, 0) for block in WARM_BLOCKS for _ in range(TRIES + 1)]
    rates = [size / min(seconds)]
    array = read_header(data.X)
    part = data.head(max(1, size // array.row_bytes))
    chunks = part.chunks(max(1, 2**26 // data.row_bytes))

    def added() -> None:
        def one(span: tuple[int, int]) -> None:
            with part.rows(*span) as (X, _):
                ceilings.read_share(X.T.reshape(-1), 0, X.size)

        for span in chunks:
            one(span)

    if threads == 1:
        rates.append(part.m * array.row_bytes / min(_timed(added) for _ in range(TRIES)))
    return max(rates)


def _read(path: Path, size: int, block: int, threads: int, flags: int) -> float:
    """Seconds to read the first bytes of a file in blocks that threads take in turn."""
    descriptor = os.open(path, os.O_RDONLY | flags)
    numbers = itertools.count()

    def some(_: int) -> None:
        buffer = mmap.mmap(-1, block)  # on a page's boundary, as direct reads want it
        while (k := next(numbers)) * block < size:
            os.preadv(descriptor, [buffer], k * block)

    try:
        with ThreadPoolExecutor(threads) as pool:
            return _timed(lambda: list(pool.map(some, range(threads))))
    finally:
        os.close(descriptor)


def directly(data: Data, threads: int, number: int = 0) -> float | None:
    """Bytes a second of the disk: X read once, past the page cache, in one of two manners by turns.

    None where the system has no direct reads, or X is too small for them.
    """
    path = max(data.files(), key=lambda each: each.stat().st_size)
    flags = getattr(os, "O_DIRECT", None)
    count, block = ((threads, 2**22), (4 * threads, 2**20))[number % 2]
    size = path.stat().st_size // block * block
    if flags is None or size == 0 or not hasattr(os, "preadv"):
        return None
    try:
        return size / _read(path, size, block, count, flags)
    except OSError:  # a file system without direct reads
        return None


def _disk(data: Data, threads: int) -> tuple[float | None, str]:
    """Bytes a second of the disk itself, and how it was read."""
    rates = [rate for number in range(2) if (rate := directly(data, threads, number))]
    return (max(rates), "read directly") if rates else (None, "not measured: no direct reads here, or too few data")


def cold(data: Data) -> bool:
    """Empty the page cache of the data's files, and of nothing else; whether that worked."""
    if not hasattr(os, "posix_fadvise"):
        return False
    for path in data.files():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
    return resident(data) < 0.02


def resident(data: Data) -> float:
    """Which share of X the page cache holds; NaN where the system can't be asked."""
    path = max(data.files(), key=lambda each: each.stat().st_size)
    try:
        mincore = ctypes.CDLL(None).mincore
    except (AttributeError, TypeError):
        return float("nan")
    size = path.stat().st_size
    with path.open("rb") as file:
        pages = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
    whole = np.frombuffer(pages, np.uint8)
    held = np.zeros(-(-size // mmap.PAGESIZE), np.uint8)
    failed = mincore(ctypes.c_void_p(whole.ctypes.data), ctypes.c_size_t(size), ctypes.c_void_p(held.ctypes.data))
    del whole
    pages.close()
    return float("nan") if failed else float((held & 1).mean())


def warm(data: Data, chunk_rows: int) -> None:
    """Read the data once, so that the page cache holds what it can."""
    zeros = np.zeros(data.n_x)
    for span in data.chunks(chunk_rows):
        sums(zeros, 0.0, data, *span)
