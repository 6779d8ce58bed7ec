"""The command compare: exit codes, wrong use, and what pytest-benchmark makes of the same runs."""

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from bench.cli import app, commands
from bench.results import CONTROL, LOOP, VECTORIZED, journal, load
from bench.results.records import Begun, Calibrated, Round, Sample
from tests import factories
from tests.cli.conftest import Refused
from tests.conftest import RECORDED, ROOT, Command


def slowed(folder: Path, to: Path, factor: float) -> Path:
    """A copy of a run in which numba_loop takes longer."""
    to.mkdir()
    kept = journal.Journal(to)
    path = journal.find(folder)
    assert path is not None
    for record in journal.read(path):
        if isinstance(record, Round):
            slower = [Sample(n, s * factor if n == "numba_loop" else s, cpu) for n, s, cpu in record.samples]
            record = replace(record, samples=slower)
        kept.write(record)
    kept.close()
    return to


@pytest.fixture
def steady(tmp_path: Path) -> Path:
    """A run with rounds enough for an interval, and little noise."""
    folder = tmp_path / "steady"
    folder.mkdir()
    kept = journal.Journal(folder)
    names = [LOOP, "numba_loop", VECTORIZED, CONTROL]
    kept.write(factories.header(kernels=names))
    rng = np.random.default_rng(0)
    for m in (10, 20, 30):
        where = factories.cell(m, 2)
        kept.write(Begun(cell=where))
        ones = dict.fromkeys(names, 1)
        kept.write(Calibrated(cell=where.id, loops=ones, every=ones, rounds=40, seconds=1.0))
        for index in range(40):
            seconds = 1e-3 * np.exp(1e-3 * rng.standard_normal(len(names)))
            samples = [Sample.of(name, value, value) for name, value in zip(names, seconds, strict=True)]
            kept.write(Round(cell=where.id, index=index, samples=samples))
    kept.close()
    return folder


def test_the_command(
    steady: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = slowed(steady, tmp_path / "slow", 1.5)
    drawn = tmp_path / "drawn"
    for other, code in ((slow, 1), (steady, None)):
        words = ["compare", str(steady), str(other), "--fail-slower", "5%", "--out", str(drawn)]
        monkeypatch.setattr(sys, "argv", ["unloop", *words])
        with pytest.raises(SystemExit) as ended:
            app.main()
        text = capsys.readouterr().out
        assert ended.value.code == (code or 0)
        assert ("REGRESSED: 3" in text) == bool(code), text
        assert ("0 are slower beyond noise" in text) == (not code)
        assert ("Nothing is slower by more than 5%." in text) == (not code)
    assert (drawn / "compare.png").is_file()


def test_the_reference_by_its_name(command: Command) -> None:
    done = command("bench", "compare", "reference", str(RECORDED))
    assert done.returncode == 0, done.stderr
    assert "machine differs" in done.stdout


def test_a_folder_that_cannot_be_written_to(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "in the way").touch()
    message = refused("compare", str(RECORDED), str(RECORDED), "--out", "in the way", shows=True)
    assert "the figure can't be written" in message and "name another folder with --out" in message


def test_too_few_rounds_to_decide(refused: Refused) -> None:
    message = refused("compare", str(RECORDED), str(RECORDED), "--fail-slower", "5%", shows=True)
    assert "can be decided; measure both runs again: about " in message and "times the rounds" in message


def test_the_tolerance_that_was_asked_for(steady: Path, refused: Refused, capsys: pytest.CaptureFixture[str]) -> None:
    for tolerance, words in (("3%", "9 show no change (within 3%)."), ("0.01%", "0 show no change (within 0.01%).")):
        commands.compare(str(steady), str(steady), tolerance=tolerance)
        printed = " ".join(capsys.readouterr().out.split())
        assert words in printed and ("Can't tell for 9: about" in printed) == (tolerance == "0.01%")
    assert "--tolerance takes a percentage, such as 5%" in refused("compare", "a", "b", "--tolerance", "3")
    assert "--tolerance must be above 0%" in refused("compare", "a", "b", "--tolerance", "0%")


def test_what_cannot_be_decided_does_not_fail(steady: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit 0, and a sentence that counts it, if a kernel is neither surely slower by more nor surely not."""
    commands.compare(str(steady), str(slowed(steady, tmp_path / "slow", 1.05)), fail_slower="5%")
    printed = " ".join(capsys.readouterr().out.split())
    assert "Nothing is surely slower by more than 5%; can't tell for 3 of 9 (about " in printed


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
    assert line in (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")
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
    lines = (done.stdout + done.stderr).splitlines()
    failed = [line for line in lines if "has failed PercentageRegressionCheck" in line]
    assert done.returncode != 0 and len(failed) == 1 and "numpy_textbook" in failed[0], failed
