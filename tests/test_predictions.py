"""Predictions: each worked by hand from made counts and ceilings; a wrong one is called so; the rungs' own words."""

from dataclasses import replace
from typing import Any

import pytest

from bench.analysis import predictions, verdicts
from bench.analysis.predictions import Prediction, verdict
from bench.grid import Cell
from bench.machine.ceilings import Ceiling
from bench.report.chapters import causes, rungs
from bench.report.chapters.causes import PAIRS
from bench.results.run import CellResult, Run
from bench.stats import Interval
from kernels import KERNELS

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
CEILINGS = {k: Ceiling(k, [(1_000, k * 1e10), (80_000, k * 1e9), (10**6, k * 1e9)], k * 1e9, k * 5e7) for k in (1, 2)}
TEN = (1_000, 10)


def cell(m: int, n_x: int, threads: int = 1, **seconds: float) -> CellResult:
    result = CellResult(Cell(m, n_x, threads=threads))
    for name, each in seconds.items():
        result.seconds[name], result.rounds[name], result.loops[name] = [each] * 12, list(range(12)), 1
    return result


def made(*cells: CellResult, counts: Any = COUNTS, ceilings: Any = CEILINGS) -> Run:
    return Run({"kernels": {}, "problem": "synthetic"}, list(cells), None, counts=counts, ceilings=ceilings)


def predict(before: str, after: str, result: CellResult | None = None, **changed: Any) -> Prediction | str:
    (pair,) = [pair for pair in PAIRS if (pair.before, pair.after) == (before, after)]
    return pair.predict(made(**changed), result or cell(*TEN), before, after)


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
    found = predict(before, after)
    assert isinstance(found, Prediction) and (found.low, found.high) == pytest.approx((low, high))


def test_a_sum_is_split_over_no_more_lanes_than_features() -> None:
    found = predict("numba_loop", "numba_fastmath", cell(10_000, 2))
    assert isinstance(found, Prediction) and (found.low, found.high) == (1.0, 2.0)


def test_array_operations_instead_of_instructions() -> None:
    # 480 instructions, each 1 / 360 of a step of the loop: 4 ms; 1000 times 440 bytes at 1 GB/s: 0.44 ms.
    found = predict("pair: np.vectorize", "numpy_vectorized", cell(*TEN, python_loop=3e-3))
    assert isinstance(found, Prediction) and found.low == 0.0
    assert found.high == pytest.approx(4e-3 / 440e-6) and found.text == "at most 9.09"
    assert predict("pair: np.vectorize", "numpy_vectorized") == "what it follows from was not measured in this cell"


def test_threads_by_their_ceilings() -> None:
    found = predict("pair: fused blocks, one thread", "numba_fused_parallel", cell(*TEN, threads=2))
    assert isinstance(found, Prediction) and found.low == found.high == pytest.approx(2.0)


def test_what_was_not_counted_is_not_predicted_and_said_so() -> None:
    only_rungs = {name: counts for name, counts in COUNTS.items() if name in KERNELS}
    assert predict("python_loop", "pair: np.vectorize", counts=only_rungs) == (
        "not counted in this run of pair: np.vectorize"
    )
    for pair in PAIRS:
        if pair.predict is not predictions.same_work:
            assert isinstance(pair.predict(made(counts={}, ceilings={}), cell(*TEN), pair.before, pair.after), str)


@pytest.mark.parametrize(
    ("predicted", "measured", "words"),
    [
        ((2.0, 2.0), (2.1, 1.9, 2.2), "as predicted"),
        ((1.0, 8.0), (1.5, 1.4, 1.6), "within"),
        ((2.0, 2.0), (2.4, 2.3, 2.5), "near: 20% more"),
        ((1.0, 8.0), (0.9, 0.89, 0.91), "near: 10% less"),
        ((1.1, 1.1), (4.4, 4.3, 4.5), "differs: 4 times as much. More!"),
        ((2.0, 3.0), (0.5, 0.4, 0.6), "differs: 0.25 times as much. Less!"),
        ((0.0, 100.0), (20.0, 19.0, 21.0), "within"),
        ((0.0, 100.0), (200.0, 190.0, 210.0), "differs: 2 times as much. More!"),
        ((1.0, 1.0), (5.0, 0.0, float("inf")), "too few rounds to tell"),
    ],
)
def test_verdicts(predicted: tuple[float, float], measured: tuple[float, float, float], words: str) -> None:
    assert verdict(Prediction(*predicted, ""), Interval(*measured), "More!", "Less!") == words


def test_a_wrong_prediction_is_called_so_in_both_tables() -> None:
    result = cell(*TEN, python_loop=5.0, python_lists=1.0, numpy_vectorized=0.5)
    table = verdicts.table(made(result))
    assert table is not None and table.columns[2] == "m = 1,000, n_x = 10"
    (row,) = [row for row in table.rows if row[0].startswith("boxing")]
    assert row[1:3] == [
        "interpreted instructions an example, before by after",
        "predicted 1.29, measured 5 [5, 5]; differs: 3.89 times as much",
    ]
    assert row[3].startswith("So it is not how many instructions")
    ladder = rungs.table(made(result))
    assert ladder is not None
    (step,) = [row for row in ladder.rows if row[0] == "python_lists"]
    assert step[1].startswith("Over python_loop: what an ndarray's element access costs")
    assert step[2] == (
        "interpreted, an element: 30 → 20; interpreted, an example: 60 → 80; bytes of X from memory, an element: 8 → 8"
    )
    assert step[3] == "predicted 1.29, measured 5 [5, 5]; differs: 3.89 times as much"
    assert step[4].startswith("So it is not how many")
    # Had it been right, there would be nothing to say.
    right = rungs.table(made(cell(*TEN, python_loop=360.0, python_lists=280.0, numpy_vectorized=1.0)))
    assert right is not None and right.rows[0][3:] == ["predicted 1.29, measured 1.29 [1.29, 1.29]; as predicted", "–"]


def test_steps_to_all_threads_are_paired_where_they_can_be() -> None:
    one = cell(*TEN, python_loop=9.0, numpy_vectorized=1.0, numba_fastmath=4.0, numba_fused=2.0)
    two = cell(*TEN, threads=2, numba_parallel=2.0, numba_fused_parallel=1.0)
    like = "pair: fused blocks, one thread"
    two.seconds[like], two.rounds[like] = [3.0] * 12, list(range(12))
    table = rungs.table(made(one, two))
    assert table is not None
    said = {row[0]: row[3] for row in table.rows}
    assert said["numba_fused_parallel"] == "predicted 2, measured 3 [3, 3] with 2 threads; differs: 1.5 times as much"
    # Of numba_fastmath there is no like in the cell of two threads.
    one.seconds["pair: exp, scalar"], one.rounds["pair: exp, scalar"] = [3.0] * 12, list(range(12))
    table = rungs.table(made(one, two))
    assert table is not None
    said = {row[0]: row[3] for row in table.rows}
    assert said["numba_parallel"] == "predicted 2, measured 2 [2, 2] with 2 threads, not paired; as predicted"


def test_nothing_is_said_of_what_was_not_measured_and_why_nothing_is_predicted() -> None:
    assert verdicts.table(made(cell(*TEN, python_loop=5.0))) is None
    result = cell(*TEN, python_loop=5.0, numba_loop=0.5, numpy_vectorized=1.0)
    table, ladder = verdicts.table(made(result)), rungs.table(made(result))
    assert table is not None and ladder is not None
    why = "not predicted: how long an interpreted instruction takes, in machine instructions, is not counted"
    assert table.rows == [["the interpreter: interpreted → compiled", why, "measured 10 [10, 10]", "–"]]
    assert ladder.rows[0][0] == "numba_loop" and ladder.rows[0][3:] == ["measured 10 [10, 10]", why]


def test_every_rung_has_words_of_its_own_and_a_step() -> None:
    words = {name: rungs.own_words(name) for name in KERNELS}
    assert all(len(said) > 40 and "\n" not in said for said in words.values())
    assert words["numba_fastmath"].endswith("It gains with n_x, and nothing where n_x is 1 or 2.")
    assert [step.after for step in rungs.STEPS] == list(KERNELS)[1:]
    assert {step.before for step in rungs.STEPS} < set(KERNELS)


def test_the_passes_are_those_that_the_docstrings_say() -> None:
    for name in KERNELS:
        module = __import__(f"kernels.{name}", fromlist=["x"])
        said = (module.__doc__ or "").partition("Passes over X:")[2].partition("Allocates:")[0]
        if "two from memory" in said:
            assert predictions.PASSES[name] == 2, name
        elif "one from memory" in said:
            assert name not in predictions.PASSES, name
        else:
            assert "as " in said, name
        if name in predictions.WORK:
            assert predictions.WORK[name][0] == predictions.PASSES.get(name, 1)


def test_the_figure_shows_what_was_predicted() -> None:
    result = cell(*TEN, python_loop=5.0, python_lists=1.0, numpy_vectorized=0.5, numba_passes=0.4, numba_fused=0.3)
    drawn = causes.figure(made(result))
    bare = causes.figure(replace(made(result), counts={}, ceilings={}))
    assert drawn is not None and bare is not None
    for plot, ticks, bars in ((drawn, 1, 1), (bare, 0, 0)):
        ax = plot.figure.axes[0]
        greys = [line for line in ax.lines if line.get_color() == causes.PREDICTED and len(line.get_xdata())]  # type: ignore[arg-type]
        ranges = [each for each in ax.collections if each.get_linewidth()[0] == 2.6]  # type: ignore[index]
        assert (len(greys), len(ranges)) == (ticks, bars)
