"""How far to trust a run, from the run itself."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench import stats
from bench.results.cell import VECTORIZED, CellResult
from bench.results.records import Ruled
from bench.results.run import Run

BUSY = 0.2  # by how much longer than usual the ruler takes in a busy round


@dataclass(frozen=True)
class Trust:
    """How far to trust a run; shares are of its cells.

    Attributes:
        wall: Seconds of the run.
        compiling: Seconds of them that went into compilation.
        in_samples: Share of the wall time after compilation that is inside samples.
        control_close: Cells whose A/A control is within 1 % of 1.
        control_covers: Cells whose A/A interval contains 1.
        narrow: Speed-ups over numpy_vectorized that are known to within 5 % (half-width).
        processes: How many processes measured each cell.
        between: Standard deviation of a speed-up's logarithm between processes, the median of all; NaN for one process.
        within: The same within a process, from what its even and its odd rounds give.
        busy: Share of the rounds in which the ruler took longer than usual, by BUSY or more; NaN where none was taken.
        switches: How often the system took the processor away from a measuring process, in a second of samples.
        noise_floor: The median noise floor of the cells.
        threads_exceeded: Cell and kernel where more threads were busy than the cell allows, or cell and thread pool.
    """

    wall: float
    compiling: float
    in_samples: float
    control_close: float
    control_covers: float
    narrow: float
    processes: int
    between: float
    within: float
    busy: float
    switches: float
    noise_floor: float
    threads_exceeded: list[str]


def trust(run: Run) -> Trust:
    """How far to trust a run."""
    timed = [result for result in run.cells if result.samples]
    controls = [result.control for result in timed if result.control is not None]
    # Every first call that took long: kernels compile once for each layout of X.
    compiling = sum(
        first
        for result in run.cells
        for name, first in result.first_call.items()
        if name in run.kernels and run.kernels[name].compiles != "never" and first > 0.05
    )
    ratios = [(r, name, r.speedup(VECTORIZED, name)) for r in timed for name in r.kernels if name != VECTORIZED]
    splits = [split for result, name, _ in ratios if (split := _split(result, name)) is not None]
    inside = sum(result.sample_seconds() for result in timed)
    rulers = [ruled for result in timed for ruled in result.ruler]
    usual = np.median([ruled[:2] for ruled in rulers], axis=0) if rulers else np.full(2, np.nan)
    between, within = np.median(splits, axis=0) if splits else (np.nan, np.nan)
    return Trust(
        wall=run.wall,
        compiling=compiling,
        in_samples=inside / max(run.wall - compiling, 1e-9),
        control_close=_share([abs(c.estimate - 1.0) <= 0.01 for c in controls]),
        control_covers=_share([1.0 in c for c in controls]),
        narrow=_share([ratio.half_width <= 0.05 for _, _, ratio in ratios if ratio]),
        processes=max((result.processes for result in timed), default=0),
        between=float(between),
        within=float(within),
        busy=_share([_busy(ruled, usual) for ruled in rulers]),
        switches=sum(ruled.switches for ruled in rulers) / inside if rulers and inside else float("nan"),
        noise_floor=float(np.median([r.noise_floor for r in timed])) if timed else float("nan"),
        threads_exceeded=[
            f"{name} at {result.cell.label}: {result.used_threads(name):.1f} threads busy"
            for result in timed
            for name in result.kernels
            if result.used_threads(name) > result.cell.threads + 0.25
        ]
        + [
            f"{pool} at {result.cell.label}: a pool of {count} threads"
            for result in timed
            for pool, count in result.pools.items()
            if count > result.cell.threads
        ],
    )


def _busy(ruled: Ruled, usual: npt.NDArray[np.float64]) -> bool:
    return bool((np.array(ruled[:2]) > (1.0 + BUSY) * usual).any())


def _share(holds: list[bool]) -> float:
    return sum(holds) / len(holds) if holds else float("nan")


def _split(result: CellResult, kernel: str) -> tuple[float, float] | None:
    """Standard deviation of ln of the speed-up over numpy_vectorized, between processes and within one."""
    if VECTORIZED not in result.samples:
        return None
    whole, even, odd = (
        [
            stats.quiet(before[part]) - stats.quiet(after[part])
            for process, before in result.samples[VECTORIZED].by_process.items()
            if (after := result.samples[kernel].by_process.get(process)) is not None
            and min(before.size, after.size) > 3
        ]
        for part in (slice(None), slice(0, None, 2), slice(1, None, 2))
    )
    if len(whole) < 2:
        return None
    # Half of the difference of two halves varies as the whole does.
    halves = (np.array(even) - np.array(odd)) / 2.0
    return float(np.std(whole, ddof=1)), float(np.sqrt(np.mean(halves**2)))
