"""Disturbances: other load, a coarse clock, a CPU that changes its frequency."""

import os
import time
from pathlib import Path

import pytest

from bench.grid import Cell
from bench.machine import disturbances
from bench.machine.disturbances import Disturbances, clock_words

CELL = Cell(10, 2)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """A machine as a test wants it."""
    state = {"busy": 0.0, "own": 0.0, "now": 0.0, "throttled": 0.0, "stolen": 0.0, "mhz": 3000.0}
    monkeypatch.setattr(disturbances, "_busy_seconds", lambda: state["busy"])
    monkeypatch.setattr(disturbances, "_own_seconds", lambda _worker=None: state["own"])
    monkeypatch.setattr(disturbances, "_throttled", lambda: int(state["throttled"]))
    monkeypatch.setattr(disturbances, "_stolen_seconds", lambda: state["stolen"])
    monkeypatch.setattr(disturbances, "_frequency", lambda: [state["mhz"]])
    monkeypatch.setattr("bench.machine.disturbances.time.perf_counter", lambda: state["now"])
    monkeypatch.setattr(
        "bench.machine.disturbances.time.sleep", lambda seconds: state.update(now=state["now"] + seconds, busy=0.08)
    )
    monkeypatch.setattr(disturbances, "clock_resolution", lambda: 1e-9)
    for name in disturbances.USUAL:
        monkeypatch.delenv(name, raising=False)
    return state


def visits(machine: dict[str, float], *changes: dict[str, float]) -> list[str]:
    watching = Disturbances()
    for change in changes:
        with watching.during_visit(CELL, 1):
            machine.update({key: machine[key] + value for key, value in change.items()})
    return watching.words(CELL)


def test_a_quiet_machine_gives_no_warning(machine: dict[str, float]) -> None:
    assert visits(machine, {"now": 2.0, "busy": 2.1, "own": 2.0}, {"now": 2.0, "busy": 4.1, "own": 4.0}) == []
    assert Disturbances().words(CELL) == []


def test_a_warning_counts_the_cores_that_others_keep_busy(machine: dict[str, float]) -> None:
    # In one of two visits: 3 of 4 s.
    busy = visits(machine, {"now": 2.0, "busy": 5.0, "own": 2.0}, {"now": 2.0, "busy": 2.0, "own": 2.0})
    assert busy == ["other processes kept 0.8 cores busy"]


def test_a_change_of_frequency_gives_a_warning(machine: dict[str, float]) -> None:
    assert visits(machine, {"now": 1.0}, {"now": 1.0, "mhz": -200.0}) == []
    assert visits(machine, {"now": 1.0}, {"now": 1.0, "mhz": -600.0}) == [
        "the CPU's frequency went from 2,200 to 2,800 MHz"
    ]


@pytest.mark.usefixtures("machine")
def test_a_compiler_that_does_not_optimize_gives_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [words for words in disturbances.before(5e-3) if "NUMBA" in words]
    monkeypatch.setenv("NUMBA_OPT", "0")
    assert "NUMBA_OPT=0 is set: compiled kernels are slower than without it" in disturbances.before(5e-3)
    assert disturbances.compiler_words({"NUMBA_OPT": "3", "NUMBA_DISABLE_JIT": ""}) == []


def test_throttling_in_a_container_gives_a_warning(machine: dict[str, float]) -> None:
    assert visits(machine, {"now": 1.0, "throttled": 3}) == ["the container was throttled 3 times"]


def test_a_warning_counts_the_cores_that_the_host_gave_away(machine: dict[str, float]) -> None:
    assert visits(machine, {"now": 1.0, "stolen": 0.2}) == []
    assert visits(machine, {"now": 3.0, "stolen": 1.2}) == ["the host gave 0.4 cores to other machines"]


def test_throttling_is_read_where_the_system_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disturbances, "CPU_STAT", (tmp_path / "none", tmp_path / "cpu.stat"))
    assert disturbances._throttled() == 0
    (tmp_path / "cpu.stat").write_text("usage_usec 7\nnr_periods 9\nnr_throttled 4\n")
    assert disturbances._throttled() == 4


def test_load_before_the_run_gives_a_warning(machine: dict[str, float]) -> None:
    assert disturbances.before(5e-3) == ["before the run, other processes kept 0.8 cores busy"]
    machine.update(busy=0.08)
    assert disturbances.before(5e-3) == []


def test_a_coarse_clock_gives_a_warning() -> None:
    assert clock_words(1e-8, 5e-3) == []
    assert clock_words(1e-3, 5e-3) == ["the clock's resolution of 0.001 s is coarse for samples of 0.005 s"]
    assert 0.0 < disturbances.clock_resolution() < 1.0


def test_this_machine_can_be_looked_at() -> None:
    watching = Disturbances()
    with watching.during_visit(CELL, 2**30):  # a process that has ended
        time.sleep(0.02)
    (visits_of_cell,) = watching._cells.values()
    assert 0.02 <= visits_of_cell.wall < 10.0
    # Of no more cores than there are, give or take the ticks that the system counts in.
    assert -0.1 <= visits_of_cell.others <= 0.1 + visits_of_cell.wall * (os.cpu_count() or 1)
    assert all(100.0 < mhz < 20_000.0 for mhz in visits_of_cell.frequencies)


def test_what_this_process_does_is_not_what_others_do() -> None:
    busy, own = disturbances._busy_seconds(), disturbances._own_seconds()
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    assert disturbances._busy_seconds() - busy > 0.15
    assert 0.15 < disturbances._own_seconds() - own < 0.5
    # A worker's seconds count as the run's own.
    assert disturbances._own_seconds(os.getpid()) == pytest.approx(2 * disturbances._own_seconds(), rel=0.1)
