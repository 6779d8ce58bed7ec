"""The ladder: a lesson for each rung, and its tables in the appendix."""

import html
from pathlib import Path

import pytest

from bench.analysis import pairs
from bench.report.chapters import ladder
from bench.report.section import Section
from bench.results import LOOP, VECTORIZED, Run
from bench.stats import Interval
from tests.factories import cell, result
from tests.factories import run as made

RESULT = result(
    cell(1_000, 32), {LOOP: 10.0, "numba_loop": 0.5, "numpy_dot_in_loop": 2.0, VECTORIZED: 0.1, "numba_fused": 0.2}
)


def test_the_table_has_a_row_for_each_step_and_a_column_for_each_cell() -> None:
    other = result(cell(10, 32), {LOOP: 10.0, "numba_loop": 1.0})
    table = ladder.table([(each, pairs.steps(each)) for each in (RESULT, other)])
    assert table.headings == ["kernel", "over", "cause", "m = 1,000, n_x = 32", "m = 10, n_x = 32"]
    assert ["numba_loop", LOOP, "no interpreter", "20 [20, 20]", "10 [10, 10]"] in table.text
    assert ["numpy_dot_in_loop", LOOP, "inner loop in np.dot", "5 [5, 5]", "–"] in table.text
    row = next(row for row in table.rows if row[0] == "numba_loop")
    assert row[3] == Interval(pytest.approx(20.0), pytest.approx(20.0), pytest.approx(20.0))  # type: ignore[arg-type]


def test_a_run_without_steps_still_lists_its_kernels() -> None:
    alone = made([result(cell(10, 2), {LOOP: 1.0})])
    detail = ladder.detail(alone)
    assert detail is not None and [table.title for table in detail.tables] == ["The ladder"]


def test_a_lesson_for_each_rung_in_order(run: Run, story: list[Section], run_folder: Path) -> None:
    section = next(section for section in story if section.id == "ladder")
    assert [lesson.kernel for lesson in section.lessons] == run.measured
    page = (run_folder / "report.html").read_text(encoding="utf-8")
    plain = html.unescape(page).replace("\u00a0", " ")
    for lesson in section.lessons:
        assert lesson.question in plain and lesson.change in plain
    assert page.count('<details class="guess">') == len(run.measured)


def test_a_training_run_has_no_lessons() -> None:
    training = made(
        [result(cell(569, 30, problem="breast_cancer", iterations=20), {LOOP: 1.0})], problem="breast_cancer"
    )
    assert ladder.section(training) is None
