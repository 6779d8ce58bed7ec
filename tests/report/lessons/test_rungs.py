"""The lessons: predicted beside measured, what a count leaves out, bars, branches, and what binds."""

import pytest

from bench.analysis.predictions import Prediction
from bench.report.lessons import rungs
from bench.report.section import Lesson
from bench.results import LOOP, VECTORIZED, Run
from bench.results.records import Ceiling, ReadRate
from kernels import KERNELS
from kernels.controlled import OBJECTS
from tests.factories import cell, result
from tests.factories import run as made

SECONDS = {
    LOOP: 8e-3,
    "python_lists": 2e-3,
    "numpy_dot_in_loop": 1e-3,
    "numba_loop": 1e-4,
    "numba_fastmath": 5e-5,
    "numpy_textbook": 2e-4,
    VECTORIZED: 2e-4,
    "numba_fused": 2e-5,
    OBJECTS.name: 4e-3,
}
COUNTS = {
    LOOP: {"instructions_per_element": 34.0, "instructions_per_example": 69.0},
    OBJECTS.name: {"instructions_per_element": 34.0, "instructions_per_example": 69.0},
    "python_lists": {"instructions_per_element": 31.0, "instructions_per_example": 70.0},
    "numba_fastmath": {"lanes": 8.0, "packed": 12.0, "scalar": 3.0},
    VECTORIZED: {"moved_per_element": 16.0, "moved_per_example": 290.0},
    "numpy_textbook": {"moved_per_element": 16.0, "moved_per_example": 272.0},
}
ONE = Ceiling(1, [ReadRate(1_000, 100e9), ReadRate(10**8, 10e9)], flops=50e9, exps=1e9)
TWO = Ceiling(2, [ReadRate(1_000, 200e9), ReadRate(10**8, 20e9)], flops=100e9, exps=2e9)


@pytest.fixture(scope="module")
def run() -> Run:
    """The fixed cell, a larger one, and one of all threads; with counts and ceilings."""
    large = {name: 100 * time for name, time in SECONDS.items() if name != LOOP}
    threads = {"numba_parallel": 4e-5}
    results = [
        result(cell(1_000, 32), SECONDS),
        result(cell(100_000, 32), large),
        result(cell(1_000, 32, threads=2), threads),
    ]
    names = [*(name for name in KERNELS if name in SECONDS or name in threads)]
    return made(results, names, counts=COUNTS, ceilings={1: ONE, 2: TWO})


@pytest.fixture(scope="module")
def lessons(run: Run) -> dict[str, Lesson]:
    return {lesson.kernel: lesson for lesson in rungs.lessons(run)}


def test_a_lesson_for_each_rung_with_its_number(lessons: dict[str, Lesson]) -> None:
    assert list(lessons)[:3] == [LOOP, "python_lists", "numpy_dot_in_loop"]
    assert lessons["python_lists"].title == "Lesson 2: Python loop over lists"
    assert all(lesson.question.endswith("?") for lesson in lessons.values())


def test_the_compiled_loop_is_a_side_branch(lessons: dict[str, Lesson]) -> None:
    aside = {name for name, lesson in lessons.items() if lesson.branch}
    assert aside == {"python_lists", "numba_loop", "numba_fastmath", "numba_parallel"}
    assert lessons["numba_fastmath"].branch == f"Side branch from {LOOP}"


def test_a_prediction_stands_beside_its_measurement(lessons: dict[str, Lesson]) -> None:
    table = lessons[VECTORIZED].outcomes
    assert table is not None
    # 16 * 32 + 272 bytes by 16 * 32 + 290.
    assert table.text[0] == ["m = 1,000, n_x = 32", "0.98×", "about the same (95% interval 0.0% to 0.0%)", "2% more"]
    assert [row[0] for row in table.text] == ["m = 1,000, n_x = 32", "m = 100,000, n_x = 32"]


def test_where_counting_predicts_no_number_the_lesson_says_so(lessons: dict[str, Lesson]) -> None:
    table, sentences = lessons["numba_fastmath"].outcomes, lessons["numba_fastmath"].sentences
    assert table is not None and {row[1] for row in table.text} == {"–"} and {row[3] for row in table.text} == {"–"}
    assert sentences[0].startswith("No prediction: counting leaves it open")
    assert lessons["numba_loop"].sentences[0] == f"No prediction: {KERNELS['numba_loop'].unpredicted}."


@pytest.mark.parametrize(
    ("predicted", "words"),
    [
        (Prediction(1.0, 8.0, "x"), None),
        (Prediction(0.0, 140.0, "x"), "at most 140×"),
        (Prediction(1.0, 1.2, "x"), "1 to 1.2×"),
        (Prediction(2.0, 2.0, "x"), "2×"),
        ("not counted", None),
    ],
)
def test_no_wide_range_is_a_prediction(predicted: Prediction | str, words: str | None) -> None:
    assert rungs._number(predicted)[0] == words


def test_a_pair_shows_what_the_count_of_the_first_step_leaves_out(lessons: dict[str, Lesson]) -> None:
    lesson = lessons["python_lists"]
    assert lesson.outcomes is not None
    assert lesson.outcomes.text[0][1:] == ["1.1×", "4× faster (95% interval 4 to 4)", "3.7× more"]
    (shown,) = [sentence for sentence in lesson.sentences if sentence.startswith("A pair shows")]
    assert "is 2× faster (95% interval 2 to 2) at m = 1,000, n_x = 32. Counting predicts 1×." in shown


def test_bars_follow_the_branch_of_the_rung(lessons: dict[str, Lesson]) -> None:
    bars = lessons["numba_fastmath"].bars
    assert [(bar.kernel, bar.value, bar.new) for bar in bars] == [
        (LOOP, "1×", False),
        ("numba_loop", "80×", False),
        ("numba_fastmath", "160×", True),
    ]
    assert bars[0].length == 0.0 and 0.0 < bars[1].length < bars[2].length < 1.0
    # Of two cells: 160 times, and 5e-5 by 4e-5 more.
    assert lessons["numba_parallel"].bars[-1].value == "200×"


def test_what_binds_and_the_next_question(lessons: dict[str, Lesson]) -> None:
    loop = lessons[LOOP].binds
    assert loop[0] == "The interpreter binds: 34 bytecodes for each number of X and 69 bytecodes for each example."
    assert f"Next: {KERNELS['numpy_dot_in_loop'].question}" in loop
    assert f"Next (side branch): {KERNELS['numba_loop'].question}" in loop
    fused = " ".join(lessons["numba_fused"].binds)
    assert "Share of the hardware's limit: " in fused and "set by" in fused


def test_a_run_without_counts_and_ceilings_has_lessons_too() -> None:
    bare = made([result(cell(10, 2), {LOOP: 1.0, "python_lists": 0.5})])
    first, second = rungs.lessons(bare)
    assert first.outcomes is None and second.outcomes is not None
    assert second.sentences == ["No prediction: this run did not count python_loop and python_lists."]
    assert rungs.lessons(made([])) == []
