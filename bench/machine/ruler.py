"""The ruler: a short piece of arithmetic and a short read, timed in each round, which tell how disturbed it was."""

import time
from typing import NamedTuple

import numpy as np

try:
    import resource
except ImportError:  # Windows does not count them
    resource = None  # type: ignore[assignment]

FEW = 2**12  # numbers in the first-level cache
REPEATS = 8
MANY, SLICE = 2**21, 2**17  # numbers outside the caches of a core, read a slice at a time


class Reading(NamedTuple):
    """Seconds of the arithmetic and of the read, and how often the system took the processor away since the last."""

    arithmetic: float
    read: float
    switches: int


class Ruler:
    """The same work in every round of a process."""

    def __init__(self) -> None:
        self._few, self._many = np.full(FEW, 2.0), np.ones(MANY)
        self._out = np.empty(FEW)
        self._start = 0
        self._switches = involuntary_switches()

    def take(self) -> Reading:
        """Take a sample of each: about a tenth of a millisecond."""
        start = time.perf_counter()
        for _ in range(REPEATS):
            np.sqrt(self._few, out=self._out)
        middle = time.perf_counter()
        self._many[self._start : self._start + SLICE].sum()
        end = time.perf_counter()
        self._start = (self._start + SLICE) % MANY
        before, self._switches = self._switches, involuntary_switches()
        return Reading(middle - start, end - middle, self._switches - before)


def involuntary_switches() -> int:
    """How often the system took a processor away from this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw if resource else 0
