"""How near the kernels are to the limit of the hardware.

The limit of a cell is a lower bound: the time to read X once, to do 4 m n_x floating-point operations, or to take m
exponentials, whichever is longest. A gradient step takes one exponential for each 8 n_x bytes of X, so n_x stands where
a roofline has its arithmetic intensity: with few features exp is the limit, with many it is memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench import words
from bench.grid import Setting
from bench.results import READ, CellResult, Run
from bench.stats import Interval

FROM_MEMORY = 4  # times the last cache; a larger X is read from memory, whatever the caches keep of it


@dataclass(frozen=True)
class Share:
    """The share of the limit that a kernel reaches in a cell, from 0 to 1."""

    share: float
    kernel: str
    result: CellResult


def share(run: Run, result: CellResult, kernel: str) -> float:
    """The share of the limit that a kernel reaches in a cell, from 0 to 1."""
    return run.bound(result.cell) / result.median(kernel).estimate


def shares(run: Run, results: Sequence[CellResult], names: Sequence[str]) -> list[Share]:
    """The shares that these kernels reach in these cells."""
    return [
        Share(share(run, result, name), name, result) for result in results for name in names if name in result.seconds
    ]


def beyond(run: Run) -> list[str]:
    """The kernels that are faster than this machine's limit, a line for each: the limit is wrong, or the kernel is."""
    lines = []
    for name in run.measured:
        found = [s for result in run.cells if name in result.kernels for s in shares(run, [result], [name])]
        most = max((s for s in found if s.share > 1.0), key=lambda s: s.share, default=None)
        if most is not None:
            cells = sum(s.share > 1.0 for s in found)
            more = f" and beyond it in {words.plural(cells - 1, 'more cell')}" if cells > 1 else ""
            lines.append(
                f"{name} is at {words.percent(most.share)} of the limit at {most.result.cell.label}{more}: "
                "the ceilings were measured too low (on a busy machine?), or the kernel does not do all the work"
            )
    return lines


def limiting(run: Run, result: CellResult) -> str:
    """The kind of work that sets the limit of a cell: "reading X", "arithmetic" or "exponentials"."""
    ceiling = run.ceiling(result.cell)
    if ceiling is None:
        raise ValueError(f"the limit of {result.cell.label} is not known")
    limits = ceiling.limits(result.cell.m, result.cell.n_x)
    return max(limits, key=limits.__getitem__)


def limited(run: Run, setting: Setting) -> list[CellResult]:
    """The cells of a setting that were timed and whose limit is known."""
    return [result for result in run.of(setting) if result.samples and np.isfinite(run.bound(result.cell))]


def from_memory(run: Run) -> list[CellResult]:
    """The cells whose X comes from memory, where a linear read of X was measured in the same rounds."""
    least = FROM_MEMORY * run.header.machine.last_cache
    return [result for result in run.cells if READ in result.seconds and result.cell.nbytes >= least]


def of_read(result: CellResult, kernel: str) -> Interval | None:
    """The share of a linear read of X that a kernel reaches; None where one of the two was not timed."""
    return result.speedup(READ, kernel)
