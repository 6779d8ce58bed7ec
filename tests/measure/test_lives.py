"""No death and no exception at any stage of a run's life leaves anybody waiting, and none costs an innocent kernel."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.grid import Cell, Plan
from bench.machine import card
from bench.measure import child, compiling, ledger, verdicts, worker
from bench.measure.ledger import run_folder
from bench.measure.session import Session
from bench.measure.worker import Died, Worker
from bench.results import LOOP, VECTORIZED, Run, load
from bench.results.journal import Journal
from tests import factories
from tests.conftest import environment
from tests.measure.test_session import CEILING

CELLS = (Cell(10, 2), Cell(30, 3))
WANTED = {cell: [VECTORIZED] for cell in CELLS}


def plan(**changes: Any) -> Plan:
    return Plan(factories.preset(CELLS, **changes), names=(VECTORIZED,))


def incomplete(run: Run) -> list[str]:
    """What a run says of cells that it left out."""
    return [warning for warning in run.warnings if "is not complete" in warning]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Ceilings, counts and prices of compiling that take no time, but are asked for as ever."""
    monkeypatch.setattr(Worker, "ceilings", lambda self: [self._ask("pools", 1), CEILING][1:])
    monkeypatch.setattr(Worker, "counts", lambda self: [self._ask("pools", 1), {}][1])
    monkeypatch.setattr(compiling, "known", list)
    return monkeypatch


def test_a_worker_that_is_killed_while_it_calls_no_kernel_is_replaced_and_nothing_is_lost(
    tmp_path: Path, quick: pytest.MonkeyPatch
) -> None:
    ask = Worker._ask
    # Before the first cell, when a cell begins, between its events, before the second process, at the end.
    moments = iter((("pools", 1), ("pools", 3), ("begin", 1), ("step", 3), ("step", 30), ("expected", 1)))
    killed: list[str] = []
    asked: dict[str, int] = {}
    due = [next(moments)]

    def killing(self: Worker, question: str, *arguments: Any) -> Any:
        asked[question] = asked.get(question, 0) + 1
        if due and question == due[0][0] and asked[question] >= due[0][1]:
            killed.append(question)
            due[:] = [moment] if (moment := next(moments, None)) else []
            asked.clear()
            psutil.Process(self.pid).kill()
        return ask(self, question, *arguments)

    quick.setattr(Worker, "_ask", killing)
    with Session.open(plan(processes=2, ceilings=True), run_folder(tmp_path, "x")) as measuring:
        measuring.measure(WANTED)
    run = load(measuring.folder)
    assert killed[:4] == ["pools", "pools", "begin", "step"] and len(killed) >= 5
    assert run.end is not None and not incomplete(run) and not measuring.left_out
    for result in run.cells:
        assert not result.failed and result.kernels == [LOOP, VECTORIZED] and result.processes == 2


def test_a_cell_that_kills_every_worker_is_left_out_and_tried_again_when_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Worker._ask

    def killing(self: Worker, question: str, *arguments: Any) -> Any:
        if question == "step" and arguments[0] == CELLS[0]:
            psutil.Process(self.pid).kill()
        return ask(self, question, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "_ask", killing)
        with Session.open(plan(), tmp_path) as measuring:
            measuring.measure(WANTED)
    assert measuring.left_out == [CELLS[0]]
    first, second = load(tmp_path).cells
    assert not first.samples and not first.failed and second.kernels == [LOOP, VECTORIZED]
    (warning,) = incomplete(load(tmp_path))
    assert warning.startswith(
        f"{CELLS[0].label} is not complete: 3 times the process that measures crashed with SIGKILL"
    )
    with Session.resume(tmp_path) as measuring:
        assert measuring.unfinished() == [CELLS[0]]
        measuring.measure({CELLS[0]: WANTED[CELLS[0]]})
    assert all(result.kernels == [LOOP, VECTORIZED] and not result.failed for result in load(tmp_path).cells)


class Raised(Exception):
    """Raised at some stage."""


STAGES: dict[str, tuple[Any, str]] = {
    "header": (ledger, "header"),
    "journal": (Journal, "write"),
    "ceilings": (Worker, "ceilings"),
    "compiling": (compiling, "known"),
    "gate": (verdicts, "judged"),
    "rounds": (ledger.Progress, "ahead"),
    "end": (card, "moment"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_an_exception_at_any_stage_ends_the_worker_and_frees_the_folder(
    stage: str, tmp_path: Path, quick: pytest.MonkeyPatch
) -> None:
    started: list[Worker] = []
    start = Worker.start

    def noted(plan: Plan) -> Worker:
        started.append(start(plan))
        return started[-1]

    def raising(*_: object, **__: object) -> Iterator[object]:
        raise Raised(stage)

    quick.setattr(Worker, "start", noted)
    calls = 0
    place, name = STAGES[stage]
    real: Callable[..., Any] = getattr(place, name)

    def second(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        return raising() if calls > 1 else real(*arguments, **named)

    quick.setattr(place, name, second if stage in ("journal", "end") else raising)

    def life() -> None:
        with Session.open(plan(ceilings=True), tmp_path) as measuring:
            measuring.measure(WANTED)

    with pytest.raises(Raised, match=stage):
        life()
    assert len(started) == 1 and not psutil.pid_exists(started[0].pid)
    if (tmp_path / "samples.jsonl").exists():
        Journal(tmp_path, resume=True).close()  # its lock is free


def test_a_program_that_ends_with_an_exception_waits_for_no_worker(tmp_path: Path) -> None:
    # As a traceback ends it: the worker is still there, and whoever holds it too.
    code = (
        "import sys\n"
        "from bench.measure.worker import Worker\n"
        "from tests.measure.test_lives import plan\n"
        "if __name__ == '__main__':\n"
        "    kept = Worker.start(plan())\n"
        "    print(kept.pid, flush=True)\n"
        "    raise RuntimeError('somewhere else')\n"
    )
    (tmp_path / "program.py").write_text(code)
    program = subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py")],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out, error = program.communicate(timeout=60)
    assert program.returncode == 1 and "somewhere else" in error
    assert not psutil.pid_exists(int(out))


@pytest.mark.skipif(sys.platform != "linux", reason="a signal at the parent's death, as Linux has it")
def test_no_process_outlives_the_run_whatever_it_does(tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text("while True:\n    pass\n")
    code = f"from bench.measure import own_kernel\nown_kernel.load_all([{str(tmp_path / 'endless.py')!r}])\n"
    (tmp_path / "program.py").write_text(f"if __name__ == '__main__':\n    {code.replace(chr(10), chr(10) + '    ')}\n")
    program = subprocess.Popen([sys.executable, str(tmp_path / "program.py")], env=environment())
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        busy = [p for p in psutil.Process(program.pid).children(recursive=True) if p.cpu_times().user > 0.5]
        if len(busy) > 0:
            break
        time.sleep(0.05)
    assert busy, "the file was never run"
    family = psutil.Process(program.pid).children(recursive=True)
    program.send_signal(signal.SIGKILL)
    program.wait()
    assert not psutil.wait_procs(family, timeout=20)[1]


def test_a_worker_that_hangs_outside_any_kernel_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    measuring = Worker.start(plan())
    monkeypatch.setattr(worker, "OWN_SECONDS", 0.3)
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.05)
    psutil.Process(measuring.pid).suspend()
    with pytest.raises(Died, match=r"the process that measures did not return within 0.3 s") as died:
        measuring.pools(1)
    assert died.value.kernel is None and died.value.hung and not psutil.pid_exists(measuring.pid)


def test_what_can_t_be_read_from_a_worker_is_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    measuring = Worker.start(plan())

    def garbage() -> child.Answer:
        raise ImportError("what a kernel wrote into the pipe")

    monkeypatch.setattr(measuring._pipe, "recv", garbage, raising=False)
    monkeypatch.setattr(measuring._child, "join", lambda _=None: None)
    with pytest.raises(Died, match="lost the connection to the run"):
        measuring.pools(1)
