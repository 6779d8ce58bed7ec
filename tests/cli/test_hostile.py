"""The command line in hostile hands: odd names, messages and numbers, output that can't be written, Ctrl-C at once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench import words
from bench.cli import app, commands, live, options, output
from bench.cli.options import Typed
from bench.grid import Cell
from bench.measure.ledger import remove_empty, run_folder
from bench.presets import SEEDS, preset
from bench.results import load
from bench.results.journal import FILE, LOCK
from bench.results.records import Failed
from bench.words import WrongUse
from tests.cli.conftest import Refused
from tests.conftest import RECORDED, environment

ODD = "a [red]x 'q' µ\udc80"  # markup, quotes, spaces, no ASCII, and a byte that is no text in UTF-8
linux = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full, names and signals as Linux has them")


def unloop(*words: str, cwd: Path, **changes: str) -> subprocess.CompletedProcess[bytes]:
    """Call the command line in a folder, with changes of the environment."""
    command = [sys.executable, "-m", "bench", *words]
    return subprocess.run(command, cwd=cwd, env=environment(**changes), capture_output=True, timeout=120, check=False)


@pytest.mark.exhaustive
@linux
def test_odd_names_and_messages_on_a_terminal_that_knows_ascii_only(tmp_path: Path) -> None:
    folder = tmp_path / ODD
    folder.mkdir()
    (folder / "bad.py").write_text(
        "def cost_and_gradient(w, b, X, Y):\n    raise ValueError('[/foo] \\udc80 \\x1b[31m × \\n second line')\n"
    )
    words = ("run", "--grid", "smoke", "--kernels", "numpy_textbook", "--kernel", "bad.py", "--out", "o [b]ut")
    done = unloop(*words, cwd=folder, PYTHONIOENCODING="ascii", COLUMNS="0")
    text = done.stdout.decode("ascii")
    assert done.returncode == 1 and not done.stderr, done.stderr.decode() + text
    assert "bad: raised at bad.py, line 2: ValueError: [/foo] ?  ?[31m x second line" in " ".join(text.split("\n"))
    assert "report: o [b]ut/report.html\n" in text and "Speed-up over python_loop" in text
    run = load(folder / "o [b]ut")
    assert all(set(result.failed) == {"bad"} and "\ufffd" in result.failed["bad"] for result in run.cells)


def test_a_folder_of_bytes_that_are_no_text(tmp_path: Path, refused: Refused) -> None:
    folder = tmp_path / ODD
    folder.mkdir()
    (folder / "my.py").write_text("def cost_and_gradient(w, b, X, Y): ...\n")
    message = refused("run", "--kernel", str(folder / "my.py"))
    assert "my.py: its path is no text in UTF-8; rename the file or its folder" in message
    assert "a [red]x 'q' µ\ufffd" in message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--seed", "-1"], f"--seed must be from 0 to {SEEDS - 1}; got -1"),
        (["run", "--seed", "9" * 60], f"--seed must be from 0 to {SEEDS - 1}; got a number of 60 digits"),
        (["run", "--seed", "1.5"], "Invalid value for '--seed': "),
        (["run", "--sed", "1"], "No such option: --sed"),
        (["runn"], "No such command 'runn'."),
        (["advise", "--n-x", "2"], "Missing option '--m'."),
        (["advise", "--m", "9" * 34, "--n-x", "2", str(RECORDED)], "--m must be at most 1,000,000,000,000; got a numb"),
        (["advise", "--m", "2", "--n-x", "1" + "0" * 400, str(RECORDED)], "--n-x must be at most 1,000,000,000; got a"),
        (["advise", "--m", "-" + "1" * 50, "--n-x", "2", str(RECORDED)], "--m must be at least 1; got a number of 50"),
        (["advise", "--m", "2", "--n-x", "2", "--calls", "9" * 99, str(RECORDED)], "--calls must be at most 1,000,"),
        (["report", "a\nb \x1b[1m[/x]"], "a b \ufffd[1m[/x] has no samples.jsonl"),
    ],
)
def test_whatever_is_typed_is_refused_in_one_line(refused: Refused, words: list[str], message: str) -> None:
    assert refused(*words).startswith(f"unloop: {message}")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--benchmark-max-time=0", "--benchmark-max-time must be from 1e-06 to 100000 seconds; got 0"),
        ("--benchmark-max-time=nan", "got nan"),
        ("--benchmark-min-time=-1", "--benchmark-min-time must be from 1e-06 to 100000 seconds; got -1"),
        ("--benchmark-min-time=inf", "got inf"),
        ("--benchmark-min-rounds=0", "--benchmark-min-rounds must be from 1 to 1,000,000; got 0"),
    ],
)
def test_numbers_of_pytest_benchmark_that_no_run_can_follow(
    option: str, message: str, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    name, _, value = option.partition("=")
    monkeypatch.setenv("PYTEST_ADDOPTS", option)
    asked = name.removeprefix("--").replace("-", "_")
    before = pytestconfig.getoption(asked)
    monkeypatch.setattr(pytestconfig.option, asked, type(before)(value) if value != "inf" else float("inf"))
    with pytest.raises(WrongUse) as error:
        options.with_benchmark_options(preset("smoke"), pytestconfig)
    assert message in str(error.value)


def test_a_seed_that_no_run_can_record_ends_pytest_too() -> None:
    with pytest.raises(WrongUse, match="--seed must be from 0"):
        options.plan(Typed("smoke", seed=-1))
    assert options.plan(Typed("smoke", seed=SEEDS - 1)).seed == SEEDS - 1


def written_to(out: int, *words: str, cwd: Path) -> str:
    """What the command line writes to stderr where its output goes to a file descriptor that can't be written to."""
    command = [sys.executable, "-m", "bench", *words]
    done = subprocess.run(
        command, cwd=cwd, env=environment(), stdout=out, stderr=subprocess.PIPE, text=True, timeout=120, check=False
    )
    os.close(out)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("unloop: standard output can't be written to: ")
    return done.stderr


@linux
def test_output_on_a_full_disk_stops_nothing_and_is_named(tmp_path: Path) -> None:
    lines = (RECORDED / FILE).read_bytes().splitlines(keepends=True)
    first = load(RECORDED).cells[0].cell
    of_first = (f'"cell":"{first.id}"'.encode(), f'"cell":{{"m":{first.m},"n_x":{first.n_x},'.encode())
    few = [line for line in lines[1:] if any(words in line for words in of_first)]  # one cell, for few figures
    (tmp_path / FILE).write_bytes(b"".join([lines[0], *few]))
    assert "No space left on device" in written_to(os.open("/dev/full", os.O_WRONLY), "report", ".", cwd=tmp_path)
    assert (tmp_path / "report.html").stat().st_size > 0 and (tmp_path / "run.json").is_file()


@linux
def test_output_into_a_pipe_that_nobody_reads_is_named(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    assert "Broken pipe" in written_to(writer, "kernels", cwd=tmp_path)


def test_the_message_of_a_kernel_is_no_markup_and_has_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cell, message = Cell(10, 2), "bad: raised ValueError: [/foo] [red]x :smile:"
    for terminal in ("0", "1"):
        monkeypatch.setenv("FORCE_COLOR", terminal) if terminal == "1" else monkeypatch.delenv("FORCE_COLOR", False)
        console = output.console()
        with live.progress(console, preset("smoke"), [cell]) as on_event:
            on_event(cell, Failed(cell=cell.id, kernel="bad", reason=message))
        assert message in capsys.readouterr().out
    error = ValueError("[/foo] \udc80 \x1b[31m\n\n second line\0")
    assert words.of_error(error) == "ValueError: [/foo] \ufffd \ufffd[31m second line\ufffd"
    assert len(words.one_line("x" * 10_000)) == 2_001

    class Silent(Exception):
        def __str__(self) -> str:
            raise self

    assert words.of_error(Silent()) == "Silent: its message can't be read"


@linux
def test_printing_goes_on_where_the_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path("/dev/full").open("w", encoding="ascii", errors="strict")  # noqa: SIM115  it can't be closed as usual
    monkeypatch.setattr(sys, "stdout", file)
    monkeypatch.setattr(sys, "__stdout__", file)
    with output.surviving() as written:
        for _ in range(10_000):
            print("µ \udc80")
    assert written is not None and written.error is not None and sys.stdout is file
    file.close()  # what it has can't be written either


def test_a_terminal_of_no_columns_has_the_usual_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "0")
    output.console().print("[red]shown[/red] :smile:")
    assert capsys.readouterr().out == "[red]shown[/red] :smile:\n"
    assert output.command("run", "--resume", "my [run] 'x'") == "unloop run --resume 'my [run] '\"'\"'x'\"'\"''"


@linux
def test_ctrl_c_at_any_moment_of_the_start_leaves_no_traceback_and_no_empty_folder(tmp_path: Path) -> None:
    # While modules are loaded, while the worker starts, and in between.
    for number, wait in enumerate((0.1, 0.5, 1.0, 2.0)):
        folder = tmp_path / str(number)
        folder.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-m", "bench", "run", "--grid", "smoke", "--kernels", "numpy_textbook"],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            start_new_session=True,
        )
        time.sleep(wait)
        os.killpg(process.pid, signal.SIGINT)
        text, _ = process.communicate(timeout=60)
        assert "Traceback" not in text, text
        assert process.returncode in (130, -signal.SIGINT), text
        for out in folder.glob("results/*"):
            assert load(out).plan.preset.name == "smoke"
        assert (folder / "results").exists() == bool(list(folder.glob("results/*")))


def test_an_empty_run_folder_is_removed_and_no_other(tmp_path: Path) -> None:
    folder = run_folder(tmp_path, "x")
    (folder / LOCK).touch()
    remove_empty(folder)
    assert not (tmp_path / "results").exists()
    kept = run_folder(tmp_path, "x")
    (kept / "notes.txt").touch()
    remove_empty(kept)
    assert (kept / "notes.txt").exists()


def test_a_run_in_which_nothing_is_measured_yet_says_so(tmp_path: Path, refused: Refused) -> None:
    folder = tmp_path / "my run"
    folder.mkdir()
    lines = (RECORDED / FILE).read_bytes().splitlines(keepends=True)
    begun = next(number for number, line in enumerate(lines) if b'"type":"FirstCall"' in line)
    (folder / FILE).write_bytes(b"".join(lines[: begun + 1]))
    rest = f"unloop run --resume '{folder}'"
    for typed in (
        ["report", str(folder)],
        ["plot", str(folder)],
        ["advise", "--m", "9", "--n-x", "2", str(folder)],
        ["compare", str(RECORDED), str(folder)],
    ):
        message = refused(*typed)
        assert message == f"unloop: {folder}: nothing is measured yet; to measure it: {rest}\n"


def test_ctrl_c_while_drawing_says_how_to_draw(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from bench import report

    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "write", pressed)
    monkeypatch.setattr(sys, "argv", ["unloop", "report", str(RECORDED)])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 130
    assert f"The report is not complete. To draw it: unloop report {RECORDED}\n" in capsys.readouterr().out
    with pytest.raises(KeyboardInterrupt):
        commands.drawn_report(load(RECORDED), tmp_path, light=True)
    assert f"unloop report --light {tmp_path}\n" in capsys.readouterr().out
