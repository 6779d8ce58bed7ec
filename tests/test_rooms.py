"""The house itself: imports point one way, a room is small, and what a contract forbids it catches."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

CONTRACTED = ("bench", "kernels")
MOST_FILES, MOST_LINES = 12, 300
COLLECTIONS = ("kernels", "kernels/peers", "bench/report/chapters", "bench/claims/published")


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """import-linter over a tree, as make lint runs it."""
    words = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    return subprocess.run([*words, "--no-cache"], cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the contract is about."""
    for package in CONTRACTED:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_imports_point_one_way(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "wrong"),
    [
        ("bench/results/run.py", "from bench.machine import ceilings"),
        ("bench/analysis/compare.py", "from bench.measure import engine"),
        ("bench/report/svg.py", "from bench.measure import engine"),
        ("bench/words.py", "from bench.results import Run"),
        ("kernels/_aligned.py", "from bench import stats"),
    ],
)
def test_a_wrong_import_is_caught(copy: Path, module: str, wrong: str) -> None:
    path = copy / module
    path.write_text(f"{path.read_text()}\n{wrong}\n")
    done = lint(copy)
    assert done.returncode == 1 and "BROKEN" in done.stdout, done.stdout


def test_a_run_is_read_without_what_measures_or_draws() -> None:
    code = (
        "import sys; from bench.results import load; load('tests/data/tiny').table(); "
        "print(*[name for name in sys.modules if name.split('.')[0] in ('numba', 'matplotlib', 'kernels') "
        "or name.startswith(('bench.measure', 'bench.machine', 'bench.report'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.strip() == "", done.stdout + done.stderr


def test_a_room_and_a_module_fit_in_a_head() -> None:
    for package in CONTRACTED:
        for folder in (ROOT / package, *(path for path in (ROOT / package).rglob("*") if path.is_dir())):
            files = list(folder.glob("*.py"))
            name = folder.relative_to(ROOT).as_posix()
            assert len(files) <= MOST_FILES or name in COLLECTIONS, name
            for path in files:
                assert len(path.read_text().splitlines()) <= MOST_LINES, path


def test_a_kernel_is_looked_up_by_name_in_its_own_room_only() -> None:
    """Only the two baselines have a name outside kernels/."""
    from bench.results import BASELINES
    from kernels import KERNELS
    from kernels.controlled import CONTROLLED
    from kernels.peers import PEERS

    names = "|".join(re.escape(name) for name in (*KERNELS, *PEERS, *CONTROLLED) if name not in BASELINES)
    quoted = re.compile(rf"""["']({names})["']|startswith\(["']numba""")
    for path in (ROOT / "bench").rglob("*.py"):
        if path.name != "format1.py":  # what an old format lacks
            assert not quoted.search(path.read_text()), path


def test_the_tree_of_contributing_is_the_tree() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "bench").iterdir()):
        if path.name != "__pycache__":
            name = f"{path.name}/" if path.is_dir() else path.name
            assert re.search(rf"^    bench/{re.escape(name)} ", text, re.MULTILINE), name
    for name in re.findall(r"^    (bench/\S+)", text, re.MULTILINE):
        assert (ROOT / name).exists(), name
