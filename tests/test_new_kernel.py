"""A kernel is one file and one line: added to a copy of the project, it is in table, figures and page of a run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.results import VECTORIZED, load
from tests.conftest import RECORDED, ROOT

FILE = '''"""The vectorized form once more, under a name that is new."""

from dataclasses import replace

from kernels import numpy_vectorized

KERNEL = replace(
    numpy_vectorized.KERNEL,
    name="numpy_again",
    title="NumPy, again",
    change="Nothing: it is numpy_vectorized under another name.",
    grew_from="numpy_vectorized",
    cause="another name",
)
'''


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages, without what they were compiled to."""
    for package in ("bench", "kernels"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def call(root: Path, *words: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=root,
        env={**environment, "PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def replace_once(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def test_adding_a_kernel_is_one_file_and_one_line(copy: Path) -> None:
    (copy / "kernels" / "numpy_again.py").write_text(FILE)
    ladder = copy / "kernels" / "__init__.py"
    replace_once(ladder, '    "numpy_vectorized",\n', '    "numpy_vectorized",\n    "numpy_again",\n')
    assert "numpy_again" in call(copy, "kernels")
    printed = call(copy, "run", "--grid", "smoke", "--kernels", "numpy_again", "--out", "run")
    assert "again" in printed
    run = load(copy / "run")
    assert "numpy_again" in set(run.table()["kernel"])
    names = list(run.kernels)
    assert names.index("numpy_again") == names.index(VECTORIZED) + 1
    assert "NumPy, again" in (copy / "run" / "report.html").read_text()  # its lesson
    assert "numpy_again" in (copy / "run" / "appendix.html").read_text()
    assert "numpy_again" in (copy / "run" / "report.md").read_text()
    drawn = [path.name for path in (copy / "run" / "plots").glob("*.svg") if "numpy_again" in path.read_text()]
    assert "accuracy.svg" in drawn, drawn


def test_taking_one_away_is_the_same(copy: Path) -> None:
    (copy / "kernels" / "python_lists.py").unlink()
    ladder = copy / "kernels" / "__init__.py"
    replace_once(ladder, '    "python_lists",\n', "")
    assert "python_lists" not in call(copy, "kernels")
    # A run that was measured with it is still read and drawn.
    shutil.copytree(RECORDED, copy / "recorded")
    call(copy, "report", "recorded")
    assert "python_lists" in (copy / "recorded" / "report.md").read_text()
