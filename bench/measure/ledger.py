"""What a resumed run needs: how far each cell is, and whether machine, versions and kernels are the same."""

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

import bench
from bench import words
from bench.grid import Cell, Plan
from bench.machine import card
from bench.measure import own_kernel
from bench.measure.child import Process
from bench.measure.contestants import describe_kernels
from bench.measure.engine import Frozen
from bench.results.journal import Journal
from bench.results.place import Moment
from bench.results.records import (
    FORMAT,
    AnyRecord,
    Begun,
    Calibrated,
    Ceiling,
    Event,
    EventRecord,
    Failed,
    Header,
    Resumed,
    Round,
    Skipped,
    is_kernel,
)
from kernels import KERNELS

ROOT = Path(bench.__file__).parents[1]
# Files and folders, below the root, that a sample depends on.
SOURCES = (
    *("kernels", "bench/__init__.py", "bench/grid.py", "bench/problem.py"),
    *("bench/agreement", "bench/machine", "bench/measure"),
)
COMPARED = ("machine", "libraries", "environment", "source")  # of the header; the plan is that of the run itself
VARIES = "memory_bytes"  # the system keeps some of the memory for itself, not always the same


def run_folder(root: Path, grid: str, out: Path | None = None) -> Path:
    """A new, empty run folder: `out`, or results/<date>-<grid> below root.

    Raises:
        FileExistsError: If `out` is not empty.
        OSError: If it can't be made.
    """
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise FileExistsError(f"{out} is not empty; name a new folder, or resume the run there: --resume {out}")
        return out
    for again in ("", *(f"-{k}" for k in range(2, 100))):
        folder = root / "results" / f"{datetime.now():%Y%m%d-%H%M%S}-{grid}{again}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:  # a run that was begun in the same second
            continue
        return folder
    raise FileExistsError(f"{folder} and a hundred like it are there; name a new folder")


CEILING_ERROR = 1.5  # by how much a measured ceiling may lie below what the machine can do
RUNG_ERROR = 10.0  # the same on a very busy machine


class NotTheSame(Exception):
    """A run that can't be resumed here: what differs, in one line."""


@dataclass
class Progress:
    """How far a cell is, from its records: all that a new worker has to know to continue.

    Attributes:
        recorded: Type and kernel of the events, apart from the rounds.
        out: What was skipped or failed.
        calibrated: What was fixed before the first round, once it was.
        done: How many rounds are done.
    """

    recorded: set[tuple[type, str]] = field(default_factory=set)
    out: set[str] = field(default_factory=set)
    calibrated: Calibrated | None = None
    done: int = 0

    def note(self, event: Event) -> None:
        """Take note of an event of the cell."""
        match event:
            case Round(index=index):
                self.done = index + 1
                return
            case Calibrated():
                self.calibrated = event
            case Skipped(kernel=kernel) | Failed(kernel=kernel):
                self.out.add(kernel)
        self.recorded.add(key_of(event))

    @property
    def complete(self) -> bool:
        """Whether all rounds are done."""
        return self.calibrated is not None and self.done >= self.calibrated.rounds

    def complete_in(self, process: int) -> bool:
        """Whether all rounds of a process are done, and of those before it."""
        return self.calibrated is not None and self.done >= (process + 1) * self.calibrated.per_process

    @property
    def frozen(self) -> Frozen | None:
        """What the engine needs to continue, once the cell was calibrated."""
        return Frozen(self.calibrated, self.done) if self.calibrated else None

    def left(self, labels: Iterable[str]) -> list[str]:
        """Those of the contestants that are still measured: of `labels`, until calibration has fixed them."""
        return [label for label in (self.calibrated.loops if self.calibrated else labels) if label not in self.out]

    def ahead(self, calibrated: Calibrated) -> Calibrated:
        """The rounds and seconds that are left of those planned."""
        rounds = max(1, calibrated.rounds - self.done)
        seconds = calibrated.seconds * rounds / calibrated.rounds
        return msgspec.structs.replace(calibrated, rounds=rounds, seconds=seconds)


def refuted(cell: Cell, event: Round, calibrated: Calibrated, ceiling: Ceiling | None) -> Iterator[Failed]:
    """The kernels with a sample that is shorter than a step can be: such a kernel remembers its answer.

    A ceiling that was measured beside a busy neighbour is too low. So a kernel is refused only if it is also far ahead
    of every rung of the ladder in the same round; and a rung itself, which nobody has reason to make remember, only
    if no error of a ceiling explains it.
    """
    if ceiling is None or cell.iterations:
        return
    bound = ceiling.bound(cell.m, cell.n_x)
    calls = {sample.label: sample.seconds / calibrated.loops[sample.label] for sample in event.samples}
    least = min([bound, *(call for label, call in calls.items() if label in KERNELS)])
    for label, call in calls.items():
        too_short = call * RUNG_ERROR < bound if label in KERNELS else call * CEILING_ERROR < least
        if is_kernel(label) and too_short:
            reason = (
                f"{label}: impossible: a call took {words.seconds(call)}, but this machine needs "
                f"{words.seconds(bound)} at least to read X, multiply, add and take exponentials; does it remember its "
                "answer?"
            )
            yield Failed(cell=cell.id, kernel=label, reason=reason)


def key_of(event: Event) -> tuple[type, str]:
    """What tells an event of a cell from its others, apart from rounds: its type, and its kernel if it is of one."""
    return type(event), getattr(event, "kernel", "")


def progress_of(records: Iterable[AnyRecord]) -> dict[str, Progress]:
    """Cell id -> how far it is; a cell that was not begun is not in it."""
    cells: dict[str, Progress] = {}
    for record in records:
        match record:
            case Begun(cell=cell):
                cells.setdefault(cell.id, Progress())
            case Event(cell=cell_id) if cell_id in cells:
                cells[cell_id].note(record)
    return cells


def sources(root: Path = ROOT) -> Iterator[Path]:
    """The files below a root that a sample depends on, sorted, relative to the root."""
    for name in sorted(SOURCES):
        path = root / name
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        yield from (file.relative_to(root) for file in files)


def source_hash(own: Iterable[Path] = (), root: Path = ROOT) -> str:
    """SHA-256 of all source that a sample depends on: rooms of this project, and files with the user's own kernels."""
    digest = hashlib.sha256()
    for name in sources(root):
        digest.update(name.as_posix().encode() + b"\0" + (root / name).read_bytes() + b"\0")
    for path in sorted(own):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def header(plan: Plan, process: Process, before: Moment) -> Header:
    """What a run with this plan is, here and now: the first record of its journal."""
    return Header(
        plan=plan,
        machine=card.card(),
        before=before,
        kernels=describe_kernels(plan.peers, plan.own),
        libraries=process.libraries,
        pools=process.pools,
        environment=process.environment,
        source=source_hash(own_kernel.path(text) for text in plan.own.values()),
    )


def compare(was: Header, now: Header) -> None:
    """Compare the header of a run with the one that it would have here and now.

    Raises:
        NotTheSame: With the first thing that differs.
    """
    if was.format != FORMAT or was.source is None:
        raise NotTheSame(
            "an earlier version of unloop made it, which did not record all that must be the same; measure a new run"
        )
    before, after = msgspec.to_builtins(was), msgspec.to_builtins(now)
    for part in COMPARED:
        _require_same(part, before[part], after[part])


def _require_same(what: str, was: Any, now: Any) -> None:
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted((was.keys() | now.keys()) - {VARIES}):
            _require_same(f"{what}: {key}", was.get(key), now.get(key))
    elif was != now:
        if what == "source":
            raise NotTheSame("the source of its kernels or of the clock has changed since; measure a new run")
        raise NotTheSame(f"{what} was {was} and is {now} here; resume it where it was begun, or measure a new run")


class Ledger:
    """The journal of a run, and in step with it how far each cell is.

    Args:
        journal: A new journal, or that of a run to resume.
        start: When the run was begun, or resumed, by time.perf_counter.

    Attributes:
        progress: Cell id -> how far it is.
    """

    def __init__(self, journal: Journal, start: float) -> None:
        self._journal = journal
        # The clock of a resumed run continues from its last record.
        self._start = start - max((record.at for record in journal.records), default=0.0)
        self.progress = progress_of(journal.records)

    def begin_run(self, header: Header) -> None:
        """Write the header of a new run; or check that of a run to resume, and write that it was resumed.

        Raises:
            NotTheSame: If the journal's run can't be resumed here.
        """
        if not self.records:
            self.write(header)
            return
        was = self.records[0]
        assert isinstance(was, Header)  # a journal that begins with anything else is not read
        compare(was, header)
        self.write(Resumed(before=header.before))

    @property
    def records(self) -> list[AnyRecord]:
        """What stands in the journal."""
        return self._journal.records

    def write(self, record: AnyRecord) -> None:
        """Journal a record, with the seconds that the run has taken until now."""
        self._journal.write(msgspec.structs.replace(record, at=self.elapsed()))

    def elapsed(self) -> float:
        """Seconds of the run, without the time between its end and its being resumed."""
        return round(time.perf_counter() - self._start, 3)

    def note(self, event: EventRecord) -> None:
        """Journal an event of a cell; it counts once it is on disk."""
        self.write(event)
        self.progress[event.cell].note(event)

    def begin(self, cell: Cell, pools: Mapping[str, int]) -> None:
        """Journal that a cell is begun, in which each thread pool has so many threads."""
        self.write(Begun(cell=cell, pools=dict(pools)))
        self.progress[cell.id] = Progress()

    def of(self, cell: Cell) -> Progress:
        """How far a cell is; one that was not begun has not got anywhere."""
        return self.progress.get(cell.id, Progress())

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()
