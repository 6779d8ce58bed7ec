"""The ladder: the waterfall and its sentence, what each rung changes, and its source."""

import html
from pathlib import Path

import pytest

from bench.analysis import pairs
from bench.analysis.ratios import story_cells
from bench.report.chapters import ladder
from bench.report.section import Section
from bench.results import LOOP, VECTORIZED, Run
from bench.stats import Interval
from tests.factories import cell, result
from tests.factories import run as made

RESULT = result(
    cell(1_000, 32), {LOOP: 10.0, "numba_loop": 0.5, "numpy_dot_in_loop": 2.0, VECTORIZED: 0.1, "numba_fused": 0.2}
)


def test_the_finding_names_the_largest_and_the_smallest_step() -> None:
    assert ladder.finding(RESULT, pairs.steps(RESULT)) == (
        "At m = 1,000, n_x = 32, the largest step to numba_fused is “no loop in Python + cost from z”: 20× faster (95% "
        "interval 20 to 20); the smallest is “no temporaries + one call, SIMD exp, few logs + X read once”: 2× slower "
        "(95% interval 2 to 2)."
    )


def test_the_table_has_a_row_for_each_step_and_a_column_for_each_cell() -> None:
    other = result(cell(10, 32), {LOOP: 10.0, "numba_loop": 1.0})
    table = ladder.table([(each, pairs.steps(each)) for each in (RESULT, other)])
    assert table.headings == ["kernel", "over", "cause", "m = 1,000, n_x = 32", "m = 10, n_x = 32"]
    assert ["numba_loop", LOOP, "no interpreter", "20 [20, 20]", "10 [10, 10]"] in table.text
    assert ["numpy_dot_in_loop", LOOP, "inner loop in np.dot", "5 [5, 5]", "–"] in table.text
    row = next(row for row in table.rows if row[0] == "numba_loop")
    assert row[3] == Interval(pytest.approx(20.0), pytest.approx(20.0), pytest.approx(20.0))  # type: ignore[arg-type]


def test_rows_of_a_branch_stand_together_with_a_gap_between_branches() -> None:
    def step(branch: str, kernel: str) -> pairs.Step:
        return pairs.Step(branch, LOOP, kernel, "cause", Interval(2.0, 2.0, 2.0), 1.0)

    ys = ladder._rows([step("a", "a1"), step("b", "b1"), step("a", "a2"), step("a", "a1")])
    assert [kernel for _, kernel, _ in ys] == ["a1", "a2", "b1"]
    heights = list(ys.values())
    assert heights[0] - heights[1] == pytest.approx(1.0) and heights[1] - heights[2] == pytest.approx(1.6)


def test_a_run_without_steps_has_no_waterfall() -> None:
    alone = made([result(cell(10, 2), {LOOP: 1.0})])
    section = ladder.section(alone)
    assert section is not None and section.plots == [] and section.tables[0].title == "The ladder"


def test_the_source_of_each_kernel_stands_beside_its_times(run: Run, story: list[Section], run_folder: Path) -> None:
    section = next(section for section in story if section.id == "ladder")
    assert [source.name for source in section.sources] == run.measured
    fused = next(source for source in section.sources if source.name == "numba_fused")
    assert "The Python loop compiled" in next(s for s in section.sources if s.name == "numba_loop").text
    assert "def by_blocks(" in fused.text
    assert html.escape(fused.change) in (run_folder / "report.html").read_text(encoding="utf-8")
    assert len(fused.table.rows) == len(story_cells(run))
