"""The chapter about the experiment of unloop trust, and the command that shows one."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bench.cli import app
from bench.report.chapters import trust_experiment as chapter
from bench.results import load
from bench.trust import FILE, Experiment
from bench.trust.records import Measured
from tests.conftest import RECORDED
from tests.trust.test_verdicts import experiment, other, own


@pytest.fixture
def made() -> Experiment:
    """Two neighbours, both ways; pytest-benchmark wobbles where it is disturbed."""
    runs: list[Measured] = []
    for neighbour, wobble in (("quiet", 0.0), ("disturbed", 0.2)):
        for more, count in ((0, 3), (1, 2), (10, 2)):
            for k in range(count):
                seconds = 1e-3 * (1.0 + more / 100)
                for way, figures in (
                    ("unloop", own(seconds)),
                    ("pytest-benchmark", other(seconds * (1.0 + wobble * k))),
                ):
                    names = {f"numba_loop at {m} x 2": figures for m in (10, 20)}
                    runs.append(Measured(neighbour, way, more, k, 10.0, names))  # type: ignore[arg-type]
    return experiment(*runs)


def test_the_section_of_an_experiment(made: Experiment) -> None:
    section = chapter.of(made)
    (plot,) = section.plots
    assert plot.table is not None
    assert plot.table.headings[:4] == ["machine", "rule", "false alarms", "1% more work"]
    assert plot.table.text[0][:5] == ["as the machine is", "unloop", "0% (0 of 4)", "0% (0 of 4)", "100% (4 of 4)"]
    median = next(row for row in plot.table.text if row[:2] == ["with a bad neighbour", "pytest-benchmark, median"])
    assert median[2] == "100% (4 of 4)", "each run is a fifth slower than the one before"
    assert plot.finding.startswith("As the machine is, unloop raises a false alarm in 0% of the comparisons")
    assert "with a bad neighbour, unloop raises a false alarm in 0% of the comparisons" in plot.finding
    assert len(plot.figure.axes) == 2
    assert "2 benchmarks, each of this suite's in 6 processes" in section.items[-1]


def test_a_run_without_an_experiment_has_no_section(made: Experiment, tmp_path: Path) -> None:
    run = load(RECORDED)
    assert chapter.section(run) is None and chapter.section(replace(run, folder=None)) is None
    (tmp_path / FILE).write_bytes(msgspec.json.encode(made))
    assert chapter.section(replace(run, folder=tmp_path)) is not None


def test_a_finished_experiment_is_shown_and_not_measured_again(
    made: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / FILE).write_bytes(msgspec.json.encode(made))
    monkeypatch.setattr("sys.argv", ["unloop", "trust", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code in (None, 0)
    shown = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "same work +1% +10%" in lines and "unloop 0% 0% 100%" in lines
    assert max(map(len, shown.splitlines()[:10])) <= 60
    assert (tmp_path / "trust.svg").is_file() and (tmp_path / "trust.png").is_file()


def test_a_damaged_experiment_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / FILE).write_text('{"format": 2}')
    monkeypatch.setattr("sys.argv", ["unloop", "trust", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "trust.json can't be read" in line and "unloop trust --out" in line
