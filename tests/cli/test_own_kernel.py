"""Own kernels on the command line and in pytest."""

from pathlib import Path

import pytest

from bench.results import LOOP, VECTORIZED, load
from tests.cli.conftest import Refused
from tests.conftest import ROOT, Command
from tests.measure.test_own_kernel import example


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my_kernel.py"
    path.write_text(example())
    return path


def test_the_command_line_measures_it_and_names_a_wrong_one(
    command: Command, refused: Refused, file: Path, tmp_path: Path
) -> None:
    words = ("run", "--grid", "smoke", "--kernels", "numpy_textbook", "--kernel", str(file))
    done = command("bench", *words, "--out", str(tmp_path / "run"), cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "my_kernel" in done.stdout and load(tmp_path / "run").own == ["my_kernel"]
    file.write_text(example().replace("/ m, dZ", "* m, dZ"))
    done = command("bench", *words, "--out", str(tmp_path / "other"), cwd=ROOT)
    assert done.returncode == 1
    assert "FAIL at m = 10" in done.stdout and "my_kernel: dw is wrong (dw[0] = " in done.stdout
    assert load(tmp_path / "other").cells[0].kernels == [LOOP, "numpy_textbook", VECTORIZED]
    file.write_text("import os\nos._exit(3)\n")
    assert "it ended the process with exit code 3" in refused(*words, "--out", str(tmp_path / "third"))
    assert not (tmp_path / "third").exists()
    file.unlink()
    message = refused("run", "--resume", str(tmp_path / "other"))
    assert "can't be resumed" in message and "there is no file" in message


def test_pytest_measures_it_too(command: Command, file: Path, tmp_path: Path) -> None:
    options = ("--grid", "smoke", "--benchmark-max-time", "0.004", "--benchmark-min-time", "0.0002")
    select = (f"--kernel={file}", "-k", "m10 and my_kernel", "--out", str(tmp_path / "run"))
    done = command("pytest", "--benchmark-only", *options, *select, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert load(tmp_path / "run").cells[0].kernels == [LOOP, VECTORIZED, "my_kernel"]
    assert "test_gradient[m10-n_x2-F-1t-my_kernel]" in done.stdout
    disabled = command("pytest", "bench", "--benchmark-disable", f"--kernel={file}", "-k", "my_kernel", cwd=ROOT)
    assert disabled.returncode == 0 and "passed" in disabled.stdout
