"""A run of claims: fresh processes one after another, a journal of what they measured, and what came of it.

The unit of the journal is what one process measured of one claim at one size; a run that is killed loses no more than
the unit it was in, and a resumed one measures the rest. Where a way crashes or hangs, its process is replaced and goes
on without it.
"""

import hashlib
import importlib.metadata
import multiprocessing
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.claims import child, outcome, published
from bench.claims.child import NO_WAY, Job, Link
from bench.claims.journal import FILE, Journal, read
from bench.claims.records import AnyRecord, Begun, ClaimCard, Ended, Failed, Plan, Share, Sized
from bench.claims.results import Claims
from bench.machine import card
from bench.measure.own_kernel import signal_name
from bench.words import WrongUse, nearest

PATIENCE = 60.0  # seconds without a new call, after which one hangs
OnUnit = Callable[[str], None]


class Died(Exception):
    """The end of a process: during a call of which way ("" if of none), and how."""

    def __init__(self, way: str, reason: str) -> None:
        super().__init__(reason)
        self.way = way
        self.reason = reason


class Worker:
    """A process that measures."""

    def __init__(self, plan: Plan, patience: float) -> None:
        context: Any = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._stage = context.RawArray("q", (NO_WAY, 0))
        link = Link(theirs, os.getpid(), self._stage)
        self._process = context.Process(target=child.serve, args=(link, plan), name="unloop claims", daemon=True)
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited until the process ignores it itself
        try:
            self._process.start()
        finally:
            signal.signal(signal.SIGINT, before)
        theirs.close()
        self._patience = patience
        self._names: list[str] = []

    def cards(self) -> list[ClaimCard]:
        """The claims, once they are loaded.

        Raises:
            WrongUse: If one can't be.
            Died: If loading them ended the process, or takes too long.
        """
        answer: list[ClaimCard] | str = self._receive()
        if isinstance(answer, str):
            raise WrongUse(answer)
        return answer

    def measure(self, job: Job, claim: ClaimCard) -> Iterator[AnyRecord]:
        """The records of a job.

        Raises:
            Died: If a call ended the process, or does not return.
        """
        self._names = [way.name for way in claim.ways]
        try:
            self._pipe.send(job)
        except OSError:
            raise self._died() from None
        while (record := self._receive()) is not None:
            yield record

    def _receive(self) -> Any:
        before = None
        try:
            while not self._pipe.poll(self._patience):
                now = tuple(self._stage)
                if now == before or self._names == []:
                    way = self._way()
                    self.close()
                    raise Died(way, f"does not return within {self._patience:g} s")
                before = now
            return self._pipe.recv()
        except (EOFError, OSError):
            raise self._died() from None

    def _way(self) -> str:
        number = int(self._stage[0])
        return self._names[number] if 0 <= number < len(self._names) else ""

    def _died(self) -> Died:
        way = self._way()
        self._process.join(5.0)
        code = self._process.exitcode
        self.close()
        how = f"crashed with {signal_name(-code)}" if code is not None and code < 0 else f"exited with code {code}"
        return Died(way, how)

    def close(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


class Session:
    """A run of claims in a folder, from `open` or `resume` to `close`.

    Attributes:
        plan: What is to be measured.
        cards: The claims.
    """

    def __init__(self, journal: Journal, plan: Plan, cards: list[ClaimCard], worker: Worker, patience: float) -> None:
        self.plan, self.cards = plan, cards
        self._journal, self._worker, self._patience = journal, worker, patience
        self._process: int | None = None
        self._start = time.perf_counter()

    @classmethod
    def open(cls, plan: Plan, folder: Path, patience: float = PATIENCE) -> "Session":
        """Begin a run in a folder.

        Raises:
            WrongUse: For a claim that can't be loaded, or a folder with claims in it.
        """
        return cls._begin(plan, folder, False, patience)

    @classmethod
    def resume(cls, folder: Path, patience: float = PATIENCE) -> "Session":
        """Resume the run in a folder.

        Raises:
            WrongUse: If there is none, if it is damaged or in use, or if it was begun on another machine.
        """
        if not (folder / FILE).is_file():
            raise WrongUse(f"there is no {FILE} in {folder}; name the folder of an interrupted unloop reproduce")
        (first, *_), _ = read(folder / FILE)
        assert isinstance(first, Begun)
        return cls._begin(first.plan, folder, True, patience)

    @classmethod
    def _begin(cls, plan: Plan, folder: Path, resume: bool, patience: float) -> "Session":
        for name in plan.claims:
            require(name)
        sources = {Path(name).name: source(name) for name in plan.claims}
        with ExitStack() as stack:
            worker = Worker(plan, patience)
            stack.callback(worker.close)
            try:
                cards = worker.cards()
            except Died as died:
                what = ", ".join(name for name in plan.claims if is_file(name)) or "a claim"
                raise WrongUse(f"{what}: {died.reason} when it is run, before any of its ways is called") from None
            ids = [each.id for each in cards]
            if len(set(ids)) < len(ids):
                raise WrongUse(f"two claims would have one name, among {', '.join(ids)}; rename one of the files")
            journal = Journal(folder, resume)
            stack.callback(journal.close)
            version = importlib.metadata.version("unloop")
            begun = Begun(plan, cards, card.card(), card.moment().date, version, sources)
            if resume:
                _require_same(journal.records[0], begun)
            else:
                journal.write(begun)
            stack.pop_all()
        return cls(journal, plan, cards, worker, patience)

    @property
    def records(self) -> list[AnyRecord]:
        """The records of its journal."""
        return self._journal.records

    def units(self) -> list[tuple[int, ClaimCard, int]]:
        """What is still to be measured: process, claim, size; all of one process stand together."""
        done = {(r.claim, r.wanted, r.process) for r in self._journal.records if isinstance(r, Share)}
        dead = {(r.claim, r.wanted) for r in self._journal.records if isinstance(r, Failed) and not r.way}
        return [
            (process, claim, n)
            for process in range(self.plan.processes)
            for claim in self.cards
            for n in self.plan.sizes or (claim.n,)
            if (claim.id, n, process) not in done and (claim.id, n) not in dead
        ]

    def measure(self, on_unit: OnUnit = lambda _: None, on_failure: OnUnit = lambda _: None) -> None:
        """Measure what is missing.

        Args:
            on_unit: Called before each unit with what it is.
            on_failure: Called with each failure, a line.
        """
        for process, claim, n in self.units():
            on_unit(f"process {process + 1} of {self.plan.processes}: {claim.id}")
            if self._process is not None and self._process != process:
                self._renew()
            self._process = process
            while not self._unit(process, claim, n, on_failure):
                self._renew()

    def _unit(self, process: int, claim: ClaimCard, n: int, on_failure: OnUnit) -> bool:
        """Measure a unit; False if its process died and it has to be tried again, without the way that did it."""
        mine = [r for r in self._journal.records if getattr(r, "claim", None) == claim.id and r.wanted == n]  # type: ignore[union-attr]
        failed = [r for r in mine if isinstance(r, Failed)]
        if any(not r.way for r in failed):
            return True
        sized = next((r for r in mine if isinstance(r, Sized)), None)
        job = Job(claim.id, n, process, frozenset(r.way for r in failed), sized)
        try:
            for record in self._worker.measure(job, claim):
                self._note(record, claim, on_failure)
        except Died as died:
            way = f"{died.way} {died.reason} at size {n:,}" if died.way else f"its setup {died.reason} at size {n:,}"
            self._note(Failed(claim.id, n, died.way, way), claim, on_failure)
            return False
        return True

    def _note(self, record: AnyRecord, claim: ClaimCard, on_failure: OnUnit) -> None:
        self._journal.write(record)
        if isinstance(record, Failed):
            on_failure(f"{claim.file or claim.id}: {record.reason}")

    def _renew(self) -> None:
        self._worker.close()
        self._worker = Worker(self.plan, self._patience)
        self._worker.cards()

    def close(self) -> Claims:
        """End the run; what it measured so far."""
        self._worker.close()
        self._journal.write(Ended(time.perf_counter() - self._start))
        self._journal.close()
        return outcome.of(self._journal.records)


def is_file(name: str) -> bool:
    """Whether a name is that of a file, and not of a published claim."""
    return name.endswith(".py")


def require(name: str) -> None:
    """Refuse a name that is no published claim and no file.

    Raises:
        WrongUse: In one line.
    """
    if is_file(name):
        if not Path(name).is_file():
            raise WrongUse(f"there is no file {name}")
        if not re.fullmatch(r"\w+", Path(name).stem):
            raise WrongUse(f"{name}: name the file in letters, digits and _, as a variable")
    elif name not in published.PUBLISHED:
        raise nearest("claim", name, published.PUBLISHED)


def source(name: str) -> str:
    """A hash of the file that a claim stands in, so that a run is resumed with the same one."""
    file = Path(name) if is_file(name) else Path(published.__file__).parent / f"{name.replace('-', '_')}.py"
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def _require_same(first: AnyRecord, here: Begun) -> None:
    assert isinstance(first, Begun)
    for what, then, now in (
        ("on another machine, or with other versions", first.machine, here.machine),
        ("with another version of the claims", first.sources, here.sources),
    ):
        if then != now:
            raise WrongUse(f"this run was begun {what}; measure a new one")
