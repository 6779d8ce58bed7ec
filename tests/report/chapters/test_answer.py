"""The first screen: the headline, both listings, three numbers, the place of own kernels, and the alarms."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench.problem import make_problem
from bench.report.chapters import answer
from bench.report.chapters.answer import placements
from bench.results import CONTROL, LOOP, VECTORIZED, Run
from bench.results.records import Ceiling, ReadRate
from bench.stats import Interval
from bench.words import faster_than
from kernels import reference
from tests.factories import cell, kernel_card, result, run_of_costs
from tests.factories import run as made

SMALL = {LOOP: 140e-6, "numba_loop": 2e-6, VECTORIZED: 14e-6, CONTROL: 14e-6}
LARGE = {LOOP: 12.0, "numba_passes": 0.006, VECTORIZED: 0.008, CONTROL: 0.008}
WHERE = "m = 1,000, n_x = 32, order F, 1 thread"


def small_and_large(**changed: float) -> Run:
    return made([result(cell(10, 2), SMALL), result(cell(1_000, 512), LARGE | changed)])


def test_the_headline_is_that_of_a_fixed_cell_with_the_range_over_the_grid(run: Run) -> None:
    assert answer.headline(small_and_large()) == (
        "Vectorized NumPy is 1,500× faster than the Python loop (95% interval 1,500 to 1,500), at m = 1,000, n_x = "
        "512, one thread. Over the grid it is between 10× faster and 1,500× faster."
    )
    assert ", at m = " in answer.headline(run) and "Over the grid" in answer.headline(run)
    training = made([result(cell(569, 30, problem="breast_cancer", iterations=20), LARGE)], problem="breast_cancer")
    assert ", training on breast_cancer, 20 iterations: m = 569" in answer.headline(training)
    assert "not both timed" in answer.headline(made([result(cell(10, 2), {LOOP: 1.0})]))


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (7, 1), (53, 11)])
@pytest.mark.parametrize("code", [answer.LOOP_CODE, answer.NUMPY_CODE])
def test_both_listings_compute_the_step(code: str, shape: tuple[int, int]) -> None:
    problem = make_problem(*shape, seed=3)
    names: dict[str, Any] = {
        "np": np,
        "log": math.log,
        "sigmoid": lambda z: 1.0 / (1.0 + np.exp(-z)),
        "w": problem.w,
        "b": problem.b,
        "X": problem.X,
        "Y": problem.Y,
        "m": problem.m,
        "n_x": problem.n_x,
        "J": 0.0,
        "dw": np.zeros(problem.n_x),
        "db": 0.0,
    }
    exec(code, names)
    J, dw, db = reference.cost_and_gradient(problem.w, problem.b, problem.X, problem.Y)
    assert names["J"] == pytest.approx(J) and names["dw"] == pytest.approx(dw) and names["db"] == pytest.approx(db)
    assert len(code.splitlines()) == 6


def test_three_numbers_to_remember() -> None:
    run = run_of_costs(
        {LOOP: (1e-6, 1e-6, 4e-7), VECTORIZED: (1.4e-5, 1e-8, 2e-10), "numba_fused": (1e-6, 2e-9, 1e-10)}
    )
    first, second, third = answer.numbers(run)
    assert first.value.endswith("×") and first.what == "NumPy over the Python loop at m = 1,000, n_x = 64"
    assert second.what.startswith("compiled, fused code over NumPy") and "over the grid" in second.what
    assert (third.value, third.what) == (
        "14 µs",
        "for calling NumPy, whatever m; Python pays 400 ns for every number of X",
    )
    assert answer.numbers(made([result(cell(10, 2), {LOOP: 1.0})])) == []


def test_three_meanings_and_what_each_is_worth() -> None:
    table = answer.meanings(made([result(cell(1_000, 32), LARGE | {"pair: np.vectorize": 12.0})]))
    arrays, simd, vectorize = table.text
    assert arrays[2].startswith("1,500× faster than the Python loop") and simd[2] == "not measured in this run"
    assert vectorize[2].startswith("about the same as the Python loop")


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
