"""How far a session is, in a share and in words."""

import pytest

from bench.cli.live import Watch
from bench.grid import Cell
from bench.results.records import Calibrated, FirstCall, Round
from tests import factories

CELLS = [Cell(10, 2), Cell(20, 2)]


def calibrated(cell: Cell, rounds: int, seconds: float) -> Calibrated:
    return Calibrated(cell=cell.id, loops={"a": 1}, every={"a": 1}, rounds=rounds, seconds=seconds)


def test_the_share_that_is_done_and_a_line_at_every_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("bench.cli.live.time.perf_counter", lambda: now[0])
    lines: list[str] = []
    watch = Watch(CELLS, factories.preset(CELLS), lines.append)
    assert (watch.fraction, watch.ready, watch.words) == (0.0, 0, "getting ready")
    watch(CELLS[0], FirstCall(cell=CELLS[0].id, kernel="a", seconds=1.0))
    for cell, seconds in zip(CELLS, (3.0, 1.0), strict=True):
        watch(cell, calibrated(cell, 10, seconds))
    assert watch.ready == 2 and lines == [f"  1 of 2 cells are ready: {CELLS[0].label}"]
    for index in range(10):
        now[0] += 0.6
        watch(CELLS[0], Round(cell=CELLS[0].id, index=index, samples=[]))
    assert watch.fraction == pytest.approx(0.75)
    assert watch.words == "about 2 s left"
    assert [line.split()[0] for line in lines[1:]] == ["10%", "20%", "30%", "40%", "50%", "60%", "70%"]
    now[0] += 600.0
    assert watch.words == "about 3 min left"
