"""The experiment: runs of both ways in turn, of the same work and of a little more; quiet, and with a bad neighbour.

Each finished run is a file of its own, so that the experiment can be interrupted and resumed; in the end they become
one, trust.json.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np

from bench import files
from bench.grid import Preset
from bench.machine import card
from bench.trust import ways
from bench.trust.neighbour import noise
from bench.trust.records import FILE, Experiment, Measured, Neighbour, Way
from bench.trust.ways import Stopped, Work

PARTS = "trust-parts"
MORE = (1, 2, 5, 10)
START_SECONDS = 3.0  # what pytest needs before its first benchmark
LEAST_TIME = 0.05  # seconds that pytest-benchmark gets for a benchmark

Show = Callable[[str, float], None]


@dataclass(frozen=True)
class Design:
    """How much is measured.

    Attributes:
        same: Runs of the same work: each but the first is compared with the one before.
        larger: Runs of each amount of more work.
        neighbours: Quiet, disturbed, or both.
        work: What a run measures.
        preset: How this suite measures it.
        seed: Seed of everything random.
    """

    same: int = 9
    larger: int = 3
    neighbours: tuple[Neighbour, ...] = get_args(Neighbour)
    work: Work = ways.ALL
    preset: Preset = ways.PRESET
    seed: int = 0

    def steps(self) -> Iterator[tuple[Neighbour, int, int, Way]]:
        """Neighbour, percent more work, index and way of each run, in the order in which they are measured."""
        draw = random.Random(self.seed)
        for neighbour in self.neighbours:
            amounts = [0] * self.same + [more for more in MORE for _ in range(self.larger)]
            draw.shuffle(amounts)
            counts = dict.fromkeys(amounts, 0)
            for number, more in enumerate(amounts):
                order: tuple[Way, Way] = ("unloop", "pytest-benchmark")
                # This suite's first run shows how long the other may take; then they begin in turn.
                for way in order if number % 2 == 0 else order[::-1]:
                    yield neighbour, more, counts[more], way
                counts[more] += 1


def measure(folder: Path, design: Design, version: str, show: Show) -> Experiment:
    """Measure what a folder lacks of the experiment, and write it there.

    Args:
        folder: Where trust.json will stand; runs that were measured before are taken from there.
        design: How much is measured.
        version: Of this suite.
        show: Called before each run with what comes and the share that is done.

    Raises:
        OSError: If the folder can't be written to.
        Stopped: If pytest-benchmark fails, or if the runs there are those of another machine or version.
    """
    parts = folder / PARTS
    parts.mkdir(parents=True, exist_ok=True)
    machine = card.card()
    _require_same(parts / "begun-by.txt", f"unloop {version} on {machine.cpu}, numpy {machine.numpy}, {design}")
    steps = list(design.steps())
    runs: list[Measured] = []
    for number, (neighbour, more, index, way) in enumerate(steps):
        path = parts / f"{number:03d}-{neighbour}-{more}-{index}-{way}.json"
        if path.is_file():
            runs.append(msgspec.json.decode(path.read_bytes(), type=Measured))
            continue
        show(f"{neighbour}, {way}, {f'{more}% more work' if more else 'the same work'}", number / len(steps))
        seed = design.seed + number
        with noise(seed) if neighbour == "disturbed" else nullcontext():
            run = _run(design, runs, (neighbour, more, index, way), seed)
        _write(path, msgspec.json.encode(run))
        runs.append(run)
    experiment = Experiment(
        version=version,
        date=f"{date.today():%Y-%m-%d}",
        machine=machine,
        processes=design.preset.processes,
        runs=runs,
    )
    _write(folder / FILE, msgspec.json.encode(experiment))
    for path in parts.iterdir():
        path.unlink()
    parts.rmdir()
    return experiment


def _require_same(path: Path, here: str) -> None:
    """Note who began an experiment, or check that it was the same."""
    if not path.is_file():
        _write(path, here.encode())
    elif path.read_text() != here:
        raise Stopped(f"the runs in {path.parent} are of another machine, version or size; remove that folder first")


def _write(path: Path, content: bytes) -> None:
    with files.replaced(path) as new:
        new.write_bytes(content)


def _run(design: Design, before: list[Measured], step: tuple[Neighbour, int, int, Way], seed: int) -> Measured:
    neighbour, more, index, way = step
    work = Work(design.work.cells, more)
    max_time = _max_time(before, len(work.benchmarks), neighbour) if way == "pytest-benchmark" else None
    start = time.perf_counter()
    figures = ways.unloop(work, design.preset, seed) if max_time is None else ways.pytest_benchmark(work, max_time)
    seconds = round(time.perf_counter() - start, 3)
    return Measured(neighbour, way, more, index, seconds, figures, max_time)


def _max_time(before: list[Measured], benchmarks: int, neighbour: Neighbour) -> float:
    """Seconds for each benchmark of pytest-benchmark, so that both ways take as long: from the runs before."""
    here = [run for run in before if run.neighbour == neighbour]
    wanted = float(np.median([run.seconds for run in here if run.way == "unloop"]))
    others = [run for run in here if run.max_time is not None]
    if not others:
        return max(LEAST_TIME, (wanted - START_SECONDS) / benchmarks)
    last = others[-1]
    assert last.max_time is not None
    return max(LEAST_TIME, last.max_time + (wanted - last.seconds) / benchmarks)
