"""Two runs compared: the interval, what counts as a change, the correction, machines that differ, exit codes."""

import json
import os
import re
import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axis import Axis
from matplotlib.text import Text
from rich.console import Console

from bench import stats
from bench.analysis.compare import Change, NothingInCommon, NothingTold, compare, rounds_needed
from bench.grid import Cell
from bench.measure.engine import CONTROL
from bench.report import changes
from bench.results import journal
from bench.results.run import LOOP, VECTORIZED, CellResult, Run, load
from bench.stats import Interval
from tests.conftest import ROOT, Command

SECONDS = {LOOP: 1e-2, "numba_loop": 1e-4, VECTORIZED: 2e-4, CONTROL: 2e-4}
ROUNDS = 60


def made(
    run: Run,
    seed: int,
    slower: dict[str, float] | None = None,
    noise: float = 0.002,
    more: dict[str, float] | None = None,
) -> Run:
    """A run of six cells whose kernels take what SECONDS and `more` say, with noise; some slower by a factor."""
    rng = np.random.default_rng(seed)
    found = replace(run, cells=[])
    for m in (10, 20, 30, 40, 50, 60):
        result = CellResult(Cell(m, 2))
        for name, seconds in {**SECONDS, **(more or {})}.items():
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
    assert found.changed == [] and found.common[None].ratio == Interval(1.0, 1.0, 1.0) and not found.hardware
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


def test_what_all_have_in_common_is_told_apart(run: Run) -> None:
    # All are 1.2 times as slow, numba_loop 1.5 times: 1.25 times beyond that.
    found = compare(made(run, 1), made(run, 2, {**dict.fromkeys(SECONDS, 1.2), "numba_loop": 1.5}))
    common = found.common[None]
    assert common.verdict == "slower" and common.ratio.estimate == pytest.approx(1.2, rel=0.01)
    assert len(found.of("slower")) == 18 and len(found.regressions(0.05)) == 18
    assert {change.kernel for change in found.apart("slower")} == {"numba_loop"}
    assert [found.beyond(c).estimate for c in found.changed[:6]] == [pytest.approx(1.25, rel=0.01)] * 6
    assert [change.kernel for change in found.changed[:6]] == ["numba_loop"] * 6
    assert len(found.regressions_apart(0.05)) == 6 and not found.regressions_apart(0.3)
    words = changes.verdict(found)
    assert re.search(r"In common, they are 1\.2\d? times \(1.* to 1.*\) as slow: the machine as a whole", words)
    assert "beyond that, 6 are slower and 0 faster. Most changed: numba_loop, in 6 of 6" in words
    worse, words = changes.regressed(found, 0.05)
    assert worse and words.startswith("REGRESSED: 18 slower by more than 5%; beyond what is common to all, 6 are")
    assert words.endswith("measure again.")
    # A machine that is faster as a whole hides what became slower: seconds say nothing of it, the words do.
    hidden = compare(made(run, 1), made(run, 2, {**dict.fromkeys(SECONDS, 0.5), "numba_loop": 0.9}))
    worse, words = changes.regressed(hidden, 0.05)
    assert not worse and words.endswith("beyond what is common to all, 6 are slower by more than 5%.")


def test_what_two_kernels_or_few_cells_did_is_not_common(run: Run) -> None:
    one, two = made(run, 1), made(run, 2, dict.fromkeys(SECONDS, 1.2))
    few = [replace(each, cells=each.cells[:5]) for each in (one, two)]
    found = compare(few[0], few[1])
    assert found.common[None].verdict == "unknown" and found.apart("slower") == found.of("slower") != []
    assert "as slow: too few cells to tell" in changes.basis(found)
    for run_of in (one, two):
        for result in run_of.cells:
            del result.seconds[LOOP]
    assert compare(one, two).common == {}


def test_a_baseline_that_changed_is_named(run: Run) -> None:
    more = {"numpy_textbook": 1e-4, "numba_fused": 1e-4}
    found = compare(made(run, 1, more=more), elsewhere(made(run, 2, {LOOP: 1.5}, more=more)))
    assert list(found.drift) == [LOOP] and not found.apart("slower") and not found.apart("faster")
    assert "Against python_loop, in common, they are 1.5" in changes.verdict(found)
    assert "as fast: python_loop changed; beyond that, 0 are slower and 0 faster." in changes.verdict(found)


def test_too_few_rounds_decide_nothing(run: Run) -> None:
    found = compare(run, run)
    assert {change.verdict for change in found.changes} == {"unknown"}
    assert "can't be told" in changes.verdict(found)
    with pytest.raises(NothingTold, match=r"can't be told of any of .* at least \d+ in both runs") as raised:
        changes.regressed(found, 0.05)
    assert "\n" not in str(raised.value)


def test_the_rounds_that_an_interval_needs(run: Run) -> None:
    one = made(run, 1)
    needed = rounds_needed(18)
    # 2^-n <= 0.05 / 18 / 2 / 2, by hand: n >= log2(1440) = 10.49.
    assert needed == 11
    for rounds, verdicts in ((needed - 1, {"unknown"}), (needed, {"same"})):
        for result in one.cells:
            for name in result.seconds.keys() - {CONTROL}:
                result.seconds[name] = result.seconds[name][:rounds]
                result.rounds[name] = result.rounds[name][:rounds]
        assert {change.verdict for change in compare(one, one).changes} == verdicts
        one = made(run, 1)


def test_what_cannot_be_told_is_counted(run: Run) -> None:
    one, two = made(run, 1), made(run, 2)
    two.cells[0].seconds["numba_loop"] = two.cells[0].seconds["numba_loop"][:5]
    worse, words = changes.regressed(compare(one, two), 0.05)
    assert not worse
    assert words == "Nothing is slower by more than 5% beyond doubt; 1 of 18 can't be told, with too few rounds."
    worse, words = changes.regressed(compare(one, made(run, 2)), 0.05)
    assert (worse, words) == (False, "Nothing is slower by more than 5% beyond doubt.")


@pytest.mark.parametrize("differing", [False, True])
def test_no_line_is_longer_than_80_columns(run: Run, differing: bool) -> None:
    name = "numba_fused_parallel"
    one, two = made(run, 1, more={name: 123e-6}), made(run, 2, dict.fromkeys(SECONDS, 1.2), more={name: 184e-6})
    for each in (one, two):
        for k, result in enumerate(each.cells):
            result.cell = replace(result.cell, m=1_000_000 + k, n_x=12_288)
    found = compare(one, elsewhere(two) if differing else two)
    console = Console(width=80, file=StringIO())
    with console.capture() as capture:
        console.print(changes.render(found))
    lines = [line.rstrip() for line in capture.get().splitlines()]
    heading = next(k for k, line in enumerate(lines) if line.startswith(name))
    rows = lines[heading + 1 : heading + 1 + changes.OF_EACH]
    # A row that did not fit would go on in the next line.
    assert all(re.fullmatch(r"  +1,000,00\d 12,288 F, 1 .*\[.*\] .*%", row) for row in rows), rows


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


def _in_view(axis: Axis, place: float) -> bool:
    low, high = sorted(axis.get_view_interval())
    return bool(low <= place <= high)


def test_no_text_of_the_figure_is_clipped_or_covers_another(run: Run) -> None:
    halved = made(run, 2, dict.fromkeys(SECONDS, 0.5))
    for two in (halved, elsewhere(halved)):
        figure = changes.draw(compare(made(run, 1), two)).figure
        figure.draw_without_rendering()
        ticks = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
        beyond = {t.label1 for axis in ticks for t in axis.get_major_ticks() if not _in_view(axis, t.get_loc())}
        texts = {t for t in figure.findobj(Text) if t.get_visible() and t.get_text()} - beyond
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
        assert any(said.startswith("second run / first") for said, _ in boxes)
        for k, (said, box) in enumerate(boxes):
            assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, said
            assert not [other for other, its in boxes[:k] if box.overlaps(its)], said


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


def test_a_folder_that_cannot_be_written_to(command: Command, tmp_path: Path, run_folder: Path) -> None:
    (tmp_path / "in the way").touch()
    done = command("bench", "compare", str(run_folder), str(run_folder), "--out", "in the way", "--fail-slower", "5%")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "the figure can't be written" in done.stderr and "name another folder with --out" in done.stderr
    undecided = command("bench", "compare", str(run_folder), str(run_folder), "--fail-slower", "5%")
    assert undecided.returncode == 2 and len(undecided.stderr.splitlines()) == 1
    assert "measure with more rounds" in undecided.stderr


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may write anywhere, and Windows not say")
def test_a_read_only_folder(run: Run, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        changes.save(changes.draw(compare(made(run, 1), made(run, 2))), tmp_path / "new")


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
