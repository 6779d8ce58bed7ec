"""Questions: every number in an answer is the run's, and moves with it."""

from collections.abc import Mapping
from typing import Any

import pytest

from bench.report.chapters import questions
from bench.report.chapters.questions import NOT_MEASURED
from bench.results import CONTROL, LOOP, VECTORIZED, CellResult, Run
from bench.results.records import Agreed
from kernels.controlled import NP_VECTORIZE
from tests.factories import cell, result
from tests.factories import run as made

SMALL = {
    LOOP: 140e-6,
    "python_lists": 28e-6,
    "numba_loop": 2e-6,
    "numba_fastmath": 2e-6,
    VECTORIZED: 14e-6,
    "numpy_textbook": 7e-6,
}
LARGE = {
    LOOP: 12.0,
    "python_lists": 3.0,
    "numba_loop": 0.032,
    "numba_fastmath": 0.008,
    "numba_passes": 0.006,
    VECTORIZED: 0.008,
    "numpy_textbook": 0.01,
}


def quiet(where: Any, seconds: Mapping[str, float], **facts: Any) -> CellResult:
    """A cell whose control shows no noise."""
    return result(where, {**seconds, CONTROL: seconds.get(VECTORIZED, 1.0)}, **facts)


def small(changed: Mapping[str, float] = {}, **facts: Any) -> CellResult:
    return quiet(cell(10, 2), {**SMALL, **changed}, **facts)


def large(changed: Mapping[str, float] = {}, **facts: Any) -> CellResult:
    return quiet(cell(1_000, 512), {**LARGE, **changed}, **facts)


def answer(run: Run, start: str) -> str:
    (sentences,) = [each.sentences for each in questions.answers(run) if each.question.startswith(start)]
    return " ".join(sentences)


def test_roles_are_found_by_what_kernels_are() -> None:
    assert (questions.UNBOXED, questions.COMPILED) == (["python_lists"], ["numba_loop"])
    assert questions.PRODUCTS == ["numba_passes", "numba_fused"]
    assert questions.PARALLEL == ["numba_parallel", "numba_fused_parallel"]


def test_all_ten_questions_are_there_and_what_was_not_measured_is_not_answered() -> None:
    answers = questions.answers(made([quiet(cell(10, 2), {VECTORIZED: 1e-6})]))
    assert len(answers) == 10
    assert all(each.sentences == [NOT_MEASURED] for each in answers)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (
            "Why is my speed-up not 300?",
            "between 10× faster (95% interval 10 to 10) at m = 10, n_x = 2 and 1,500× fast",
        ),
        ("Why is my speed-up not 300?", "in that last cell it is 380× faster than python_lists (95% interval 3"),
        ("Why is my speed-up not 300?", "and 4× faster than numba_loop (95% interval 4 to 4)."),
        (
            "Why is looping",
            "4× faster (95% interval 4 to 4) at m = 1,000, n_x = 512; over all cells it is between 4× fa",
        ),
        ("Why is Numba slower", "faster than numpy_vectorized in 1 of 2 cells and slower in 1"),
        ("Why is Numba slower", "At m = 10, n_x = 2 it is 7× faster (95% interval 7 to 7)."),
        ("Why is Numba slower", "At m = 1,000, n_x = 512 it is 4× slower (95% interval 4 to 4)."),
        ("Can Numba beat", "At m = 1,000, n_x = 512 it is 33% faster"),
        ("What does fastmath", "the relaxed loop is about the same (95% interval 0.0% to 0.0%) at m = 10, n_x = 2"),
        ("What does fastmath", "and 4× faster (95% interval 4 to 4) at m = 1,000, n_x = 512"),
        ("Why is the cost NaN?", "37 is the first at which numpy_textbook gives NaN"),
        ("Why is the cost NaN?", "at m = 1,000, n_x = 512, numpy_vectorized is 25% faster than numpy_textbook"),
    ],
)
def test_the_numbers_are_those_of_the_run(start: str, words: str) -> None:
    assert words in answer(made([small(), large()]), start)


def test_other_figures_give_other_sentences() -> None:
    before = made([small(), large()])
    slower = {"numba_loop": 0.004, "numba_passes": 0.012, "numba_fastmath": 0.002}
    after = made([small({"python_lists": 14e-6}), large(slower)])
    for start in ("Why is looping", "Why is Numba slower", "Can Numba beat", "What does fastmath"):
        assert answer(before, start) != answer(after, start)
    assert "faster than numpy_vectorized in 2 of 2 cells and slower in 0" in answer(after, "Why is Numba slower")
    assert "it is 50% slower" not in answer(before, "Can Numba beat")
    assert "it is 1.5× slower" in answer(after, "Can Numba beat")


def test_a_difference_within_the_noise_is_a_tie() -> None:
    close = made([result(cell(10, 2), {"numba_loop": 1.0, VECTORIZED: 1.01, CONTROL: 1.05})])
    assert "faster than numpy_vectorized in 0 of 1 cell and slower in 0" in answer(close, "Why is Numba slower")


def test_the_first_call_threads_and_layout() -> None:
    first_call = {"numba_loop": 0.5, "numba_fastmath": 2.0, LOOP: 9.0}
    first = small({"numba_parallel": 4e-6}, first_call=first_call)
    two = quiet(cell(10, 2, threads=2), {"numba_parallel": 8e-6})
    by_feature = quiet(cell(10, 2, "C"), {VECTORIZED: 28e-6, "numba_loop": 1e-6})
    run = made([first, two, by_feature])
    sentences = answer(run, "Why did the first call")
    assert "between 500 ms and 2 s (numba_fastmath), with nothing kept on disk. A later call" in sentences
    assert "A later call of numba_fastmath takes 2 µs at m = 10" in sentences
    assert "With 2 threads, numba_parallel is 2× slower than with one at m = 10" in answer(run, "Why is parallel")
    sentences = answer(run, "Does the layout")
    assert (
        "Order F helps numpy_vectorized most: at m = 10, n_x = 2 it is 2× faster with it than with order C" in sentences
    )
    assert "Order C helps numba_loop most: at m = 10, n_x = 2 it is 2× faster with it than with order F" in sentences
    assert "With order C, numpy_vectorized is 2× slower, compared with order F. " in sentences
    assert "not paired" in sentences


def test_np_vectorize_is_answered_from_a_controlled_pair() -> None:
    sentences = answer(made([small({NP_VECTORIZE.name: 42e-6})]), "Is np.vectorize")
    assert "At m = 10, n_x = 2, the step with np.vectorize is 3× slower than numpy_vectorized" in sentences


def test_fastmath_is_answered_with_errors_where_they_are_known() -> None:
    agreement = {
        name: Agreed(cell="", kernel=name, J=1.0, dw=dw, db=0.0)
        for name, dw in (("numba_loop", 8.0), ("numba_fastmath", 2.0))
    }
    run = made([small(), large(agreement=agreement)])
    assert "8 units of rounding with strict arithmetic and by 2 with relaxed" in answer(run, "What does fastmath")
