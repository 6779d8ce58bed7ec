"""The session's side of the process that calls the kernels: one of them may crash, hang or leak, and the run continues.

A run is several workers, one after another: where code and data lie differs from process to process, and so does the
time that a kernel takes there. The session sleeps while a round is measured.

Before a kernel is called, outside all timing, its number is put into memory that both processes see. So when the worker
dies, or a call does not return, the session knows whose call it was; it starts a new worker, which continues as a
resumed run does.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
import weakref
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

from bench.grid import Cell, Plan
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


class Died(Exception):
    """The end of a worker: in which cell (its id), during a call of which kernel (None if of none), and why."""

    def __init__(self, cell: str, kernel: str | None, reason: str, hung: bool = False) -> None:
        super().__init__(reason)
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
        # Ended with this object, or before the interpreter waits for its children at exit.
        self._end = weakref.finalize(self, _end, pipe, child)

    @classmethod
    def start(cls, plan: Plan) -> "Worker":
        """Start a worker for a plan, and wait until it is ready.

        Raises:
            Died: If it ended before.
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
        worker.process = worker._answer()
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
        self._stage[0] = NO_KERNEL
        try:
            self._pipe.send((question, arguments))
        except OSError:
            raise self._died() from None
        return self._answer()

    def _answer(self) -> Any:
        try:
            before = None
            while not self._pipe.poll(self._patience):
                now = tuple(self._stage)
                if now == before and now[0] != NO_KERNEL:
                    kernel = self._kernel()
                    self.close()
                    raise Died(self._cell, kernel, f"did not return within {self._patience:g} s", hung=True)
                before = now
            answer: Answer = self._pipe.recv()
        except (EOFError, OSError):
            raise self._died() from None
        self.rss, self.peak = answer.rss, answer.peak
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


def _cause(code: int | None) -> str:
    if code is None or code >= 0:
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
