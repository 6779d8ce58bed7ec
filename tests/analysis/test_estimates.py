"""Estimates of what was too slow: the nearest cells, the line between them, and what held-out cells say of them."""

import math
from collections.abc import Mapping

import pytest

from bench.analysis import estimates
from bench.analysis.estimates import Estimated
from bench.results import LOOP, VECTORIZED, CellResult, Run, load
from bench.results.records import Skipped
from bench.stats import Interval
from tests import factories
from tests.conftest import ROOT

QUICK = 1e-5


def cost(m: int, n_x: int) -> float:
    """Seconds of the loop: 1 ms a call, 1 µs an example, 1 µs an element."""
    return 1e-3 + 1e-6 * m + 1e-6 * m * n_x


def slow(m: int, n_x: int, predicted: float | None = 9.0, order: str = "F", **more: int) -> CellResult:
    """A cell for which the loop was too slow; or was not run for another reason, without a prediction."""
    skipped = {LOOP: Skipped(cell="", kernel=LOOP, reason="why", predicted=predicted)}
    return factories.result(factories.cell(m, n_x, order, **more), {VECTORIZED: QUICK}, skipped=skipped)


def loops(seconds: Mapping[tuple[int, int], float], *skipped: CellResult, order: str = "F") -> Run:
    """A run of the loop's seconds by (m, n_x), and of cells without it."""
    timed = [
        factories.result(factories.cell(m, n_x, order), {LOOP: time, VECTORIZED: QUICK})
        for (m, n_x), time in seconds.items()
    ]
    return factories.run([*timed, *skipped])


def estimated(seconds: Mapping[tuple[int, int], float], where: CellResult) -> Estimated:
    value = estimates.estimate(loops(seconds, where), where, LOOP)
    assert value is not None
    return value


def test_it_follows_the_line_through_the_two_nearest_cells() -> None:
    few = {(m, n_x): cost(m, n_x) for n_x in (2, 8) for m in (10, 100, 1_000)}
    assert estimated(few, slow(100_000, 8)).estimate == pytest.approx(cost(100_000, 8))
    # The nearest cells count, not those before: they took twice as long.
    twice = few | {(m, 8): 2.0 * cost(m, 8) for m in (100, 1_000)}
    assert estimated(twice, slow(10_000, 8)).estimate == pytest.approx(2.0 * cost(10_000, 8))
    # Two cells that are close show noise and no slope.
    close = few | {(900, 8): cost(1_000, 8)}
    assert estimated(close, slow(10_000, 8)).estimate == pytest.approx(cost(10_000, 8))
    falling = {(10, 8): 2.0, (100, 8): 1.0}
    assert estimated(falling, slow(1_000, 8)).estimate == pytest.approx(1.0)


def test_through_one_cell_time_grows_with_m() -> None:
    assert estimated({(10, 8): 0.1, (10, 2): 7.0}, slow(100, 8)).estimate == pytest.approx(1.0)


def test_elsewhere_the_cost_model_scales_the_nearest_cell() -> None:
    known = {(m, n_x): cost(m, n_x) for n_x in (1, 8, 64) for m in (10, 100, 1_000)}
    value = estimated(known, slow(1_000, 512))
    assert value.estimate == pytest.approx(cost(1_000, 512)) and (value.low, value.high) == (0.0, math.inf)
    # Too few cells for a model: in proportion to m n_x.
    assert estimated({(10, 8): 0.1}, slow(20, 32)).estimate == pytest.approx(0.8)


def test_where_nothing_was_measured_it_is_what_few_examples_predicted() -> None:
    assert estimated({}, slow(10, 2, predicted=0.7)) == Estimated(0.7, 0.0, math.inf)
    # Another setting, and training, are other computations.
    other = slow(100, 8, predicted=0.7)
    assert estimates.estimate(loops({(10, 8): 0.1}, other, order="C"), other, LOOP) == Estimated(0.7, 0.0, math.inf)
    training = slow(100, 8, predicted=0.7, iterations=50)
    assert estimated({(10, 8): 0.1}, training) == Estimated(0.7, 0.0, math.inf)


def test_only_what_was_too_slow_is_estimated() -> None:
    large, unknown, timed = slow(100, 8, predicted=None), slow(100, 2), {(10, 8): 0.1}
    run = loops(timed, large, unknown)
    assert estimates.estimate(run, large, LOOP) is None and estimates.seconds(run, large, LOOP) is None
    assert estimates.estimate(run, run.cells[0], LOOP) is None
    assert estimates.estimate(run, unknown, "numba_loop") is None
    assert estimates.seconds(run, run.cells[0], LOOP) == run.cells[0].median(LOOP)


def test_the_interval_is_what_held_out_cells_kept_to() -> None:
    """A line that holds to within 5% from cell to cell, in turns above and below."""
    wobble = {(10**k, n_x): 10.0**k * (1.05 if k % 2 else 1.0) * n_x for n_x in (1, 2, 4) for k in range(1, 5)}
    value = estimated(wobble, slow(10**5, 4))
    assert value.low < value.estimate < value.high
    assert 0.04 < value.half_width < 0.12
    assert value.high / value.estimate == pytest.approx(value.estimate / value.low)
    # Nothing held out reaches as far: no interval.
    far = estimated(wobble, slow(10**9, 4))
    assert far.low == 0.0 and far.high == math.inf and far.estimate > 0.0
    # Nor with a handful of cells.
    assert estimated({(10, 8): 0.1, (100, 8): 1.0}, slow(1_000, 8)).high == math.inf


def test_held_out_cells_are_predicted_from_fewer_examples_alone() -> None:
    seconds = {(10, 8): 1.0, (100, 8): 8.0, (1_000, 8): 99.0, (10, 2): 3.0}
    pairs = estimates.held_out(loops(seconds, slow(10_000, 8)))
    assert [measured for _, measured in pairs] == pytest.approx([8.0, 99.0])
    assert [predicted for predicted, _ in pairs] == pytest.approx([10.0, 8.0 + 900.0 * 7.0 / 90.0])
    # A kernel that was never too slow is not estimated.
    assert estimates.held_out(loops(seconds)) == []


def test_a_speedup_with_an_estimated_time() -> None:
    where = slow(100, 8)
    run = loops({(10, 8): 0.1}, where)
    ratio = estimates.speedup(run, where, LOOP, VECTORIZED)
    assert isinstance(ratio, Estimated) and ratio.estimate == pytest.approx(1.0 / QUICK)
    inverse = estimates.speedup(run, where, VECTORIZED, LOOP)
    assert isinstance(inverse, Estimated) and inverse.estimate == pytest.approx(QUICK)
    measured = estimates.speedup(run, run.cells[0], LOOP, VECTORIZED)
    assert isinstance(measured, Interval) and not isinstance(measured, Estimated)
    assert estimates.speedup(run, where, LOOP, LOOP) is None
    assert estimates.speedup(run, where, LOOP, "numba_loop") is None


def test_on_the_reference_run_nine_of_ten_estimates_are_within_15_percent() -> None:
    run = load(ROOT / "results" / "reference")
    pairs = estimates.held_out(run)
    assert len(pairs) >= 50
    within = sum(abs(predicted / measured - 1.0) <= 0.15 for predicted, measured in pairs)
    assert within / len(pairs) >= 0.9
    loop = [result for result in run.cells if estimates.too_slow(result, LOOP)]
    values = [estimates.estimate(run, result, LOOP) for result in loop]
    assert values and all(value is not None and math.isfinite(value.high) for value in values)
