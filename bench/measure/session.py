"""A measuring session: the engine over the cells of a grid, its events in a run folder's journal."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bench.grid import Cell, Preset, batches
from bench.machine import card as machine
from bench.machine import ceilings
from bench.machine import disturbances as conditions
from bench.machine.ceilings import READ
from bench.machine.disturbances import Conditions
from bench.measure import compiling
from bench.measure import ledger as resume
from bench.measure.contestants import NONE, describe_kernels, names_for
from bench.measure.engine import CONTROL, is_kernel
from bench.measure.ledger import Ledger, NotTheSame
from bench.measure.worker import Died, Worker
from bench.results.events import Calibrated, Event, Failed, Round, Skipped
from bench.results.journal import Journal
from bench.results.run import BASELINES, Run, from_records, load
from kernels import KERNELS
from kernels._caches import LAST_BYTES
from kernels.peers import PEERS
from kernels.variants import OF_ALL_THREADS, VARIANTS

SPARE_BYTES = 400 * 2**20
PEER_VECTORS = 8  # of m numbers each, that a peer keeps or makes in a call
LEAK = 2  # times what a batch needs; a worker that holds more, or most of what is free, is taken to leak
MOST = 0.8
PATIENCE = 2  # cells in which a kernel may hang; then it is not called again, for each takes minutes to find out
VISIT_ROUNDS = 6  # of a cell, before the next cell's turn

OnEvent = Callable[[Cell, Event], None]


def run_folder(root: Path, grid: str, out: Path | None = None) -> Path:
    """A new, empty run folder: `out`, or results/<date>-<grid> below root.

    Raises:
        FileExistsError: If `out` holds a run already.
        OSError: If it can't be made.
    """
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise FileExistsError(f"{out} is not empty; name a new folder, or go on with the run: --resume {out}")
        return out
    for again in ("", *(f"-{k}" for k in range(2, 100))):
        folder = root / "results" / f"{datetime.now():%Y%m%d-%H%M%S}-{grid}{again}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:  # a run that was begun in the same second
            continue
        return folder
    raise FileExistsError(f"{folder} and a hundred like it are there; name a new folder")


class Session:
    """Measures cells one by one into a run folder; a worker process calls the kernels.

    Args:
        folder: An empty folder.
        preset: The grid, and how long to measure.
        seed: Seed of the problems and of the order of samples.
        problem: The problem's name.
        peers: The peers asked for; those installed are measured, the others listed as missing.
        names: The kernels that every cell is measured with, for who resumes the run; None if that differs by cell.
        owned: Name -> text of the own kernels, see `own.load`.
        journal: The journal of a run to go on with, see `resumed`.

    Attributes:
        warnings: What was wrong with the machine before the run.

    Raises:
        NotTheSame: If that run was made on another machine, or with other versions or kernels.
        OSError: If the folder can't be written to.
    """

    def __init__(
        self,
        folder: Path,
        preset: Preset,
        seed: int,
        problem: str = "synthetic",
        peers: Collection[str] = (),
        names: Sequence[str] | None = None,
        owned: Mapping[str, str] = NONE,
        journal: Journal | None = None,
    ) -> None:
        self.folder = folder
        self.preset = preset
        self.peers = peers
        self.owned = owned
        start = time.perf_counter()
        before = machine.moment()
        self._conditions = Conditions()
        self.warnings = conditions.before(preset.sample_seconds)
        self._journal = journal
        self._new_worker: Callable[[], Worker] = lambda: Worker(preset, seed, list(peers), owned)
        self._peak = 0
        self._hung: Counter[str | None] = Counter()
        try:
            self._worker = self._new_worker()
            kernels, hello = describe_kernels(peers, owned), self._worker.hello
            header = resume.header(preset, seed, problem, hello, before, kernels, peers, names, owned)
            # Made as late as this, so that a run which is killed before has left no journal without a header.
            self._journal = journal or Journal(folder)
            self._ledger = Ledger(self._journal, header, start)
            self._measure_machine(preset)
            if self.warnings:
                self._ledger.write({"type": "Warning", "cell": None, "words": self.warnings})
        except BaseException:
            self.abandon()
            raise

    def _measure_machine(self, preset: Preset) -> None:
        """What the preset wants to be known of the machine and of compiling, unless the journal knows it already."""
        known = {record["type"] for record in self._ledger.records}
        if preset.ceilings and "ceilings" not in known:
            self._ledger.write(ceilings.record(self._worker.ceilings()))
        if preset.causes and "compiling" not in known:
            self._ledger.write(compiling.record(compiling.measure(k.name for k in KERNELS.values() if k.compiled)))

    def unfinished(self) -> list[Cell]:
        """The planned cells that lack rounds."""
        return [cell for cell in self.preset.cells if not self._ledger.of(cell).complete]

    def measure(self, wanted: Mapping[Cell, Sequence[str]], on_event: OnEvent = lambda *_: None) -> None:
        """Measure what is missing of kernels on cells, with their baselines and the A/A control.

        The cells of a batch are interleaved too: each takes some rounds, then the next does. A machine that is slow
        for some seconds is so for some rounds of every cell, and not for all the rounds of one.

        Args:
            wanted: Cell -> kernels; the baselines that the cell can hold are added.
            on_event: Told each event, with its cell, after it is on disk.
        """
        for batch in batches(list(wanted)):
            left = {cell: wanted[cell] for cell in batch if not self._ledger.of(cell).complete}
            while left:
                try:
                    self._measure_together(left, on_event)
                except Died as died:
                    # What follows is what a resumed run does: the others go on where they are.
                    self._end_worker()
                    self._worker = self._new_worker()
                    self._hung.update([died.kernel] if died.hung else [])
                    cell = next(cell for cell in left if cell.id == died.cell)
                    failed = self._contestants(cell, left[cell]) if died.kernel is None else [died.kernel]
                    for name in failed:
                        event = Failed(name, f"{name}: {died.reason}")
                        self._ledger.note(cell, event)
                        on_event(cell, event)

    def _measure_together(self, left: dict[Cell, Sequence[str]], on_event: OnEvent) -> None:
        """Measure what is left of a batch; a cell that has ended is taken out of it."""
        # Beyond what it holds already: the allocator keeps what the cells before have freed, and so do some libraries.
        need = LEAK * sum(self._need(cell, left[cell]) for cell in left)
        held = self._worker.rss
        most = held + min(need, int(MOST * machine.memory_limit()))
        running = []
        for cell, names in left.items():
            events = self._journaled(cell, names, held, most, on_event)
            running.append((cell, events))
            self._advance(cell, events, Calibrated)
        while running:
            still = []
            for cell, events in running:
                if all(self._advance(cell, events, Round) for _ in range(VISIT_ROUNDS)):
                    still.append((cell, events))
                else:
                    del left[cell]
                    words = self._conditions.words(cell)
                    if words:
                        self._ledger.write({"type": "Warning", "cell": cell.id, "words": words})
            running = still

    def _advance(self, cell: Cell, events: Iterator[Event], until: type[Event]) -> bool:
        """Take the events of a cell up to one of type `until`; False if there are no more."""
        with self._conditions.of(cell, self._worker.pid):
            return any(isinstance(event, until) for event in events)

    def _journaled(self, cell: Cell, names: Sequence[str], held: int, most: int, on_event: OnEvent) -> Iterator[Event]:
        """The events of a cell, each on disk before it is given; the gate's are not written a second time."""
        told = set(self._ledger.of(cell).told)
        for event in self._events(cell, names):
            if (type(event).__name__, getattr(event, "kernel", "")) not in told:
                self._ledger.note(cell, event)
            on_event(cell, self._ledger.of(cell).ahead(event) if isinstance(event, Calibrated) else event)
            yield event
            if self._worker.rss > most:
                where, name, growth = self._worker.greediest()
                if growth > (self._worker.rss - held) / 2:  # else no one contestant took it
                    size = machine.human_bytes(self._worker.rss)
                    raise Died(where, name, f"leaks memory: the process held {size} after its calls")

    def _events(self, cell: Cell, names: Sequence[str]) -> Iterator[Event]:
        if cell.id not in self._ledger.progress:
            self._ledger.begin(cell, self._worker.pools(cell.threads))
        progress = self._ledger.of(cell)
        if progress.calibrated is None:
            limit = machine.memory_limit()
            peers = [name for name in self._held(cell, names) if name in PEERS]
            need, least = self._need(cell, names), self._need(cell, ())
            if need > limit:
                many = self._held(cell, names) if least > limit else peers
                reason = f"needs {machine.human_bytes(need)} of memory, of which {machine.human_bytes(limit)} are free"
                for name in many:
                    yield Skipped(name, reason, float("nan"))
        for name in self._contestants(cell, names):
            if self._hung[name] >= PATIENCE:
                yield Failed(name, f"{name}: not called: it did not return in {self._hung[name]} other cells")
        labels = progress.left(progress.calibrated.loops if progress.calibrated else self._contestants(cell, names))
        if any(is_kernel(label) for label in labels):
            yield from self._worker.events(cell, labels, progress.frozen)

    def _held(self, cell: Cell, names: Sequence[str]) -> list[str]:
        """The kernels of a cell: those asked for, and the baselines."""
        held = [name for name in names_for(cell, self.peers) if name in names or name in BASELINES]
        return held + [name for name in names if name in self.owned]

    def _contestants(self, cell: Cell, names: Sequence[str]) -> list[str]:
        """What is still measured in a cell: its kernels and the control."""
        variants = [name for name in VARIANTS if (name in OF_ALL_THREADS) == (cell.threads > 1)]
        if not (self.preset.causes and cell.explained):
            variants = []
        ruler = [READ] if self.preset.ceilings and not cell.iterations and cell.nbytes > LAST_BYTES else []
        return self._ledger.of(cell).left([*self._held(cell, names), *variants, CONTROL, *ruler])

    def _need(self, cell: Cell, names: Sequence[str]) -> int:
        """Bytes of memory that a cell needs; peers share a copy of X in order C, and each has vectors of its own."""
        peers = len(PEERS.keys() & set(names))
        copies = 3 + (peers > 0 and cell.order == "F")
        return copies * cell.nbytes + peers * PEER_VECTORS * 8 * cell.m + SPARE_BYTES

    def _end_worker(self) -> None:
        self._peak = max(self._peak, self._worker.peak)
        self._worker.close()

    def run(self) -> Run:
        """What has been measured so far."""
        return from_records(self._ledger.records)

    def close(self, interrupted: bool = False) -> Run:
        """End the run, its worker and its journal."""
        if self.preset.ceilings and not interrupted:
            # Once more: what else the host does in some seconds is no ceiling, and may change in a run's time.
            self._ledger.write(ceilings.record(self._worker.ceilings()))
        if self.preset.causes and not interrupted:
            self._ledger.write({"type": "counts", "counts": self._worker.counts()})
        self._end_worker()
        end = {"type": "end", "wall": self._ledger.elapsed(), "after": machine.moment(), "interrupted": interrupted}
        self._ledger.write({**end, "peak_bytes": self._peak})
        self._ledger.close()
        return self.run()

    def abandon(self) -> None:
        """End without another record, as if killed: for a folder that can't be written to any more."""
        worker = getattr(self, "_worker", None)  # it may not have come to one
        if worker is not None:
            worker.close()
        if self._journal is not None:
            self._journal.close()


def resumed(folder: Path) -> tuple[Session, list[str]]:
    """A session that goes on with the run in a folder, and the kernels that it measures.

    Raises:
        NotARun: If there is none, or if it is damaged.
        NotTheSame: If it can't go on here, with the reason.
        OSError: If another process is writing to it, or if it can't be written to.
    """
    header = load(folder).header  # a run that can be read
    names = header.get("names")
    if names is None:
        raise NotTheSame("what each of its cells is measured with is not known; only those of unloop run are resumed")
    preset = resume.preset_of(header)
    journal = Journal(folder, resume=True)
    seed, problem, peers, owned = (header[key] for key in ("seed", "problem", "peers", "own"))
    return Session(folder, preset, seed, problem, peers, names, owned, journal), names
