"""The ruler: the same work in each round, and what the system took from the process meanwhile."""

import pytest

from bench.machine import ruler
from bench.machine.ruler import MANY, SLICE, Ruler


def test_a_reading_takes_time_and_goes_on_through_memory() -> None:
    taken = Ruler()
    for k in range(MANY // SLICE + 1):
        assert taken._start == k * SLICE % MANY
        reading = taken.take()
        assert reading.arithmetic > 0.0 and reading.read > 0.0 and reading.switches >= 0


def test_a_reading_holds_the_switches_since_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter((5, 8, 8, 12))
    monkeypatch.setattr(ruler, "involuntary_switches", lambda: next(counts))
    taken = Ruler()
    assert [taken.take().switches for _ in range(3)] == [3, 0, 4]
