"""The command line, called as a user calls it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.results import journal
from bench.results.run import load
from tests.conftest import Command


def test_run_writes_a_run_and_tells_where_the_report_is(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = command("bench", "run", "--grid", "smoke", "--kernels", "numpy_textbook", "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"report: {out / 'report.html'}" in done.stdout
    assert re.search(r"1 of \d cells are ready", done.stdout) and "100% measured" in done.stdout
    assert load(out).header["settings"]["memory_layout"] in ("fixed", "random")
    again = command("bench", "run", "--grid", "smoke", "--out", str(out))
    assert again.returncode == 2
    assert again.stderr == f"unloop: {out} is not empty; name a new folder, or go on with the run: --resume {out}\n"


def test_runs_go_to_results_below_the_current_folder(command: Command, tmp_path: Path) -> None:
    assert command("bench", "run", "--grid", "smoke", "--kernels", "numpy_textbook").returncode == 0
    (folder,) = (tmp_path / "results").iterdir()
    assert folder.name.endswith("-smoke")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--grid", "ful"], "unknown grid 'ful'; did you mean full?"),
        (["run", "--kernels", "numpy_vectorised"], "unknown kernel 'numpy_vectorised'; did you mean numpy_vectorized?"),
        (["run", "--kernels", ""], "unknown kernel ''; one of: python_loop"),
        (["run", "--kernels", "numba_descent"], "kernel numba_descent can't run: it belongs to training runs"),
        (["run", "--problem", "iris"], "unknown problem 'iris'; "),
        (["report", "nowhere"], "nowhere holds no samples.jsonl; name the folder of a run"),
        (["plot", "."], ". holds no samples.jsonl"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(command: Command, words: list[str], message: str) -> None:
    done = command("bench", *words)
    assert done.returncode == 2
    assert done.stderr.startswith(f"unloop: {message}")
    assert done.stderr.count("\n") == 1 and not done.stdout


def test_plot_and_report_draw_again_from_the_samples_alone(command: Command, run_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(run_folder / journal.FILE, copy)
    plotted = command("bench", "plot", str(copy))
    assert plotted.returncode == 0, plotted.stderr
    drawn = sorted(path.name for path in (run_folder / "plots").iterdir())
    assert sorted(path.name for path in (copy / "plots").iterdir()) == drawn
    # The same samples give the same figure, to the byte.
    assert (copy / "plots" / "fastest.svg").read_bytes() == (run_folder / "plots" / "fastest.svg").read_bytes()
    assert command("bench", "report", str(copy)).returncode == 0
    assert (copy / "report.md").read_text() == (run_folder / "report.md").read_text()


def test_kernels_and_machine(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_OPT", raising=False)  # unoptimized, reading some hundred megabytes takes long
    listed = command("bench", "kernels").stdout
    assert "numba_parallel" in listed and "python_loop's own function" in listed
    machine = command("bench", "machine").stdout
    assert "NumPy" in machine and "LLVM" in machine


@pytest.mark.parametrize(
    "words", [[], ["run"], ["plot"], ["report"], ["compare"], ["advise"], ["kernels"], ["machine"]]
)
def test_help_teaches(command: Command, words: list[str]) -> None:
    done = command("bench", *words, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout and len(done.stdout) > 120


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to another process")
def test_ctrl_c_keeps_what_was_measured_and_draws_its_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_OPT", raising=False)  # unoptimized, the ceilings take long
    out = tmp_path / "run"
    words = [sys.executable, "-m", "bench", "run", "--grid", "quick", "--kernels", "numpy_textbook", "--out", str(out)]
    process = subprocess.Popen(
        words,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell that runs the tests in the background has them, and so the child, ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        path = out / journal.FILE
        if path.exists() and '"type":"Calibrated"' in path.read_text():
            break
        time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 130, text
    assert "Interrupted; drawing the report of what was measured." in text
    assert "Traceback" not in text
    assert load(out).end is not None and load(out).end["interrupted"]  # type: ignore[index]
    assert "This run was interrupted" in (out / "report.md").read_text()
