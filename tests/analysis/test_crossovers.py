"""Crossovers: worked by hand, with intervals as wide as what was not measured between the cells."""

import math

import numpy as np
import pytest

from bench.analysis import crossovers
from bench.analysis.crossovers import Compared, crossings
from bench.grid import Setting
from bench.results.records import CONTROL
from bench.stats import Interval
from kernels import KERNELS
from tests import factories
from tests.factories import run_of_costs

# ln ratio from -ln 4 to ln 4 between m = 10 and 1000.
TWO = [Interval(1 / 4, 1 / 8, 1 / 2), Interval(4.0, 2.0, 8.0)]
COSTS = {"numba_loop": (1e-6, 2e-8, 1e-9), "numpy_vectorized": (1e-5, 8e-9, 2e-10)}


def test_without_a_model_nothing_is_known_between_the_two_cells() -> None:
    (found,) = crossings([10, 1000], TWO, "a", "b")
    assert (found.below, found.above) == ("a", "b")
    # Zero halfway in ln m, at 100; it may be anywhere.
    assert (found.m.estimate, found.m.low, found.m.high) == pytest.approx((100.0, 10.0, 1000.0))


def test_the_models_error_is_the_interval() -> None:
    # The model's line, ln 4 (ln m - ln 100) / ln 10, is that of the two cells; ln 2 is half a decade of it.
    def shape(m: float) -> tuple[float, float]:
        return math.log(4.0) * math.log(m / 100.0) / math.log(10.0), math.log(2.0)

    (found,) = crossings([10, 1000], TWO, "a", "b", shape)
    assert found.m.estimate == pytest.approx(100.0)
    assert (found.m.low, found.m.high) == pytest.approx((100 / 10**0.5, 100 * 10**0.5), rel=0.03)
    # It never reaches beyond what the cells leave open, whatever the error of the model.
    (found,) = crossings([10, 1000], TWO, "a", "b", lambda m: (shape(m)[0], 50.0))
    assert (found.m.low, found.m.high) == pytest.approx((10.0, 1000.0))


def test_the_curve_has_the_models_shape_and_passes_through_the_cells() -> None:
    # The model is 0 up to m = 100, then rises; it is off by ln 4 at both cells, so the curve is -ln 4, then rises.
    def shape(m: float) -> tuple[float, float]:
        return 2.0 * math.log(4.0) * max(0.0, math.log(m / 100.0) / math.log(10.0)), 1e-6

    (found,) = crossings([10, 1000], TWO, "a", "b", shape)
    assert found.m.estimate == pytest.approx(10**2.5, rel=1e-3) and found.m.estimate in found.m


def test_cells_that_are_not_sure_lie_between() -> None:
    ratios = [TWO[0], Interval(1.0, 0.5, 2.0), TWO[1]]
    (found,) = crossings([10, 100, 1000], ratios)
    assert (found.m.low, found.m.high) == pytest.approx((10.0, 1000.0))


def test_no_crossover_where_the_sign_is_not_sure() -> None:
    close = [Interval(0.9, 0.5, 1.2), Interval(1.1, 0.8, 2.0)]
    assert crossings([1, 10], close) == []
    unsure = Compared("a", "b", 32, [1, 10], close)
    assert unsure.winners == set() and not unsure.one_sided
    always = Compared("a", "b", 32, [1, 10], [Interval(2.0, 1.5, 3.0)] * 2)
    assert always.winners == {"b"} and always.one_sided


def test_intervals_cover_the_true_crossover_as_often_as_they_promise() -> None:
    covered = []
    for seed in range(15):
        for compared in crossovers.measured(run_of_costs(COSTS, noise=0.02, seed=seed), Setting()):
            # 1e-6 + (2e-8 + 1e-9 n_x) m = 1e-5 + (8e-9 + 2e-10 n_x) m.
            true = 9e-6 / (1.2e-8 + 8e-10 * compared.n_x)
            covered += [true in crossover.m for crossover in compared.crossovers]
            assert {(c.below, c.above) for c in compared.crossovers} == {("numba_loop", "numpy_vectorized")}
    # Of 60; each cell's noise moves the curve too, which passes through it.
    assert len(covered) == 60 and np.mean(covered) >= 0.85


def test_predicted_between_the_n_x_that_were_measured() -> None:
    predicted = list(crossovers.predicted(run_of_costs(COSTS), Setting()))
    assert [compared.n_x for compared in predicted] == [round(8**0.5), round(512**0.5), round(32768**0.5)]
    for compared in predicted:
        (crossover,) = compared.crossovers
        assert crossover.m.estimate == pytest.approx(9e-6 / (1.2e-8 + 8e-10 * compared.n_x), rel=0.01)


def test_one_thread_against_all() -> None:
    fused = {"numba_fused": (1e-6, 2e-9, 1e-10)}
    same = {"numpy_vectorized": 1.0, CONTROL: 1.0}
    results = []
    for result in run_of_costs(fused).cells:
        cell = result.cell
        seconds = 2e-5 + 0.5 * (2e-9 * cell.m + 1e-10 * cell.m * cell.n_x)
        alone = float(result.seconds["numba_fused"][0])
        results.append(factories.result(cell, {"numba_fused": alone} | same))
        results.append(factories.result(cell.with_setting(threads=2), {"numba_fused_parallel": seconds} | same))
    compared = {
        compared.n_x: compared
        for compared in crossovers.measured(factories.run(results), Setting(threads=2))
        if (compared.first, compared.second) == ("numba_fused", "numba_fused_parallel")
    }
    (crossover,) = compared[8].crossovers
    # 1.9e-5 of waking against half of 2.8e-9 m.
    assert crossover.m.estimate == pytest.approx(1.9e-5 / 1.4e-9, rel=1e-3) and crossover.below == "numba_fused"


def test_pairs_are_the_rivals_of_kernels() -> None:
    one, many = crossovers.pairs(Setting()), crossovers.pairs(Setting(threads=2))
    assert set(one + many) == {(rival, k.name) for k in KERNELS.values() for rival in k.rivals}
    assert not set(one) & set(many)
    assert {KERNELS[name].threads for _, name in many} == {"all"}
    assert ("python_loop", "numpy_vectorized") in one and ("numba_fused", "numba_fused_parallel") in many
