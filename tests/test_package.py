"""The package as pip installs it: a wheel, in an environment of its own, used from a folder that is no checkout."""

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from bench.cli import commands
from bench.results import journal, load, selection
from bench.results.records import Calibrated, Round
from tests.conftest import RECORDED, ROOT, environment

MOST_BYTES = 3 * 2**19


def test_a_selection_is_a_run_with_the_same_kernels_and_samples_of_the_run(tmp_path: Path) -> None:
    path = selection.write(RECORDED, tmp_path)
    assert path == tmp_path / journal.COMPRESSED
    whole, few = load(RECORDED), load(tmp_path)
    assert few.plan == whole.plan and few.warnings == [
        "it is a selection: every 4th round of the run that was measured"
    ]
    for before, after in zip(whole.cells, few.cells, strict=True):
        assert before.kernels == after.kernels and before.processes == after.processes
        for name, samples in after.samples.items():
            kept = before.samples[name]
            taken = {round_: wall for round_, wall in zip(kept.rounds, kept.wall, strict=True) if round_ % 4 == 0}
            assert list(samples.wall) == pytest.approx(list(taken.values()), rel=1e-3)


def test_what_is_rare_is_kept_and_processes_stay_apart() -> None:
    cell = "m10"
    calibrated = Calibrated(
        cell=cell, loops={"a": 3, "b": 1}, every={"a": 1, "b": 8}, rounds=20, seconds=1.0, processes=2
    )
    rounds = [Round(cell=cell, index=index, samples=[]) for index in range(20)]
    header, *_ = journal.read(RECORDED / journal.FILE)
    _, _, fixed, *kept = selection.selected([header, calibrated, *rounds], 4)
    assert isinstance(fixed, Calibrated)
    assert (fixed.rounds, fixed.per_process, fixed.every) == (6, 3, {"a": 1, "b": 2})  # rounds 0, 4 and 8 of each
    assert [record.index for record in kept if isinstance(record, Round)] == list(range(6))


@pytest.fixture(scope="module")
def unloop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script `unloop` of an environment that holds the wheel, and sees the libraries of this one."""
    root = tmp_path_factory.mktemp("package")
    source = root / "source"
    for package in ("bench", "kernels"):
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    wheel = (
        *pip,
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(root),
        str(source),
    )
    if subprocess.run([*wheel], capture_output=True, check=False).returncode:
        done = subprocess.run([*wheel], capture_output=True, text=True, check=False)
        if "No module named" in done.stderr or "BackendUnavailable" in done.stderr:
            pytest.skip("setuptools is not installed here, and a wheel can't be built without it")
        raise AssertionError(done.stdout + done.stderr)
    venv.create(root / "venv", with_pip=False)
    python = root / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    (file,) = root.glob("*.whl")
    subprocess.run(
        [*pip, "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(file)], check=True
    )
    where = [sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    inside = subprocess.run([str(python), *where[1:]], capture_output=True, text=True, check=True).stdout.strip()
    (Path(inside) / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.with_name("unloop.exe" if sys.platform == "win32" else "unloop")


def call(tmp_path: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Call a program of that environment in a folder that has a `bench` of its own."""
    (tmp_path / "bench").mkdir(exist_ok=True)
    (tmp_path / "bench" / "__init__.py").write_text("raise SystemExit('another bench')\n")
    kept = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    return subprocess.run([*map(str, words)], cwd=tmp_path, env=kept, capture_output=True, text=True, check=False)


def test_the_reference_run_of_the_package_answers_anywhere(unloop: Path, tmp_path: Path) -> None:
    (file,) = unloop.parents[2].glob("*.whl")
    with zipfile.ZipFile(file) as wheel:
        assert sum(info.compress_size for info in wheel.infolist()) < MOST_BYTES
        assert "bench/reference/samples.jsonl.xz" in wheel.namelist()
    advice = call(tmp_path, unloop, "advise", "--m", 1000, "--n-x", 32)
    assert advice.returncode == 0 and advice.stdout.startswith("Use "), advice.stderr
    assert "From the reference run of the package, " in advice.stdout
    compared = call(tmp_path, unloop, "compare", "reference", RECORDED)
    assert compared.returncode == 0, compared.stderr
    for done in (advice, compared):
        assert "site-packages" not in done.stdout + done.stderr
    assert load(commands.PACKAGED).kernels == load(ROOT / "results" / "reference").kernels


@pytest.mark.exhaustive
def test_an_installed_package_measures_and_reports_anywhere(unloop: Path, tmp_path: Path) -> None:
    done = call(tmp_path, unloop, "run", "--grid", "smoke", "--kernels", "numpy_textbook", "--out", "run")
    assert done.returncode == 0 and "report: run/report.html" in done.stdout, done.stdout + done.stderr
    assert call(tmp_path, unloop, "report", "run").returncode == 0


def pytest_of(unloop: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Call pytest as it is there, with the plugin; it collects what is installed."""
    python = unloop.with_name("python.exe" if sys.platform == "win32" else "python")
    start = ("-P", "-c", "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))")
    plugin = ("-p", "bench.plugin", "--benchmark-only", "--pyargs", "bench", "--grid", "smoke")
    return call(folder, python, *start, *plugin, "-k", "m10 and textbook and not m1000", *words)


def test_pytest_collects_what_is_installed(unloop: Path, tmp_path: Path) -> None:
    done = pytest_of(unloop, tmp_path, "--collect-only", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_gradient[m10-n_x2-F-1t-numpy_textbook]" in done.stdout and "1/" in done.stdout


@pytest.mark.exhaustive
def test_pytest_measures_what_is_installed(unloop: Path, tmp_path: Path) -> None:
    done = pytest_of(unloop, tmp_path, "--benchmark-max-time=0.004", "--benchmark-min-time=0.0002", "--out", "run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout and "numpy_textbook" in done.stdout
    assert load(tmp_path / "run").cells[0].kernels == ["python_loop", "numpy_textbook", "numpy_vectorized"]
