"""The process that calls the kernels: one of them may crash, hang or leak, and the run goes on without it.

One worker serves a whole run, so that what is compiled is compiled once. It inherits the memory layout and the
environment that `bench.quiet` has fixed. It takes one step when it is asked for one: an event goes over a pipe, and the
worker sleeps until the session has it on disk and asks for the next. The session sleeps while a round is measured.

Before a kernel is called, outside all timing, its number is put into memory that both processes see. So when the worker
dies, or a call does not return, the session knows whose call it was; it starts a new worker, which goes on as a
resumed run does.
"""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from bench.agreement import bounds as agreement
from bench.grid import ALPHA, Cell, Preset
from bench.machine import card as machine
from bench.machine import ceilings, quiet, threads
from bench.machine.ceilings import Ceiling
from bench.measure import contestants as roster
from bench.measure import engine
from bench.measure.own_kernel import signal_name
from bench.results.events import Event, Frozen
from kernels.peers import PEERS

START = "spawn"  # a process of its own; forked, a worker would lack the threads of the pools that its parent uses
NO_KERNEL = -1
# A call is predicted to take no longer than the cap. One that takes five times as long, and a minute more in case it
# compiles (torch.compile runs a C++ compiler), on a machine that is busy otherwise, does not return.
COMPILE_SECONDS = 60.0
CAPS = 5.0
LARGE_BYTES = 2**23  # of X: what such a problem leaves behind is worth giving back
PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


class Died(Exception):
    """The end of a worker, and the kernel that was being called; None where it was none."""

    def __init__(self, cell: str, kernel: str | None, reason: str, hung: bool = False) -> None:
        super().__init__(reason)
        self.cell = cell
        self.kernel = kernel
        self.reason = reason
        self.hung = hung


class Worker:
    """The session's side of a worker process.

    Args:
        preset: How long to measure.
        seed: Seed of the problems and of the order of samples.
        peers: The peers to import before anything is measured.
        owned: Name -> text of the own kernels, see `own.load`.

    Attributes:
        hello: What the worker tells of its process: libraries, pools, settings.
        rss: Bytes of memory that it holds, as of its last answer.
        peak: The most that it held at any time, within calls too.
    """

    def __init__(self, preset: Preset, seed: int, peers: Sequence[str], owned: Mapping[str, str]) -> None:
        context: Any = multiprocessing.get_context(START)
        self._pipe, theirs = context.Pipe()
        ours = self._pipe if START == "fork" else None  # a forked child holds it too, and so would never see its end
        self._stage = context.RawArray("q", 2)  # number of the contestant that is being called; how many calls so far
        self._patience = COMPILE_SECONDS + CAPS * preset.cap
        self._labels: list[str] = []
        self._cell = ""
        self.rss = self.peak = 0
        self._process = context.Process(
            target=_serve,
            args=(theirs, ours, os.getpid(), self._stage, preset, seed, list(peers), dict(owned)),
            name="unloop worker",
        )
        with _without_ctrl_c():
            self._process.start()
        theirs.close()
        # Ended with this object, or before the interpreter waits for its children at exit.
        self._end = weakref.finalize(self, _end, self._pipe, self._process)
        self.hello: dict[str, Any] = self._answer()

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(self._process.pid)

    def pools(self, threads: int) -> dict[str, int]:
        """Pool -> threads, held to a number of threads."""
        counts: dict[str, int] = self._ask("pools", threads)
        return counts

    def ceilings(self) -> list[Ceiling]:
        """What the machine can do at most; some seconds."""
        found: list[Ceiling] = self._ask("ceilings")
        return found

    def counts(self) -> dict[str, dict[str, float]]:
        """What the rungs do in a call, counted; quick where they are compiled already."""
        found: dict[str, dict[str, float]] = self._ask("counts")
        return found

    def events(self, cell: Cell, labels: Sequence[str], frozen: Frozen | None) -> Iterator[Event]:
        """The engine's events in a cell, each measured when it is asked for.

        Raises:
            Died: If the worker ended, or had to be ended.
        """
        self._turn(cell, labels)
        self._ask("begin", cell, list(labels), frozen)
        while True:
            self._turn(cell, labels)
            event: Event | None = self._ask("step", cell)
            if event is None:
                return
            yield event

    def greediest(self) -> tuple[str, str, int]:
        """The cell's id and the label of the contestant during whose calls the worker's memory grew most; how much."""
        found: tuple[str, str, int] = self._ask("greediest")
        return found

    def close(self) -> None:
        """End the process at once."""
        self._end()

    def _turn(self, cell: Cell, labels: Sequence[str]) -> None:
        self._cell, self._labels = cell.id, list(labels)

    def _ask(self, what: str, *arguments: Any) -> Any:
        self._stage[0] = NO_KERNEL
        try:
            self._pipe.send((what, arguments))
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
            raised, value, self.rss, self.peak = self._pipe.recv()
        except (EOFError, OSError):
            raise self._died() from None
        if raised:
            raise Died(self._cell, self._kernel(), value)
        return value

    def _kernel(self) -> str | None:
        return None if self._stage[0] == NO_KERNEL else self._labels[self._stage[0]]

    def _died(self) -> Died:
        kernel = self._kernel()
        self._process.join(5.0)
        code = self._process.exitcode
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
    """Ctrl-C is ignored inside; also by a process that is started there, which a terminal would tell too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(
    pipe: Connection,
    of_session: Connection | None,
    session: int,
    stage: Any,
    preset: Preset,
    seed: int,
    peers: Sequence[str],
    owned: Mapping[str, str],
) -> None:
    """The worker's life: answer what is asked, until the session is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if of_session is not None:
        of_session.close()
    _die_with_the_session(session)
    measuring = _Measuring(stage, preset, seed, owned)
    process = psutil.Process()
    answer: tuple[bool, Any] = False, measuring.hello(peers)
    while True:
        try:
            rss = process.memory_info().rss
            pipe.send((*answer, rss, max(rss, machine.peak_bytes())))
        except OSError:
            return
        try:
            what, arguments = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer = False, getattr(measuring, what)(*arguments)
        except Exception as error:
            answer = True, f"raised {type(error).__name__}: {error}"


def _die_with_the_session(session: int) -> None:
    """On Linux: a kernel that hangs does not outlive the run, and the worker is the first to be killed for memory."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != session:  # it died before the line above, and its signal never comes
            os._exit(1)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")


class _Measuring:
    """The worker's side: problems, contestants, and the engine's generators."""

    def __init__(self, stage: Any, preset: Preset, seed: int, owned: Mapping[str, str]) -> None:
        self._stage, self._preset, self._seed, self._owned = stage, preset, seed, owned
        self._prepared: tuple[Cell, Any, Any] | None = None
        self._events: dict[Cell, Iterator[Event]] = {}
        self._process = psutil.Process()
        self._growth: dict[tuple[str, str], int] = {}
        self._called: tuple[str, str] | None = None
        self._rss = 0

    def hello(self, peers: Sequence[str]) -> dict[str, Any]:
        quiet.keep_freed_memory()
        libraries = threads.load(PEERS[name] for name in peers)
        return {"libraries": libraries, "pools": threads.described(), "settings": quiet.settings()}

    def pools(self, count: int) -> dict[str, int]:
        with threads.held_to(count):
            return threads.counts()

    def ceilings(self) -> list[Ceiling]:
        return ceilings.measure()

    def counts(self) -> dict[str, dict[str, float]]:
        from bench.measure import counts

        return counts.count()

    def begin(self, cell: Cell, labels: list[str], frozen: Frozen | None) -> None:
        self._events[cell] = self._measure(cell, labels, frozen)

    def step(self, cell: Cell) -> Event | None:
        event = next(self._events[cell], None)
        if event is None:
            del self._events[cell]
        if not self._events:
            self._growth.clear()
        return event

    def greediest(self) -> tuple[str, str, int]:
        who = max(self._growth, key=self._growth.__getitem__, default=("", ""))
        return *who, self._growth.get(who, 0)

    def _measure(self, cell: Cell, labels: list[str], frozen: Frozen | None) -> Iterator[Event]:
        contestants = {label: roster.contestant(label, self._owned) for label in labels}
        problem, expected = self._prepare(cell)
        numbers = {label: number for number, label in enumerate(labels)}

        def announce(label: str | None) -> None:
            rss = self._process.memory_info().rss
            if self._called is not None:
                self._growth[self._called] = self._growth.get(self._called, 0) + rss - self._rss
            self._called, self._rss = (cell.id, label) if label is not None else None, rss
            self._stage[0] = NO_KERNEL if label is None else numbers[label]
            self._stage[1] += 1

        yield from engine.measure(cell, problem, expected, contestants, self._preset, self._seed, frozen, announce)

    def _prepare(self, cell: Cell) -> tuple[Any, Any]:
        """The cell's problem and what is expected of it; kept for the next, which often differs in threads only."""
        key = replace(cell, threads=1)
        if self._prepared is None or self._prepared[0] != key:
            large = self._prepared is not None and self._prepared[0].nbytes > LARGE_BYTES
            self._prepared = None  # frees the last problem before the next is made
            if large:
                quiet.release_freed_memory()
            problem = roster.problem_of(cell, self._seed)
            expected = (
                agreement.expect_descent(problem, ALPHA, cell.iterations)
                if cell.iterations
                else agreement.expect(problem)
            )
            self._prepared = key, problem, expected
        return self._prepared[1], self._prepared[2]
