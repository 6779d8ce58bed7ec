"""One run of each way: this suite's clock, and pytest-benchmark's, on the same kernels and cells."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import bench
from bench.grid import Cell, Plan, Preset
from bench.measure.session import Session
from bench.results import LOOP, VECTORIZED, CellResult
from bench.trust import one_by_one
from bench.trust.records import Bounds, Figures
from kernels import KERNELS

# No cell so small that a call costs as much as its examples: there, more examples are hardly more work.
CELLS = (Cell(1_000, 32), Cell(10_000, 2), Cell(10_000, 32), Cell(1_000, 512), Cell(100_000, 2))
SLOW = {Cell(1_000, 32): (LOOP,)}
PRESET = Preset("trust", CELLS, cap=0.02, budget=0.09, min_rounds=2, max_rounds=400, processes=6)
PATIENCE = 600.0  # seconds after which pytest-benchmark is taken to hang


class Stopped(Exception):
    """A run that could not be measured, and why."""


@dataclass(frozen=True)
class Work:
    """What a run measures.

    Attributes:
        cells: Cell -> kernels.
        more: Percent of examples that are added to each cell.
    """

    cells: Mapping[Cell, tuple[str, ...]]
    more: int = 0

    @property
    def benchmarks(self) -> dict[str, tuple[str, Cell]]:
        """Name -> kernel and cell; a benchmark's name stays the same however much more work it does."""
        return {
            f"{kernel} at {cell.m} x {cell.n_x}": (kernel, replace(cell, m=cell.m * (100 + self.more) // 100))
            for cell, kernels in self.cells.items()
            for kernel in kernels
        }


# What is compiled for one thread, and the vectorized form that it is compared with.
COMPILED = tuple(name for name, kernel in KERNELS.items() if kernel.compiles == "once" and kernel.threads == "one")
ALL = Work({cell: (*SLOW.get(cell, ()), VECTORIZED, *COMPILED) for cell in CELLS})


def unloop(work: Work, preset: Preset, seed: int) -> dict[str, Figures]:
    """Measure the benchmarks as `unloop run` does; only their estimates are kept.

    Args:
        work: What is measured.
        preset: How; its cells are those of the work.
        seed: Seed of the order of samples.
    """
    wanted: dict[Cell, list[str]] = {}
    for kernel, cell in work.benchmarks.values():
        wanted.setdefault(cell, []).append(kernel)
    plan = Plan(replace(preset, cells=tuple(wanted)), seed=seed)
    with tempfile.TemporaryDirectory() as folder, Session.open(plan, Path(folder)) as session:
        session.measure(wanted)
        results = {result.cell: result for result in session.run().cells}
    return {
        name: _figures(results[cell], kernel)
        for name, (kernel, cell) in work.benchmarks.items()
        if kernel in results[cell].samples
    }


def _figures(result: CellResult, kernel: str) -> Figures:
    speedup = result.speedup(VECTORIZED, kernel) if kernel != VECTORIZED else None
    seconds = result.median(kernel)
    return Figures(
        logs=list(result.estimates(kernel).values()),
        seconds=Bounds(seconds.estimate, seconds.low, seconds.high),
        speedup=None if speedup is None else Bounds(speedup.estimate, speedup.low, speedup.high),
    )


def pytest_benchmark(work: Work, max_time: float) -> dict[str, Figures]:
    """Measure the benchmarks with pytest-benchmark, as it does by default but for how long.

    Args:
        work: What is measured.
        max_time: Seconds for each benchmark (`--benchmark-max-time`).

    Raises:
        Stopped: If it fails.
    """
    cases = {name: (kernel, cell.m, cell.n_x) for name, (kernel, cell) in work.benchmarks.items()}
    root = str(Path(bench.__file__).parents[1])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    with tempfile.TemporaryDirectory() as folder:
        out, empty = Path(folder, "out.json"), Path(folder, "empty.ini")
        empty.write_text("[pytest]\n")
        words = ["-m", "pytest", one_by_one.__file__, "-q", "-p", "no:cacheprovider", "-c", str(empty)]
        words += ["--rootdir", folder, "--confcutdir", str(Path(one_by_one.__file__).parent)]
        words += ["--benchmark-only", f"--benchmark-json={out}", f"--benchmark-max-time={max_time:.4f}"]
        done = subprocess.run(
            [sys.executable, *words],
            env={**os.environ, "PYTHONPATH": path, one_by_one.CASES: json.dumps(cases)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode != 0 or not out.is_file():
            last = (done.stdout + done.stderr).strip().splitlines()[-1:] or ["nothing"]
            raise Stopped(f"pytest-benchmark ended with exit code {done.returncode}: {last[0]}")
        measured = json.loads(out.read_text())["benchmarks"]
    stats = {each["params"]["name"]: each["stats"] for each in measured}
    return {name: Figures(median=s["median"], mean=s["mean"], min=s["min"]) for name, s in stats.items()}
