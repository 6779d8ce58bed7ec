"""Two runs compared: the interval, what counts as a change, the correction, machines that differ, exit codes."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench import changes, journal, stats
from bench.compare import Change, NothingInCommon, compare
from bench.engine import CONTROL
from bench.grid import Cell
from bench.results import LOOP, VECTORIZED, CellResult, Run, load
from bench.stats import Interval
from tests.conftest import ROOT, Command

SECONDS = {LOOP: 1e-2, "numba_loop": 1e-4, VECTORIZED: 2e-4, CONTROL: 2e-4}
ROUNDS = 60


def made(run: Run, seed: int, slower: dict[str, float] | None = None, noise: float = 0.002) -> Run:
    """A run of six cells whose kernels take what SECONDS says, with noise; some of them slower by a factor."""
    rng = np.random.default_rng(seed)
    found = replace(run, cells=[])
    for m in (10, 20, 30, 40, 50, 60):
        result = CellResult(Cell(m, 2))
        for name, seconds in SECONDS.items():
            times = seconds * (slower or {}).get(name, 1.0) * np.exp(noise * rng.standard_normal(ROUNDS))
            result.seconds[name], result.rounds[name] = times.tolist(), list(range(ROUNDS))
            result.loops[name] = 1
        found.cells.append(result)
    return found


def elsewhere(run: Run) -> Run:
    """The same run, made on another machine."""
    return replace(run, header={**run.header, "machine": {**run.header["machine"], "cpu": "another"}})


def test_the_ratio_of_medians_by_hand() -> None:
    # Ten samples each: with 95% for both, 97.5% each, k = 2; so 9/2 on the outside.
    one, two = list(range(1, 11)), [2 * k for k in range(1, 11)]
    found = stats.ratio(two, one)
    assert found.estimate == pytest.approx(2.0)
    assert (found.low, found.high) == pytest.approx((4 / 9, 9.0))
    assert stats.quotient(Interval(2.0, 1.0, 4.0), Interval(1.0, 0.5, 2.0)) == Interval(2.0, 0.5, 8.0)
    assert stats.each_of_two(0.95) == pytest.approx(0.975)


@pytest.mark.parametrize("rounds", [12, 40])
def test_the_interval_covers(rounds: int) -> None:
    rng = np.random.default_rng(rounds)
    covered = 0
    for _ in range(600):
        # Medians 1 and 1.5, and noise of different shapes.
        one = np.exp(0.05 * rng.standard_normal(rounds))
        two = 1.5 * np.exp(0.1 * (rng.exponential(size=rounds) - np.log(2.0)))
        covered += 1.5 in stats.ratio(two, one)
    assert covered / 600 >= 0.95


def test_an_interval_that_is_too_narrow_would_be_noticed() -> None:
    rng = np.random.default_rng(3)
    covered = sum(
        1.0 in stats.ratio(np.exp(rng.standard_normal(40)), np.exp(rng.standard_normal(40)), 0.3) for _ in range(400)
    )
    assert covered / 400 < 0.95


def test_a_run_and_itself_show_nothing(run: Run) -> None:
    one = made(run, 1)
    found = compare(one, one)
    assert len(found.changes) == 6 * 3
    assert found.changed == [] and found.typical == pytest.approx(1.0) and not found.hardware
    assert "0 are slower beyond noise" in changes.verdict(found)


def test_two_runs_of_the_same_show_nothing(run: Run) -> None:
    assert compare(made(run, 1), made(run, 2)).changed == []


def test_a_slow_down_is_found_and_is_the_only_one(run: Run) -> None:
    found = compare(made(run, 1), made(run, 2, {"numba_loop": 1.2}))
    assert {change.kernel for change in found.of("slower")} == {"numba_loop"}
    assert len(found.of("slower")) == 6 and not found.of("faster")
    assert all(1.18 < change.ratio.estimate < 1.22 for change in found.of("slower"))
    assert len(found.regressions(0.05)) == 6 and not found.regressions(0.25)
    back = compare(made(run, 2, {"numba_loop": 1.2}), made(run, 1))
    assert {change.kernel for change in back.of("faster")} == {"numba_loop"} and not back.regressions(0.0)


def test_what_is_within_the_noise_floor_is_no_change(run: Run) -> None:
    one, two = made(run, 1, noise=1e-5), made(run, 2, {"numba_loop": 1.005}, noise=1e-5)
    assert len(compare(one, two).changed) == 6
    for result in (*one.cells, *two.cells):
        # The control 1% off: half a percent is no difference then.
        result.seconds[CONTROL] = [1.01 * each for each in result.seconds[VECTORIZED]]
    before, after = (replace(each, cells=[replace(result) for result in each.cells]) for each in (one, two))
    assert compare(before, after).changed == []


def test_more_comparisons_ask_for_more(run: Run) -> None:
    one, two = made(run, 1), made(run, 2)
    wide = compare(one, two).changes[0].ratio
    narrow = compare(replace(one, cells=one.cells[:1]), replace(two, cells=two.cells[:1])).changes[0].ratio
    assert wide.low < narrow.low and narrow.high < wide.high


def test_on_machines_that_differ_speedups_are_compared(run: Run) -> None:
    halved = dict.fromkeys(SECONDS, 0.5)
    found = compare(made(run, 1), elsewhere(made(run, 2, {**halved, "numba_loop": 0.65})))
    assert found.hardware == [("cpu", run.header["machine"]["cpu"], "another")]
    assert {change.baseline for change in found.changes} == {LOOP, VECTORIZED}
    assert {change.kernel for change in found.changed} == {"numba_loop"}
    assert all(change.ratio.estimate == pytest.approx(1.3, rel=0.02) for change in found.changed)


def test_too_few_rounds_decide_nothing(run: Run) -> None:
    found = compare(run, run)
    assert {change.verdict for change in found.changes} == {"unknown"}
    assert "can't be told" in changes.verdict(found)


def test_what_only_one_run_holds_is_named(run: Run) -> None:
    one, two = made(run, 1), made(run, 2)
    two.cells = two.cells[1:]
    two.cells[0].seconds = {k: v for k, v in two.cells[0].seconds.items() if k != "numba_loop"}
    two.cells[0].failed["numba_loop"] = "numba_loop: raised"
    found = compare(one, two)
    assert any("1 cell only in the first run" in line for line in found.alone)
    assert any(line.startswith("numba_loop in 1 cell only in the first run; it failed") for line in found.alone)
    assert [line.split(":")[0] for line in found.lost] == ["numba_loop at m = 20, n_x = 2, order F, 1 thread"]


def test_nothing_in_common(run: Run) -> None:
    one, two = made(run, 1), made(run, 2)
    two.cells = [replace(result, cell=replace(result.cell, n_x=7)) for result in two.cells]
    with pytest.raises(NothingInCommon, match="compare runs of one grid"):
        compare(one, two)


def test_verdicts_of_a_change() -> None:
    def verdict(low: float, high: float, floor: float = 0.01) -> str:
        return Change("k", Cell(1, 1), None, 1.0, 1.0, Interval((low + high) / 2, low, high), floor).verdict

    assert verdict(1.02, 1.04) == "slower" and verdict(1.005, 1.04) == "same"
    assert verdict(0.9, 0.98) == "faster" and verdict(0.9, 0.995) == "same"
    assert verdict(0.0, np.inf) == verdict(1.02, 1.04, np.inf) == "unknown"


def test_the_figure_and_its_data(run: Run, tmp_path: Path) -> None:
    found = compare(made(run, 1), made(run, 2, {"numba_loop": 1.2}))
    plot = changes.draw(found)
    assert plot.table is not None and any("numba_loop" in row for row in plot.table.rows)
    path = changes.save(plot, tmp_path / "new")
    assert path.is_file() and {each.suffix for each in path.parent.iterdir()} == {".svg", ".png"}


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
