"""The command line, called as a user calls it; what needs no process of its own is called in this one."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.cli import app, commands
from bench.machine import ceilings
from bench.problem import make_problem
from bench.report.terminal.summary import MOST_LINES
from bench.results import journal, load
from tests.cli.conftest import Refused
from tests.conftest import RECORDED, Command


def test_run_writes_a_run_and_names_the_report(command: Command, tmp_path: Path) -> None:
    done = command("bench", "run", "--grid", "smoke", "--kernels", "numpy_textbook")
    assert done.returncode == 0, done.stdout + done.stderr
    (out,) = (tmp_path / "results").iterdir()
    assert out.name.endswith("-smoke")
    assert f"Page   {out.relative_to(tmp_path) / 'report.html'}" in done.stdout
    # Progress does not mix with what a pipe or a file gets.
    assert re.search(r"1 of \d cells are ready", done.stderr) and "100% measured" in done.stderr
    assert len(done.stdout.splitlines()) <= MOST_LINES and "cells are ready" not in done.stdout
    assert load(out).header.environment["memory_layout"] == "random"
    again = command("bench", "run", "--grid", "smoke", "--out", str(out))
    assert again.returncode == 2
    assert again.stderr == f"unloop: {out} is not empty; name a new folder, or resume the run there: --resume {out}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--grid", "ful"], "unknown grid 'ful'; did you mean full?"),
        (["run", "--kernels", "numpy_vectorised"], "unknown kernel 'numpy_vectorised'; did you mean numpy_vectorized?"),
        (["run", "--kernels", ""], "unknown kernel ''; one of: python_loop"),
        (["run", "--kernels", "numba_descent"], "kernel numba_descent can't run: it belongs to training runs"),
        (["run", "--problem", "iris"], "unknown problem 'iris'; "),
        (["run", "--kernel", "nowhere.py"], "nowhere.py: there is no file nowhere.py"),
        (["run", "--resume", "nowhere"], "nowhere has no samples.jsonl; name the folder of a run"),
        (["report", "nowhere"], "nowhere has no samples.jsonl; name the folder of a run"),
        (["plot", "."], ". has no samples.jsonl"),
        (["compare", "nowhere", "reference"], "nowhere has no samples.jsonl"),
        (["compare", str(RECORDED), str(RECORDED), "--fail-slower", "5"], "--fail-slower takes a percentage, such as"),
        (["advise", "--m", "0", "--n-x", "2", str(RECORDED)], "--m must be at least 1; got 0"),
        (["advise", "--m", "9", "--n-x", "2", "--order", "f", str(RECORDED)], "--order must be F or C; got 'f'"),
        (["advise", "--m", "9", "--n-x", "2", "--threads", "2", str(RECORDED)], "--threads must be 1 or all; got '2'"),
        (["advise", "--m", "9", "--n-x", "2", str(RECORDED)], "this run can't answer for order F, 1 thread: too few"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(refused: Refused, words: list[str], message: str) -> None:
    assert refused(*words).startswith(f"unloop: {message}")


def test_the_run_that_answers_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert commands.reference() == commands.ROOT / commands.REFERENCE
    shutil.copytree(RECORDED, tmp_path / commands.REFERENCE)
    assert commands.reference() == commands.REFERENCE
    shutil.rmtree(tmp_path / "results")
    monkeypatch.setattr(commands, "ROOT", tmp_path)  # as if only the package were installed
    assert commands.reference() == commands.PACKAGED and load(commands.PACKAGED).cells


def test_advise_anywhere_prints_what_to_paste(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    commands.advise(m=700, n_x=30, calls=10**6)
    text = capsys.readouterr().out
    assert text.startswith("Use numba_") and "90% interval" in text and "Times differ between machines." in text
    # What it prints to paste runs, on a problem of any size.
    problem = make_problem(50, 3)
    names = {"w": problem.w, "b": problem.b, "X": problem.X, "Y": problem.Y}
    exec(text.partition("\n\n")[2].replace("iterations=1000000", "iterations=3"), names)
    assert len(names["descent"].costs) == 3  # type: ignore[attr-defined]


def test_plot_and_report_draw_again_from_the_samples_alone(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(run_folder / journal.FILE, copy)
    commands.plot(copy)
    drawn = sorted(path.name for path in (run_folder / "plots").iterdir())
    assert sorted(path.name for path in (copy / "plots").iterdir()) == drawn
    # The same samples give the same figure, to the byte.
    assert (copy / "plots" / "headline.svg").read_bytes() == (run_folder / "plots" / "headline.svg").read_bytes()
    commands.report(copy, tables=True)
    text = capsys.readouterr().out
    assert "Speed-up over python_loop" in text and f"Page   {copy / 'report.html'}" in text
    assert (copy / "report.md").read_text() == (run_folder / "report.md").read_text()


def test_kernels_and_machine(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(ceilings, "LAST_BYTES", 2**16)  # so that little is read
    monkeypatch.setattr(ceilings, "LEAST_BYTES", 2**18)
    monkeypatch.setenv("COLUMNS", "200")
    for words, shown in ((["kernels"], ("numba_parallel", "torch_compile")), (["machine"], ("NumPy", "LLVM", "GB/s"))):
        monkeypatch.setattr(sys, "argv", ["unloop", *words])
        with pytest.raises(SystemExit) as ended:
            app.main()
        text = capsys.readouterr().out
        assert ended.value.code == 0 and all(word in text for word in shown), text


def test_a_busy_machine_gives_a_warning(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(ceilings, "measure", lambda _: {})
    monkeypatch.delenv("NUMBA_OPT", raising=False)
    for cores, shown in ((1.25, True), (0.1, False)):
        monkeypatch.setattr("bench.machine.disturbances.cores_of_others", lambda _, cores=cores: cores)
        commands.machine()
        text = capsys.readouterr().out
        assert ("Warning: other processes keep 1.2 cores busy: stop them, or" in text) == shown


@pytest.mark.parametrize(
    "words", [[], ["run"], ["plot"], ["report"], ["compare"], ["advise"], ["kernels"], ["machine"]]
)
def test_help_teaches(words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["unloop", *words, "--help"])
    with pytest.raises(SystemExit) as ended:
        app.main()
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert "Usage:" in text and len(text) > 120


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to another process")
def test_ctrl_c_keeps_what_was_measured_and_draws_its_report(tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = [sys.executable, "-m", "bench", "run", "--grid", "smoke", "--kernels", "numpy_textbook", "--out", str(out)]
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
        if path.exists() and '"type":"Round"' in path.read_text():
            break
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 130, text
    assert "Interrupted; drawing the report of what was measured." in text
    assert "Traceback" not in text
    run = load(out)
    assert run.end is not None and run.end.interrupted
    assert "The run was interrupted" in (out / "report.md").read_text()
