"""What a run survives: kills, kernels that crash, hang or leak, two runs at once, a full disk, a read-only folder."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench.files import replaced
from bench.grid import Cell, Preset
from bench.measure import ledger as resume
from bench.measure import session, worker
from bench.measure.engine import CONTROL
from bench.measure.ledger import NotTheSame
from bench.results import journal
from bench.results.journal import Journal
from bench.results.run import LOOP, VECTORIZED, Run, load
from tests.conftest import CELLS, ROOT, Command

TINY = Preset("tiny", (), cap=0.1, budget=2e-2, min_rounds=8, max_rounds=12, sample_seconds=2e-4, settle_seconds=2e-5)
ONE = ("--grid", "smoke", "--kernels", "numpy_textbook")
linux = pytest.mark.skipif(sys.platform != "linux", reason="forks, mounts or limits as Linux has them")


@linux
def test_fifty_kills_lose_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.killing", "50"], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) >= 50


# What each kernel does on the cell with m = 40; in the other cell it is as right as it looks.
BAD = {
    "crashes": "os.kill(os.getpid(), signal.SIGSEGV)",
    "exits": "os._exit(3)",
    "leaves": "raise SystemExit(4)",
    "hangs": "time.sleep(1e3)",
    # The first calls are right: it passes the gate, and is timed for a while.
    "crashes_late": "os.kill(os.getpid(), signal.SIGABRT) if len(calls) > 30 else None",
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
        patch.setattr(session, "SPARE_BYTES", 75 * 2**20)
        folder = session.run_folder(root, "bad")
        measuring = session.Session(folder, TINY, 0, owned={name: str(path) for name, path in own.items()})
        told: list[str] = []
        measuring.measure(
            {cell: [*own] for cell in cells}, lambda cell, event: told.append(f"{cell.m} {type(event).__name__}")
        )
        measuring.close()
    return load(folder)


def test_a_kernel_that_takes_the_process_along_is_named_in_its_cell(survived: Run) -> None:
    failed = survived.cells[0].failed
    assert failed["crashes"] == "crashes: crashed with SIGSEGV"
    assert failed["exits"] == "exits: ended the process with exit code 3"
    assert failed["leaves"] == "leaves: ended the process with exit code 4"
    assert failed["hangs"] == "hangs: did not return within 2 s"
    assert failed["crashes_late"] == "crashes_late: crashed with SIGABRT"
    assert failed["raises_late"] == "raises_late: raised ZeroDivisionError: division by zero"
    assert failed["leaks"].startswith("leaks: leaks memory: the process held ")
    assert set(failed) == set(BAD)


def test_a_kernel_that_hangs_is_not_waited_for_in_every_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "COMPILE_SECONDS", 0.5)
    monkeypatch.setattr(session, "PATIENCE", 1)
    path = tmp_path / "hangs.py"
    path.write_text("import time\ndef cost_and_gradient(w, b, X, Y):\n    time.sleep(1e3)\n")
    measuring = session.Session(session.run_folder(tmp_path, "x"), TINY, 0, owned={"hangs": str(path)})
    measuring.measure({cell: ["hangs"] for cell in (Cell(10, 2), Cell(10, 3))})
    first, second = measuring.close().cells
    assert first.failed == {"hangs": "hangs: did not return within 1 s"}
    assert second.failed == {"hangs": "hangs: not called: it did not return in 1 other cells"}
    assert {*second.seconds} == {LOOP, VECTORIZED, CONTROL}


def test_what_no_call_took_is_no_leak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SPARE_BYTES", 20 * 2**20)
    path = tmp_path / "large.py"
    held = "import numpy as np\nheld = np.ones(2**24)\n"  # 128 MiB, from before its first call
    path.write_text(held + BODY.format(deed="pass"))
    measuring = session.Session(session.run_folder(tmp_path, "x"), TINY, 0, owned={"large": str(path)})
    for cell in (Cell(10, 2), Cell(10, 3)):
        measuring.measure({cell: ["large"]})
    assert [result.failed for result in measuring.close().cells] == [{}, {}]


def test_the_run_goes_on_without_it(survived: Run) -> None:
    first, second = survived.cells
    assert {*first.seconds} == {LOOP, VECTORIZED, CONTROL}
    # All that was planned, although the worker was started anew again and again.
    assert max(len(rounds) for rounds in first.rounds.values()) >= TINY.min_rounds
    for name in first.seconds:
        assert first.rounds[name] == sorted(set(first.rounds[name]))
    # Where it does nothing wrong it is measured.
    assert not second.failed and {*second.seconds} == {LOOP, VECTORIZED, CONTROL, *BAD}
    assert survived.end is not None and survived.peak_bytes > 2**20


def test_the_real_command_killed_and_resumed(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "run"
    path = out / journal.FILE
    words = [sys.executable, "-m", "bench", "run", *ONE, "--out", str(out)]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (path.exists() and path.read_bytes().count(b'"Round"') > 20):
        time.sleep(0.02)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    # No kernel goes on by itself.
    assert workers and not psutil.wait_procs(workers, timeout=20)[1]
    acknowledged = path.read_bytes()
    acknowledged = acknowledged[: acknowledged.rfind(b"\n") + 1]
    assert load(out).end is None
    refused = command("bench", "run", "--resume", str(out), "--seed", "1")
    assert refused.returncode == 2
    assert refused.stderr.startswith("unloop: --seed does not go with --resume") and refused.stderr.count("\n") == 1
    done = command("bench", "run", "--resume", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    assert path.read_bytes().startswith(acknowledged)
    run = load(out)
    assert run.end is not None and len(run.resumed) == 1
    assert all(len(rounds) >= 6 for result in run.cells for rounds in result.rounds.values())
    assert "was cut off and resumed once" in (out / "report.md").read_text()
    # Nothing is missing now: nothing is measured again.
    samples = path.read_bytes().count(b'"Round"')
    assert command("bench", "run", "--resume", str(out)).returncode == 0
    assert path.read_bytes().count(b'"Round"') == samples


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to another process")
def test_a_second_ctrl_c_ends_at_once_and_leaves_a_readable_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NUMBA_OPT", raising=False)  # unoptimized, the ceilings take long
    out = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "run", "--grid", "quick", "--kernels", "numpy_textbook", "--out", str(out)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    path = out / journal.FILE
    while time.monotonic() < deadline and not (path.exists() and b'"FirstCall"' in path.read_bytes()):
        time.sleep(0.05)
    # As a terminal does it: the whole group of processes is told, the worker too.
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.01)
    text, _ = process.communicate(timeout=60)
    # Killed by the signal itself, if the second came when the interpreter was ending already.
    assert process.returncode in (130, -signal.SIGINT), text
    assert "Traceback" not in text
    assert load(out).header["grid"] == "quick"


def header(folder: Path) -> journal.Record:
    return next(journal.read(folder / journal.FILE))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda h: h["machine"].update(numpy="1.0"), "machine: numpy was 1.0, and is "),
        (lambda h: h["machine"].update(cpu="Z80"), "machine: cpu was Z80, and is "),
        (lambda h: h.update(seed=7), "seed was 7, and is 0 here"),
        (lambda h: h["settings"].update(cap=9.0), "settings: cap was 9.0, and is 0.02 here"),
        (lambda h: h["settings"].update(memory_layout="lost"), "settings: memory_layout was lost"),
        (lambda h: h["libraries"].update(torch="1"), "libraries: torch was 1, and is None here"),
        (lambda h: h.update(source="0" * 64), "the source of its kernels has changed since"),
        (lambda h: h["planned"].pop(), "planned was "),
        (lambda h: h.pop("source"), "an earlier version of unloop made it"),
    ],
)
def test_a_run_that_would_go_on_otherwise_is_refused(run_folder: Path, change: object, reason: str) -> None:
    was, here = header(run_folder), header(run_folder)
    resume.compare(was, here)
    change(was)  # type: ignore[operator]
    with pytest.raises(NotTheSame, match=reason):
        resume.compare(was, here)


def test_the_source_of_every_kernel_counts(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("one")
    one = resume.source_hash([mine])
    mine.write_text("two")
    assert len({one, resume.source_hash([mine]), resume.source_hash()}) == 3


def test_what_pytest_measured_is_not_resumed(run_folder: Path) -> None:
    with pytest.raises(NotTheSame, match=r"only those of unloop run are resumed"):
        session.resumed(run_folder)


@linux
def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.write({"type": "run"})
    with pytest.raises(FileExistsError):
        Journal(tmp_path)
    with pytest.raises(BlockingIOError, match="another run is writing to"):
        Journal(tmp_path, resume=True)
    first.close()
    Journal(tmp_path, resume=True).close()


def test_runs_of_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    assert len({session.run_folder(tmp_path, "x") for _ in range(5)}) == 5


@linux
def test_a_journal_on_a_full_disk_ends_with_a_whole_line_and_goes_on(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=64k"):
        folder = tmp_path / "disk"
        ballast = folder / "ballast"
        ballast.write_bytes(b"0" * 40_000)
        full = Journal(folder)
        rounds = ({"type": "Round", "index": index, "text": "x" * 50} for index in range(10_000))
        with pytest.raises(OSError, match="No space left"):
            any(full.write(record) for record in rounds)  # type: ignore[func-returns-value]
        held = len(list(journal.read(folder / journal.FILE)))
        assert held == len(full.records) > 10
        assert (folder / journal.FILE).read_bytes().endswith(b"\n")
        ballast.unlink()
        full.write({"type": "end"})
        full.close()
        assert [record["type"] for record in journal.read(folder / journal.FILE)] == ["Round"] * held + ["end"]


@linux
def test_a_run_on_a_full_disk_stops_in_one_line_and_is_resumed(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "run"
    full = subprocess.run(
        [sys.executable, "-m", "bench", "run", *ONE, "--out", str(out)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        # The largest file that may be written: as a quota does, it ends a write in the middle.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, resource.RLIM_INFINITY)),
    )
    assert full.returncode == 2, full.stdout + full.stderr
    assert full.stderr.startswith("unloop: stopped: ") and full.stderr.count("\n") == 1
    assert f"to go on: unloop run --resume {out}" in full.stderr
    held = (out / journal.FILE).read_bytes()
    assert held.endswith(b"\n") and b'"Round"' in held and load(out).end is None
    done = command("bench", "run", "--resume", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (out / journal.FILE).read_bytes().startswith(held)


def test_a_folder_that_can_t_be_written_to_is_told_in_one_line(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = command("bench", "run", *ONE, "--out", str(tmp_path / "file" / "run"))
    assert done.returncode == 2
    assert done.stderr.startswith("unloop: ") and done.stderr.count("\n") == 1 and "Not a directory" in done.stderr


@linux
def test_a_read_only_folder(command: Command, run_folder: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "size=8m"):
        shutil.copy(run_folder / journal.FILE, disk)
        if subprocess.run(["mount", "-o", "remount,ro", str(disk)], capture_output=True, check=False).returncode:
            pytest.skip("a mount can't be made read-only here")
        for words in (("report", str(disk)), ("run", *ONE, "--out", str(disk / "run"))):
            done = command("bench", *words)
            assert done.returncode == 2, done.stdout + done.stderr
            assert "Read-only file system" in done.stderr and "Traceback" not in done.stderr
            assert done.stderr.startswith("unloop: ") and done.stderr.count("\n") == 1


class mounted:  # noqa: N801
    """A small file system in memory; skips where this user may not mount one."""

    def __init__(self, folder: Path, options: str) -> None:
        self.folder, self.options = folder, options

    def __enter__(self) -> None:
        self.folder.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", self.options, "tmpfs", str(self.folder)]
        if shutil.which("mount") is None or subprocess.run(words, capture_output=True, check=False).returncode:
            pytest.skip("a small file system can be mounted by root only, and not in every container")

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    path.write_text("old")

    def cut_off() -> None:
        with replaced(path) as new:
            assert new.suffix == ".svg"
            new.write_text("hal")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        cut_off()
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    with replaced(path) as new:
        new.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_cells_of_conftest_are_planned(run: Run) -> None:
    assert resume.preset_of(run.header).cells == CELLS
