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
from bench.measure import compiling, ledger, verdicts
from bench.measure.contestants import bytes_needed, do_not_fit, labels_in
from bench.measure.ledger import Ledger, NotTheSame
from bench.measure.verdicts import Unreadable
from bench.measure.worker import Died, Worker, Workers
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

LEAK = 2  # times what a batch needs; a worker that has more, or most of what is free, is taken to leak
MOST = 0.8
PATIENCE = 2  # cells in which a kernel may hang; then it is not called again, since each takes minutes to find out
VISIT_ROUNDS = 20  # of a cell, before the next cell's turn
TRIES = 3  # of a cell in which worker after worker dies while it calls no kernel

OnEvent = Callable[[Cell, EventRecord], None]


class Session:
    """Measures cells one by one into a run folder; a worker process calls the kernels.

    Open one with `Session.open(plan, folder)` or `Session.resume(folder)`. It ends with `close()`, or with the block
    of a `with`: an exception that leaves the block abandons the session, anything else closes it.

    Attributes:
        plan: What is to be measured.
        folder: The run's folder.
        warnings: What was wrong with the machine before the run.
        left_out: The cells that killed worker after worker while no kernel was called; a resumed run tries them again.
    """

    def __init__(self, folder: Path, plan: Plan, ledger: Ledger, workers: Workers) -> None:
        self.plan = plan
        self.folder = folder
        self.warnings: list[str] = []
        self.left_out: list[Cell] = []
        self._ledger = ledger
        self._workers = workers
        self._disturbances = Disturbances()
        self._hung: Counter[str | None] = Counter()
        self._deaths: Counter[Cell] = Counter()  # while no kernel was called
        self._visited: Cell | None = None
        self._planned: set[Cell] = set()
        self._ceilings: Mapping[int, Ceiling] = {}
        self._expected: dict[Cell, Any] = {}  # handed from the first process to the others
        self._over = False

    @property
    def _worker(self) -> Worker:
        return self._workers.worker

    @classmethod
    def open(cls, plan: Plan, folder: Path) -> Self:
        """Begin a run in an empty folder.

        Raises:
            OSError: If the folder can't be written to.
            Died: If no process can measure.
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
            Died: If no process can measure.
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
            workers = Workers(plan)
            stack.callback(workers.close)
            header = ledger.header(plan, workers.worker.process, before)
            if journal is None:
                # Made as late as this, so that a run which is killed before leaves no journal without a header.
                journal = Journal(folder)
                stack.callback(journal.close)
            book = Ledger(journal, start)
            book.begin_run(header)
            session = cls(folder, plan, book, workers)
            session._measure_machine()
            if warnings:
                session.warnings = warnings
                book.write(Warned(cell=None, words=warnings))
            stack.pop_all()  # from here on the session ends them
        return session

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and not self._over:
                self.close()
        finally:
            if not self._over:
                self.abandon()

    def _measure_machine(self) -> None:
        """Measure the machine and the price of compiling, where the preset wants it and the journal lacks it."""
        known = {type(record) for record in self._ledger.records}
        if self.plan.preset.ceilings and Ceilings not in known:
            self._ledger.write(Ceilings(ceilings=self._workers.asked(Worker.ceilings)))
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
            left = [cell for cell in wanted if not self._ledger.of(cell).complete_in(process)]
            unfinished = {cell: wanted[cell] for cell in left if cell not in self.left_out}
            if unfinished:
                self._workers.enter(process)
                for batch in batches(list(unfinished)):
                    self._measure_batch({cell: unfinished[cell] for cell in batch}, on_event)

    def _measure_batch(self, left: dict[Cell, Sequence[str]], on_event: OnEvent) -> None:
        """Measure the share of this process in a batch, whatever becomes of its workers."""
        while left:
            try:
                self._measure_together(left, on_event)
            except Died as died:
                # What follows is what a resumed run does: the others continue where they are.
                self._workers.replace()
                if died.kernel is None:
                    self._try_again(left, died)
                    continue
                self._hung.update([died.kernel] if died.hung else [])
                cell = next(cell for cell in self.plan.preset.cells if cell.id == died.cell)
                event = Failed(cell=cell.id, kernel=died.kernel, reason=f"{died.kernel}: {died.reason}")
                self._ledger.note(event)
                on_event(cell, event)

    def _try_again(self, left: dict[Cell, Sequence[str]], died: Died) -> None:
        """Leave the cells as they are, for no kernel is to blame; but a cell that kills every worker is left out."""
        cell = self._visited
        if cell is None or cell not in left:
            raise died
        self._deaths[cell] += TRIES if died.hung else 1  # minutes are lost with one that hangs
        if self._deaths[cell] >= TRIES:
            del left[cell]
            self.left_out.append(cell)
            times = "" if died.hung else f"{TRIES} times "
            reason = f"{cell.label} is not complete: {times}{died}, while it called no kernel"
            self._ledger.write(Warned(cell=None, words=[f"{reason}; to try again, resume the run"]))

    def _measure_together(self, left: dict[Cell, Sequence[str]], on_event: OnEvent) -> None:
        """Measure what is left of a batch; a cell that has ended is taken out of it."""
        # Beyond what it has already: the allocator keeps what the cells before have freed, and so do some libraries.
        need = LEAK * sum(bytes_needed(cell, left[cell]) for cell in left)
        before = self._worker.rss
        most = before + min(need, int(MOST * memory.memory_limit()))
        running = []
        for cell, names in left.items():
            events = verdicts.watched(self._journaled(cell, names, on_event), self._worker, before, most)
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
        self._visited = cell
        with self._disturbances.during_visit(cell, self._worker.pid):
            return any(isinstance(event, until) for event in events)

    def _journaled(self, cell: Cell, names: Sequence[str], on_event: OnEvent) -> Iterator[EventRecord]:
        """The events of a cell, each on disk before it is yielded; the gate's are not written a second time."""
        recorded = set(self._ledger.of(cell).recorded)
        for event in self._judged(cell, self._events(cell, names)):
            if ledger.key_of(event) not in recorded:
                self._ledger.note(event)
            if not isinstance(event, Calibrated):
                on_event(cell, event)
            elif cell not in self._planned:  # it comes again in each process
                self._planned.add(cell)
                on_event(cell, self._ledger.of(cell).ahead(event))
            yield event

    def _judged(self, cell: Cell, events: Iterator[EventRecord]) -> Iterator[EventRecord]:
        """The events as they are written, each after what it proves of its kernels."""
        try:
            for event in events:
                yield from verdicts.judged(cell, event, self._ledger.of(cell), self._ceilings.get(cell.threads))
        except Unreadable as error:
            raise Died(cell.id, None, str(error)) from None

    def _events(self, cell: Cell, names: Sequence[str]) -> Iterator[EventRecord]:
        if cell.id not in self._ledger.progress:
            self._ledger.begin(cell, self._worker.pools(cell.threads))
        progress = self._ledger.of(cell)
        if progress.calibrated is None:
            yield from do_not_fit(self.plan, cell, names, memory.memory_limit())
        yield from verdicts.not_called(cell, self._labels(cell, names), self._hung, PATIENCE)
        labels = self._labels(cell, names)
        if any(is_kernel(label) for label in labels):
            key = cell.with_setting(threads=1)
            process = self._workers.process or 0
            for event in self._worker.events(cell, labels, progress.frozen, process, self._expected.get(key)):
                if key not in self._expected and self.plan.preset.processes > 1:
                    self._expected[key] = self._worker.expected(cell)
                yield event

    def _labels(self, cell: Cell, names: Sequence[str]) -> list[str]:
        """What is still measured in a cell."""
        return self._ledger.of(cell).left(labels_in(self.plan, cell, names))

    def run(self) -> Run:
        """What has been measured so far."""
        return from_records(self._ledger.records)

    def close(self, interrupted: bool = False) -> Run:
        """End the run, its worker and its journal."""
        if self.plan.preset.causes and not interrupted:
            try:
                # Once more: what else the host does in some seconds is no ceiling, and may change during a long run.
                self._ledger.write(Ceilings(ceilings=self._workers.asked(Worker.ceilings)))
                self._ledger.write(Counts(counts=self._workers.asked(Worker.counts)))
            except Died as died:
                self._ledger.write(Warned(cell=None, words=[f"{died}, while it measured the machine after the run"]))
        self._workers.close()
        wall, after = self._ledger.elapsed(), card.moment()
        self._ledger.write(End(wall=wall, after=after, interrupted=interrupted, peak_bytes=self._workers.peak))
        self._ledger.close()
        self._over = True
        return self.run()

    def abandon(self) -> None:
        """End without another record, as if killed: for a folder that can't be written to any more."""
        self._over = True
        self._workers.close()
        self._ledger.close()
