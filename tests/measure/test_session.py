"""What a session survives, and what it measures: kills, kernels that crash, hang or leak, memory that is not there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench.grid import Cell, Plan
from bench.measure import compiling, contestants, session, worker
from bench.measure.ledger import NotTheSame, run_folder
from bench.measure.session import Session
from bench.measure.worker import Worker
from bench.results import CONTROL, LOOP, READ, VECTORIZED, Run, load
from bench.results.journal import FILE, compress
from bench.results.records import Calibrated, Ceiling, EventRecord, ReadRate, Round, Skipped
from kernels import KERNELS
from kernels.peers import PEERS
from tests import factories
from tests.conftest import RECORDED, ROOT

CEILING = Ceiling(1, [ReadRate(1_000, 100e9), ReadRate(100_000, 10e9)], flops=50e9, exps=1e9)
linux = pytest.mark.skipif(sys.platform != "linux", reason="forks as Linux does")


def plan(*cells: Cell, own: dict[str, str] | None = None, names: tuple[str, ...] | None = None) -> Plan:
    return Plan(factories.preset(cells), names=names, own=own or {})


@linux
@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.exhaustive)])
def test_kills_lose_nothing(kills: int) -> None:
    words = [sys.executable, "-m", "tests.measure.killing", str(kills)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=10 * kills, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) >= kills


# What each kernel does in the cell with m = 40; in the other cell it is as right as it looks.
BAD = {
    "crashes": "signal.raise_signal(signal.SIGSEGV)",
    "exits": "os._exit(3)",
    "leaves": "raise SystemExit(4)",
    "hangs": "time.sleep(1e3)",
    # The first calls are right: it passes the gate, and is timed for a while.
    "crashes_late": "signal.raise_signal(signal.SIGABRT) if len(calls) > 30 else None",
    "raises_late": "1 / max(0, 30 - len(calls))",
    "leaks": "leaked.append(np.ones(2**22))",
}
BODY = """
import os, signal, time
import numpy as np
calls, leaked = [], []
def cost_and_gradient(w, b, X, Y):
    if Y.size == 40:
        calls.append(0)
        {deed}
    Z = np.dot(w, X) + b
    e = np.exp(-np.abs(Z))
    A = np.where(Z > 0.0, 1.0, e) / (1.0 + e)
    dZ = A - Y
    return float(np.mean(np.maximum(Z, 0.0) - Y * Z + np.log1p(e))), np.dot(X, dZ) / Y.size, float(dZ.mean())
"""


@pytest.fixture(scope="module")
def survived(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with all of the bad kernels."""
    root = tmp_path_factory.mktemp("bad")
    own = {name: root / f"{name}.py" for name in BAD}
    for name, path in own.items():
        path.write_text(BODY.format(deed=BAD[name]))
    cells = (Cell(40, 2), Cell(10, 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "COMPILE_SECONDS", 1.5)
        patch.setattr(contestants, "SPARE_BYTES", 75 * 2**20)
        folder = run_folder(root, "bad")
        with Session.open(plan(*cells, own={name: str(path) for name, path in own.items()}), folder) as measuring:
            measuring.measure({cell: [*own] for cell in cells})
    return load(folder)


def test_a_kernel_that_takes_the_process_along_is_named_in_its_cell(survived: Run) -> None:
    failed = survived.cells[0].failed
    assert failed["crashes"] == "crashes: crashed with SIGSEGV"
    assert failed["exits"] == "exits: ended the process with exit code 3"
    assert failed["leaves"] == "leaves: ended the process with exit code 4"
    assert failed["hangs"] == "hangs: did not return within 2 s"
    assert failed["crashes_late"] == "crashes_late: crashed with SIGABRT"
    assert failed["raises_late"] == "raises_late: raised ZeroDivisionError: division by zero"
    assert failed["leaks"].startswith("leaks: leaks memory: the process had ")
    assert set(failed) == set(BAD)


def test_the_run_continues_without_it(survived: Run) -> None:
    first, second = survived.cells
    assert {*first.samples} == {LOOP, VECTORIZED, CONTROL}
    # All that was planned, although the worker was started anew again and again.
    assert max(len(samples.rounds) for samples in first.samples.values()) >= survived.plan.preset.min_rounds
    for samples in first.samples.values():
        assert samples.rounds == sorted(set(samples.rounds))
    # Where it does nothing wrong it is measured.
    assert not second.failed and {*second.samples} == {LOOP, VECTORIZED, CONTROL, *BAD}
    assert survived.end is not None and survived.peak_bytes > 2**20


def test_a_kernel_that_hangs_is_not_waited_for_in_every_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "COMPILE_SECONDS", 0.5)
    monkeypatch.setattr(session, "PATIENCE", 1)
    path = tmp_path / "hangs.py"
    path.write_text("import time\ndef cost_and_gradient(w, b, X, Y):\n    time.sleep(1e3)\n")
    cells = (Cell(10, 2), Cell(10, 3))
    with Session.open(plan(*cells, own={"hangs": str(path)}), run_folder(tmp_path, "x")) as measuring:
        measuring.measure({cell: ["hangs"] for cell in cells})
        first, second = measuring.close().cells
    assert first.failed == {"hangs": "hangs: did not return within 1 s"}
    assert second.failed == {"hangs": "hangs: not called: it did not return in 1 other cells"}
    assert {*second.samples} == {LOOP, VECTORIZED, CONTROL}


def test_what_no_call_took_is_no_leak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contestants, "SPARE_BYTES", 20 * 2**20)
    path = tmp_path / "large.py"
    kept = "import numpy as np\nkept = np.ones(2**24)\n"  # 128 MiB, from before its first call
    path.write_text(kept + BODY.format(deed="pass"))
    cells = (Cell(10, 2), Cell(10, 3))
    with Session.open(plan(*cells, own={"large": str(path)}), run_folder(tmp_path, "x")) as measuring:
        for cell in cells:
            measuring.measure({cell: ["large"]})
        assert [result.failed for result in measuring.close().cells] == [{}, {}]


def test_a_cell_that_does_not_fit_is_refused_before_it_is_allocated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.machine.memory.memory_limit", lambda: 500 * 2**20)
    monkeypatch.setattr(Worker, "events", lambda *_: pytest.fail("asked the worker to allocate"))
    cell = Cell(10_000_000, 2)
    with Session.open(plan(cell), run_folder(tmp_path, "x")) as measuring:
        measuring.measure({cell: [VECTORIZED]})
        (result,) = measuring.close().cells
    assert not result.samples
    skipped = result.skipped[VECTORIZED]
    assert "needs 858 MiB of memory, of which 500 MiB are free" in skipped.reason and skipped.predicted is None


class Stop(Exception):
    """Ends a session in the middle."""


def test_a_session_measures_is_cut_off_and_is_resumed(tmp_path: Path) -> None:
    cells, names = (Cell(10, 2), Cell(30, 3)), ("numba_loop", "numpy_textbook")
    taken: list[tuple[Cell, EventRecord]] = []

    def stop_in_time(cell: Cell, event: EventRecord) -> None:
        taken.append((cell, event))
        if isinstance(event, Round) and event.index == 3:
            raise Stop

    children: list[psutil.Process] = []

    def begin() -> None:
        with Session.open(plan(*cells, names=names), tmp_path) as measuring:
            children.append(psutil.Process(measuring._worker.pid))
            assert measuring.unfinished() == list(cells)
            measuring.measure(dict.fromkeys(cells, names), stop_in_time)

    with pytest.raises(Stop):
        begin()
    # Abandoned: no process is left, and the folder is as a kill would leave it.
    assert not children[0].is_running() and load(tmp_path).end is None
    acknowledged = (tmp_path / FILE).read_bytes()
    assert {cell.id == event.cell for cell, event in taken} == {True}
    with Session.resume(tmp_path) as measuring:
        assert measuring.plan.names == names and measuring.unfinished() == list(cells)
        again: list[EventRecord] = []
        measuring.measure(dict.fromkeys(cells, names), lambda _, event: again.append(event))
        assert measuring.unfinished() == []
    assert (tmp_path / FILE).read_bytes().startswith(acknowledged)
    run = load(tmp_path)
    assert run.end is not None and not run.end.interrupted and len(run.resumed) == 1
    for result in run.cells:
        assert result.kernels == [LOOP, "numba_loop", "numpy_textbook", VECTORIZED]
        assert list(result.samples[CONTROL].rounds) == list(range(len(result.samples[CONTROL].rounds)))
    # What was left is what the progress counts.
    ahead = [event.rounds for event in again if isinstance(event, Calibrated)]
    assert ahead == [
        sum(isinstance(event, Round) and event.cell == result.cell.id for event in again) for result in run.cells
    ]


def test_a_session_that_ends_without_an_exception_is_closed(tmp_path: Path) -> None:
    with Session.open(plan(Cell(10, 2)), tmp_path) as measuring:
        measuring.measure({Cell(10, 2): ["numba_loop"]})
    run = load(tmp_path)
    assert run.end is not None and not run.end.interrupted
    # Only what is wanted is measured, with its baselines.
    assert run.cells[0].kernels == [LOOP, "numba_loop", VECTORIZED]


def test_a_session_that_cannot_begin_leaves_no_process_and_no_lock(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    before = psutil.Process().children()
    with pytest.raises(FileExistsError):
        Session.open(plan(Cell(10, 2)), tmp_path)
    assert psutil.Process().children() == before


def test_what_pytest_measured_is_not_resumed() -> None:
    assert load(RECORDED).plan.names is None
    with pytest.raises(NotTheSame, match=r"only a run of unloop run can be resumed"):
        Session.resume(RECORDED)


def test_a_compressed_run_is_not_resumed(tmp_path: Path) -> None:
    shutil.copy(RECORDED / FILE, tmp_path)
    compress(tmp_path)
    with pytest.raises(NotTheSame, match="its samples are compressed; measure a new run"):
        Session.resume(tmp_path)


def test_peers_are_measured_with_their_pools_limited(tmp_path: Path) -> None:
    cells = (Cell(10, 2), factories.cell(10, 2, threads=2))
    installed = [name for name, peer in PEERS.items() if peer.missing is None]
    # Both cells have one problem: the pools are looked at again when the libraries are there.
    with Session.open(Plan(factories.preset(cells), peers=tuple(PEERS)), tmp_path) as measuring:
        measuring.measure({cell: [*installed, LOOP] for cell in cells})
    run = load(tmp_path)
    one, two = run.cells
    assert one.kernels == [LOOP, VECTORIZED, *installed] and two.kernels == [VECTORIZED, *installed]
    assert set(one.agreement) >= set(installed)
    for result in run.cells:
        assert result.pools and max(result.pools.values()) <= result.cell.threads
    assert set(run.header.libraries) == {module for name in installed for module in PEERS[name].requires}
    assert all(not re.search(r"[/\\]", str(pool)) for pool in run.header.pools)
    # One that is not installed is described, and says what it lacks.
    for name, peer in PEERS.items():
        assert run.kernels[name].missing == peer.missing


def test_a_cell_without_room_for_the_peers_copies_keeps_its_ladder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cell = Cell(2_000, 8)
    limit = contestants.SPARE_BYTES + 3 * cell.nbytes + cell.nbytes // 2  # the peers want a copy more
    monkeypatch.setattr("bench.machine.memory.memory_limit", lambda: limit)
    with Session.open(Plan(factories.preset([cell]), peers=("sklearn_loss",)), tmp_path) as measuring:
        measuring.measure({cell: [VECTORIZED, "sklearn_loss"]})
        (result,) = measuring.close().cells
    assert VECTORIZED in result.samples
    assert result.skipped["sklearn_loss"].reason.startswith("needs ")


def test_runs_of_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    assert len({run_folder(tmp_path, "x") for _ in range(5)}) == 5


def test_a_folder_that_is_not_empty_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(FileExistsError, match="is not empty; name a new folder"):
        run_folder(tmp_path, "x", tmp_path)


def test_the_ruler_is_measured_in_the_same_rounds_and_judged_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contestants, "LAST_BYTES", 0)
    # As if the ceilings had been measured, which takes seconds.
    monkeypatch.setattr(Worker, "ceilings", lambda _: [CEILING])
    monkeypatch.setattr(compiling, "known", list)  # which would compile all rungs anew
    cell = Cell(500, 3)
    preset = factories.preset([cell], budget=2e-3, min_rounds=6, max_rounds=6, ceilings=True)
    with Session.open(Plan(preset), tmp_path) as measuring:
        measuring.measure({cell: ["numba_fused"]})
        run = measuring.close()
    assert run.ceilings == load(tmp_path).ceilings == {1: CEILING}
    (result,) = run.cells
    assert len(result.samples[READ].wall) == 6
    assert READ not in result.agreement and not result.failed
    assert set(run.measured) <= set(KERNELS)


def test_how_a_worker_ended_in_words() -> None:
    assert worker._cause(-11) == "crashed with SIGSEGV"
    assert worker._cause(-9) == "crashed with SIGKILL: killed from outside, perhaps for want of memory"
    assert worker._cause(3) == "ended the process with exit code 3"


def test_what_was_skipped_is_not_measured_in_a_resumed_run(tmp_path: Path) -> None:
    cell = Cell(10, 2)
    with Session.open(plan(cell, names=(VECTORIZED,)), tmp_path) as measuring:
        measuring._ledger.begin(cell, {})
        measuring._ledger.note(Skipped(cell=cell.id, kernel=LOOP, reason="too slow", predicted=9.0))
    with Session.resume(tmp_path) as measuring:
        measuring.measure({cell: [VECTORIZED]})
    (result,) = load(tmp_path).cells
    assert result.kernels == [VECTORIZED] and set(result.skipped) == {LOOP}
