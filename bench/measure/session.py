"""A measuring session: the engine over the cells of a plan, its events in a run folder's journal."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from bench.grid import Cell, Plan, batches
from bench.machine import card, disturbances, memory
from bench.machine.disturbances import Disturbances
from bench.measure import compiling, ledger
from bench.measure.contestants import bytes_needed, do_not_fit, labels_in
from bench.measure.ledger import Ledger, NotTheSame
from bench.measure.worker import Died, Worker
from bench.results import is_kernel, load
from bench.results.journal import FILE, Journal
from bench.results.reader import from_records
from bench.results.records import (
    Calibrated,
    Ceiling,
    Ceilings,
    Compiling,
    Counts,
    End,
    Event,
    EventRecord,
    Failed,
    Round,
    Warned,
)
from bench.results.run import Run
from bench.words import human_bytes

LEAK = 2  # times what a batch needs; a worker that has more, or most of what is free, is taken to leak
MOST = 0.8
PATIENCE = 2  # cells in which a kernel may hang; then it is not called again, since each takes minutes to find out
VISIT_ROUNDS = 20  # of a cell, before the next cell's turn

OnEvent = Callable[[Cell, EventRecord], None]


class Session:
    """Measures cells one by one into a run folder; a worker process calls the kernels.

    Open one with `Session.open(plan, folder)` or `Session.resume(folder)`. It ends with `close()`, or with the block
    of a `with`: an exception that leaves the block abandons the session, anything else closes it.

    Attributes:
        plan: What is to be measured.
        folder: The run's folder.
        warnings: What was wrong with the machine before the run.
    """

    def __init__(self, folder: Path, plan: Plan, ledger: Ledger, worker: Worker) -> None:
        self.plan = plan
        self.folder = folder
        self.warnings: list[str] = []
        self._ledger = ledger
        self._worker = worker
        self._disturbances = Disturbances()
        self._hung: Counter[str | None] = Counter()
        self._peak = 0
        self._process: int | None = None  # which of the plan's processes the worker is
        self._planned: set[Cell] = set()
        self._ceilings: Mapping[int, Ceiling] = {}
        self._expected: dict[Cell, Any] = {}  # handed from the first process to the others
        self._over = False

    @classmethod
    def open(cls, plan: Plan, folder: Path) -> Self:
        """Begin a run in an empty folder.

        Raises:
            OSError: If the folder can't be written to.
        """
        return cls._begin(folder, plan, None)

    @classmethod
    def resume(cls, folder: Path) -> Self:
        """Resume the run in a folder.

        Raises:
            NotARun: If there is none, or if it is damaged.
            NotTheSame: If it was begun on another machine, or with other versions or kernels; or with kernels that
                differ by cell, as pytest selects them.
            NotAKernel: If one of its own kernels can't be loaded any more.
            OSError: If another process is writing to it, or if it can't be written to.
        """
        plan = load(folder).plan  # a run that can be read
        if not (folder / FILE).is_file():
            raise NotTheSame("it is finished, and its samples are compressed; measure a new run")
        if plan.names is None:
            raise NotTheSame(
                "it does not record which kernels each of its cells takes; only a run of unloop run can be resumed"
            )
        return cls._begin(folder, plan, Journal(folder, resume=True))

    @classmethod
    def _begin(cls, folder: Path, plan: Plan, journal: Journal | None) -> Self:
        start, before = time.perf_counter(), card.moment()
        with ExitStack() as stack:
            if journal is not None:
                stack.callback(journal.close)
            warnings = disturbances.before(plan.preset.sample_seconds)
            worker = Worker.start(plan)
            stack.callback(worker.close)
            header = ledger.header(plan, worker.process, before)
            if journal is None:
                # Made as late as this, so that a run which is killed before leaves no journal without a header.
                journal = Journal(folder)
                stack.callback(journal.close)
            book = Ledger(journal, start)
            book.begin_run(header)
            session = cls(folder, plan, book, worker)
            session._measure_machine()
            if warnings:
                session.warnings = warnings
                book.write(Warned(cell=None, words=warnings))
            stack.pop_all()  # from here on the session ends them
        return session

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.abandon()
        elif not self._over:
            self.close()

    def _measure_machine(self) -> None:
        """Measure the machine and the price of compiling, where the preset wants it and the journal lacks it."""
        known = {type(record) for record in self._ledger.records}
        if self.plan.preset.ceilings and Ceilings not in known:
            self._ledger.write(Ceilings(ceilings=self._worker.ceilings()))
        self._ceilings = self.run().ceilings
        if self.plan.preset.ceilings and Compiling not in known:
            self._ledger.write(Compiling(prices=compiling.known()))

    def unfinished(self) -> list[Cell]:
        """The planned cells that lack rounds."""
        return [cell for cell in self.plan.preset.cells if not self._ledger.of(cell).complete]

    def measure(self, wanted: Mapping[Cell, Sequence[str]], on_event: OnEvent = lambda *_: None) -> None:
        """Measure what is missing of kernels on cells, with their baselines and the A/A control.

        One fresh process after another takes its share of every cell. The cells of a batch are interleaved too: each
        takes some rounds, then the next does. A machine that is slow for some seconds is so for some rounds of every
        cell, and not for all the rounds of one.

        Args:
            wanted: Cell -> kernels; the baselines that the cell can have are added.
            on_event: Called with each event and its cell, once it is on disk.
        """
        for process in range(self.plan.preset.processes):
            unfinished = {cell: wanted[cell] for cell in wanted if not self._ledger.of(cell).complete_in(process)}
            if unfinished:
                self._enter(process)
                for batch in batches(list(unfinished)):
                    self._measure_batch({cell: unfinished[cell] for cell in batch}, on_event)

    def _enter(self, process: int) -> None:
        """Let a fresh worker measure, unless the one that is there has measured for no other process yet."""
        if self._process is not None and self._process != process:
            self._end_worker()
            self._worker = Worker.start(self.plan)
        self._process = process

    def _measure_batch(self, left: dict[Cell, Sequence[str]], on_event: OnEvent) -> None:
        """Measure the share of this process in a batch, whatever becomes of its workers."""
        while left:
            try:
                self._measure_together(left, on_event)
            except Died as died:
                # What follows is what a resumed run does: the others continue where they are.
                self._end_worker()
                self._worker = Worker.start(self.plan)
                self._hung.update([died.kernel] if died.hung else [])
                cell = next(cell for cell in left if cell.id == died.cell)
                for name in self._labels(cell, left[cell]) if died.kernel is None else [died.kernel]:
                    event = Failed(cell=cell.id, kernel=name, reason=f"{name}: {died.reason}")
                    self._ledger.note(event)
                    on_event(cell, event)

    def _measure_together(self, left: dict[Cell, Sequence[str]], on_event: OnEvent) -> None:
        """Measure what is left of a batch; a cell that has ended is taken out of it."""
        # Beyond what it has already: the allocator keeps what the cells before have freed, and so do some libraries.
        need = LEAK * sum(bytes_needed(cell, left[cell]) for cell in left)
        before = self._worker.rss
        most = before + min(need, int(MOST * memory.memory_limit()))
        running = []
        for cell, names in left.items():
            events = self._watched(self._journaled(cell, names, on_event), before, most)
            running.append((cell, events))
            self._advance(cell, events, Calibrated)
        while running:
            still = []
            for cell, events in running:
                if all(self._advance(cell, events, Round) for _ in range(VISIT_ROUNDS)):
                    still.append((cell, events))
                else:
                    del left[cell]
                    words = self._disturbances.words(cell) if self._ledger.of(cell).complete else []
                    if words:
                        self._ledger.write(Warned(cell=cell.id, words=words))
            running = still

    def _advance(self, cell: Cell, events: Iterator[EventRecord], until: type[Event]) -> bool:
        """Take the events of a cell up to one of type `until`; False if there are no more."""
        with self._disturbances.during_visit(cell, self._worker.pid):
            return any(isinstance(event, until) for event in events)

    def _watched(self, events: Iterator[EventRecord], before: int, most: int) -> Iterator[EventRecord]:
        """The events, until the worker has more than `most` bytes of memory, of `before` in the beginning.

        Raises:
            Died: If one contestant took most of what was added.
        """
        for event in events:
            yield event
            if self._worker.rss > most:
                growth = self._worker.greediest()
                if growth.nbytes > (self._worker.rss - before) / 2:
                    size = human_bytes(self._worker.rss)
                    reason = f"leaks memory: the process had {size} after its calls"
                    raise Died(growth.cell, growth.label, reason)

    def _journaled(self, cell: Cell, names: Sequence[str], on_event: OnEvent) -> Iterator[EventRecord]:
        """The events of a cell, each on disk before it is yielded; the gate's are not written a second time."""
        recorded = set(self._ledger.of(cell).recorded)
        for event in self._checked(cell, self._events(cell, names)):
            if ledger.key_of(event) not in recorded:
                self._ledger.note(event)
            if not isinstance(event, Calibrated):
                on_event(cell, event)
            elif cell not in self._planned:  # it comes again in each process
                self._planned.add(cell)
                on_event(cell, self._ledger.of(cell).ahead(event))
            yield event

    def _checked(self, cell: Cell, events: Iterator[EventRecord]) -> Iterator[EventRecord]:
        """The events; before a round with a sample that no machine like this can have taken, that its kernel failed."""
        for event in events:
            calibrated = self._ledger.of(cell).calibrated
            if isinstance(event, Round) and calibrated is not None:
                yield from ledger.refuted(cell, event, calibrated, self._ceilings.get(cell.threads))
            yield event

    def _events(self, cell: Cell, names: Sequence[str]) -> Iterator[EventRecord]:
        if cell.id not in self._ledger.progress:
            self._ledger.begin(cell, self._worker.pools(cell.threads))
        progress = self._ledger.of(cell)
        if progress.calibrated is None:
            yield from do_not_fit(self.plan, cell, names, memory.memory_limit())
        for name in self._labels(cell, names):
            if self._hung[name] >= PATIENCE:
                reason = f"{name}: not called: it did not return in {self._hung[name]} other cells"
                yield Failed(cell=cell.id, kernel=name, reason=reason)
        labels = self._labels(cell, names)
        if any(is_kernel(label) for label in labels):
            key = cell.with_setting(threads=1)
            process = self._process or 0
            for event in self._worker.events(cell, labels, progress.frozen, process, self._expected.get(key)):
                if key not in self._expected and self.plan.preset.processes > 1:
                    self._expected[key] = self._worker.expected(cell)
                yield event

    def _labels(self, cell: Cell, names: Sequence[str]) -> list[str]:
        """What is still measured in a cell."""
        return self._ledger.of(cell).left(labels_in(self.plan, cell, names))

    def _end_worker(self) -> None:
        self._peak = max(self._peak, self._worker.peak)
        self._worker.close()

    def run(self) -> Run:
        """What has been measured so far."""
        return from_records(self._ledger.records)

    def close(self, interrupted: bool = False) -> Run:
        """End the run, its worker and its journal."""
        if self.plan.preset.causes and not interrupted:
            # Once more: what else the host does in some seconds is no ceiling, and may change during a long run.
            self._ledger.write(Ceilings(ceilings=self._worker.ceilings()))
            self._ledger.write(Counts(counts=self._worker.counts()))
        self._end_worker()
        wall, after = self._ledger.elapsed(), card.moment()
        self._ledger.write(End(wall=wall, after=after, interrupted=interrupted, peak_bytes=self._peak))
        self._ledger.close()
        self._over = True
        return self.run()

    def abandon(self) -> None:
        """End without another record, as if killed: for a folder that can't be written to any more."""
        self._over = True
        self._worker.close()
        self._ledger.close()
