"""What the command line survives: kills, Ctrl-C, a full disk, a folder that it may not write to."""

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

from bench.results import load
from bench.results.journal import FILE
from tests.conftest import Command
from tests.results.test_journal import mounted

ONE = ("--grid", "smoke", "--kernels", "numpy_textbook")
linux = pytest.mark.skipif(sys.platform != "linux", reason="mounts or limits as Linux has them")


def test_the_real_command_killed_and_resumed(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "run"
    path = out / FILE
    words = [sys.executable, "-m", "bench", "run", *ONE, "--out", str(out)]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (path.exists() and path.read_bytes().count(b'"Round"') > 6):
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    # No kernel continues by itself.
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
    assert all(len(samples.rounds) >= 6 for result in run.cells for samples in result.samples.values())
    assert "was interrupted and resumed once" in (out / "report.md").read_text()
    # Nothing is missing now: nothing is measured again.
    samples = path.read_bytes().count(b'"Round"')
    assert command("bench", "run", "--resume", str(out)).returncode == 0
    assert path.read_bytes().count(b'"Round"') == samples


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to another process")
def test_a_second_ctrl_c_ends_at_once_and_leaves_a_readable_folder(tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "run", "--grid", "smoke", "--out", str(out)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    path = out / FILE
    while time.monotonic() < deadline and not (path.exists() and b'"FirstCall"' in path.read_bytes()):
        time.sleep(0.05)
    # As a terminal does it: the whole group of processes gets it, the worker too.
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.01)
    text, _ = process.communicate(timeout=60)
    # Killed by the signal itself, if the second came when the interpreter was ending already.
    assert process.returncode in (130, -signal.SIGINT), text
    assert "Traceback" not in text
    assert load(out).plan.preset.name == "smoke"


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
    *progress, last = full.stderr.splitlines()
    assert last.startswith("unloop: stopped: ") and f"resume it: unloop run --resume {out}" in last
    assert not [line for line in progress if line.startswith(("unloop:", "Traceback"))]
    kept = (out / FILE).read_bytes()
    assert kept.endswith(b"\n") and b'"Round"' in kept and load(out).end is None
    done = command("bench", "run", "--resume", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (out / FILE).read_bytes().startswith(kept)


def test_a_folder_that_can_t_be_written_to_is_named_in_one_line(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = command("bench", "run", *ONE, "--out", str(tmp_path / "file" / "run"))
    assert done.returncode == 2
    assert done.stderr.startswith("unloop: ") and done.stderr.count("\n") == 1 and "Not a directory" in done.stderr


@linux
def test_a_read_only_folder(command: Command, run_folder: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "size=8m"):
        shutil.copy(run_folder / FILE, disk)
        if subprocess.run(["mount", "-o", "remount,ro", str(disk)], capture_output=True, check=False).returncode:
            pytest.skip("a mount can't be made read-only here")
        for words in (("report", str(disk)), ("run", *ONE, "--out", str(disk / "run"))):
            done = command("bench", *words)
            assert done.returncode == 2, done.stdout + done.stderr
            assert "Read-only file system" in done.stderr and "Traceback" not in done.stderr
            assert done.stderr.startswith("unloop: ") and done.stderr.count("\n") == 1
