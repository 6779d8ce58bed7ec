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
        raise NotARun(f"{path} has no {journal.FILE}; name the folder of a run, such as results/reference")
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
    calibrated: Calibrated | None = None
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
            case Round():
                self._add_round(record)
            case Calibrated(loops=loops, every=every):
                if self.calibrated is not None:
                    raise ValueError(f"{self.cell.id} is calibrated twice")
                if loops.keys() != every.keys() or record.rounds % record.processes:
                    raise ValueError(f"what was fixed for {self.cell.id} does not fit together")
                self.calibrated = record
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

    def _add_round(self, record: Round) -> None:
        """Add a round: the next one, with one sample of each kernel whose turn it is, but for those that failed."""
        where, calibrated = f"round {record.index} of {self.cell.id}", self.calibrated
        if calibrated is None:
            raise ValueError(f"{where} stands before its loops were set")
        if record.index != self.rounds:
            raise ValueError(f"{where} stands where round {self.rounds} belongs")
        if record.index >= calibrated.rounds:
            raise ValueError(f"{where} is one more than the {calibrated.rounds} that were planned")
        self.rounds += 1
        self.ruler += [record.ruler] if record.ruler is not None else []
        of_process = record.index % calibrated.per_process
        missing = {label for label, every in calibrated.every.items() if of_process % every == 0}
        for label, wall, cpu in record.samples:
            if label not in missing:
                raise ValueError(f"{where} has a sample of {label!r} that does not belong there")
            missing.remove(label)
            rounds, walls, cpus = self.samples.setdefault(label, ([], [], []))
            rounds.append(record.index)
            walls.append(wall)
            cpus.append(cpu)
        missing -= self.failed.keys()
        if missing:
            raise ValueError(f"{where} lacks the sample of {', '.join(sorted(missing))}")

    def result(self) -> CellResult:
        """Kernels in ladder order, whatever order the first round took; without those that failed after some rounds."""
        loops, per_process = (self.calibrated.loops, self.calibrated.per_process) if self.calibrated else ({}, 0)
        timed = [name for name in loops if name in self.samples and name not in self.failed]
        return CellResult(
            self.cell,
            {name: Samples(loops[name], *self.samples[name], per_process) for name in timed},
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
        ValueError: If they are not what a run writes; it names the line.
    """
    records = iter(records)
    header = next(records, None)
    if not isinstance(header, Header):
        raise ValueError(
            "the header of the run is missing: the run was interrupted before it was written; start a new run"
        )
    building = _BuildingRun(header)
    for number, record in enumerate(records, 2):
        try:
            building.add(record)
        except ValueError as error:
            raise ValueError(f"line {number} does not follow from those before it: {error}") from None
    return building.run()


@dataclass
class _BuildingRun:
    """A run whose records are still being read."""

    header: Header
    cells: dict[str, _Building] = field(default_factory=dict)
    end: End | None = None
    wall: float = float("nan")
    peak: float = float("nan")
    resumed: list[Resumed] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    ceilings: dict[int, Ceiling] = field(default_factory=dict)
    prices: dict[str, Price] = field(default_factory=dict)
    counts: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, record: AnyRecord) -> None:
        if self.end is not None and not isinstance(record, Resumed):
            raise ValueError("the run has ended before")
        self.wall = record.at
        match record:
            case Begun(cell=cell, pools=pools):
                if cell.id in self.cells:
                    raise ValueError(f"the cell {cell.id!r} is begun twice")
                self.cells[cell.id] = _Building(cell, pools)
            case End(peak_bytes=peak):
                self.end, self.wall = record, record.wall
                self.peak = float(np.fmax(self.peak, np.nan if peak is None else peak))
            case Resumed():
                self.end = None
                self.resumed.append(record)
            case Ceilings(ceilings=measured):
                for one in measured:
                    before = self.ceilings.get(one.threads)
                    self.ceilings[one.threads] = before.higher(one) if before else one
            case Counts(counts=counts):
                self.counts = counts
            case Compiling(prices=prices):
                self.prices = {price.kernel: price for price in prices}
            case Warned(cell=None, words=words):
                self.warnings += words
            case Header():
                raise ValueError("it is a second header")
            case _:
                if record.cell not in self.cells:
                    raise ValueError(f"it is a record of the cell {record.cell!r}, which was not begun")
                self.cells[str(record.cell)].add(record)

    def run(self) -> Run:
        return Run(
            self.header,
            [building.result() for building in self.cells.values()],
            self.end,
            self.resumed,
            self.warnings,
            self.wall,
            self.peak,
            self.ceilings,
            self.prices,
            self.counts,
        )
