"""The chapter on causes: factors, predictions and verdicts in words, and what was counted."""

from dataclasses import replace

import numpy as np
import pytest

from bench.analysis.predictions import Prediction, judge
from bench.report.chapters import causes
from bench.results import LOOP, VECTORIZED, Run
from bench.results.records import Ceiling, ReadRate
from bench.stats import Interval
from tests import factories
from tests.factories import cell

SECONDS = {
    LOOP: 8e-3,
    "python_lists": 2e-3,
    "numba_loop": 1e-4,
    "numba_fastmath": 5e-5,
    VECTORIZED: 2e-4,
    "numba_passes": 4e-5,
    "numba_fused": 2e-5,
    "pair: exp, scalar": 6e-5,
}
COUNTS = {
    LOOP: {"instructions_per_element": 34.0, "instructions_per_example": 69.0},
    "python_lists": {"instructions_per_element": 17.0, "instructions_per_example": 34.5},
    "numba_fastmath": {"lanes": 8.0, "packed": 12.0, "scalar": 3.0},
}


@pytest.fixture(scope="module")
def made() -> Run:
    """A run of one small cell, one from memory and one of two threads, with known times, ceilings and counts."""
    times = {
        name: seconds * (1.0 + 1e-4 * ((np.arange(20) + k) % 5)) for k, (name, seconds) in enumerate(SECONDS.items())
    }
    cells = [cell(1_000, 32), cell(1_000_000, 32)]
    results = [factories.result(each, {name: t.tolist() for name, t in times.items()}) for each in cells]
    parallel = {"pair: fused blocks, one thread": [2e-5] * 20, "numba_fused_parallel": [1e-5] * 20}
    results.append(factories.result(cell(1_000, 32, threads=2), parallel))
    one = Ceiling(1, [ReadRate(1_000, 100e9), ReadRate(10**8, 10e9)], flops=50e9, exps=1e9)
    two = replace_threads(one)
    return factories.run(results, counts=COUNTS, ceilings={1: one, 2: two})


def replace_threads(one: Ceiling) -> Ceiling:
    """Twice as much of everything, with two threads."""
    return Ceiling(2, [ReadRate(n, 2 * rate) for n, rate in one.read], flops=2 * one.flops, exps=2 * one.exps)


def test_the_figure_has_a_row_for_each_cause_and_a_dot_for_each_cell(made: Run) -> None:
    plot = causes.figure(made)
    assert plot is not None and plot.table is not None
    (ax,) = plot.figure.axes
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == [row[0] for row in plot.table.rows] and "no boxing" in labels
    rows = {(row[1], row[2]): row[3:] for row in plot.table.rows}
    assert [ratio.estimate for ratio in rows[LOOP, "python_lists"][:2]] == pytest.approx([4.0, 4.0], rel=1e-3)
    assert rows["pair: exp, scalar", "numba_passes"][0].estimate == pytest.approx(1.5, rel=1e-3)
    assert (VECTORIZED, "numpy_buffers") not in rows  # it was not timed
    assert plot.table.headings[3:] == [
        "m = 1,000, n_x = 32",
        "m = 1,000,000, n_x = 32",
        "m = 1,000, n_x = 32, 2 threads",
    ]
    assert plot.finding.startswith("The largest is “no interpreter”: 80× faster (95% interval 80 to 80) at m = 1,0")


def test_predictions_stand_beside_measurements(made: Run) -> None:
    table = causes.pair_table(made)
    assert table is not None and table.prose and table.stacked
    text = {row[0]: row for row in table.text}
    boxing = text["no boxing"]
    assert boxing[1].startswith("bytecodes per example")
    assert boxing[2].startswith("predicted 2, measured 4 [") and boxing[2].endswith("; 2× more than predicted")
    assert boxing[-1] != "–"
    assert text["no interpreter"][1].startswith("not predicted: ")
    assert text["no interpreter"][2].startswith("measured 80 [") and text["no interpreter"][-1] == "–"
    threads = text["one thread → all"]
    assert threads[2] == "predicted 2, measured 2 [2, 2] with 2 threads; as predicted" and threads[3] == "–"


def test_each_rung_is_beside_what_its_author_expects(made: Run) -> None:
    table = causes.rung_table(made)
    assert table is not None and table.headings[:3] == ["kernel", "what its author expects", "counted, before → after"]
    rows = {row[0]: row for row in table.text}
    assert rows["python_lists"][1].startswith("Over python_loop: ")
    assert rows["python_lists"][2] == (
        "bytecodes per element: 34 → 17; bytecodes per example: 69 → 34.5; bytes of X from memory, per element: 8 → 8"
    )
    assert "scalar ones: – → 12 (8), 3" in rows["numba_fastmath"][2]
    # X is read twice before it is read once.
    assert rows["numba_fused"][2] == "bytes of X from memory, per element: 16 → 8"
    # One thread is from its own cell here, so the two do not share rounds.
    assert rows["numba_fused_parallel"][3].startswith("predicted 2, measured ")
    assert "numpy_buffers" not in rows


def test_what_was_counted(made: Run) -> None:
    table = causes.counted_table(made)
    assert table is not None
    assert table.text[0] == [LOOP, "34", "69", "–", "–", "–"]
    assert table.text[2] == ["numba_fastmath", "–", "–", "–", "–", "12 (8), 3"]
    assert causes.counted_table(replace(made, counts={})) is None


@pytest.mark.parametrize(
    ("low", "high", "factor", "words"),
    [
        (2.0, 2.0, Interval(2.0, 1.9, 2.1), "as predicted"),
        (1.0, 8.0, Interval(3.0, 2.9, 3.1), "within that range"),
        (2.0, 2.0, Interval(2.2, 2.1, 2.3), "near: 10% more"),
        (2.0, 2.0, Interval(1.8, 1.7, 1.9), "near: 10% less"),
        (1.0, 2.0, Interval(7.4, 7.0, 8.0), "3.7× more than predicted"),
        (4.0, 8.0, Interval(2.0, 1.9, 2.1), "2× less than predicted"),
        (4.0, 8.0, Interval(2.0, 0.0, np.inf), "too few rounds to tell"),
    ],
)
def test_verdicts_in_words(low: float, high: float, factor: Interval, words: str) -> None:
    assert causes.verdict_words(judge(Prediction(low, high, "why"), factor)) == words


def test_nothing_is_shown_where_nothing_was_measured() -> None:
    alone = factories.run([factories.result(cell(10, 2), {VECTORIZED: 1e-5})])
    assert causes.detail(alone) is None


def test_the_section_of_a_recorded_run(run: Run) -> None:
    section = causes.detail(run)
    assert section is not None and [plot.name for plot in section.plots] == ["causes"]
    assert [table.title for table in section.tables][:2] == [
        "Each cause, predicted from counted work and measured",
        "What was predicted of each rung, and measured",
    ]
