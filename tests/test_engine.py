"""The clock: order of samples, calibration, strides, prediction, and what happens to kernels that misbehave."""

import gc
import itertools
import re
import threading
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import numba
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from bench.agreement import bounds as agreement
from bench.agreement.bounds import Agreement
from bench.grid import ALPHA, Cell, Preset
from bench.machine.threads import held_to
from bench.measure import engine
from bench.measure.contestants import contestant
from bench.measure.engine import CONTROL, Calibrated, Contestant, Event, Failed, FirstCall, Round, Skipped
from bench.problem import Problem, make_problem
from kernels import KERNELS, Kernel

PRESET = Preset("test", (), cap=0.5, budget=0.01, min_rounds=6, max_rounds=12, sample_seconds=2e-4, settle_seconds=5e-5)
CELL = Cell(20, 3)


def events(
    contestants: dict[str, Contestant], cell: Cell = CELL, preset: Preset = PRESET, seed: int = 0
) -> list[Event]:
    problem = make_problem(cell.m, cell.n_x)
    return list(engine.measure(cell, problem, agreement.expect(problem), contestants, preset, seed))


def kernel(function: Any, **fields: Any) -> Contestant:
    return Contestant(Kernel("mine", "mine", "Mine.", function, **fields))


def of_type(kind: type, found: list[Event]) -> list[Any]:
    return [event for event in found if isinstance(event, kind)]


@pytest.fixture(scope="module")
def measured() -> list[Event]:
    names = ("numba_loop", "numpy_textbook", "numpy_vectorized")
    return events({**{name: contestant(name) for name in names}, CONTROL: contestant("numpy_vectorized")})


def test_the_stages_come_in_order(measured: list[Event]) -> None:
    kinds = [type(event) for event in measured]
    assert kinds[:8] == [FirstCall, Agreement] * 4
    assert kinds[8] is Calibrated
    assert set(kinds[9:]) == {Round}


def test_every_round_holds_one_sample_of_every_kernel(measured: list[Event]) -> None:
    rounds = of_type(Round, measured)
    calibrated = of_type(Calibrated, measured)[0]
    assert len(rounds) == calibrated.rounds
    assert [each.index for each in rounds] == list(range(len(rounds)))
    for each in rounds:
        assert sorted(label for label, _, _ in each.samples) == sorted(calibrated.loops)
        for _, seconds, cpu in each.samples:
            assert seconds > 0.0
            assert cpu >= 0.0


def test_samples_last_as_long_as_they_should(measured: list[Event]) -> None:
    seconds = [s for each in of_type(Round, measured) for _, s, _ in each.samples]
    assert np.median(seconds) > 0.8 * PRESET.sample_seconds


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 9, 10])
def test_in_a_block_every_kernel_follows_every_other_equally_often(n: int) -> None:
    labels = [str(k) for k in range(n)]
    block = n if n % 2 == 0 else 2 * n
    orders = list(itertools.islice(engine._orders(labels, np.random.default_rng(1)), 3 * block))
    for start in range(0, 3 * block, block):
        rows = orders[start : start + block]
        # A Latin square: each kernel stands equally often in each place.
        for place in range(n):
            assert set(Counter(row[place] for row in rows).values()) == {block // n}
        if n > 1:
            followers = Counter(pair for row in rows for pair in itertools.pairwise(row))
            assert set(followers.values()) == {block // n}
            assert len(followers) == n * (n - 1)


def test_blocks_are_shuffled_anew_and_by_the_seed() -> None:
    def blocks(seed: int) -> list[list[list[str]]]:
        orders = engine._orders(list("abcd"), np.random.default_rng(seed))
        return [list(itertools.islice(orders, 4)) for _ in range(6)]

    assert blocks(1) == blocks(1)
    assert blocks(1) != blocks(2)
    assert len({str(block) for block in blocks(1)}) > 1


def test_slow_kernels_take_part_less_often_in_nested_rounds() -> None:
    rounds, every = engine._plan(
        {"fast": 1e-3, "slow": 2e-3, "slowest": 0.5}, replace(PRESET, budget=0.1, max_rounds=100)
    )
    assert rounds == 100
    assert every == {"fast": 1, "slow": 2, "slowest": 16}
    assert rounds // every["slowest"] >= PRESET.min_rounds


def test_calibration_passes_the_target_twice() -> None:
    clock = iter([1.0, 0.05, 1.0, 1.0])  # seconds of each call: a lucky first one must not freeze the loops

    def call() -> None:
        time.sleep(1e-3 * next(clock, 1.0))

    loops, seconds = engine._calibrate(call, 9e-4)
    assert loops > 1
    assert seconds >= 9e-4


def test_a_kernel_that_disagrees_is_not_timed() -> None:
    right = KERNELS["numpy_vectorized"].function
    found = events({"mine": kernel(lambda *i: right(*i)[:2]), "numpy_vectorized": contestant("numpy_vectorized")})
    assert of_type(Failed, found) == [
        Failed(
            "mine",
            "mine: wanted a tuple (J, dw, db); got 2 values; on 8 examples. "
            "Likely: End the function with return J, dw, db, in this order.",
        )
    ]
    assert set(of_type(Calibrated, found)[0].loops) == {"numpy_vectorized"}


def test_a_kernel_that_raises_is_reported_and_the_others_go_on() -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("out of luck")

    found = events({"mine": kernel(broken), "numpy_vectorized": contestant("numpy_vectorized")})
    (failed,) = of_type(Failed, found)
    assert re.fullmatch(r"mine: raised at test_engine.py, line \d+: RuntimeError: out of luck", failed.reason)
    assert of_type(Round, found)


def test_a_kernel_too_slow_for_the_cell_is_predicted_and_not_run() -> None:
    right = KERNELS["numpy_vectorized"].function
    seen = []

    def slow(w: Any, b: float, X: Any, Y: Any) -> Any:
        seen.append(Y.size)
        time.sleep(1e-4 * Y.size)
        return right(w, b, X, Y)

    cell = Cell(100_000, 1)
    found = events({"mine": kernel(slow), "numpy_vectorized": contestant("numpy_vectorized")}, cell)
    skipped = of_type(Skipped, found)
    assert [each.kernel for each in skipped] == ["mine"]
    assert skipped[0].predicted == pytest.approx(10.0, rel=0.5)
    assert "over the test grid's cap of 0.5 s" in skipped[0].reason
    assert max(seen) < cell.m


def test_the_cost_of_a_call_alone_is_not_taken_for_a_cost_of_examples() -> None:
    right = KERNELS["numpy_vectorized"].function

    def slow_to_start(*inputs: Any) -> Any:
        time.sleep(1e-3)
        return right(*inputs)

    assert not of_type(Skipped, events({"mine": kernel(slow_to_start)}, Cell(50_000, 1)))


def test_training_cells_measure_whole_descents() -> None:
    cell = Cell(569, 30, "F", 1, "breast_cancer", 5)
    problem: Problem = make_problem(60, 4)
    expected = agreement.expect_descent(problem, ALPHA, 5)
    found = list(engine.measure(cell, problem, expected, {"numba_descent": contestant("numba_descent")}, PRESET, 0))
    assert of_type(Agreement, found)[0].kernel == "numba_descent"
    assert of_type(Round, found)


def test_threads_are_held_and_given_back() -> None:
    before = numba.get_num_threads()

    def blas() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    blas_before = blas()
    with held_to(1):
        assert numba.get_num_threads() == 1
        assert blas() == {1}
    assert numba.get_num_threads() == before
    assert blas() == blas_before


def test_no_garbage_collection_inside_a_sample() -> None:
    states = []
    right = KERNELS["numpy_vectorized"].function

    def watch(*inputs: Any) -> Any:
        states.append(gc.isenabled())
        return right(*inputs)

    found = events({"mine": kernel(watch)})
    samples = len(of_type(Round, found)) * of_type(Calibrated, found)[0].loops["mine"]
    assert gc.isenabled()
    assert states[-samples:] == [False] * samples


def test_cpu_seconds_count_all_threads() -> None:
    def busy() -> None:
        end = time.perf_counter() + 0.02
        while time.perf_counter() < end:
            np.sqrt(np.ones(200_000))  # releases the GIL

    def call() -> None:
        threads = [threading.Thread(target=busy) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    wall, cpu, _ = engine._seconds(call)
    assert cpu > 0.5 * wall
