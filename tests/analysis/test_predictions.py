"""Predictions: each worked by hand from made counts and ceilings; and a wrong one is judged so."""

from collections.abc import Mapping
from typing import Any

import pytest

from bench.analysis import pairs
from bench.analysis.predictions import PREDICTORS, Prediction, judge, predictor
from bench.results import CellResult
from bench.results.records import Ceiling, ReadRate
from bench.stats import Interval
from kernels import KERNELS
from kernels.controlled import PAIRS
from tests import factories

COUNTS = {
    "python_loop": {"instructions_per_element": 30.0, "instructions_per_example": 60.0},
    "python_lists": {"instructions_per_element": 20.0, "instructions_per_example": 80.0},
    "pair: np.vectorize": {"instructions_per_element": 30.0, "instructions_per_example": 180.0},
    "numba_loop": {"packed": 4.0, "scalar": 9.0, "lanes": 8.0, "division_lanes": 8.0, "calls_exp": 1.0},
    "pair: loop, bounds checked": {"packed": 2.0, "scalar": 9.0, "lanes": 8.0},
    "pair: loop, error model of Python": {"packed": 4.0, "scalar": 9.0, "lanes": 8.0},
    "numba_fastmath": {"packed": 6.0, "scalar": 3.0, "lanes": 8.0},
    "numpy_textbook": {"moved_per_element": 16.0, "moved_per_example": 240.0, "made_per_example": 100.0},
    "numpy_vectorized": {"moved_per_element": 16.0, "moved_per_example": 280.0, "made_per_example": 120.0},
    "numpy_buffers": {"moved_per_element": 16.0, "moved_per_example": 260.0, "made_per_example": 0.0},
    "numba_passes": {"lanes": 8.0, "division_lanes": 8.0, "calls_exp": 0.0},
    "pair: exp, scalar": {"lanes": 8.0, "division_lanes": 8.0, "calls_exp": 1.0},
    "pair: activation, error model of Python": {"lanes": 8.0, "division_lanes": 1.0, "calls_exp": 0.0},
}
# X of 1000 examples of 10 features, 80 kB, is read in 80 us, from the nearest cache in 8; arithmetic takes 40 us, and
# exp 20. With two threads, half of each.
SIZES = ((1_000, 1e10), (80_000, 1e9), (10**6, 1e9))
CEILINGS = {k: Ceiling(k, [ReadRate(size, k * rate) for size, rate in SIZES], k * 1e9, k * 5e7) for k in (1, 2)}
TEN = (1_000, 10)
ROUNDS = 12


def cell(m: int, n_x: int, threads: int = 1, **seconds: float) -> CellResult:
    """A cell in which each kernel took these seconds."""
    samples = {name: [once] * ROUNDS for name, once in seconds.items()}
    return factories.result(factories.cell(m, n_x, threads=threads), samples)


def predict(before: str, after: str, result: CellResult | None = None, **changed: Any) -> Prediction | str:
    (pair,) = [pair for pair in pairs.isolated() if (pair.before, pair.after) == (before, after)]
    facts: dict[str, Any] = {"counts": COUNTS, "ceilings": CEILINGS} | changed
    return pairs.predict(factories.run([], **facts), result or cell(*TEN), pair)


@pytest.mark.parametrize(
    ("before", "after", "low", "high"),
    [
        # 30 * 10 + 60 by 20 * 10 + 80; and by 30 * 10 + 180.
        ("python_loop", "python_lists", 360 / 280, 360 / 280),
        ("python_loop", "pair: np.vectorize", 360 / 480, 360 / 480),
        ("pair: loop, error model of Python", "numba_loop", 1.0, 1.0),
        ("pair: loop, bounds checked", "numba_loop", 1.0, 8.0),
        ("numba_loop", "numba_fastmath", 1.0, 8.0),
        ("pair: NumPy, X in order C", "numpy_vectorized", 1.0, 1.0),
        # 16 * 10 + 240 by 16 * 10 + 280.
        ("numpy_textbook", "numpy_vectorized", 400 / 440, 400 / 440),
        # Every new array written once more: 440 + 120 by 420 + 0.
        ("numpy_vectorized", "numpy_buffers", 440 / 420, 560 / 420),
        # Two products of 80 us each, bound by reading, and three arrays written and read, 48 us, longer than exp: 208
        # us. Exp in eight lanes saves at most seven times 20 us.
        ("pair: exp, scalar", "numba_passes", 1.0, 348 / 208),
        ("pair: activation, error model of Python", "numba_passes", 1.0, 348 / 208),
        # One product of 80 us, exp 20, and arithmetic of 20 for the second, which is more than 8 of reading again; or
        # all at once, 80.
        ("numba_passes", "numba_fused", 208 / 120, 208 / 80),
    ],
)
def test_predictions_by_hand(before: str, after: str, low: float, high: float) -> None:
    prediction = predict(before, after)
    assert isinstance(prediction, Prediction)
    assert (prediction.low, prediction.high) == pytest.approx((low, high))


def test_bytes_that_are_declared_and_not_counted() -> None:
    run = factories.run([], counts=COUNTS, ceilings=CEILINGS)
    prediction = predictor("moved")(run, cell(*TEN), "numpy_buffers", "numba_passes")
    # 16 * 10 + 260 by two reads of X, three arrays written and read, and Y: 160 + 48 + 8.
    assert isinstance(prediction, Prediction) and prediction.low == prediction.high == pytest.approx(420 / 216)


def test_a_sum_is_split_over_no_more_lanes_than_features() -> None:
    prediction = predict("numba_loop", "numba_fastmath", cell(10_000, 2))
    assert isinstance(prediction, Prediction) and (prediction.low, prediction.high) == (1.0, 2.0)


def test_array_operations_instead_of_instructions() -> None:
    # 480 instructions, each 1 / 360 of a step of the loop: 4 ms; 1000 times 440 bytes at 1 GB/s: 0.44 ms.
    prediction = predict("pair: np.vectorize", "numpy_vectorized", cell(*TEN, python_loop=3e-3))
    assert isinstance(prediction, Prediction) and prediction.low == 0.0
    assert prediction.high == pytest.approx(4e-3 / 440e-6) and prediction.text == "at most 9.09"
    without = predict("pair: np.vectorize", "numpy_vectorized")
    assert without == "this cell lacks a measurement that the prediction needs"


def test_threads_by_their_ceilings() -> None:
    prediction = predict("pair: fused blocks, one thread", "numba_fused_parallel", cell(*TEN, threads=2))
    assert isinstance(prediction, Prediction) and prediction.low == prediction.high == pytest.approx(2.0)


def test_what_was_not_counted_is_not_predicted_and_the_reason_says_so() -> None:
    rungs: Mapping[str, Any] = {name: counts for name, counts in COUNTS.items() if name in KERNELS}
    assert predict("python_loop", "pair: np.vectorize", counts=rungs) == "this run did not count pair: np.vectorize"
    for pair in pairs.isolated():
        if pair.predicted_by != "same_work":
            assert isinstance(predict(pair.before, pair.after, counts={}, ceilings={}), str)


def test_every_predictor_that_is_named_exists_and_every_one_is_used() -> None:
    named = {pair.predicted_by for pair in (*PAIRS, *pairs.rung_steps())} - {""}
    assert named == set(PREDICTORS)
    # Where nothing can be predicted, the pair says why.
    assert all(pair.unpredicted for pair in (*PAIRS, *pairs.rung_steps()) if not pair.predicted_by)


@pytest.mark.parametrize(
    ("bounds", "interval", "kind", "off", "lesson"),
    [
        ((2.0, 2.0), (2.1, 1.9, 2.2), "as predicted", 1.0, ""),
        ((1.0, 8.0), (1.5, 1.4, 1.6), "within", 1.0, ""),
        ((2.0, 2.0), (2.4, 2.3, 2.5), "near", 1.2, ""),
        ((1.0, 8.0), (0.9, 0.89, 0.91), "near", 0.9, ""),
        ((1.1, 1.1), (4.4, 4.3, 4.5), "differs", 4.0, "More!"),
        ((2.0, 3.0), (0.5, 0.4, 0.6), "differs", 0.25, "Less!"),
        ((0.0, 100.0), (20.0, 19.0, 21.0), "within", 1.0, ""),
        ((0.0, 100.0), (200.0, 190.0, 210.0), "differs", 2.0, "More!"),
        ((1.0, 1.0), (5.0, 0.0, float("inf")), "unknown", float("nan"), ""),
    ],
)
def test_verdicts(
    bounds: tuple[float, float], interval: tuple[float, float, float], kind: str, off: float, lesson: str
) -> None:
    verdict = judge(Prediction(*bounds, ""), Interval(*interval), "More!", "Less!")
    assert (verdict.kind, verdict.lesson) == (kind, lesson)
    assert verdict.off == pytest.approx(off, nan_ok=True)
