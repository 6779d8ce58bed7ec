"""How near the kernels are to the limit of the hardware.

The limit of a cell is a lower bound: the time to read X once, to do 4 m n_x floating-point operations, or to take m
exponentials, whichever is longest. A gradient step takes one exponential for each 8 n_x bytes of X, so n_x stands where
a roofline has its arithmetic intensity: with few features exp is the limit, with many it is memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import kernels
from bench import words
from bench.grid import Setting
from bench.results import BASELINES, READ, CellResult, Run
from bench.stats import Interval

FROM_MEMORY = 4  # times the last cache; a larger X is read from memory, whatever the caches keep of it
L2_BYTES = 2**20  # where the machine card knows no L2


@dataclass(frozen=True)
class Share:
    """The share of the limit that a kernel reaches in a cell, from 0 to 1."""

    share: float
    kernel: str
    result: CellResult


@dataclass(frozen=True)
class Roof:
    """The cells of one roofline, a cell for each n_x: X in the cache, or in memory."""

    in_memory: bool
    results: Sequence[CellResult]


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


def shown(run: Run, results: Sequence[CellResult]) -> list[str]:
    """The kernels that a figure has room for, of those timed here: the baselines, compiled rungs and the user's own."""
    rungs = [name for name in kernels.KERNELS if name in BASELINES or kernels.KERNELS[name].compiles == "once"]
    names = [name for name in (*rungs, *run.own) if name in run.measured]
    return [name for name in names if any(name in result.seconds for result in results)]


def roofs(run: Run, setting: Setting) -> list[Roof]:
    """The rooflines of a setting: X in the cache, then from memory; those of more than one n_x."""
    cache, last_cache = run.header.machine.caches.get("L2", L2_BYTES), run.header.machine.last_cache
    by_n_x: dict[int, list[CellResult]] = {}
    for result in sorted(limited(run, setting), key=lambda result: (result.cell.n_x, result.cell.nbytes)):
        by_n_x.setdefault(result.cell.n_x, []).append(result)
    inside, beyond = [], []
    for ordered in by_n_x.values():
        inside += [r for r in ordered if cache / 16 <= r.cell.nbytes <= 2 * cache][-1:]
        beyond += [r for r in ordered[-1:] if r.cell.nbytes > last_cache]
    return [roof for roof in (Roof(False, inside), Roof(True, beyond)) if len(roof.results) > 1]


def from_memory(run: Run) -> list[CellResult]:
    """The cells whose X comes from memory, where a linear read of X was measured in the same rounds."""
    least = FROM_MEMORY * run.header.machine.last_cache
    return [result for result in run.cells if READ in result.seconds and result.cell.nbytes >= least]


def of_read(result: CellResult, kernel: str) -> Interval | None:
    """The share of a linear read of X that a kernel reaches; None where one of the two was not timed."""
    return result.speedup(READ, kernel)
