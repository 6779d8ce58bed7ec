"""A run folder -> Run; the only reader of what was measured."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bench.grid import Cell
from bench.results import journal
from bench.results.cell import CellResult, Samples
from bench.results.records import (
    Agreed,
    AnyRecord,
    Begun,
    Calibrated,
    Ceiling,
    Ceilings,
    Compiling,
    Counts,
    End,
    Failed,
    FirstCall,
    Header,
    Price,
    Resumed,
    Round,
    Ruled,
    Skipped,
    Warned,
)
from bench.results.run import Run


class NotARun(Exception):
    """A path that holds no readable run."""


def load(path: str | Path) -> Run:
    """Read a run folder.

    Raises:
        NotARun: With what is wrong and what to do.
    """
    folder = Path(path)
    file = folder if folder.is_file() else journal.find(folder)
    if file is None:
        raise NotARun(f"{path} holds no {journal.FILE}; name the folder of a run, such as results/reference")
    try:
        return replace(from_records(journal.read(file)), folder=file.parent)
    except OSError as error:
        raise NotARun(f"{path} can't be read: {error}") from None
    except ValueError as error:
        raise NotARun(f"{path} can't be read as a run: {error}") from None


@dataclass
class _Building:
    """A cell whose records are still being read."""

    cell: Cell
    pools: dict[str, int]
    loops: dict[str, int] = field(default_factory=dict)
    per_process: int = 0
    samples: dict[str, tuple[list[int], list[float], list[float]]] = field(default_factory=dict)
    first_call: dict[str, float] = field(default_factory=dict)
    agreement: dict[str, Agreed] = field(default_factory=dict)
    skipped: dict[str, Skipped] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    disturbed: list[str] = field(default_factory=list)
    ruler: list[Ruled] = field(default_factory=list)
    rounds: int = 0

    def add(self, record: AnyRecord) -> None:
        match record:
            case Round(index=index, samples=samples, ruler=ruler):
                if index != self.rounds:
                    raise ValueError(f"round {index} of {self.cell.id} stands where round {self.rounds} belongs")
                self.rounds += 1
                self.ruler += [ruler] if ruler is not None else []
                for label, wall, cpu in samples:
                    if label not in self.loops:
                        raise ValueError(f"{self.cell.id} has a sample of {label!r}, for which no loops were set")
                    rounds, walls, cpus = self.samples.setdefault(label, ([], [], []))
                    rounds.append(index)
                    walls.append(wall)
                    cpus.append(cpu)
            case Calibrated(loops=loops):
                self.loops = loops
                self.per_process = record.per_process
            case FirstCall(kernel=kernel, seconds=seconds):
                self.first_call[kernel] = seconds
            case Agreed(kernel=kernel):
                self.agreement[kernel] = record
            case Skipped(kernel=kernel):
                self.skipped[kernel] = record
            case Failed(kernel=kernel, reason=reason):
                self.failed[kernel] = reason
            case Warned(words=words):
                self.disturbed += words

    def result(self) -> CellResult:
        """Kernels in ladder order, whatever order the first round took; without those that failed after some rounds."""
        timed = [name for name in self.loops if name in self.samples and name not in self.failed]
        return CellResult(
            self.cell,
            {name: Samples(self.loops[name], *self.samples[name], self.per_process) for name in timed},
            self.first_call,
            self.agreement,
            self.skipped,
            self.failed,
            self.pools,
            self.disturbed,
            self.ruler,
        )


def from_records(records: Iterable[AnyRecord]) -> Run:
    """The run that a journal's records describe.

    Raises:
        ValueError: If they are not what a run writes.
    """
    records = iter(records)
    header = next(records, None)
    if not isinstance(header, Header):
        raise ValueError("the header of the run is missing: it was cut off before; begin it anew")
    cells: dict[str, _Building] = {}
    end: End | None = None
    wall = peak = float("nan")
    resumed: list[Resumed] = []
    warnings: list[str] = []
    ceilings: dict[int, Ceiling] = {}
    prices: dict[str, Price] = {}
    counts: dict[str, dict[str, float]] = {}
    for record in records:
        wall = record.at
        match record:
            case Begun(cell=cell, pools=pools):
                if cell.id in cells:
                    raise ValueError(f"the cell {cell.id!r} is begun twice")
                cells[cell.id] = _Building(cell, pools)
            case End():
                end, wall = record, record.wall
                peak = float(np.fmax(peak, np.nan if record.peak_bytes is None else record.peak_bytes))
            case Resumed():
                end = None
                resumed.append(record)
            case Ceilings(ceilings=measured):
                ceilings |= {c.threads: ceilings[c.threads].higher(c) if c.threads in ceilings else c for c in measured}
            case Counts():
                counts = record.counts
            case Compiling():
                prices = {price.kernel: price for price in record.prices}
            case Warned(cell=None, words=words):
                warnings += words
            case Header():
                raise ValueError("it holds a second header")
            case _:
                if record.cell not in cells:
                    raise ValueError(f"it holds a record of the cell {record.cell!r}, which was not begun")
                cells[str(record.cell)].add(record)
    results = [building.result() for building in cells.values()]
    return Run(header, results, end, resumed, warnings, wall, peak, ceilings, prices, counts)
