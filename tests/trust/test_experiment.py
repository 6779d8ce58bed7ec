"""The experiment itself: small, but with real processes and the real pytest-benchmark."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.grid import Cell
from bench.trust import FILE, experiment, find, ways
from bench.trust.experiment import PARTS, Design
from bench.trust.records import Measured
from bench.trust.ways import Stopped, Work
from tests import factories

CELL = Cell(1_000, 2)
WORK = Work({CELL: ("numpy_vectorized", "numpy_textbook")})
PRESET = factories.preset(processes=2, budget=4e-3)
DESIGN = Design(same=2, larger=0, neighbours=("quiet",), work=WORK, preset=PRESET)


def test_a_benchmark_keeps_its_name_with_more_work() -> None:
    more = Work(WORK.cells, 1)
    assert list(more.benchmarks) == list(WORK.benchmarks)
    assert {cell.m for _, cell in more.benchmarks.values()} == {1_010}
    assert all(cell.m * amount % 100 == 0 for cell in ways.CELLS for amount in experiment.MORE), "exactly so much more"


def test_an_experiment_is_resumed_and_becomes_one_file(tmp_path: Path) -> None:
    seen: list[str] = []

    def interrupted(what: str, _: float) -> None:
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(what)

    with pytest.raises(KeyboardInterrupt):
        experiment.measure(tmp_path, DESIGN, "1", interrupted)
    assert len(list((tmp_path / PARTS).glob("*.json"))) == 2 and find(tmp_path) is None
    with pytest.raises(Stopped, match="another machine, version or size"):
        experiment.measure(tmp_path, DESIGN, "2", lambda *_: None)
    later: list[str] = []
    made = experiment.measure(tmp_path, DESIGN, "1", lambda what, _: later.append(what))
    assert len(seen) + len(later) == 4 == len(made.runs)
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE]
    assert find(tmp_path) == made
    for run in made.runs:
        assert set(run.figures) == set(WORK.benchmarks)
        for figures in run.figures.values():
            assert len(figures.logs) == (2 if run.way == "unloop" else 0)
            assert (figures.median is not None) == (run.way == "pytest-benchmark") == (run.max_time is not None)


def test_the_rule_is_that_of_pytest_benchmark(tmp_path: Path) -> None:
    """`--benchmark-compare-fail` of pytest-benchmark itself and `called_slower`, on the same two files."""
    test = tmp_path / "test_it.py"
    test.write_text("import time\n\n\ndef test_it(benchmark):\n    benchmark.pedantic(time.sleep, (1e-4,), rounds=3)\n")
    words = [sys.executable, "-m", "pytest", str(test), "-q", "-p", "no:cacheprovider", "-c", "none.ini"]
    words += ["--rootdir", str(tmp_path), "--benchmark-storage", str(tmp_path / "kept")]
    (tmp_path / "none.ini").write_text("[pytest]\n")

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*words, *more], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run("--benchmark-save=first").returncode == 0
    (kept,) = (tmp_path / "kept").rglob("*.json")
    saved = json.loads(kept.read_text())
    for factor, fails in ((0.5, True), (2.0, False)):
        changed = json.loads(kept.read_text())
        for figure in ("median", "mean", "min"):
            changed["benchmarks"][0]["stats"][figure] = saved["benchmarks"][0]["stats"][figure] * factor
        kept.write_text(json.dumps(changed))
        done = run("--benchmark-compare=0001", "--benchmark-compare-fail=median:5%")
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        kept.write_text(json.dumps(saved))


def test_a_run_that_fails_is_one_line() -> None:
    with pytest.raises(Stopped, match="pytest-benchmark ended with exit code 1: "):
        ways.pytest_benchmark(Work({CELL: ("no_such_kernel",)}), 0.05)


def test_both_ways_get_as_long() -> None:
    def run(way: str, seconds: float, max_time: float | None = None) -> Measured:
        return Measured("quiet", way, 0, 0, seconds, {}, max_time)  # type: ignore[arg-type]

    first = experiment._max_time([run("unloop", 23.0)], 20, "quiet")
    assert first == pytest.approx((23.0 - experiment.START_SECONDS) / 20)
    before = [run("unloop", 23.0), run("pytest-benchmark", 33.0, first)]
    assert experiment._max_time(before, 20, "quiet") == pytest.approx(first - 10.0 / 20)
    assert experiment._max_time([run("unloop", 1.0)], 20, "quiet") == experiment.LEAST_TIME


def test_the_order_of_runs_is_random_and_each_is_there() -> None:
    steps = list(Design(same=3, larger=2).steps())
    assert len(steps) == len(set(steps)) == 2 * 2 * (3 + 2 * len(experiment.MORE))
    assert steps == list(Design(same=3, larger=2).steps()) != list(replace(Design(same=3, larger=2), seed=1).steps())
    assert steps[0][3] == "unloop", "its first run shows how long the other may take"
