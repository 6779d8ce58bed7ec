"""The cost model, on runs whose costs are known."""

import numpy as np
import pytest

from bench.analysis.costmodel import TooFewCells, data_bytes, fit, fit_all
from bench.grid import Setting
from tests import factories
from tests.factories import COSTS, run_of_costs

LOOP_ONLY = {"numba_loop": COSTS["numba_loop"]}


@pytest.mark.parametrize("name", COSTS)
def test_known_costs_are_recovered(name: str) -> None:
    costs = fit(run_of_costs(), name)
    numbers = [costs.per_call.estimate, costs.per_example.estimate, costs.per_element.estimate]
    assert numbers == pytest.approx(COSTS[name], rel=1e-6)
    assert costs.levels[0].name == "anywhere" and len(costs.levels) == 1


def test_intervals_cover_the_truth_as_often_as_they_promise() -> None:
    covered: list[bool] = []
    for seed in range(25):
        costs = fit(run_of_costs(LOOP_ONLY, noise=0.05, seed=seed), "numba_loop")
        intervals = (costs.per_call, costs.per_example, costs.per_element)
        covered += [true in interval for interval, true in zip(intervals, COSTS["numba_loop"], strict=True)]
    # Of 75 intervals of 95%, from as few as 24 cells each; resampling is known to promise a little too much.
    assert np.mean(covered) >= 0.8


def test_no_cost_is_negative() -> None:
    for seed in range(10):
        costs = fit(run_of_costs({"numba_loop": (0.0, 1e-8, 0.0)}, noise=0.3, seed=seed), "numba_loop")
        assert costs.per_call.low >= 0.0 and all(level.per_element.low >= 0.0 for level in costs.levels)


def test_a_second_level_is_found_where_there_is_one_and_only_there() -> None:
    two = fit(run_of_costs(noise=0.01, far=4.0), "numpy_vectorized")
    assert two.levels[0].name == "L2" and len(two.levels) == 2
    assert two.levels[1].per_element.estimate / two.levels[0].per_element.estimate == pytest.approx(4.0, rel=0.2)
    assert sum(level.cells for level in two.levels) == 24
    assert len(fit(run_of_costs(noise=0.01), "numpy_vectorized").levels) == 1


def test_a_cell_left_out_does_not_enter_its_own_prediction() -> None:
    run = run_of_costs(noise=0.02)
    before = fit(run, "numba_loop")
    odd = run.cells[7]
    slow = {name: seconds * (50.0 if name == "numba_loop" else 1.0) for name, seconds in odd.seconds.items()}
    changed = factories.result(odd.cell, {name: seconds.tolist() for name, seconds in slow.items()})
    after = fit(factories.run([changed if result is odd else result for result in run.cells]), "numba_loop")
    same = [
        (a.predicted, b.predicted)
        for a, b in zip(before.held_out, after.held_out, strict=True)
        if (a.m, a.n_x) == (odd.cell.m, odd.cell.n_x)
    ]
    assert len(same) == 1 and same[0][0] == pytest.approx(same[0][1], rel=1e-12)
    assert max(after.held_out_errors) > max(before.held_out_errors)
    assert [c.predicted for c in before.held_out] != [c.predicted for c in after.held_out]


def test_the_fits_of_a_run_are_kept_and_no_other_run_gets_them() -> None:
    run, setting = run_of_costs(), Setting()
    assert fit_all(run, setting) is fit_all(run, setting)
    assert fit_all(run_of_costs(), setting) is not fit_all(run, setting)


def test_too_few_cells_are_refused_with_a_reason() -> None:
    run = run_of_costs(ms=(10,))
    with pytest.raises(TooFewCells, match="numba_loop: timed in 4 cells"):
        fit(run, "numba_loop")
    fitted, refused = fit_all(run, Setting())
    assert not fitted and len(refused) == len(COSTS)


def test_a_setting_is_fitted_from_its_own_cells() -> None:
    many = [
        factories.result(factories.cell(m, n_x, "C"), {"numba_loop": 2e-6 + 1e-9 * m * n_x})
        for m in (10, 1_000, 100_000)
        for n_x in (1, 8)
    ]
    costs = fit(run_of_costs(more=many), "numba_loop", Setting("C"))
    assert costs.setting == Setting("C") and costs.per_call.estimate == pytest.approx(2e-6)


def test_the_bytes_that_a_step_works_on() -> None:
    assert data_bytes(10.0, 2.0, Setting().precision) == 8 * 10 * (2 + 4)
