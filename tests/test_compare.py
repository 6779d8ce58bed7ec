"""The command compare: exit codes, wrong use, and what pytest-benchmark makes of the same runs."""

import json
import re
import shutil
from pathlib import Path

import pytest

from bench.results import journal
from bench.results.run import load
from tests.conftest import ROOT, Command


def slowed(folder: Path, to: Path, factor: float) -> Path:
    """A copy of a run whose numba_loop takes longer."""
    to.mkdir()
    kept = journal.Journal(to)
    for record in journal.read(folder / journal.FILE):
        if record["type"] == "Round":
            record["samples"] = [[n, s * factor if n == "numba_loop" else s, cpu] for n, s, cpu in record["samples"]]
        kept.write({key: value for key, value in record.items() if key != "crc"})
    kept.close()
    return to


def test_the_command(command: Command, tmp_path: Path) -> None:
    reference = ROOT / "results" / "reference"
    slow = slowed(reference, tmp_path / "slow", 1.5)
    done = command("bench", "compare", str(reference), str(slow), "--fail-slower", "5%", "--out", "drawn")
    assert done.returncode == 1, done.stderr
    assert "numba_loop" in done.stdout and "REGRESSED" in done.stdout
    assert (tmp_path / "drawn" / "compare.png").is_file()
    same = command("bench", "compare", "reference", str(reference), "--fail-slower", "5%")
    assert same.returncode == 0 and "0 are slower beyond noise" in same.stdout


def test_a_folder_that_cannot_be_written_to(command: Command, tmp_path: Path, run_folder: Path) -> None:
    (tmp_path / "in the way").touch()
    done = command("bench", "compare", str(run_folder), str(run_folder), "--out", "in the way", "--fail-slower", "5%")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "the figure can't be written" in done.stderr and "name another folder with --out" in done.stderr
    undecided = command("bench", "compare", str(run_folder), str(run_folder), "--fail-slower", "5%")
    assert undecided.returncode == 2 and len(undecided.stderr.splitlines()) == 1
    assert "measure with more rounds" in undecided.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nowhere", "reference"), "holds no samples.jsonl"),
        (("reference", "reference", "--fail-slower", "much"), "takes a percentage, such as 5%"),
    ],
)
def test_wrong_use_is_one_line(command: Command, words: tuple[str, ...], told: str) -> None:
    done = command("bench", "compare", *words)
    assert done.returncode == 2 and told in done.stderr and len(done.stderr.splitlines()) == 1


def test_pytest_benchmark_compares_the_same_runs(command: Command, run_folder: Path, tmp_path: Path) -> None:
    file = run_folder / "run.json"
    other = Path(shutil.copy(file, tmp_path / "other.json"))
    assert json.loads(file.read_text())["benchmarks"]
    done = command("pytest_benchmark", "compare", str(file), str(other))
    assert done.returncode == 0 and re.search("numba_loop", done.stdout)
    assert load(run_folder).cells


def test_pytest_compares_with_the_run_json_of_a_run(command: Command, run_folder: Path, tmp_path: Path) -> None:
    """The path form of --benchmark-compare, with a run before in which one kernel took far longer, and one far less."""
    line = "pytest --benchmark-only --benchmark-compare=RUN/run.json --benchmark-compare-fail=median:5%"
    assert line in (ROOT / "README.md").read_text(encoding="utf-8")
    before = json.loads((run_folder / "run.json").read_text())
    for benchmark in before["benchmarks"]:
        benchmark["stats"]["median"] *= 1e6 if benchmark["params"]["kernel"] == "numba_loop" else 1e-6
    (tmp_path / "run.json").write_text(json.dumps(before))
    words = line.replace("RUN", str(tmp_path)).split()
    quick = ("--grid", "smoke", "--benchmark-max-time", "0.004", "--benchmark-min-time", "0.0002")
    select = ("-k", "m10- and (numba_loop or numpy_textbook)", "--out", str(tmp_path / "now"))
    done = command(*words, *quick, *select, cwd=ROOT)
    for kernel in ("numba_loop", "numpy_textbook"):
        assert f"test_gradient[m10-n_x2-F-1t-{kernel}] (NOW)" in done.stdout, done.stdout + done.stderr
    failed = [
        said for said in (done.stdout + done.stderr).splitlines() if "has failed PercentageRegressionCheck" in said
    ]
    assert done.returncode != 0 and len(failed) == 1 and "numpy_textbook" in failed[0], failed
