"""How far to trust a run, from the run itself."""

from dataclasses import dataclass

import numpy as np

from bench.results.run import VECTORIZED, CellResult, Run


@dataclass(frozen=True)
class Trust:
    """How far to trust a run; shares are of its cells.

    Attributes:
        wall: Seconds of the run.
        compiling: Seconds of them that went into compilation.
        in_samples: Share of the wall time after compilation that is inside samples.
        control_close: Cells whose A/A control is within 1 % of 1.
        control_covers: Cells whose A/A interval contains 1.
        narrow: Cells in which every speed-up over numpy_vectorized is known to within 5 % (half-width).
        noise_floor: The median noise floor of the cells.
        threads_exceeded: Cell and kernel where more threads were busy than the cell allows, or cell and thread pool.
    """

    wall: float
    compiling: float
    in_samples: float
    control_close: float
    control_covers: float
    narrow: float
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
    return Trust(
        wall=run.wall,
        compiling=compiling,
        in_samples=sum(r.sample_seconds() for r in timed) / max(run.wall - compiling, 1e-9),
        control_close=_share([abs(c.estimate - 1.0) <= 0.01 for c in controls]),
        control_covers=_share([1.0 in c for c in controls]),
        narrow=_share([_narrow(result) for result in timed]),
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


def _share(holds: list[bool]) -> float:
    return sum(holds) / len(holds) if holds else float("nan")


def _narrow(result: CellResult) -> bool:
    ratios = [result.speedup(VECTORIZED, name) for name in result.kernels if name != VECTORIZED]
    return all(ratio.half_width <= 0.05 for ratio in ratios if ratio)
