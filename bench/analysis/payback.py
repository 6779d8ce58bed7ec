"""The price of compiling, and after how many calls it has paid for itself, in each cell, for each compiled rung."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

import kernels
from bench.results import CellResult, Run
from bench.words import NEVER


@dataclass(frozen=True)
class Payback:
    """After how many calls a kernel has made up for its compilation in a cell."""

    calls: float
    kernel: str
    result: CellResult


def cold_seconds(run: Run) -> dict[str, float]:
    """What compiling costs, by kernel: cold in a fresh process where that was measured, else its first call in the run.

    A first call in a run may cost less: parts that kernels share are compiled already, or code is loaded from disk.
    """
    return run.compile_seconds | {name: price.cold for name, price in run.prices.items()}


def first_calls(run: Run, names: Iterable[str]) -> list[str]:
    """Those of these kernels whose price is only their first call in the run."""
    return [name for name in names if name in run.compile_seconds and name not in run.prices]


def rungs(run: Run) -> list[str]:
    """The rungs of the ladder that compile once and whose price is known."""
    cold = cold_seconds(run)
    return [name for name, kernel in kernels.KERNELS.items() if kernel.compiles == "once" and name in cold]


def calls(result: CellResult, kernel: str, baseline: str, cold: float) -> float | None:
    """After how many calls a kernel has made up for compiling; NEVER where it is not surely faster.

    None where one of the two was not timed.
    """
    ratio = result.speedup(baseline, kernel)
    if ratio is None:
        return None
    if not ratio.low > 1.0:
        return NEVER
    saved = result.median(baseline).estimate - result.median(kernel).estimate
    return max(1.0, float(np.ceil(cold / saved))) if saved > 0.0 else NEVER


def paybacks(results: Iterable[CellResult], baseline: str, cold: Mapping[str, float]) -> list[Payback]:
    """Wherever compiling pays at all, after how many calls; by cell, then kernel."""
    counts = [(calls(result, name, baseline, cold[name]), name, result) for result in results for name in cold]
    return [Payback(count, name, result) for count, name, result in counts if count is not None and count < NEVER]
