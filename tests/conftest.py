"""What tests share: a small real run, and the command line as a user calls it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.grid import Cell, Preset
from bench.measure import contestants as roster
from bench.measure import session
from bench.report import write as report
from bench.results.run import Run, load

ROOT = Path(__file__).parents[1]
# python_loop is over the cap in the largest cell, so that the run holds a prediction too.
CELLS = (Cell(10, 2), Cell(50, 2), Cell(10, 16), Cell(4_000, 16), Cell(10, 2, threads=2))
PRESET = Preset(
    "tiny", CELLS, cap=0.02, budget=2e-3, min_rounds=6, max_rounds=8, sample_seconds=2e-4, settle_seconds=5e-5
)

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run, with its report."""
    folder = session.run_folder(tmp_path_factory.mktemp("runs"), "tiny")
    measuring = session.Session(folder, PRESET, seed=0)
    measuring.measure({cell: roster.names_for(cell) for cell in CELLS})
    report.write(measuring.close(), folder)
    return folder


@pytest.fixture(scope="session")
def run(run_folder: Path) -> Run:
    """That run, as read from its folder."""
    return load(run_folder)


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Call `python -m ...` in an empty folder, as a user would; returns the finished process."""

    def call(*words: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        # Not what tells pytest that it runs inside another.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment["COLUMNS"] = "200"
        return subprocess.run(
            [sys.executable, "-m", *words], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120
        )

    return call
