"""The model finds what it was made with; simulated tasks are real ones; the table says what breaks."""

from typing import Any

import numpy as np
import pytest

from bench.scale import model
from bench.scale.cluster import Memory
from bench.scale.records import Extrapolated, Limit, Point, Simulated
from tests.scale.conftest import NEEDED

BYTE, TASK, STEP = 2e-10, 5e-4, 1e-2


def point(m: int, rows: int, workers: int, seconds: float | None = None) -> Point:
    """A place whose seconds follow the model, if none are given."""
    tasks = -(-m // rows)
    made = min(-(-tasks // workers) * rows, m) * 80 * BYTE + tasks * TASK + STEP
    return Point("dask_chunks", "npy", m, 80 * m, rows, 80 * rows, workers, 1, False, [9.9, seconds or made])


def test_the_model_finds_its_own_coefficients() -> None:
    points = [point(m, rows, n) for m in (10**6, 10**7) for rows in (10**4, 10**5) for n in (1, 2)]
    held = [point(5 * 10**6, 3 * 10**4, 2), point(10**6, 10**5, 1, seconds=1.0)]
    fitted = model.fit(points, held)
    assert fitted is not None
    assert (fitted.byte_seconds, fitted.task_seconds) == pytest.approx((BYTE, TASK), rel=1e-6)
    assert fitted.step_seconds == pytest.approx(STEP, rel=1e-6)
    right, wrong = fitted.held_out
    assert right.predicted == pytest.approx(right.measured) and wrong.predicted != pytest.approx(wrong.measured)


def test_too_few_points_make_no_model() -> None:
    assert model.fit([point(10**6, 10**4, 1)] * 3, []) is None
    assert model.fit([point(10**6, 10**4, n) for n in (1, 2, 3, 4)], []) is None


def test_a_point_is_counted_by_its_busiest_worker() -> None:
    three = point(300, 100, 2)  # one worker has two of three chunks
    assert three.tasks == 3 and model._busiest(three) == 2 * 100 * 80
    assert model._busiest(point(250, 200, 2)) == 200 * 80


def test_what_breaks_first_by_hand() -> None:
    fitted = model.fit([point(m, r, n) for m in (10**6, 10**7) for r in (10**4, 10**5) for n in (1, 2)], [])
    assert fitted is not None
    steps = [Simulated(64, 10_000, 1e-3, 20.0, 10_000 * 2**10)]  # 2 ms a task, 1 KiB each
    assert model.scheduling(steps, fitted) == 2e-3
    table = {(e.workers, e.m): e for e in model.extrapolate(fitted, steps, 80, 10**6)}
    assert len(table) == 12
    few = table[10, 10**10]  # 10 000 tasks of 80 MB: 16 s on each of 10 workers, 20 s of the scheduler
    assert few.tasks == 10**4 and (few.work, few.scheduling) == pytest.approx((16.0, 20.0))
    assert few.seconds == pytest.approx(36.01, rel=1e-3) and few.breaks.startswith("the scheduler")
    assert table[1_000, 10**9].breaks.startswith("the scheduler")
    rich = model.extrapolate(fitted, [Simulated(64, 10, 1e-3, 0.02, 0)], 80, 10**6)
    assert next(e for e in rich if (e.workers, e.m) == (1_000, 10**9)).breaks.startswith("the scheduler")
    assert model._breaks(10, 5, 1.0, 1e-3, 0.0) == "too few chunks: 5 of 10 workers idle"
    assert model._breaks(1, 5, 1.0, 1e-3, 0.0) == "nothing: reading and computing bind"
    assert model._breaks(1, 5, 1.0, 0.25, 0.0) == "nothing yet; the scheduler is 20% of a step"
    assert model._breaks(1, 2**24, 1.0, 1.0, 2048.0) == "the scheduler's memory: 32 GiB of tasks"
    assert all(isinstance(e, Extrapolated) for e in table.values())


def test_simulated_tasks_sleep_and_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason=NEEDED)
    monkeypatch.setattr(model, "SIM_WORKERS", (1, 4))
    monkeypatch.setattr(model, "SIM_TASKS", (20,))
    done = model.simulate(2e-3, 40)
    assert [(s.workers, s.tasks) for s in done] == [(1, 20), (1, 40), (4, 20), (4, 40)]
    assert [s.asleep for s in done] == pytest.approx([0.04, 0.08, 0.01, 0.02])
    assert all(s.seconds > s.asleep for s in done)


def test_the_limit_is_the_slowest_of_what_must_be_done() -> None:
    limit = Limit(1e10, 1e9, "read directly", 1e11, 1e9, 5e-4)
    assert limit.bound(10**6, 8, 72 * 10**6, cold=False) == pytest.approx(7.2e-3)
    assert limit.bound(10**6, 8, 72 * 10**6, cold=True) == pytest.approx(72e-3)
    assert limit.bound(10**6, 1, 16 * 10**6, cold=False) == pytest.approx(1.6e-3)
    assert limit.bound(10**9, 1, 1, cold=False) == pytest.approx(1.0)


def test_memory_sees_what_is_there_for_a_moment() -> None:
    import time

    with Memory() as memory:
        time.sleep(0.1)
        before = memory.lap()
        block: Any = np.ones(2**23)
        time.sleep(0.1)
        assert memory.lap() > before + 2**25
        del block
    assert memory.peak > before > 2**20
