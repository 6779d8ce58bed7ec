"""Crossovers: worked by hand, with intervals as wide as what was not measured between the cells; and their figure."""

import math

import numpy as np
import pytest

from bench.analysis import crossovers
from bench.analysis.crossovers import Compared, Crossover
from bench.grid import Cell
from bench.measure.engine import CONTROL
from bench.report.chapters import overtaking
from bench.report.charts import dressed
from bench.results.run import CellResult
from bench.stats import Interval
from tests.test_costs import made

# ln ratio from -ln 4 to ln 4 between m = 10 and 1000.
TWO = [Interval(1 / 4, 1 / 8, 1 / 2), Interval(4.0, 2.0, 8.0)]
COSTS = {"numba_loop": (1e-6, 2e-8, 1e-9), "numpy_vectorized": (1e-5, 8e-9, 2e-10)}


def test_without_a_model_nothing_is_known_between_the_two_cells() -> None:
    (found,) = crossovers.crossings([10, 1000], TWO, "a", "b")
    assert (found.below, found.above) == ("a", "b")
    # Zero halfway in ln m, at 100; it may be anywhere.
    assert (found.m.estimate, found.m.low, found.m.high) == pytest.approx((100.0, 10.0, 1000.0))


def test_the_models_error_is_the_interval() -> None:
    # The model's line, ln 4 (ln m - ln 100) / ln 10, is that of the two cells; ln 2 is half a decade of it.
    def shape(m: float) -> tuple[float, float]:
        return math.log(4.0) * math.log(m / 100.0) / math.log(10.0), math.log(2.0)

    (found,) = crossovers.crossings([10, 1000], TWO, "a", "b", shape)
    assert found.m.estimate == pytest.approx(100.0)
    assert (found.m.low, found.m.high) == pytest.approx((100 / 10**0.5, 100 * 10**0.5), rel=0.03)
    # It never reaches beyond what the cells leave open, whatever the error of the model.
    (found,) = crossovers.crossings([10, 1000], TWO, "a", "b", lambda m: (shape(m)[0], 50.0))
    assert (found.m.low, found.m.high) == pytest.approx((10.0, 1000.0))


def test_the_curve_has_the_models_shape_and_passes_through_the_cells() -> None:
    # The model is 0 up to m = 100, then rises; it is off by ln 4 at both cells, so the curve is -ln 4, then rises.
    def shape(m: float) -> tuple[float, float]:
        return 2.0 * math.log(4.0) * max(0.0, math.log(m / 100.0) / math.log(10.0)), 1e-6

    (found,) = crossovers.crossings([10, 1000], TWO, "a", "b", shape)
    assert found.m.estimate == pytest.approx(10**2.5, rel=1e-3) and found.m.estimate in found.m


def test_cells_that_are_not_sure_lie_between() -> None:
    ratios = [TWO[0], Interval(1.0, 0.5, 2.0), TWO[1]]
    (found,) = crossovers.crossings([10, 100, 1000], ratios)
    assert (found.m.low, found.m.high) == pytest.approx((10.0, 1000.0))


def test_no_crossover_where_the_sign_is_not_sure() -> None:
    close = [Interval(0.9, 0.5, 1.2), Interval(1.1, 0.8, 2.0)]
    assert crossovers.crossings([1, 10], close) == []
    assert crossovers.words([], close, "a", "b") == "too close to tell"
    always = [Interval(2.0, 1.5, 3.0)] * 2
    assert crossovers.words([], always, "a", "b") == "never in the measured range: b is faster"


def test_intervals_cover_the_true_crossover_as_often_as_they_say() -> None:
    covered = []
    for seed in range(15):
        for each in crossovers.measured(made(0.02, seed, true=COSTS), ("F", 1)):
            # 1e-6 + (2e-8 + 1e-9 n_x) m = 1e-5 + (8e-9 + 2e-10 n_x) m.
            true = 9e-6 / (1.2e-8 + 8e-10 * each.n_x)
            covered += [true in crossing.m for crossing in each.found]
            assert all((found.below, found.above) == ("numba_loop", "numpy_vectorized") for found in each.found)
    # Of 60; each cell's noise moves the curve too, which passes through it.
    assert len(covered) == 60 and np.mean(covered) >= 0.85


def test_one_thread_against_all() -> None:
    run = made(true={"numba_fused": (1e-6, 2e-9, 1e-10)})
    for result in list(run.cells):
        cell = result.cell
        both = CellResult(Cell(cell.m, cell.n_x, threads=2))
        time = 2e-5 + 0.5 * (2e-9 * cell.m + 1e-10 * cell.m * cell.n_x)
        both.seconds = {"numba_fused_parallel": [time] * 9, "numpy_vectorized": [1.0] * 9, CONTROL: [1.0] * 9}
        both.rounds = {name: list(range(9)) for name in both.seconds}
        result.seconds |= {"numpy_vectorized": [1.0] * 9, CONTROL: [1.0] * 9}
        result.rounds |= {"numpy_vectorized": list(range(9)), CONTROL: list(range(9))}
        run.cells.append(both)
    run.header["kernels"]["numba_fused_parallel"] = {"compiled": True, "missing": None, "title": "", "change": ""}
    compared = {
        each.n_x: each
        for each in crossovers.measured(run, ("F", 2))
        if each.second == "numba_fused_parallel" and each.first == "numba_fused"
    }
    (crossing,) = compared[8].found
    # 1.9e-5 of waking against half of 2.8e-9 m.
    assert crossing.m.estimate == pytest.approx(1.9e-5 / 1.4e-9, rel=1e-3) and crossing.below == "numba_fused"
    assert overtaking.sentence(("F", 2), compared[8]).startswith("Below m = 14,000 (95% interval")
    assert "numba_fused (one thread) beats numba_fused_parallel at n_x = 8; above" in (
        overtaking.sentence(("F", 2), compared[8])
    )


def test_the_sentence_of_the_issue() -> None:
    found = [Crossover("a", "b", Interval(37.2, 30.1, 45.4)), Crossover("b", "a", Interval(5210.0, 1000.0, 10_000.0))]
    once = Compared("a", "b", 32, [10, 100], TWO, found[:1])
    assert overtaking.sentence(("F", 1), once) == (
        "Below m = 37 (95% interval 30 to 45) a beats b at n_x = 32; above, b does."
    )
    assert overtaking.sentence(("F", 1), Compared("a", "b", 32, [10, 100], TWO, found)).endswith(
        "above, b does, and from m = 5,200 (95% interval 1,000 to 10,000) on a again."
    )


def test_the_figure() -> None:
    run = made(0.02, true=COSTS)
    with dressed(run):
        (drawn,) = overtaking.figures(run)
        assert drawn.section == "numbers" and drawn.name == "crossovers-F-1t" and not drawn.fold
        assert drawn.finding.startswith("Below m = ") and "at n_x = 64" in drawn.finding
        assert drawn.table is not None and drawn.table.title.startswith("Who overtakes whom")
        assert [ax.get_title(loc="left") for ax in drawn.figure.axes] == ["numba_loop or numpy_vectorized"]
        # Where none overtakes another there is no figure; the table says so all the same.
        never = made(true={"numba_loop": (1e-6, 1e-9, 1e-10), "numpy_vectorized": (1e-5, 8e-9, 2e-10)})
        assert list(overtaking.figures(never)) == []
        assert any("never in the measured range" in row[2] for table in crossovers.tables(never) for row in table.rows)
