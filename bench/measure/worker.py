"""The session's side of the process that calls the kernels: one of them may crash, hang or leak, and the run continues.

A run is several workers, one after another: where code and data lie differs from process to process, and so does the
time that a kernel takes there. The session sleeps while a round is measured.

Before a kernel is called, outside all timing, its number is put into memory that both processes see. So when the worker
dies, or a call does not return, the session knows whose call it was; it starts a new worker, which continues as a
resumed run does.
"""

import atexit
import contextlib
import multiprocessing
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from bench.grid import Cell, Plan
from bench.machine import clocks
from bench.machine.clocks import Compared
from bench.measure import child
from bench.measure.child import NO_KERNEL, Answer, Growth, Link, Process
from bench.measure.engine import Frozen
from bench.measure.own_kernel import signal_name
from bench.results.records import Ceiling, EventRecord

START = "spawn"  # a process of its own; forked, a worker would lack the threads of the pools that its parent uses
# A call is predicted to take no longer than the cap. One that takes five times as long, and a minute more in case it
# compiles (torch.compile runs a C++ compiler), on a machine that is busy otherwise, does not return.
COMPILE_SECONDS = 60.0
CAPS = 5.0
OWN_SECONDS = 900.0  # for what calls no kernel: making a large problem and what is expected of it, counting
LOOK_SECONDS = 1.0  # a worker may end and leave processes of its own that keep its end of the pipe open
STARTS = 3  # of a process, or tries of a question, until it is given up

T = TypeVar("T")


class Died(Exception):
    """The end of a worker: in which cell (its id), during a call of which kernel (None if of none), and why."""

    def __init__(self, cell: str, kernel: str | None, reason: str, hung: bool = False) -> None:
        super().__init__(f"the process that measures {reason}")
        self.cell = cell
        self.kernel = kernel
        self.reason = reason
        self.hung = hung


class Worker:
    """A process that measures, from `Worker.start(plan)` to `close()`.

    Attributes:
        process: What it reports of its process.
        rss: Bytes of memory that it has, as of its last answer.
        peak: The most that it had at any time, within calls too.
    """

    process: Process

    def __init__(self, pipe: Connection, stage: Any, child: Any, patience: float) -> None:
        self._pipe, self._stage, self._child, self._patience = pipe, stage, child, patience
        self._cell = ""
        self._labels: Sequence[str] = ()
        self.rss = self.peak = 0
        self._clock, self._asked = Compared(), clocks.now()
        # Ended with this object; or by _end_all, before the interpreter waits for its children at exit.
        self._end = weakref.finalize(self, _end, pipe, child)
        self._end.atexit = False
        _alive.add(self)

    @classmethod
    def start(cls, plan: Plan, starts: int = STARTS) -> "Worker":
        """Start a worker for a plan, and wait until it is ready.

        Raises:
            Died: If it ended before, and so did all that were started in its place.
        """
        context: Any = multiprocessing.get_context(START)
        ours, theirs = context.Pipe()
        stage = context.RawArray("q", (NO_KERNEL, 0))
        # A forked child has the session's end of the pipe too.
        link = Link(theirs, ours if START == "fork" else None, os.getpid(), stage)
        process = context.Process(target=child.serve, args=(link, plan), name="unloop worker")
        with _without_ctrl_c():
            process.start()
        theirs.close()
        worker = cls(ours, stage, process, COMPILE_SECONDS + CAPS * plan.preset.cap)
        try:
            worker.process = worker._answer()
        except Died:
            if starts == 1:
                raise
            return cls.start(plan, starts - 1)
        return worker

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(self._child.pid)

    def pools(self, threads: int) -> dict[str, int]:
        """Pool -> threads, limited to a number of threads."""
        counts: dict[str, int] = self._ask("pools", threads)
        return counts

    def ceilings(self) -> list[Ceiling]:
        """What the machine can do at most; some seconds."""
        ceilings: list[Ceiling] = self._ask("ceilings")
        return ceilings

    def counts(self) -> dict[str, dict[str, float]]:
        """What the rungs do in a call, counted; quick where they are compiled already."""
        counts: dict[str, dict[str, float]] = self._ask("counts")
        return counts

    def events(
        self, cell: Cell, labels: Sequence[str], frozen: Frozen | None, process: int = 0, expected: Any = None
    ) -> Iterator[EventRecord]:
        """The engine's events in a cell, each measured when it is needed.

        Args:
            cell: The cell.
            labels: What takes part.
            frozen: What an earlier worker fixed and measured.
            process: Which of the plan's processes this worker is.
            expected: What is expected of the cell, if an earlier worker has computed it.

        Raises:
            Died: If the worker ended, or had to be ended.
        """
        self._cell, self._labels = cell.id, labels
        self._ask("begin", cell, list(labels), frozen, process, expected)
        while True:
            self._cell, self._labels = cell.id, labels  # other cells may have had their turn
            event: EventRecord | None = self._ask("step", cell)
            if event is None:
                return
            yield event

    def expected(self, cell: Cell) -> Any:
        """What is expected of a cell that this worker measures now."""
        return self._ask("expected", cell)

    def greediest(self) -> Growth:
        """During whose calls the worker's memory grew most."""
        growth: Growth = self._ask("greediest")
        return growth

    def close(self) -> None:
        """End the process at once."""
        self._end()

    def _ask(self, question: str, *arguments: Any) -> Any:
        self._stage[0], self._asked = NO_KERNEL, clocks.now()
        try:
            self._pipe.send((question, arguments))
        except OSError:
            raise self._died() from None
        return self._answer()

    def _answer(self) -> Any:
        try:
            stage, since = tuple(self._stage), time.monotonic()
            while not self._pipe.poll(min(LOOK_SECONDS, self._patience)):
                now, patience = tuple(self._stage), self._patience if self._stage[0] != NO_KERNEL else OWN_SECONDS
                if now != stage:
                    stage, since = now, time.monotonic()
                elif time.monotonic() - since > patience:
                    kernel = self._kernel()
                    self.close()
                    raise Died(self._cell, kernel, f"did not return within {patience:g} s", hung=True)
                elif not self._child.is_alive() and not self._pipe.poll():
                    raise self._died()
            answer: Answer = self._pipe.recv()
            self.rss, self.peak = answer.rss, answer.peak
        except Died:
            raise
        except Exception:  # its end, or what a kernel has written into the pipe
            raise self._died() from None
        if self._clock.differs(self._asked, answer.clock, clocks.now()):
            raise Died(self._cell, None, "has a clock that does not run as others do: a kernel has changed it")
        if answer.raised:
            raise Died(self._cell, self._kernel(), answer.value)
        return answer.value

    def _kernel(self) -> str | None:
        return None if self._stage[0] == NO_KERNEL else self._labels[self._stage[0]]

    def _died(self) -> Died:
        kernel = self._kernel()
        self._child.join(5.0)
        code = self._child.exitcode
        self.close()
        return Died(self._cell, kernel, _cause(code))


class Workers:
    """The worker of a session, and those that take its place: one at a time.

    Attributes:
        worker: The one that measures now.
        process: Which of the plan's processes it is; None if it has measured for none yet.

    Raises:
        Died: If none can be started.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._peak = 0
        self.worker = Worker.start(plan)
        self.process: int | None = None

    def enter(self, process: int) -> None:
        """Let a fresh worker measure, unless the one that is there has measured for no other process yet."""
        if self.process is not None and self.process != process:
            self.replace()
        self.process = process

    def replace(self) -> None:
        """Let a fresh worker take the place of this one.

        Raises:
            Died: If none can be started.
        """
        self.close()
        self.worker = Worker.start(self._plan)

    def asked(self, question: Callable[[Worker], T]) -> T:
        """The worker's answer to a question about the machine, or that of the next worker where this one dies.

        Raises:
            Died: If they all do.
        """
        for _ in range(STARTS - 1):
            try:
                return question(self.worker)
            except Died:
                self.replace()
        return question(self.worker)

    @property
    def peak(self) -> int:
        """The most memory that one of them had, in bytes."""
        return max(self._peak, self.worker.peak)

    def close(self) -> None:
        """End the worker at once."""
        self._peak = self.peak
        self.worker.close()


# The workers that were not closed yet. multiprocessing has its own hook, which waits for them; it is registered when it
# is imported, so it comes after this one.
_alive: "weakref.WeakSet[Worker]" = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """End what an exception has left behind: nobody may wait for a worker that waits for a question."""
    for worker in list(_alive):
        worker.close()


def _cause(code: int | None) -> str:
    if code is None:
        return "lost the connection to the run"
    if code >= 0:
        return f"ended the process with exit code {code}"
    name = signal_name(-code)
    return f"crashed with {name}" + (": killed from outside, perhaps for want of memory" if name == "SIGKILL" else "")


def _end(pipe: Connection, process: Any) -> None:
    with _without_ctrl_c():
        process.kill()
        process.join()
        pipe.close()


@contextlib.contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Ctrl-C is ignored inside; also by a process that is started there, to which a terminal would send it too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
