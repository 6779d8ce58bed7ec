"""Warnings: other load, a coarse clock, a CPU that changes its pace, an unstable cell."""

from pathlib import Path

import pytest

from bench.grid import Cell
from bench.machine import disturbances as conditions
from bench.machine.disturbances import Conditions, clock_words
from bench.measure.engine import CONTROL
from bench.report import runtables
from bench.report import terminal as summary
from bench.report import write as report
from bench.results import journal
from bench.results import run as results
from tests.conftest import CELLS

CELL = Cell(10, 2)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """A machine as a test wants it."""
    state = {"busy": 0.0, "own": 0.0, "now": 0.0, "throttled": 0.0, "mhz": 3000.0}
    monkeypatch.setattr(conditions, "_busy_seconds", lambda: state["busy"])
    monkeypatch.setattr(conditions, "_own_seconds", lambda _worker=None: state["own"])
    monkeypatch.setattr(conditions, "_throttled", lambda: int(state["throttled"]))
    monkeypatch.setattr(conditions, "_frequency", lambda: [state["mhz"]])
    monkeypatch.setattr("bench.machine.disturbances.time.perf_counter", lambda: state["now"])
    monkeypatch.setattr(
        "bench.machine.disturbances.time.sleep", lambda seconds: state.update(now=state["now"] + seconds, busy=0.08)
    )
    monkeypatch.setattr(conditions, "clock_resolution", lambda: 1e-9)
    for name in conditions.USUAL:
        monkeypatch.delenv(name, raising=False)
    return state


def visits(seen: dict[str, float], *changes: dict[str, float]) -> list[str]:
    watching = Conditions()
    for change in changes:
        with watching.of(CELL, 1):
            seen.update({key: seen[key] + value for key, value in change.items()})
    return watching.words(CELL)


def test_a_quiet_machine_gives_no_warning(seen: dict[str, float]) -> None:
    assert visits(seen, {"now": 2.0, "busy": 2.1, "own": 2.0}, {"now": 2.0, "busy": 4.1, "own": 4.0}) == []
    assert Conditions().words(CELL) == []


def test_what_others_do_is_told_by_the_cores_that_they_keep_busy(seen: dict[str, float]) -> None:
    # In one of two visits: 3 of 4 s.
    busy = visits(seen, {"now": 2.0, "busy": 5.0, "own": 2.0}, {"now": 2.0, "busy": 2.0, "own": 2.0})
    assert busy == ["other processes kept 0.8 cores busy"]


def test_a_change_of_frequency_is_told(seen: dict[str, float]) -> None:
    assert visits(seen, {"now": 1.0}, {"now": 1.0, "mhz": -200.0}) == []
    assert visits(seen, {"now": 1.0}, {"now": 1.0, "mhz": -600.0}) == [
        "the CPU's frequency went from 2,200 to 2,800 MHz"
    ]


@pytest.mark.usefixtures("seen")
def test_a_compiler_that_is_held_back_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [words for words in conditions.before(5e-3) if "NUMBA" in words]
    monkeypatch.setenv("NUMBA_OPT", "0")
    assert "NUMBA_OPT=0 is set: compiled kernels are slower than without it" in conditions.before(5e-3)
    assert conditions.compiler_words({"NUMBA_OPT": "3", "NUMBA_DISABLE_JIT": ""}) == []


def test_throttling_in_a_container_is_told(seen: dict[str, float]) -> None:
    assert visits(seen, {"now": 1.0, "throttled": 3}) == ["the container was throttled 3 times"]


def test_throttling_is_read_where_the_system_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "CPU_STAT", (tmp_path / "none", tmp_path / "cpu.stat"))
    assert conditions._throttled() == 0
    (tmp_path / "cpu.stat").write_text("usage_usec 7\nnr_periods 9\nnr_throttled 4\n")
    assert conditions._throttled() == 4


def test_load_before_the_run_is_told(seen: dict[str, float]) -> None:
    assert conditions.before(5e-3) == ["before the run, other processes kept 0.8 cores busy"]
    seen.update(busy=0.08)
    assert conditions.before(5e-3) == []


def test_a_coarse_clock_is_told() -> None:
    assert clock_words(1e-8, 5e-3) == []
    assert clock_words(1e-3, 5e-3) == ["the clock's resolution of 0.001 s is coarse for samples of 0.005 s"]
    assert 0.0 < conditions.clock_resolution() < 1.0


def test_this_machine_can_be_looked_at() -> None:
    watching = Conditions()
    with watching.of(CELL, 2**30):  # a process that has ended
        pass
    assert isinstance(watching.words(CELL), list)
    assert conditions._busy_seconds() > 0.0


def test_an_unstable_cell_is_found_from_its_samples(run_folder: Path) -> None:
    found = list(journal.read(run_folder / journal.FILE))
    cell = CELLS[0]
    slower = 1.0
    for record in found:
        if record["type"] == "Round":
            factors = {CONTROL: slower} if record["cell"] == cell.id else {}
            record["samples"] = [[name, factors.get(name, 1.0) * 1e-3, 1e-3] for name, _, _ in record["samples"]]
            slower = 1.5
        elif record["type"] == "Calibrated":
            record["loops"] = dict.fromkeys(record["loops"], 1)
    first, *others = results.from_records(found).cells
    assert first.noise_floor == pytest.approx(0.5)
    assert first.warnings == [*first.disturbed, "unstable: a kernel differs from itself by up to 50%"]
    assert all(each.noise_floor == pytest.approx(0.0) and each.warnings == each.disturbed for each in others)


def test_warnings_stand_in_the_report_beside_their_cell(run_folder: Path) -> None:
    found = list(journal.read(run_folder / journal.FILE))
    found = [record for record in found if record["type"] != "Warning"]
    cell = CELLS[0]
    found[-1:-1] = [
        {"type": "Warning", "cell": cell.id, "words": ["it rained"]},
        {"type": "Warning", "cell": None, "words": ["it was cold"]},
    ]
    run = results.from_records(found)
    assert run.warnings == ["it was cold"] and run.cells[0].disturbed == ["it rained"]
    told = summary.warning_lines(run)
    assert told[0] == "it was cold" and told[1].startswith(f"{cell.label}: it rained")
    method = next(section for section in report.context(run, [])["sections"] if section.id == "method")
    assert [f"Warning: {line}." for line in told] == method.warnings
    assert runtables.time_table(run, run.cells[:1], "").rows[0][:2] == ["2", "10 (!)"]
