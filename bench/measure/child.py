"""The worker's side: a process that builds the problems, calls the kernels, and answers its session over a pipe.

It imports everything that holds thread pools, and takes one step when the session asks for one: an event goes over the
pipe, and the process sleeps until the session has it on disk and asks for the next.
"""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from bench import agreement
from bench.agreement import Point
from bench.grid import ALPHA, Cell, Plan
from bench.machine import ceilings, memory, quiet, threads
from bench.machine.ruler import Ruler
from bench.measure import contestants, counts
from bench.measure.engine import Frozen, Trial
from bench.problem import Problem
from bench.results.place import Pool
from bench.results.records import Ceiling, EventRecord
from kernels._cache import cache_folder, keep_on_disk
from kernels.peers import PEERS

NO_KERNEL = -1
LARGE_BYTES = 2**23  # of X: what such a problem leaves behind is worth returning to the system
PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


class Process(NamedTuple):
    """A measuring process: module -> version of the peers' libraries, its thread pools, and its settings."""

    libraries: dict[str, str]
    pools: list[Pool]
    environment: dict[str, str]


class Answer(NamedTuple):
    """What the session gets for each question.

    Attributes:
        value: The answer; where `raised`, the exception in words.
        raised: Whether an exception ended it.
        rss: Bytes of memory that the process has now.
        peak: The most that it had at any time, within calls too.
    """

    value: Any
    raised: bool
    rss: int
    peak: int


class Growth(NamedTuple):
    """By how many bytes the process grew during the calls of a contestant in a cell (its id)."""

    cell: str
    label: str
    nbytes: int


class Link(NamedTuple):
    """What connects a worker with its session.

    Attributes:
        pipe: The worker's end.
        session_pipe: The session's end, where a forked worker has inherited it: it has to close it, or it would never
            see the end of the session.
        session: The session's process id.
        stage: Shared memory: the number of the contestant that is being called, and how many calls there were so far.
    """

    pipe: Connection
    session_pipe: Connection | None
    session: int
    stage: Any


def serve(link: Link, plan: Plan) -> None:
    """The worker's life: answer the session's questions, until the session is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if link.session_pipe is not None:
        link.session_pipe.close()
    _die_with_the_session(link.session)
    measuring = Measuring(link.stage, plan)
    process = psutil.Process()
    raised = False
    value: Any = measuring.describe()
    while True:
        try:
            rss = process.memory_info().rss
            link.pipe.send(Answer(value, raised, rss, max(rss, memory.peak_bytes())))
        except OSError:
            return
        try:
            question, arguments = link.pipe.recv()
        except (EOFError, OSError):
            return
        try:
            raised, value = False, getattr(measuring, question)(*arguments)
        except Exception as error:
            raised, value = True, f"raised {type(error).__name__}: {error}"


def _die_with_the_session(session: int) -> None:
    """On Linux: a kernel that hangs does not outlive the run, and the worker is the first to be killed for memory."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != session:  # it died before the line above, and its signal never comes
            os._exit(1)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")


class Measuring:
    """Problems, contestants, and the engine's generators; each public method answers a question of the session."""

    def __init__(self, stage: Any, plan: Plan) -> None:
        self._stage, self._plan = stage, plan
        self._prepared: tuple[Cell, Problem, Any] | None = None
        self._events: dict[Cell, Iterator[EventRecord]] = {}
        self._expected: dict[Cell, Any] = {}
        self._process = psutil.Process()
        self._ruler = Ruler()
        self._growth: dict[tuple[str, str], int] = {}
        self._called: tuple[str, str] | None = None
        self._rss = 0

    def describe(self) -> Process:
        """Load the peers and describe this process."""
        memory.keep_freed_memory()
        keep_on_disk(cache_folder())
        libraries = threads.load(PEERS[name] for name in self._plan.peers)
        return Process(libraries, threads.described(), quiet.settings())

    def pools(self, count: int) -> dict[str, int]:
        """Pool -> threads, limited to so many threads."""
        with threads.limited_to(count):
            return threads.counts()

    def ceilings(self) -> list[Ceiling]:
        """What the machine can do at most."""
        return ceilings.measure()

    def counts(self) -> dict[str, dict[str, float]]:
        """What the rungs do in a call."""
        return counts.in_a_fresh_process()

    def begin(self, cell: Cell, labels: Sequence[str], frozen: Frozen | None, process: int, expected: Any) -> None:
        """Begin a cell; `step` then measures it. What is expected of it is computed where it is None."""
        if expected is not None:
            self._expected[cell.with_setting(threads=1)] = expected
        self._events[cell] = self._measure(cell, labels, frozen, process)

    def expected(self, cell: Cell) -> Any:
        """What is expected of a cell that was begun, for the processes that come later."""
        return self._prepare(cell)[1]

    def step(self, cell: Cell) -> EventRecord | None:
        """The next event of a cell, None if there are no more."""
        event = next(self._events[cell], None)
        if event is None:
            del self._events[cell]
        if not self._events:
            self._growth.clear()
        return event

    def greediest(self) -> Growth:
        """Whose calls made this process grow most."""
        (cell, label), nbytes = max(self._growth.items(), key=lambda item: item[1], default=(("", ""), 0))
        return Growth(cell, label, nbytes)

    def _measure(self, cell: Cell, labels: Sequence[str], frozen: Frozen | None, process: int) -> Iterator[EventRecord]:
        numbers = {label: number for number, label in enumerate(labels)}

        def announce(label: str | None) -> None:
            rss = self._process.memory_info().rss
            if self._called is not None:
                self._growth[self._called] = self._growth.get(self._called, 0) + rss - self._rss
            self._called, self._rss = (cell.id, label) if label is not None else None, rss
            self._stage[0] = NO_KERNEL if label is None else numbers[label]
            self._stage[1] += 1

        taking_part = {label: contestants.contestant(label, self._plan.own) for label in labels}
        problem, expected = self._prepare(cell)
        preset, seed = self._plan.preset, self._plan.seed
        trial = Trial(cell, problem, expected, preset, seed, taking_part, frozen, process, announce, self._ruler)
        yield from trial.events()

    def _prepare(self, cell: Cell) -> tuple[Problem, Any]:
        """The cell's problem and what is expected of it; kept for the next, which often differs in threads only."""
        key = cell.with_setting(threads=1)
        if self._prepared is None or self._prepared[0] != key:
            large = self._prepared is not None and self._prepared[0].nbytes > LARGE_BYTES
            self._prepared = None  # frees the last problem before the next is made
            if large:
                memory.release_freed_memory()
            problem = contestants.problem_of(cell, self._plan.seed)
            expected = self._expected.pop(key, None)
            if expected is None and cell.iterations:
                expected = (Point(problem.w, problem.b, agreement.expect_descent(problem, ALPHA, cell.iterations)),)
            elif expected is None:
                expected = agreement.points(problem)
            self._prepared = key, problem, expected
        return self._prepared[1], self._prepared[2]
