"""The pytest-benchmark face, called as a user calls it."""

import json
from pathlib import Path

import pytest

from bench.cli import options
from bench.cli.options import Typed
from bench.cli.replay import interleaved_replay, tape
from bench.presets import preset
from bench.results import LOOP, VECTORIZED, load
from bench.words import WrongUse
from tests.conftest import ROOT, Command

SMOKE = (
    "pytest",
    "--benchmark-only",
    "--grid",
    "smoke",
    "--benchmark-max-time",
    "0.004",
    "--benchmark-min-time",
    "0.0002",
)


def test_the_tape_replays_every_sample_exactly_once() -> None:
    with tape([0.25, 3.0]):
        readings = [interleaved_replay() for _ in range(4)]
    assert readings == [0.0, 0.25, 0.0, 3.0]
    with pytest.raises(RuntimeError, match="fewer samples"), tape([1.0]):
        interleaved_replay()
    with pytest.raises(StopIteration):
        interleaved_replay()


def test_a_run_end_to_end(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_OPT", raising=False)
    out, saved = tmp_path / "run", tmp_path / "saved.json"
    done = command(*SMOKE, "-k", "m1000 and numba_loop", "--out", str(out), f"--benchmark-json={saved}", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    run = load(out)
    # No file of the tests has any say in what is measured: none may hold the compiler back, for one.
    assert not [words for words in run.warnings if "NUMBA" in words]
    # Only what is selected, with its baselines; the table holds only what is selected.
    assert [result.cell.id for result in run.cells] == ["m1000-n_x32-F-1t"]
    assert run.cells[0].kernels == [LOOP, "numba_loop", VECTORIZED]
    assert "1 passed" in done.stdout
    assert "test_gradient[m1000-n_x32-F-1t-numba_loop]" in done.stdout
    assert "test_gradient[m1000-n_x32-F-1t-numpy_vectorized]" not in done.stdout
    summary = " ".join(done.stdout.split())
    assert "All 3 kernels agree with the reference." in summary and "of 1 cell disturbed" in summary
    assert str(out / "report.html") in done.stdout
    for name in ("run.json", "samples.jsonl", "report.html", "report.md", "plots/headline.svg", "plots/headline.png"):
        assert (out / name).stat().st_size > 0
    # pytest-benchmark saw the engine's samples, not its own: rounds, iterations and data are the same.
    mine = json.loads((out / "run.json").read_text())["benchmarks"]
    theirs = json.loads(saved.read_text())
    (published,) = theirs["benchmarks"]
    (measured,) = (b for b in mine if b["fullname"] == published["fullname"])
    assert published["stats"]["data"] == pytest.approx(measured["stats"]["data"], rel=1e-12)
    assert published["stats"]["iterations"] == measured["stats"]["iterations"]
    assert published["extra_info"] == measured["extra_info"]
    assert "node" not in theirs["machine_info"]
    # Its own compare reads both.
    compared = command("pytest_benchmark", "compare", str(saved), str(out / "run.json"))
    assert compared.returncode == 0, compared.stderr
    assert "numba_loop" in compared.stdout


def test_compare_fail_and_histogram_and_grouping(command: Command, tmp_path: Path) -> None:
    options = (
        *SMOKE,
        "-k",
        "m10 and (numba_loop or textbook) and not m1000",
        f"--benchmark-storage={tmp_path / 's'}",
    )
    first = command(*options, "--out", str(tmp_path / "a"), "--benchmark-save=base", cwd=ROOT)
    assert first.returncode == 0, first.stdout + first.stderr
    # The saved run is made to look a thousand times faster than it was: what comes next must be a regression.
    (saved,) = (tmp_path / "s").rglob("*_base.json")
    document = json.loads(saved.read_text())
    for benchmark in document["benchmarks"]:
        for key in ("min", "max", "mean", "median"):
            benchmark["stats"][key] /= 1000.0
    saved.write_text(json.dumps(document))
    second = command(
        *options,
        *("--out", str(tmp_path / "b"), "--benchmark-compare", "--benchmark-compare-fail=median:5%"),
        *("--benchmark-group-by=param:kernel", f"--benchmark-histogram={tmp_path / 'histogram'}"),
        cwd=ROOT,
    )
    assert second.returncode != 0
    assert "Performance has regressed" in second.stdout + second.stderr
    assert "benchmark 'kernel=numba_loop'" in second.stdout
    assert list(tmp_path.glob("histogram*.svg"))


def test_a_plain_pytest_collects_the_tests_and_no_benchmark(command: Command) -> None:
    some = ("--ignore-glob", "tests/*/*")  # collecting all takes as long as importing all
    plain = command("pytest", *some, "--collect-only", "-q", cwd=ROOT)
    assert "tests/test_stats.py" in plain.stdout and "bench/bench_gradient.py" not in plain.stdout
    only = command("pytest", *some, "--benchmark-only", "--collect-only", "-q", cwd=ROOT)
    assert "bench/bench_gradient.py" in only.stdout and "tests/test_stats.py" not in only.stdout


def test_benchmark_disable_runs_each_kernel_once_untimed(command: Command, tmp_path: Path) -> None:
    some = ("--kernels", "python_lists,numpy_buffers,numba_loop")
    done = command("pytest", "bench", "--benchmark-disable", *some, "--out", str(tmp_path / "none"), cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout, done.stdout
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (Typed("quik"), "unknown grid 'quik'; did you mean quick?"),
        (Typed("quick", kernels="numba_lop"), "unknown kernel 'numba_lop'; did you mean numba_loop?"),
        (Typed("quick", dtype="float16"), "unknown dtype 'float16'; did you mean float64?"),
        (
            Typed("quick", kernels="python_lists", dtype="float32"),
            "kernel python_lists can't run: it computes in float64 only",
        ),
        (Typed("quick", problem="brest_cancer"), "unknown problem 'brest_cancer'; did you mean breast_cancer?"),
    ],
)
def test_wrong_use_is_one_line(typed: Typed, message: str) -> None:
    with pytest.raises(WrongUse) as refused:
        options.plan(typed)
    assert str(refused.value) == message


@pytest.mark.parametrize("option", options.REFUSED)
def test_an_option_that_the_engine_cannot_follow_is_refused(
    option: str, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", f"{option}=1")
    with pytest.raises(WrongUse, match=f"^{option} does not apply: "):
        options.with_benchmark_options(preset("smoke"), pytestconfig)


def test_wrong_use_ends_pytest_with_one_line(command: Command) -> None:
    done = command("pytest", "--benchmark-only", "--benchmark-timer=time.time", cwd=ROOT)
    assert done.returncode == 4
    assert done.stderr.strip().startswith("ERROR: --benchmark-timer does not apply: the engine has one clock")
    assert done.stderr.strip().count("\n") == 0


def test_options_of_pytest_benchmark_are_mapped_onto_the_engine(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    words = ["--benchmark-min-rounds=5", "--benchmark-max-time=1.0", "--benchmark-min-time=0.000005"]
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(words))
    smoke = preset("smoke")
    mapped = options.with_benchmark_options(smoke, pytestconfig)  # pytest-benchmark's defaults, as if they were typed
    assert (mapped.min_rounds, mapped.budget, mapped.sample_seconds) == (5, 1.0, 5e-6)
    assert mapped.max_rounds == smoke.max_rounds and mapped.cells == smoke.cells
    monkeypatch.delenv("PYTEST_ADDOPTS")
    assert options.with_benchmark_options(smoke, pytestconfig) == smoke


def test_a_kernel_that_disagrees_fails_its_benchmark(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python runs a sitecustomize at the start of each process, so also of the worker: it breaks one kernel.
    (tmp_path / "sitecustomize.py").write_text(
        "import dataclasses, sys\n"
        "from types import MappingProxyType\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "import bench, kernels\n"
        "right = kernels.KERNELS['numpy_textbook']\n"
        "def wrong(w, b, X, Y):\n"
        "    J, dw, db = right.function(w, b, X, Y)\n"
        "    return J + 1e-6, dw, db\n"
        "broken = dataclasses.replace(right, function=wrong)\n"
        "kernels.KERNELS = MappingProxyType({**kernels.KERNELS, 'numpy_textbook': broken})\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    options = ("-k", "m10 and numpy_textbook and not m1000", "--out", str(tmp_path / "run"))
    done = command(*SMOKE, *options, cwd=ROOT)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "numpy_textbook: J is wrong (J = " in done.stdout and "1 failed" in done.stdout
    assert "FAIL at m = 10, n_x = 2, order F, 1 thread" in done.stdout


def test_a_folder_that_can_t_be_used_ends_the_session_in_one_line(command: Command, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("precious")
    done = command(*SMOKE, "-k", "m10 and numba_loop and not m1000", f"--out={tmp_path / 'run'}", cwd=ROOT)
    assert done.returncode == 4
    assert f"unloop: {tmp_path / 'run'} is not empty; name a new folder" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["thesis.txt"]
