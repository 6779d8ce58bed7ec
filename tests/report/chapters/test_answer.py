"""The answer: the headline, the place of the user's own kernels, what beats vectorized NumPy, and the alarms."""

from dataclasses import replace
from typing import Any

import pytest

from bench.report.chapters import answer
from bench.report.chapters.answer import NOTATION, placements
from bench.results import CONTROL, LOOP, VECTORIZED, Run
from bench.results.records import Ceiling, ReadRate
from bench.stats import Interval
from bench.words import faster_than
from tests.factories import cell, kernel_card, result
from tests.factories import run as made

SMALL = {LOOP: 140e-6, "numba_loop": 2e-6, VECTORIZED: 14e-6, CONTROL: 14e-6}
LARGE = {LOOP: 12.0, "numba_passes": 0.006, VECTORIZED: 0.008, CONTROL: 0.008}
WHERE = "m = 1,000, n_x = 32, order F, 1 thread"


def small_and_large(**changed: float) -> Run:
    return made([result(cell(10, 2), SMALL), result(cell(1_000, 512), LARGE | changed)])


def test_the_headline_is_the_largest_cell_where_both_were_timed(run: Run) -> None:
    assert answer.headline(run).startswith("At m = 10, n_x = 16, order F, 1 thread, vectorized NumPy is ")
    assert answer.headline(small_and_large()) == (
        "At m = 1,000, n_x = 512, order F, 1 thread, vectorized NumPy is 1,500× faster than the Python loop "
        "(95% interval 1,500 to 1,500)."
    )
    training = made([result(cell(569, 30, problem="breast_cancer", iterations=20), LARGE)], problem="breast_cancer")
    assert answer.headline(training).startswith("Training on breast_cancer, 20 iterations: m = 569")
    assert "not both timed" in answer.headline(made([result(cell(10, 2), {LOOP: 1.0})]))


def test_the_answer_names_what_beats_numpy() -> None:
    assert answer.answer(small_and_large())[1:] == [
        "What beats it: at m = 1,000, n_x = 512 with one thread, numba_passes is 33% faster than vectorized NumPy "
        "(95% interval 33.3% to 33.3%)."
    ]
    assert len(answer.answer(small_and_large(numba_passes=0.009))) == 1
    section = answer.section(small_and_large())
    assert section.lead[-1] == NOTATION and [plot.name for plot in section.plots] == ["headline"]


def test_the_finding_of_the_headline_follows_m() -> None:
    large = result(cell(1_000, 2), {LOOP: 14e-3, VECTORIZED: 28e-6})
    assert answer.finding([large]) == (
        "At m = 1,000, n_x = 2, numpy_vectorized is 500× faster than python_loop (95% interval 500 to 500)."
    )
    assert answer.finding([result(cell(10, 2), SMALL), large]) == (
        "At m = 10, n_x = 2, numpy_vectorized is 10× faster than python_loop (95% interval 10 to 10); at m = 1,000, "
        "500× faster (95% interval 500 to 500)."
    )
    assert answer.finding([result(cell(10, 2), {LOOP: 1.0})]) == ""


def test_alarms(run: Run) -> None:
    assert answer.alarms(run) == []
    failing = [replace(each, failed={"numba_loop": "why"}) for each in run.cells[:2]]
    assert answer.alarms(replace(run, cells=failing)) == [
        "2 times, a kernel disagreed with the reference or failed: see “How far to trust it”."
    ]
    assert "interrupted" in answer.alarms(replace(run, end=None))[0]


def with_own(mine: float, where: Any = None, **facts: Any) -> Run:
    """A run of one cell with two kernels of the user's own; its control shows 2% of noise."""
    noise = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.01, 0.99]
    times = {"numba_loop": 60.0, VECTORIZED: 10.0, "mine": mine, "also_mine": 15.0}
    samples = {name: [1e-6 * time * factor for factor in noise] for name, time in times.items()}
    samples[CONTROL] = [
        time * factor for time, factor in zip(samples[VECTORIZED], [1.02] * 4 + [0.98] * 4, strict=True)
    ]
    cards = {name: kernel_card(name, own="a file" if "mine" in name else None) for name in times}
    return made([result(where or cell(1_000, 32), samples)], cards, **facts)


@pytest.mark.parametrize(
    ("mine", "sentence"),
    [
        (
            20.0,
            "mine lies between numba_loop and numpy_vectorized at {}: 3× faster than numba_loop (95% interval 3 to 3), "
            "and 2× slower than numpy_vectorized (95% interval 2 to 2).",
        ),
        (5.0, "mine is the fastest kernel at {}: 2× faster than numpy_vectorized (95% interval 2 to 2), the next."),
        (120.0, "mine is the slowest kernel at {}: 2× slower than numba_loop (95% interval 2 to 2), the next."),
        (
            9.9,
            "mine is the fastest kernel at {}: a tie with numpy_vectorized (1.01 [1.01, 1.01], within the noise), the "
            "next.",
        ),
    ],
)
def test_an_own_kernel_has_its_place_in_words(mine: float, sentence: str) -> None:
    first, second = placements(with_own(mine))
    assert first == sentence.format(WHERE) and second.startswith("also_mine ")


def test_the_place_is_that_of_the_nearest_cell_with_the_share_of_the_limit() -> None:
    ceilings = {1: Ceiling(1, [ReadRate(8 * 32_000, 8 * 32_000 / 2.5e-6)], 1e18, 1e18)}
    near = with_own(5.0, ceilings=ceilings)
    far = with_own(5.0, cell(10, 2))
    both = replace(near, cells=[*far.cells, *near.cells])
    # 2.5 µs of 5 µs.
    assert placements(both)[0].startswith(f"mine is the fastest kernel at {WHERE} (50% of this machine's limit): ")


def test_an_own_kernel_that_failed_has_no_place_and_one_not_timed_says_so() -> None:
    run = with_own(5.0)
    failed = replace(run, cells=[replace(run.cells[0], failed={"mine": "why"})])
    assert [line.split()[0] for line in placements(failed)] == ["also_mine"]
    untimed = made([], {"mine": kernel_card("mine", own="a file")})
    assert placements(untimed) == ["mine was not timed in any cell of this run."]


def test_faster_than() -> None:
    assert faster_than(Interval(3.0, 2.5, 3.5), "x") == "3× faster than x (95% interval 2.5 to 3.5)"
    assert faster_than(Interval(0.25, 0.2, 0.25), "x") == "4× slower than x (95% interval 4 to 5)"
    assert faster_than(Interval(1.001, 0.99, 1.01), "x").startswith("about the same as x (")
