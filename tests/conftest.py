"""What tests share: a small recorded run, and the command line as a user calls it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.results import Run, load
from kernels import _cache, controlled

ROOT = Path(__file__).parents[1]
# Compiled code that all processes of the tests share.
os.environ.setdefault("UNLOOP_CACHE", str(ROOT / ".numba_cache"))
# A run of five small cells, recorded once: python_loop is over the cap in the largest, so it holds an estimate too.
RECORDED = ROOT / "tests" / "data" / "tiny"

# The tests' own process uses it too; what looks at machine code compiles a function anew, since Numba shows none of
# what it has loaded from disk.
assert controlled.CONTROLLED
_cache.keep_on_disk(_cache.cache_folder())

Command = Callable[..., subprocess.CompletedProcess[str]]


def environment(**changes: str) -> dict[str, str]:
    """The environment of the tests, without what tells pytest that it runs inside another."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COLUMNS"))}
    return kept | {"PYTHONPATH": str(ROOT)} | changes


@pytest.fixture(scope="session")
def run() -> Run:
    """The recorded run."""
    return load(RECORDED)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, run: Run) -> Path:
    """A copy of the recorded run's folder, with its report drawn."""
    from bench.report import write

    folder = tmp_path_factory.mktemp("runs") / "tiny"
    shutil.copytree(RECORDED, folder)
    write(run, folder)
    return folder


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
