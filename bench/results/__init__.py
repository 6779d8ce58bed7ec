"""What was measured, on disk and in memory: typed records, their journal, and the run that they make.

`load` is the only reader. It needs neither Numba nor Matplotlib nor the engine, so a run can be read anywhere.
"""

from bench.results.cell import BASELINES, LOOP, VECTORIZED, CellResult
from bench.results.reader import NotARun, load
from bench.results.records import CONTROL, PAIR, READ, is_kernel
from bench.results.run import Run

__all__ = [
    "BASELINES",
    "CONTROL",
    "LOOP",
    "PAIR",
    "READ",
    "VECTORIZED",
    "CellResult",
    "NotARun",
    "Run",
    "is_kernel",
    "load",
]
