"""The ladder's steps: branches follow what each rung grew from; rungs that were not measured are bridged."""

import pytest

from bench.analysis import ladder
from bench.results import LOOP, VECTORIZED
from kernels import KERNELS
from tests import factories

SECONDS = {
    LOOP: 64.0,
    "python_lists": 32.0,
    "numpy_dot_in_loop": 16.0,
    "numba_loop": 8.0,
    "numba_fastmath": 4.0,
    "numpy_textbook": 8.0,
    VECTORIZED: 4.0,
    "numpy_buffers": 2.0,
    "numba_passes": 1.0,
    "numba_fused": 0.5,
}


def steps(seconds: dict[str, float], limit: float | None = None) -> list[ladder.Step]:
    return ladder.steps(factories.result(factories.cell(1_000, 32), seconds), lambda _: limit)


def test_branches_lead_from_the_loop_to_each_end() -> None:
    branches = [[kernel.name for kernel in branch] for branch in ladder.branches()]
    assert all(branch[0] in {n for n, k in KERNELS.items() if k.grew_from == LOOP} for branch in branches)
    assert [branch[-1] for branch in branches] == ["python_lists", "numba_fastmath", "numba_fused"]
    covered = {LOOP, *(name for branch in branches for name in branch)}
    assert covered == {name for name, kernel in KERNELS.items() if kernel.predicted_by != "threads"}
    assert ladder.main_branch() == "numba_fused"


def test_each_step_is_over_the_rung_that_it_grew_from() -> None:
    found = {step.kernel: step for step in steps(SECONDS)}
    assert set(found) == set(SECONDS) - {LOOP}
    for name, step in found.items():
        assert step.before == KERNELS[name].grew_from and step.cause == KERNELS[name].cause
        assert step.ratio.estimate == pytest.approx(SECONDS[step.before] / SECONDS[name])
        assert step.reached == pytest.approx(SECONDS[LOOP] / SECONDS[step.before])


def test_a_rung_that_was_not_measured_is_bridged() -> None:
    without = {name: seconds for name, seconds in SECONDS.items() if name not in ("numpy_textbook", "numpy_buffers")}
    found = {step.kernel: step for step in steps(without)}
    assert found[VECTORIZED].before == "numpy_dot_in_loop"
    assert found[VECTORIZED].cause == f"{KERNELS['numpy_textbook'].cause} + {KERNELS[VECTORIZED].cause}"
    assert found["numba_passes"].before == VECTORIZED
    assert found["numba_passes"].ratio.estimate == pytest.approx(4.0)


def test_the_last_step_leads_to_the_limit() -> None:
    *_, last = steps(SECONDS, 0.125)
    assert last.kernel == ladder.LIMIT and (last.branch, last.before) == ("numba_fused", "numba_fused")
    assert last.ratio.estimate == pytest.approx(4.0) and last.reached == pytest.approx(128.0)
    assert not any(step.kernel == ladder.LIMIT for step in steps(SECONDS))
    assert steps({LOOP: 1.0}, 0.1) == []
