"""The clock: order of samples, calibration, strides, prediction, and what happens to kernels that misbehave."""

import gc
import itertools
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pytest

from bench import agreement
from bench.grid import ALPHA, Cell, Preset
from bench.measure.contestants import contestant
from bench.measure.engine import Contestant, Frozen, Trial
from bench.measure.rounds import calibrate, plan_rounds, schedule, timed, williams_orders
from bench.problem import make_problem
from bench.results import CONTROL
from bench.results.records import Agreed, Calibrated, EventRecord, Failed, FirstCall, Round, Skipped
from kernels import DESCENTS, KERNELS, Kernel

PRESET = Preset("test", (), cap=0.5, budget=0.01, min_rounds=6, max_rounds=12, sample_seconds=2e-4, settle_seconds=5e-5)
CELL = Cell(20, 3)
E = TypeVar("E", bound=EventRecord)


def trial(contestants: Mapping[str, Contestant], cell: Cell = CELL, **changes: Any) -> Trial:
    problem = make_problem(cell.m, cell.n_x, order=cell.order)
    return replace(Trial(cell, problem, agreement.points(problem), PRESET, 0, contestants), **changes)


def events(contestants: Mapping[str, Contestant], cell: Cell = CELL, **changes: Any) -> list[EventRecord]:
    return list(trial(contestants, cell, **changes).events())


def kernel(function: Callable[..., Any], **fields: Any) -> Contestant:
    return Contestant(Kernel("mine", "mine", "Mine.", function, **fields))


def of_type(kind: type[E], among: list[EventRecord]) -> list[E]:
    return [event for event in among if isinstance(event, kind)]


@pytest.fixture(scope="module")
def recorded() -> list[EventRecord]:
    names = ("numba_loop", "numpy_textbook", "numpy_vectorized", CONTROL)
    return events({name: contestant(name) for name in names})


def test_the_stages_come_in_order(recorded: list[EventRecord]) -> None:
    kinds = [type(event) for event in recorded]
    assert kinds[:8] == [FirstCall, Agreed] * 4
    assert kinds[8] is Calibrated
    assert set(kinds[9:]) == {Round}
    assert {event.cell for event in recorded} == {CELL.id}


def test_every_round_has_one_sample_of_every_kernel(recorded: list[EventRecord]) -> None:
    rounds = of_type(Round, recorded)
    (calibrated,) = of_type(Calibrated, recorded)
    assert len(rounds) == calibrated.rounds
    assert [record.index for record in rounds] == list(range(len(rounds)))
    for record in rounds:
        assert sorted(sample.label for sample in record.samples) == sorted(calibrated.loops)
        assert all(sample.seconds > 0.0 and sample.cpu >= 0.0 for sample in record.samples)


def test_the_order_of_every_round_follows_from_the_seed(recorded: list[EventRecord]) -> None:
    (calibrated,) = of_type(Calibrated, recorded)
    taken = [[sample.label for sample in record.samples] for record in of_type(Round, recorded)]
    assert taken == [turn.labels for turn in schedule(calibrated, seed=0)]
    assert taken != [turn.labels for turn in schedule(calibrated, seed=1)]


def test_rounds_that_are_done_are_not_taken_again(recorded: list[EventRecord]) -> None:
    (calibrated,) = of_type(Calibrated, recorded)
    # One of the kernels failed in the meantime: the others keep their places.
    rest = {label: contestant(label) for label in calibrated.loops if label != "numpy_textbook"}
    resumed = of_type(Round, events(rest, frozen=Frozen(calibrated, 4)))
    assert [record.index for record in resumed] == list(range(4, calibrated.rounds))
    for record, turn in zip(resumed, itertools.islice(schedule(calibrated, 0), 4, None), strict=True):
        assert [sample.label for sample in record.samples] == [label for label in turn.labels if label in rest]


def test_samples_last_as_long_as_they_should(recorded: list[EventRecord]) -> None:
    seconds = [sample.seconds for record in of_type(Round, recorded) for sample in record.samples]
    assert np.median(seconds) > 0.8 * PRESET.sample_seconds


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 9, 10])
def test_in_a_block_every_kernel_follows_every_other_equally_often(n: int) -> None:
    labels = [str(k) for k in range(n)]
    block = n if n % 2 == 0 else 2 * n
    orders = list(itertools.islice(williams_orders(labels, np.random.default_rng(1)), 3 * block))
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
        orders = williams_orders(list("abcd"), np.random.default_rng(seed))
        return [list(itertools.islice(orders, 4)) for _ in range(6)]

    assert blocks(1) == blocks(1)
    assert blocks(1) != blocks(2)
    assert len({str(block) for block in blocks(1)}) > 1


def test_slow_kernels_take_part_less_often_in_nested_rounds() -> None:
    seconds = {"fast": 1e-3, "slow": 2e-3, "slowest": 0.5}
    rounds, every = plan_rounds(seconds, replace(PRESET, budget=0.1, max_rounds=100))
    assert rounds == 100
    assert every == {"fast": 1, "slow": 2, "slowest": 16}
    assert rounds // every["slowest"] >= PRESET.min_rounds


def test_calibration_passes_the_target_twice() -> None:
    clock = iter([1.0, 0.05, 1.0, 1.0])  # seconds of each call: a lucky first one must not fix the loops

    def step() -> None:
        time.sleep(1e-3 * next(clock, 1.0))

    loops, seconds = calibrate([step], 9e-4)
    assert loops > 1
    assert seconds >= 9e-4


def test_a_kernel_that_disagrees_is_not_timed() -> None:
    right = KERNELS["numpy_vectorized"].function
    taken = events({"mine": kernel(lambda *i: right(*i)[:2]), "numpy_vectorized": contestant("numpy_vectorized")})
    (failed,) = of_type(Failed, taken)
    assert failed.kernel == "mine" and failed.reason.startswith("mine: expected a tuple (J, dw, db), not 2 values")
    assert failed.reason.endswith("Likely: End the function with return J, dw, db, in this order.")
    assert set(of_type(Calibrated, taken)[0].loops) == {"numpy_vectorized"}


def test_a_kernel_that_turns_wrong_fails_in_that_round_and_takes_part_in_no_other() -> None:
    right = KERNELS["numpy_vectorized"].function
    calls = []

    def spoilt(*inputs: Any) -> Any:
        calls.append(0)
        J, dw, db = right(*inputs)
        return J + (len(calls) > 40), dw, db

    taken = events({"mine": kernel(spoilt), "numpy_vectorized": contestant("numpy_vectorized")})
    (failed,) = of_type(Failed, taken)
    assert "in a timed call, after right answers before" in failed.reason
    later = of_type(Round, taken[taken.index(failed) :])
    assert [[sample.label for sample in record.samples].count("mine") for record in later] == [1] + [0] * (
        len(later) - 1
    )
    assert len(later) > 1


def test_each_round_begins_with_the_ruler() -> None:
    for record in of_type(Round, events({"numpy_vectorized": contestant("numpy_vectorized")})):
        assert record.ruler is not None and record.ruler.arithmetic > 0.0 and record.ruler.read > 0.0


def test_the_calls_of_a_sample_go_from_point_to_point() -> None:
    at: list[tuple[float, float]] = []

    def noted(w: Any, b: float, X: Any, Y: Any) -> Any:
        at.append((float(w[0]), b))
        return KERNELS["numpy_vectorized"].function(w, b, X, Y)

    events({"mine": kernel(noted)})
    problem = make_problem(CELL.m, CELL.n_x)
    points = [(float(point.w[0]), point.b) for point in agreement.points(problem)]
    assert len(set(points)) == 3 and points[0] == (problem.w[0], problem.b)
    counts = [at.count(point) for point in points]
    assert min(counts) > 0.25 * sum(counts)


def test_a_kernel_that_raises_is_reported_and_the_others_continue() -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("out of luck")

    taken = events({"mine": kernel(broken), "numpy_vectorized": contestant("numpy_vectorized")})
    (failed,) = of_type(Failed, taken)
    assert re.fullmatch(r"mine: raised at test_engine.py, line \d+: RuntimeError: out of luck", failed.reason)
    assert of_type(Round, taken)


def test_a_kernel_too_slow_for_the_cell_is_predicted_and_not_run() -> None:
    right = KERNELS["numpy_vectorized"].function
    sizes = []

    def slow(w: Any, b: float, X: Any, Y: Any) -> Any:
        sizes.append(Y.size)
        time.sleep(1e-4 * Y.size)
        return right(w, b, X, Y)

    cell = Cell(100_000, 1)
    taken = events({"mine": kernel(slow), "numpy_vectorized": contestant("numpy_vectorized")}, cell)
    (skipped,) = of_type(Skipped, taken)
    assert skipped.kernel == "mine" and skipped.predicted == pytest.approx(10.0, rel=0.5)
    assert "over the test grid's cap of 0.5 s" in skipped.reason
    assert max(sizes) < cell.m


def test_the_cost_of_a_call_alone_is_not_taken_for_a_cost_of_examples() -> None:
    right = KERNELS["numpy_vectorized"].function

    def slow_to_start(*inputs: Any) -> Any:
        time.sleep(1e-3)
        return right(*inputs)

    assert not of_type(Skipped, events({"mine": kernel(slow_to_start)}, Cell(50_000, 1)))


@pytest.mark.parametrize(("layout", "order"), [("either", "F"), ("C", "C")])
def test_a_kernel_gets_x_in_the_layout_that_it_wants(layout: Any, order: str) -> None:
    right = KERNELS["numpy_vectorized"].function
    orders = set()

    def watch(w: Any, b: float, X: Any, Y: Any) -> Any:
        if Y.size == CELL.m:
            orders.add("C" if X.flags.c_contiguous else "F")
        return right(w, b, X, Y)

    events({"mine": kernel(watch, layout=layout)})
    assert orders == {order}


def test_what_compiles_for_every_shape_has_two_first_calls() -> None:
    right = KERNELS["numpy_vectorized"].function
    first, whole = of_type(FirstCall, events({"mine": kernel(right, compiles="per shape")}))
    assert whole.seconds > first.seconds


def test_a_ruler_is_timed_and_not_judged() -> None:
    taken = events({"ruler": Contestant(Kernel("ruler", "", "", lambda *_: 1.0), judged=False)})
    assert not of_type(Agreed, taken) and not of_type(Failed, taken) and of_type(Round, taken)


@pytest.mark.parametrize("name", [*DESCENTS, "numpy_vectorized"])
def test_training_cells_measure_whole_descents(name: str) -> None:
    problem = make_problem(60, 4)
    cell = Cell(569, 30, problem="breast_cancer", iterations=5)
    start = agreement.Point(problem.w, problem.b, agreement.expect_descent(problem, ALPHA, 5))
    taken = events({name: contestant(name)}, cell, problem=problem, points=[start])
    assert [agreed.kernel for agreed in of_type(Agreed, taken)] == [name]
    assert of_type(Round, taken)


def test_no_garbage_collection_inside_a_sample() -> None:
    states = []
    right = KERNELS["numpy_vectorized"].function

    def watch(*inputs: Any) -> Any:
        states.append(gc.isenabled())
        return right(*inputs)

    taken = events({"mine": kernel(watch)})
    samples = len(of_type(Round, taken)) * of_type(Calibrated, taken)[0].loops["mine"]
    assert gc.isenabled()
    assert states[-samples:] == [False] * samples


def test_each_call_is_announced_outside_timing_and_ended() -> None:
    announced: list[str | None] = []
    events({"numpy_vectorized": contestant("numpy_vectorized")}, announce=announced.append)
    assert set(announced) == {"numpy_vectorized", None} and announced[-1] is None


def test_cpu_seconds_count_all_threads() -> None:
    def busy() -> None:
        end = time.perf_counter() + 0.02
        while time.perf_counter() < end:
            np.sqrt(np.ones(200_000))  # releases the GIL

    def step() -> None:
        threads = [threading.Thread(target=busy) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    wall, cpu, _ = timed([step])
    assert cpu > 0.5 * wall
