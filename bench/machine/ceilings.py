"""The ceilings of this machine, measured: how fast memory is read, numbers are multiplied and added, and exp is taken.

From them and the work that no gradient step can avoid follows a lower bound for each cell: X is read once (8 m n_x
bytes, 4 m n_x in float32), 4 m n_x floating-point operations are done, and m exponentials taken. The three may overlap,
so the bound is the largest of their times. It is the roofline model (S. Williams, A. Waterman and D. Patterson,
"Roofline: an insightful visual performance model for multicore architectures", 2009) for this one problem.

The best of several tries counts: what is wanted is what the machine can do, not what it does on average.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any

import numba
import numpy as np

from bench.machine.threads import limited_to
from bench.presets import thread_counts
from bench.results.records import Arithmetic, Ceiling, ReadRate
from bench.words import plural
from kernels._aligned import aligned
from kernels._caches import LAST_BYTES
from kernels._exp import exp
from kernels._kernel import Array
from kernels.numba_fastmath import RELAXED

TRIES = 5
TRY_SECONDS = 4e-3
# Of the working sets that are read, each STEP times the one before; the largest is four last caches, within limits: a
# virtual machine reports the whole cache of a processor that it has a small part of.
SMALLEST_BYTES, STEP, LEAST_BYTES, MOST_BYTES = 2**13, 2, 2**27, 2**30
LARGE_BYTES = 2**25  # beyond, two sums are no faster than one, and one go takes long enough
LONG_SECONDS, FEW_TRIES = 0.02, 3  # a try that takes so long needs fewer others
CHUNK = 256
IN_CACHE = 2**11  # numbers that multiply-add and exp work on, for each thread: well within a first-level cache

compiled = numba.njit(error_model="numpy", fastmath=RELAXED)


@compiled
def read_share(x: Array, start: int, stop: int) -> float:
    """The sum of x[start:stop], in the order of memory."""
    # Unsigned indices: Python's x[-1] asks for a test of the sign, which would keep the loop scalar.
    s: float = x.dtype.type(0.0)
    for i in range(np.uint64(start), np.uint64(stop)):
        s += x[i]
    return s


@compiled
def read_two_share(x: Array, start: int, stop: int) -> float:
    """The sum of x[start:stop] as two sums, for an addition need not wait then for the one before: faster in caches."""
    s0: float = x.dtype.type(0.0)
    s1 = s0
    chunk, two = np.uint64(CHUNK), np.uint64(2 * CHUNK)
    i = np.uint64(start)
    while i + two <= np.uint64(stop):
        for k in range(chunk):
            s0 += x[i + k]
            s1 += x[i + chunk + k]
        i += two
    while i < np.uint64(stop):
        s0 += x[i]
        i += np.uint64(1)
    return s0 + s1


@compiled
def multiply_add_share(x: Array, start: int, stop: int) -> float:
    """Two polynomials of degree 16 at each of x[start:stop]: 32 multiply-adds a number."""
    real = x.dtype.type  # a literal is a float64, and makes all that it meets one
    s: float = real(0.0)
    for i in range(np.uint64(start), np.uint64(stop)):
        v = x[i]
        p, q = real(0.5), real(0.25)
        p, q = p * v + real(0.1), q * v + real(0.2)
        p, q = p * v + real(0.3), q * v + real(0.4)
        p, q = p * v + real(0.5), q * v + real(0.6)
        p, q = p * v + real(0.7), q * v + real(0.8)
        p, q = p * v + real(0.9), q * v + real(1.0)
        p, q = p * v + real(1.1), q * v + real(1.2)
        p, q = p * v + real(1.3), q * v + real(1.4)
        p, q = p * v + real(1.5), q * v + real(1.6)
        p, q = p * v + real(1.7), q * v + real(1.8)
        p, q = p * v + real(1.9), q * v + real(2.0)
        p, q = p * v + real(2.1), q * v + real(2.2)
        p, q = p * v + real(2.3), q * v + real(2.4)
        p, q = p * v + real(2.5), q * v + real(2.6)
        p, q = p * v + real(2.7), q * v + real(2.8)
        p, q = p * v + real(2.9), q * v + real(3.0)
        p, q = p * v + real(3.1), q * v + real(3.2)
        s += p + q
    return s


@compiled
def exp_share(x: Array, start: int, stop: int) -> float:
    """The sum of exp(-|x|) over x[start:stop], by the kernels' own exp."""
    s: float = x.dtype.type(0.0)
    for i in range(np.uint64(start), np.uint64(stop)):
        s += exp(-abs(x[i]))
    return s


def share(x: Array, start: int, stop: int) -> float:
    """Stands for one of the functions above in what `_on_threads` compiles."""
    raise NotImplementedError


def _shared(x: Array, times: int, threads: int) -> float:
    """`share` on each thread's part of x, again and again: waking the threads is no part of a ceiling."""
    totals = np.empty((threads, 8))  # a cache line each; zeros would be written by the threads, woken for it
    for t in numba.prange(threads):
        # prange counts in unsigned integers, for which the share would be compiled once more.
        start, stop = np.int64(t) * x.size // threads, np.int64(t + 1) * x.size // threads
        totals[t, 0] = 0.0
        for _ in range(times):
            totals[t, 0] += share(x, start, stop)  # type: ignore[arg-type]
    total = 0.0
    for t in range(threads):
        total += totals[t, 0]
    return total


def _on_threads(of_share: Any) -> Any:
    function = FunctionType(_shared.__code__, globals() | {"share": of_share}, _shared.__name__)
    return numba.njit(error_model="numpy", fastmath=RELAXED, parallel=True)(function)


read, read_two, multiply_add, exponentials = (
    _on_threads(of_share) for of_share in (read_share, read_two_share, multiply_add_share, exp_share)
)


def measure(progress: Callable[[str], None] = lambda _: None) -> list[Ceiling]:
    """The ceilings of this machine, with one thread and with all; takes some seconds."""
    largest = min(max(4 * LAST_BYTES, LEAST_BYTES), MOST_BYTES)
    x = aligned((1, largest // 8))[0]
    x[:] = 0.5
    sizes = [SMALLEST_BYTES]
    while sizes[-1] < largest:
        sizes.append(min(largest, sizes[-1] * STEP))
    ceilings = []
    for threads in thread_counts():
        with limited_to(threads):
            rates = []
            for nbytes in sizes:
                progress(f"reading {nbytes // 1024:,} KiB with {plural(threads, 'thread')}")
                part = x[: nbytes // 8]
                ways = (read, read_two) if nbytes <= LARGE_BYTES else (read,)
                rates.append(ReadRate(nbytes, nbytes / min(_seconds(way, part) for way in ways)))
            progress("multiplying and adding, taking exponentials")
            work, single = (_arithmetic(x[: IN_CACHE * threads].astype(dtype)) for dtype in ("float64", "float32"))
            ceilings.append(Ceiling(threads, rates, work.flops, work.exps, single=single))
    return ceilings


def _arithmetic(few: Array) -> Arithmetic:
    """How fast numbers of the dtype of `few` are multiplied and added, and exponentials of them taken."""
    flops = few.size * 64 / _seconds(multiply_add, few)
    return Arithmetic(flops, few.size / _seconds(exponentials, few))


def _seconds(run: Callable[[Array, int, int], float], x: Array) -> float:
    """Seconds of one go over x, the best of several tries that each take some milliseconds."""

    def best(times: int) -> float:
        tries: list[float] = []
        threads = numba.get_num_threads()
        while len(tries) < (FEW_TRIES if tries and tries[0] > LONG_SECONDS else TRIES):
            start = time.perf_counter()
            run(x, times, threads)
            tries.append(time.perf_counter() - start)
        return min(tries)

    # One thread decides how often: threads that are slow to wake would pass for work.
    times = 1
    if x.nbytes > LARGE_BYTES:
        return best(times)
    with limited_to(1):
        while (seconds := best(times)) < TRY_SECONDS / 2:
            times = max(2 * times, int(times * TRY_SECONDS / max(seconds, 1e-9)))
    times *= numba.get_num_threads()
    return best(times) / times


def describe(ceilings: Iterable[Ceiling], caches: Mapping[str, int]) -> list[tuple[str, str]]:
    """The ceilings as rows (what, value) for a table; caches by level, in bytes."""
    rows = []
    for ceiling in ceilings:
        threads = plural(ceiling.threads, "thread")
        # Half of a cache, for all of it is never free; with several threads each has caches of its own.
        places = [(level, size / 2) for level, size in caches.items()] + [("memory", float(ceiling.read[-1].nbytes))]
        rates = ", ".join(f"{level} {ceiling.bandwidth(nbytes) / 1e9:.0f} GB/s" for level, nbytes in places)
        rows.append((f"Linear read, {threads}", rates))
        flops, exps = f"{ceiling.flops / 1e9:.0f} GFLOP/s", f"{1e9 / ceiling.exps:.2f} ns each"
        if ceiling.single is not None:
            flops += f"; in float32 {ceiling.single.flops / 1e9:.0f}"
            exps += f"; in float32 {1e9 / ceiling.single.exps:.2f}"
        rows += [(f"Multiply-add, {threads}", flops), (f"exp, {threads}", exps)]
    return rows
