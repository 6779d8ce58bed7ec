"""What is needed to go on with a run: how far each cell is, and whether machine, versions and kernels are the same."""

import hashlib
import json
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import kernels
from bench import problem as problems
from bench.grid import Cell, Preset
from bench.machine import card as machine
from bench.measure import engine
from bench.measure import own_kernel as own
from bench.results.events import Calibrated, Event, Frozen
from bench.results.journal import FORMAT, Journal, Record, event_record

# Of the header: what changes from one moment to the next, and what follows from the rest.
NOT_COMPARED = ("type", "at", "before", "pools", "kernels")


class NotTheSame(Exception):
    """A run that can't go on here, with the reason."""


@dataclass
class Progress:
    """How far a cell is, from the records of it: all that a new worker has to know to go on.

    Attributes:
        told: (type, kernel) of the events, but for the rounds.
        out: What was skipped or failed.
        calibrated: What was frozen, once it was.
        done: How many rounds are done.
    """

    told: set[tuple[str, str]] = field(default_factory=set)
    out: set[str] = field(default_factory=set)
    calibrated: Calibrated | None = None
    done: int = 0

    def note(self, record: Record) -> None:
        """Take note of a record of the cell."""
        kind = record["type"]
        if kind == "Calibrated":
            self.calibrated = Calibrated(**{each.name: record[each.name] for each in fields(Calibrated)})
        elif kind == "Round":
            self.done = record["index"] + 1
        elif kind in ("Skipped", "Failed"):
            self.out.add(record["kernel"])
        if kind != "Round":
            self.told.add((kind, record.get("kernel", "")))

    @property
    def complete(self) -> bool:
        """Whether all rounds are done."""
        return self.calibrated is not None and self.done >= self.calibrated.rounds

    @property
    def frozen(self) -> Frozen | None:
        """What the engine needs to go on, once it was calibrated."""
        return Frozen(self.calibrated, self.done) if self.calibrated else None

    def left(self, names: Iterable[str]) -> list[str]:
        """Those of the contestants that are still measured."""
        return [name for name in (self.calibrated.loops if self.calibrated else names) if name not in self.out]

    def ahead(self, calibrated: Calibrated) -> Calibrated:
        """What is left of a plan, for who watches the time."""
        rounds = max(1, calibrated.rounds - self.done)
        return replace(calibrated, rounds=rounds, seconds=calibrated.seconds * rounds / calibrated.rounds)


def progress_of(records: Iterable[Record]) -> dict[str, Progress]:
    """Cell id -> how far it is; cells that were not begun are not in it."""
    cells: dict[str, Progress] = {}
    for record in records:
        if record["type"] == "cell":
            cells.setdefault(Cell(**record["cell"]).id, Progress())
        elif record.get("cell") in cells:
            cells[record["cell"]].note(record)
    return cells


def preset_of(header: Record) -> Preset:
    """The preset that a run was begun with."""
    settings = {each.name: header["settings"][each.name] for each in fields(Preset) if each.name in header["settings"]}
    return Preset(name=header["grid"], cells=tuple(Cell(**cell) for cell in header["planned"]), **settings)


def source_hash(files: Iterable[Path] = ()) -> str:
    """SHA-256 of the source of the kernels, of the clock and of the problems; and of other files with kernels."""
    folder = Path(kernels.__file__).parent
    clock = [Path(str(module.__file__)) for module in (engine, problems)]
    digest = hashlib.sha256()
    for path in [*sorted(folder.rglob("*.py")), *clock, *files]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def header(
    preset: Preset,
    seed: int,
    problem: str,
    hello: Mapping[str, Any],
    before: Mapping[str, Any],
    described: Mapping[str, Any],
    peers: Collection[str],
    names: Collection[str] | None,
    owned: Mapping[str, str],
) -> Record:
    """What a run is, here and now: the first record of its journal.

    Args:
        preset: The grid, and how long to measure.
        seed: Seed of the problems and of the order of samples.
        problem: The problem's name.
        hello: What the worker tells of its process.
        before: The moment before the run.
        described: What is said of each kernel.
        peers: The peers asked for.
        names: The kernels that every cell is measured with, or None.
        owned: Name -> text of the own kernels.
    """
    settings = {key: value for key, value in asdict(preset).items() if key not in ("name", "cells")}
    return {
        "type": "run",
        "format": FORMAT,
        "grid": preset.name,
        "problem": problem,
        "seed": seed,
        "settings": settings | hello["settings"],
        "machine": machine.card(),
        "before": before,
        "libraries": hello["libraries"],
        "pools": hello["pools"],
        "kernels": described,
        "source": source_hash(own.path(text) for text in owned.values()),
        "peers": list(peers),
        "own": dict(owned),
        "names": None if names is None else list(names),
        "planned": [asdict(cell) for cell in preset.cells],
    }


def compare(was: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Hold the header of a run against the one that a run would have here and now.

    Raises:
        NotTheSame: With the first thing that differs.
    """
    if "source" not in was:
        raise NotTheSame("an earlier version of unloop made it, which did not record all that must be the same")
    for key, now in json.loads(json.dumps(here)).items():
        if key not in NOT_COMPARED:
            _same(key, was.get(key), now)


def _same(what: str, was: Any, now: Any) -> None:
    if isinstance(was, dict) and isinstance(now, dict):
        for key in was.keys() | now.keys():
            # The kernel keeps some of the memory for itself, not always the same.
            if key != "memory_bytes":
                _same(f"{what}: {key}", was.get(key), now.get(key))
    elif was != now:
        if what == "source":
            raise NotTheSame("the source of its kernels has changed since")
        raise NotTheSame(f"{what} was {was}, and is {now} here")


class Ledger:
    """The journal of a run, and in step with it how far each cell is.

    Args:
        journal: A new journal, or that of a run to go on with.
        header: What the run would be here and now.
        start: When it was begun, or resumed, by time.perf_counter.

    Attributes:
        progress: Cell id -> how far it is.

    Raises:
        NotTheSame: If the journal's run can't go on here.
    """

    def __init__(self, journal: Journal, header: Record, start: float) -> None:
        self._journal = journal
        self._start = start
        self.progress = progress_of(journal.records)
        if not journal.records:
            self.write(header)
            return
        compare(journal.records[0], header)
        # The clock of the run goes on from its last record.
        self._start -= max(float(record.get("at", 0.0)) for record in journal.records)
        self.write({"type": "resumed", "before": header["before"]})

    @property
    def records(self) -> list[Record]:
        """What stands in the journal."""
        return self._journal.records

    def write(self, record: Record) -> None:
        """Journal a record, with the seconds that the run has taken until now."""
        self._journal.write({**record, "at": self.elapsed()})

    def elapsed(self) -> float:
        """Seconds of the run, the time between its end and its being resumed left out."""
        return round(time.perf_counter() - self._start, 3)

    def note(self, cell: Cell, event: Event) -> None:
        """An event goes to disk, and only then counts."""
        record = event_record(cell.id, event)
        self.write(record)
        self.progress[cell.id].note(record)

    def begin(self, cell: Cell, pools: Mapping[str, int]) -> None:
        """A cell is begun; `pools`: the threads that each pool has in it."""
        self.write({"type": "cell", "cell": asdict(cell), "pools": dict(pools)})
        self.progress[cell.id] = Progress()

    def of(self, cell: Cell) -> Progress:
        """How far a cell is; that of a cell which was not begun is empty."""
        return self.progress.get(cell.id, Progress())

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()
