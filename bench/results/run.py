"""A run folder -> Run; the only reader of what was measured."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench import stats
from bench.grid import Cell
from bench.machine import ceilings
from bench.machine.ceilings import Ceiling
from bench.measure import compiling
from bench.measure.compiling import Price
from bench.measure.engine import CONTROL, is_kernel
from bench.results import journal, records
from bench.results.journal import Record
from bench.stats import Interval

LOOP = "python_loop"
VECTORIZED = "numpy_vectorized"
BASELINES = (LOOP, VECTORIZED)
UNSTABLE = 0.1  # a noise floor above it is worth a warning


class NotARun(Exception):
    """A path that holds no readable run."""


@dataclass
class CellResult:
    """What was measured in one cell; every mapping is from a kernel's name.

    Attributes:
        cell: The cell.
        first_call: Seconds of the first call in the cell.
        agreement: Errors of J, dw and db in units of rounding.
        skipped: (reason, predicted seconds) of a kernel that was not run.
        failed: Why a kernel that disagreed or raised was not timed.
        loops: Calls in a sample.
        rounds: Index of the round of each sample.
        seconds: Seconds of one call, of each sample.
        cpu: CPU seconds of one call, of each sample.
        pools: How many threads each thread pool had in this cell, as the pools themselves said.
        disturbed: What was seen to disturb the machine while the cell was measured, in words.
    """

    cell: Cell
    first_call: dict[str, float] = field(default_factory=dict)
    agreement: dict[str, dict[str, float]] = field(default_factory=dict)
    skipped: dict[str, tuple[str, float]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    loops: dict[str, int] = field(default_factory=dict)
    rounds: dict[str, list[int]] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    pools: dict[str, int] = field(default_factory=dict)
    disturbed: list[str] = field(default_factory=list)

    @property
    def kernels(self) -> list[str]:
        """The kernels that were timed; not the control, nor what else a cell measures beside them."""
        return [name for name in self.seconds if is_kernel(name)]

    def median(self, kernel: str, confidence: float = 0.95) -> Interval:
        """Seconds of one call."""
        return stats.median(self.seconds[kernel], confidence)

    def speedup(self, baseline: str, kernel: str, confidence: float = 0.95) -> Interval | None:
        """How many times faster a kernel is than a baseline, from the rounds they share; None if one was not timed."""
        if baseline not in self.seconds or kernel not in self.seconds:
            return None
        shared, before, after = np.intersect1d(
            self.rounds[baseline], self.rounds[kernel], assume_unique=True, return_indices=True
        )
        if shared.size == 0:
            return None
        return stats.speedup(
            np.array(self.seconds[baseline])[before], np.array(self.seconds[kernel])[after], confidence
        )

    @cached_property
    def control(self) -> Interval | None:
        """The A/A control: the speed-up of a kernel over itself; truly 1."""
        return self.speedup(VECTORIZED, CONTROL)

    @property
    def noise_floor(self) -> float:
        """The largest relative difference that the A/A control shows; a smaller one is not called a difference."""
        if self.control is None:
            return float("inf")
        return max(self.control.high, 1.0 / self.control.low) - 1.0 if self.control.low > 0.0 else float("inf")

    @property
    def warnings(self) -> list[str]:
        """Why to trust this cell less: what disturbed it, and a kernel that differs from itself."""
        if not self.seconds or self.noise_floor <= UNSTABLE:
            return self.disturbed
        floor = f"up to {100 * self.noise_floor:.0f}%" if np.isfinite(self.noise_floor) else "more than can be told"
        return [*self.disturbed, f"unstable: a kernel differs from itself by {floor}"]

    def used_threads(self, kernel: str) -> float:
        """CPU seconds for each wall second: how many threads were busy, whoever they belonged to."""
        return float(np.median(np.array(self.cpu[kernel]) / np.array(self.seconds[kernel])))

    def sample_seconds(self) -> float:
        """Seconds spent inside samples."""
        return sum(sum(times) * self.loops[name] for name, times in self.seconds.items())


@dataclass(eq=False)
class Run:
    """A run: its header (grid, seed, machine card, kernels), its cells in the order measured, and how it ended.

    `resumed` tells of each time that it was gone on with, `warnings` of the machine before it, `wall` how many seconds
    it took until its last record, and `peak_bytes` the most memory that the measuring process held, as far as known.
    `ceilings` holds what the machine can do at most, by the number of threads, `prices` what compiling costs and
    `counts` what a call does, both by kernel; nothing where that was not measured.
    """

    header: Record
    cells: list[CellResult]
    end: Record | None
    resumed: list[Record] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    wall: float = float("nan")
    peak_bytes: float = float("nan")
    ceilings: dict[int, Ceiling] = field(default_factory=dict)
    prices: dict[str, Price] = field(default_factory=dict)
    counts: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def kernels(self) -> dict[str, dict[str, Any]]:
        """Name -> title, change and threads of each kernel that the run could hold, in ladder order."""
        return dict(self.header["kernels"])

    @property
    def measured(self) -> list[str]:
        """The kernels that the run timed, skipped or failed anywhere, in ladder order."""
        seen = {name for result in self.cells for name in (*result.seconds, *result.skipped, *result.failed)}
        return [name for name in self.kernels if name in seen]

    @property
    def own(self) -> list[str]:
        """The own kernels (`--kernel`), in the order of the command line."""
        return [name for name, kernel in self.kernels.items() if kernel.get("own")]

    @property
    def problem(self) -> str:
        """The problem's name."""
        return str(self.header["problem"])

    def bound(self, cell: Cell) -> float:
        """Seconds that a cell's step takes at least on this machine; NaN where its ceilings were not measured."""
        ceiling = self.ceilings.get(cell.threads)
        return ceiling.bound(cell.m, cell.n_x) if ceiling and not cell.iterations else float("nan")

    def limit(self, result: CellResult) -> float | None:
        """`bound` of a result's cell; None where it is not known."""
        seconds = self.bound(result.cell)
        return None if np.isnan(seconds) else seconds

    @cached_property
    def compile_seconds(self) -> dict[str, float]:
        """Seconds of the very first call of each compiled kernel in this run: compilation and one small step."""
        seconds: dict[str, float] = {}
        for result in self.cells:
            for name, first in result.first_call.items():
                if self.kernels.get(name, {}).get("compiled"):
                    seconds.setdefault(name, first)
        return seconds

    def table(self, baseline: str = LOOP, confidence: float = 0.95) -> pd.DataFrame:
        """One row for each kernel and cell that was timed; times in seconds, speed-ups over the baseline.

        The speed-up is NaN where the baseline was not timed: too slow there, or not a kernel for all threads. The last
        column is the share of this machine's limit: the seconds that the step takes at least, by those it took.
        """
        rows = []
        for result in self.cells:
            cell = result.cell
            for name in result.kernels:
                time = result.median(name, confidence)
                ratio = result.speedup(baseline, name, confidence)
                rows.append(
                    (name, cell.m, cell.n_x, cell.order, cell.threads, time.estimate, time.low, time.high)
                    + ((ratio.estimate, ratio.low, ratio.high) if ratio else (np.nan,) * 3)
                    + (self.bound(cell) / time.estimate,)
                )
        columns = ["kernel", "m", "n_x", "order", "threads", "seconds", "low", "high"]
        return pd.DataFrame(rows, columns=[*columns, "speedup", "speedup_low", "speedup_high", "of_limit"])


def load(path: str | Path) -> Run:
    """Read a run folder.

    Raises:
        NotARun: With what is wrong and what to do.
    """
    folder = Path(path)
    file = folder if folder.is_file() else folder / journal.FILE
    if not file.is_file():
        raise NotARun(f"{path} holds no {journal.FILE}; name the folder of a run, such as results/reference")
    try:
        return from_records(journal.read(file))
    except OSError as error:
        raise NotARun(f"{path} can't be read: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotARun(f"{path} can't be read as a run: {error}") from None


def from_records(found: Iterable[Record]) -> Run:
    """The run that a journal's records tell of.

    Raises:
        ValueError: If they are not what a run writes; `bench.records` says what that is.
    """
    found = iter(found)
    header = next(found, None)
    if header is None:
        raise ValueError("it does not begin with the header of a run: it was cut off before; begin it anew")
    if header["type"] != "run":
        raise ValueError("it does not begin with the header of a run")
    if header.get("format") != journal.FORMAT:
        raise ValueError(f"it has format {header.get('format')}; this version reads format {journal.FORMAT}")
    records.check(header)
    cells: dict[str, CellResult] = {}
    run = Run(header, [], None)
    for record in found:
        kind = record["type"]
        records.check(record)
        run.wall = record.get("at", run.wall)
        if kind == "cell":
            cell = Cell(**record["cell"])
            cells[cell.id] = CellResult(cell, pools=record.get("pools", {}))
        elif kind == "end":
            run.end, run.wall = record, record["wall"]
            run.peak_bytes = float(np.fmax(run.peak_bytes, record.get("peak_bytes", np.nan)))
        elif kind == "resumed":
            run.end = None
            run.resumed.append(record)
        elif kind == "ceilings":
            run.ceilings = ceilings.best(run.ceilings, ceilings.from_record(record))
        elif kind == "counts":
            run.counts = record["counts"]
        elif kind == "compiling":
            run.prices = compiling.from_record(record)
        elif kind == "Warning" and record["cell"] is None:
            run.warnings += record["words"]
        elif record["cell"] in cells:
            _add(cells[record["cell"]], kind, record)
        else:
            raise ValueError(f"it tells of a cell {record['cell']!r} that was not begun")
    for result in cells.values():
        # Ladder order, whatever order the first round took; a kernel that no round has reached yet is left out, and
        # one that failed after some rounds too: the journal holds its samples.
        timed = [name for name in result.loops if name in result.seconds and name not in result.failed]
        result.seconds = {name: result.seconds[name] for name in timed}
    run.cells = list(cells.values())
    return run


def _add(result: CellResult, kind: str, record: Record) -> None:
    if kind == "Round":
        for name, seconds, cpu in record["samples"]:
            if name not in result.loops:
                raise ValueError(f"it holds a sample of {name!r} in {result.cell.id}, for which no loops were set")
            loops = result.loops[name]
            result.rounds.setdefault(name, []).append(record["index"])
            result.seconds.setdefault(name, []).append(seconds / loops)
            result.cpu.setdefault(name, []).append(cpu / loops)
    elif kind == "Calibrated":
        result.loops = record["loops"]
    elif kind == "FirstCall":
        result.first_call[record["kernel"]] = record["seconds"]
    elif kind == "Agreement":
        result.agreement[record["kernel"]] = {key: record[key] for key in ("J", "dw", "db")}
    elif kind == "Skipped":
        result.skipped[record["kernel"]] = (record["reason"], record["predicted"])
    elif kind == "Failed":
        result.failed[record["kernel"]] = record["reason"]
    elif kind == "Warning":
        result.disturbed += record["words"]
