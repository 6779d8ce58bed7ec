"""A bad neighbour: bursts of work and pauses of random length on every processor, as other tenants of a host make them.

A burst is arithmetic, which takes a processor's time, or copying, which slows the memory of all.
"""

import multiprocessing
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

BURST = 0.04  # mean seconds
DUTY = 0.4  # share of the time that is work
LONGEST_PAUSE = 1.0
COPIED_BYTES = 2**24


@contextmanager
def noise(seed: int) -> Iterator[None]:
    """A neighbour on each processor while the block runs."""
    cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    context = multiprocessing.get_context("spawn")
    neighbours = [context.Process(target=_disturb, args=(cpu, seed + k), daemon=True) for k, cpu in enumerate(cpus)]
    for process in neighbours:
        process.start()
    try:
        yield
    finally:
        for process in neighbours:
            process.kill()
            process.join()


def _disturb(cpu: int, seed: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cpu})
    draw, memory, parent = random.Random(seed), bytearray(2 * COPIED_BYTES), os.getppid()
    while os.getppid() == parent:  # a neighbour does not outlive what it disturbs
        burst, copies = draw.expovariate(1.0 / BURST), draw.random() < 0.5
        end = time.monotonic() + burst
        while time.monotonic() < end:
            if copies:
                memory[:COPIED_BYTES] = memory[COPIED_BYTES:]
            else:
                sum(range(2_000))
        time.sleep(min(burst * (1.0 - DUTY) / DUTY, LONGEST_PAUSE))
