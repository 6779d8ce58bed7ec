"""Questions, findings, waterfall, accuracy and training: each number in a sentence is the run's, and moves with it."""

import math
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from bench.grid import Cell
from bench.measure.contestants import describe_kernels
from bench.report import findings, page, plots
from bench.report.chapters import accuracy, breakdown, questions, training
from bench.report.chapters import ladder as waterfall
from bench.report.chapters.questions import NOT_MEASURED
from bench.report.charts import SETTINGS
from bench.results.run import CellResult, Run
from kernels import KERNELS

ROUNDS = 12


def cell(cell: Cell, **seconds: float) -> CellResult:
    """A cell in which every sample of a kernel took the same time, with a control that shows no noise."""
    times = {**seconds, "A/A control": seconds.get("numpy_vectorized", 1.0)}
    found = CellResult(cell)
    for name, each in times.items():
        found.seconds[name] = found.cpu[name] = [each] * ROUNDS
        found.rounds[name], found.loops[name] = list(range(ROUNDS)), 1
    return found


def made(*cells: CellResult) -> Run:
    """A run of these cells."""
    machine = {"cpu": "a CPU", "threads_available": 2}
    header = {"grid": "made", "problem": cells[0].cell.problem, "seed": 0, "kernels": describe_kernels()}
    return Run({**header, "machine": machine}, list(cells), {"wall": 1.0, "interrupted": False})


def small(**changed: float) -> CellResult:
    times = {"python_loop": 140e-6, "python_lists": 28e-6, "numba_loop": 2e-6, "numba_fastmath": 2e-6}
    return cell(Cell(10, 2), **{**times, "numpy_vectorized": 14e-6, "numpy_textbook": 7e-6, **changed})


def large(**changed: float) -> CellResult:
    times = {"python_loop": 12.0, "python_lists": 3.0, "numba_loop": 0.032, "numba_fastmath": 0.008}
    more = {"numba_passes": 0.006, "numpy_vectorized": 0.008, "numpy_textbook": 0.01}
    return cell(Cell(1_000, 512), **{**times, **more, **changed})


def answer(run: Run, start: str) -> str:
    found = [each for each in questions.answers(run) if each.question.startswith(start)]
    assert len(found) == 1
    return " ".join(found[0].sentences)


def test_all_ten_questions_are_there_and_what_was_not_measured_is_said() -> None:
    nothing = made(cell(Cell(10, 2), numpy_vectorized=1e-6))
    told = questions.answers(nothing)
    assert len(told) == 10
    assert {each.question for each in told if each.sentences != [NOT_MEASURED]} == set()


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (
            "Why is my speed-up not 300?",
            "from 10 times (10 to 10) as fast as python_loop, at m = 10, n_x = 2, to 1,500",
        ),
        ("Why is my speed-up not 300?", "375 times (375 to 375) as fast as python_lists and 4 times (4 to 4)"),
        ("Why is looping", "4 times (4 to 4) as fast at m = 1,000, n_x = 512; over all cells between 4 and 5 times"),
        ("Why is Numba slower", "faster than numpy_vectorized in 1 of 2 cells and slower in 1"),
        ("Why is Numba slower", "numba_loop is 7 times (7 to 7) as fast at m = 10, n_x = 2"),
        ("Why is Numba slower", "numba_loop takes 4 times (4 to 4) as long at m = 1,000, n_x = 512"),
        ("Can Numba beat", "numba_passes is 1.33 times (1.33 to 1.33) as fast at m = 1,000, n_x = 512"),
        ("What does fastmath", "At m = 10, n_x = 2, the relaxed loop is 1.00 times (1 to 1) as fast"),
        ("What does fastmath", "at m = 1,000, n_x = 512, 4 times (4 to 4)"),
        ("Why is the cost NaN?", "37 is the first at which numpy_textbook gives NaN"),
        ("Why is the cost NaN?", "1.25 times (1.25 to 1.25) as fast as numpy_textbook at m = 1,000, n_x = 512"),
    ],
)
def test_the_numbers_are_those_of_the_run(start: str, words: str) -> None:
    assert words in answer(made(small(), large()), start)


def test_other_figures_give_other_sentences() -> None:
    before = made(small(), large())
    after = made(small(python_lists=14e-6), large(numba_loop=0.004, numba_passes=0.012, numba_fastmath=0.002))
    for start in ("Why is looping", "Why is Numba slower", "Can Numba beat", "What does fastmath"):
        assert answer(before, start) != answer(after, start)
    assert "faster than numpy_vectorized in 2 of 2 cells and slower in 0" in answer(after, "Why is Numba slower")
    assert "Furthest behind: numba_passes takes 1.5 times (1.5 to 1.5) as long" in answer(after, "Can Numba beat")


def test_a_difference_within_the_noise_is_not_called_one() -> None:
    close = cell(Cell(10, 2), numba_loop=1.0, numpy_vectorized=1.01)
    close.seconds["A/A control"] = [1.05] * ROUNDS
    assert "faster than numpy_vectorized in 0 of 1 cells and slower in 0" in answer(made(close), "Why is Numba slower")


def test_the_first_call_threads_and_layout() -> None:
    first = small(numba_parallel=4e-6)
    first.first_call = {"numba_loop": 0.5, "numba_fastmath": 2.0, "python_loop": 9.0}
    two = cell(Cell(10, 2, threads=2), numba_parallel=8e-6)
    by_feature = cell(Cell(10, 2, "C"), numpy_vectorized=28e-6, numba_loop=1e-6)
    run = made(first, two, by_feature)
    said = answer(run, "Why did the first call")
    assert "from 500 ms to 2 s (numba_fastmath). A later call of numba_fastmath takes 2 µs at m = 10, n_x = 2" in said
    assert "with 2 threads numba_parallel runs at 0.5 times its speed with one" in answer(run, "Why is parallel")
    said = answer(run, "Does the layout")
    assert "order F: numpy_vectorized takes 2 times as long with order C at m = 10, n_x = 2" in said
    assert "order C: numba_loop takes 2 times as long with order F" in said
    assert "not paired" in said


def test_np_vectorize_is_answered_from_a_controlled_pair() -> None:
    pair = small(**{"pair: np.vectorize": 42e-6})
    said = answer(made(pair), "Is np.vectorize")
    assert "At m = 10, n_x = 2, the step with np.vectorize takes 3 times (3 to 3) as long as numpy_vectorized." in said


def test_the_answer_says_what_is_left() -> None:
    said = page.answer(made(small(), large()))
    assert said[0].startswith(
        "At m = 1,000, n_x = 512, order F, 1 thread, the gradient step in vectorized NumPy is 1,500"
    )
    assert said[1] == (
        "What is left: at m = 1,000, n_x = 512, numba_passes is another 1.33 times (1.33 to 1.33) as fast, "
        "with one thread."
    )
    assert len(page.answer(made(small(), large(numba_passes=0.009, numba_fastmath=0.009)))) == 1


def test_findings() -> None:
    run = made(small(), large())
    assert findings.headline([large()]) == (
        "At m = 1,000, n_x = 512, numpy_vectorized is 1,500 times (1,500 to 1,500) as fast as python_loop."
    )
    more = cell(Cell(1_000, 2), numpy_vectorized=28e-6, python_loop=14e-3)
    assert "at m = 1,000 it is 500 times" in findings.headline([small(), more])
    assert "100 times the examples in 2 times the time" in findings.growth([small(), more])
    assert findings.extremes(run, run.cells, "numpy_vectorized") == (
        "Furthest ahead of numpy_vectorized: numba_loop, 7 times (7 to 7) as fast at m = 10, n_x = 2. "
        "Furthest behind: python_loop, 1,500 times (1,500 to 1,500) as slow at m = 1,000, n_x = 512."
    )
    assert "no kernel is slower" in findings.extremes(run, run.cells, "python_loop")
    leads = [("numba_loop", "x", 2.0, True), ("numba_loop", "x", 1.0, False), None]
    assert findings.winners(leads) == "Of 2 cells, the fastest by more than the noise is numba_loop in 1; 1 are ties."


def test_the_waterfall_multiplies_to_the_whole_speed_up() -> None:
    result = cell(
        Cell(1_000, 32), python_loop=10.0, numba_loop=0.5, numpy_dot_in_loop=2.0, numpy_vectorized=0.1, numba_fused=0.2
    )
    found = {step.kernel: step for step in waterfall.steps(result)}
    assert {name: (step.before, round(step.ratio.estimate, 9)) for name, step in found.items()} == {
        "numba_loop": ("python_loop", 20.0),
        "numpy_dot_in_loop": ("python_loop", 5.0),
        "numpy_vectorized": ("numpy_dot_in_loop", 20.0),
        "numba_fused": ("numpy_vectorized", 0.5),
    }
    # What was not measured in between is named with the next that was.
    assert found["numba_fused"].cause == "no temporaries + one call, SIMD exp, few logs + X read once"
    last = found["numba_fused"]
    assert last.reached * last.ratio.estimate == pytest.approx(10.0 / 0.2)
    ends = waterfall.steps(result, limit=lambda _: 0.05)[-1]
    assert (ends.kernel, ends.before, round(ends.ratio.estimate, 9)) == (waterfall.LIMIT, "numba_fused", 4.0)
    said = waterfall.finding([(result, waterfall.steps(result))])
    assert said.startswith("At m = 1,000, n_x = 32, the largest step to numba_fused is “no loop in Python”: 20 times")
    rows = waterfall.table([(result, waterfall.steps(result))]).rows
    assert ["numba_loop", "python_loop", "no interpreter", "20 [20, 20]"] in rows


def test_the_paths_hold_every_rung_with_one_thread_once() -> None:
    names = [name for _, rungs in waterfall.PATHS for name, _ in rungs]
    assert len(names) == len(set(names)) and set(names) <= set(KERNELS)
    # The textbook cost is no step of speed, and rungs for all threads have no place beside one thread.
    assert set(KERNELS) - set(names) == {*("python_loop", "numpy_textbook", "numba_parallel", "numba_fused_parallel")}


def test_accuracy_says_what_relaxed_arithmetic_costs() -> None:
    result = large()
    result.agreement = {name: {"J": 1.0, "dw": 8.0, "db": 0.0} for name in result.kernels}
    result.agreement["numba_fastmath"]["dw"] = 2.0
    assert accuracy.finding(result) == (
        "At m = 1,000, n_x = 512, the compiled loop takes 0.25 of its time with relaxed arithmetic, and dw is off by 2 "
        "units of rounding, by 8 with strict."
    )
    drawn = accuracy.figure(result)
    assert drawn is not None and drawn.table is not None
    assert drawn.table.rows[0] == ["python_loop", "12 s", "1", "8", "0"]
    assert accuracy.figure(large()) is None


def test_the_textbook_cost_breaks_down_where_a_saturates() -> None:
    true, textbook, stable = breakdown.costs(37.0, 1.0)
    assert math.isnan(textbook) and stable == pytest.approx(math.exp(-37.0), rel=1e-15) == true
    true, textbook, _ = breakdown.costs(37.0, 0.0)
    assert math.isinf(textbook) and true == 37.0
    true, textbook, _ = breakdown.costs(20.0, 1.0)
    assert 1e-9 < abs(textbook / true - 1.0) < 1e-6
    drawn = breakdown.figure(made(small()))
    assert drawn is not None and "inf from z = 37 on for label 0, nan from z = 37 on for label 1" in drawn.finding
    table = drawn.table
    assert table is not None
    assert ["label 1: right, and sure of it", "37", "8.53305e-17", "all of it: the cost is nan", "0"] in table.rows
    assert breakdown.figure(made(cell(Cell(10, 2), numba_loop=1.0))) is None


def test_training_lays_the_cost_over_the_time_of_each_kernel() -> None:
    result = cell(Cell(569, 30, "F", 1, "breast_cancer", 20), python_loop=2.0, numba_fused=0.01)
    J = training.costs(result.cell, seed=0)
    assert J.shape == (20,) and J[0] == pytest.approx(math.log(2.0)) and (np.diff(J) < 0.0).all()
    run = made(result)
    with mpl.rc_context(SETTINGS):
        (drawn,) = plots.draw(run)
        above, below = drawn.figure.axes
        ends = sorted(float(line.get_xdata()[-1]) for line in above.lines)  # type: ignore[index, arg-type, unused-ignore]
        assert ends == [pytest.approx(0.01), pytest.approx(2.0)]
        assert [label.get_text() for label in below.get_yticklabels()] == ["python_loop", "numba_fused"]
        canvas: Any = FigureCanvasAgg(drawn.figure)
        canvas.draw()
        box, (width, height) = drawn.figure.get_tightbbox(canvas.get_renderer()), drawn.figure.get_size_inches()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
    assert drawn.section == "training" and drawn.table is not None
    assert "in 10 ms with numba_fused and in 2 s with python_loop; numba_fused is 200 times" in drawn.finding
