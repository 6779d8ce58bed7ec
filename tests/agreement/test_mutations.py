"""The gate tested by mutation: each a wrong kernel, all refused before timing; and right ones are not."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench import agreement
from bench.grid import PRECISIONS, Cell, Dtype, Preset
from bench.measure.engine import Contestant, Trial
from bench.problem import Problem, make_problem
from bench.results.records import EventRecord, Failed, Round
from kernels import KERNELS, Kernel
from kernels._kernel import Array
from kernels.peers import PEERS

M, N_X = 20_000, 5
PRESET = Preset("test", (), cap=5.0, budget=1e-3, min_rounds=2, max_rounds=2, sample_seconds=1e-6, settle_seconds=1e-6)
RIGHT = KERNELS["numpy_vectorized"].function
Function = Callable[[Array, float, Array, Array], Any]
Maker = Callable[[], Function]  # made anew for each test: some wrong kernels remember
MUTATIONS: dict[str, Maker] = {}


def mutation(function: Function) -> Function:
    """A wrong kernel that remembers nothing."""
    MUTATIONS[function.__name__] = lambda: function
    return function


def remembering(maker: Maker) -> Maker:
    """A wrong kernel with a memory."""
    MUTATIONS[maker.__name__] = maker
    return maker


def outputs(name: str, change: Callable[[Any, Any, Any], Any]) -> None:
    """A right kernel whose outputs are changed."""
    MUTATIONS[name] = lambda: lambda *inputs: change(*RIGHT(*inputs))


def inputs(name: str, change: Callable[[Array, float, Array, Array], Any]) -> None:
    """A right kernel on other inputs."""
    MUTATIONS[name] = lambda: lambda *given: RIGHT(*change(*given))


def dz_is(name: str, change: Callable[[Array, Array], Array]) -> None:
    """A kernel with another dz, from A and Y."""

    def function(w: Array, b: float, X: Array, Y: Array) -> Any:
        dZ = change(1.0 / (1.0 + np.exp(-(w @ X + b))), Y)
        return RIGHT(w, b, X, Y)[0], X @ dZ / Y.size, float(dZ.sum() / Y.size)

    MUTATIONS[name] = lambda: function


def with_element(values: Array, index: int, value: float) -> Array:
    changed = values.copy()
    changed[index] = value
    return changed


# Examples, features, labels and parameters.
inputs("first_example_dropped", lambda w, b, X, Y: (w, b, X[:, 1:], Y[1:]))
inputs("middle_example_dropped", lambda w, b, X, Y: (w, b, np.delete(X, Y.size // 2, 1), np.delete(Y, Y.size // 2)))
inputs("last_example_dropped", lambda w, b, X, Y: (w, b, X[:, :-1], Y[:-1]))
inputs("first_example_twice", lambda w, b, X, Y: (w, b, np.c_[X, X[:, :1]], np.r_[Y, Y[:1]]))
inputs(
    "tail_of_a_block_of_48_dropped",
    lambda w, b, X, Y: (w, b, X[:, : Y.size // 48 * 48 or 8], Y[: Y.size // 48 * 48 or 8]),
)
inputs("one_feature_ignored", lambda w, b, X, Y: (with_element(w, 2, 0.0), b, X, Y))
inputs("two_weights_exchanged", lambda w, b, X, Y: (w[[1, 0, *range(2, w.size)]], b, X, Y))
inputs("labels_exchanged", lambda w, b, X, Y: (w, b, X, 1.0 - Y))
inputs("labels_one_place_on", lambda w, b, X, Y: (w, b, X, np.roll(Y, 1)))
inputs("bias_ignored", lambda w, _, X, Y: (w, 0.0, X, Y))
inputs("bias_added_twice", lambda w, b, X, Y: (w, 2.0 * b, X, Y))
inputs("sign_of_z_wrong", lambda w, b, X, Y: (-w, -b, X, Y))
inputs("all_in_single_precision", lambda w, b, X, Y: (w, b, X.astype(np.float32).astype(float), Y))
# Outputs: values.
outputs("sign_of_J_wrong", lambda J, dw, db: (-J, dw, db))
outputs("sign_of_dw_wrong", lambda J, dw, db: (J, -dw, db))
outputs("sign_of_db_wrong", lambda J, dw, db: (J, dw, -db))
outputs("one_dw_off_by_1e_9", lambda J, dw, db: (J, with_element(dw, 3, dw[3] * (1.0 + 1e-9)), db))
outputs("J_off_by_1e_9", lambda J, dw, db: (J * (1.0 + 1e-9), dw, db))
outputs("db_off_by_1e_9", lambda J, dw, db: (J, dw, db * (1.0 + 1e-9)))
outputs("dw_and_features_exchanged", lambda J, dw, db: (J, dw[::-1].copy(), db))
outputs("J_and_db_exchanged", lambda J, dw, db: (db, dw, J))
outputs("J_is_nan", lambda _, dw, db: (math.nan, dw, db))
outputs("db_is_infinite", lambda J, dw, _: (J, dw, math.inf))
outputs("one_dw_is_nan", lambda J, dw, db: (J, with_element(dw, 1, math.nan), db))
outputs("one_dw_is_minus_infinity", lambda J, dw, db: (J, with_element(dw, 1, -math.inf), db))
outputs("dw_is_zero", lambda J, dw, db: (J, 0.0 * dw, db))
outputs("J_is_zero", lambda _, dw, db: (0.0, dw, db))
outputs("J_in_bits", lambda J, dw, db: (J / math.log(2.0), dw, db))
# Outputs: shapes and types.
outputs("dw_as_a_column", lambda J, dw, db: (J, dw[:, None], db))
outputs("dw_as_a_row", lambda J, dw, db: (J, dw[None, :], db))
outputs("dw_as_a_scalar", lambda J, dw, db: (J, float(dw[0]), db))
outputs("dw_as_an_array_of_no_dimension", lambda J, dw, db: (J, np.array(dw[0]), db))
outputs("dw_empty", lambda J, dw, db: (J, dw[:0], db))
outputs("dw_one_short", lambda J, dw, db: (J, dw[:-1], db))
outputs("J_as_an_array", lambda J, dw, db: (np.array([J]), dw, db))
outputs("db_as_an_array", lambda J, dw, db: (J, dw, np.array([db])))
outputs("dw_in_single_precision", lambda J, dw, db: (J, dw.astype(np.float32), db))
outputs("J_in_single_precision", lambda J, dw, db: (np.float32(J), dw, db))
outputs("dw_complex", lambda J, dw, db: (J, dw.astype(complex), db))
outputs("dw_of_integers", lambda J, dw, db: (J, dw.astype(int), db))
outputs("dw_of_objects", lambda J, dw, db: (J, dw.astype(object), db))
outputs("dw_as_text", lambda J, dw, db: (J, dw.astype(str), db))
outputs("J_as_text", lambda J, dw, db: (str(J), dw, db))
outputs("dw_ragged", lambda J, _, db: (J, [[1.0], [1.0, 2.0]], db))
outputs("dw_masked", lambda J, dw, db: (J, np.ma.masked_array(dw, np.zeros(dw.size, bool)), db))
outputs("dw_is_none", lambda J, _, db: (J, None, db))
outputs("nothing_returned", lambda *_: None)
outputs("a_list_returned", lambda J, dw, db: [J, dw, db])
outputs("two_outputs", lambda J, dw, _: (J, dw))
outputs("four_outputs", lambda J, dw, db: (J, dw, db, 0.0))
outputs("one_array_of_all", lambda J, dw, db: np.r_[J, dw, db])
outputs("a_dictionary", lambda J, dw, db: {"J": J, "dw": dw, "db": db})
# 1/m.
outputs("dw_not_divided_by_m", lambda J, dw, db: (J, dw * 8, db))
MUTATIONS["sums_in_place_of_means"] = lambda: lambda w, b, X, Y: tuple(part * Y.size for part in RIGHT(w, b, X, Y))
MUTATIONS["divided_by_m_squared"] = lambda: lambda w, b, X, Y: tuple(part / Y.size for part in RIGHT(w, b, X, Y))
MUTATIONS["divided_by_m_minus_1"] = lambda: (
    lambda w, b, X, Y: tuple(part * Y.size / (Y.size - 1) for part in RIGHT(w, b, X, Y))
)
# dz.
dz_is("dz_summed_across_examples", lambda A, Y: np.cumsum(A - Y))
dz_is("dz_is_y_minus_a", lambda A, Y: Y - A)
dz_is("dz_of_wrong_sign_for_label_1", lambda A, Y: np.where(Y == 1.0, Y - A, A - Y))
dz_is("dz_without_the_label", lambda A, _: A)
dz_is("dz_with_the_slope_of_sigma", lambda A, Y: (A - Y) * A * (1.0 - A))
dz_is("dz_rounded_to_9_digits", lambda A, Y: np.round(A - Y, 9))
dz_is("activation_clipped_at_1e_3", lambda A, Y: np.clip(A, 1e-3, 1.0 - 1e-3) - Y)


@mutation
def cost_from_a_clipped_activation(w: Array, b: float, X: Array, Y: Array) -> Any:
    A = np.clip(1.0 / (1.0 + np.exp(-(w @ X + b))), 0.01, 0.99)
    return float(-np.mean(Y * np.log(A) + (1.0 - Y) * np.log(1.0 - A))), *RIGHT(w, b, X, Y)[1:]


@mutation
def cost_with_an_epsilon_in_the_logarithm(w: Array, b: float, X: Array, Y: Array) -> Any:
    A = 1.0 / (1.0 + np.exp(-(w @ X + b)))
    return float(-np.mean(Y * np.log(A + 1e-8) + (1.0 - Y) * np.log(1.0 - A + 1e-8))), *RIGHT(w, b, X, Y)[1:]


@mutation
def dw_of_the_first_feature_only(w: Array, b: float, X: Array, Y: Array) -> Any:
    J, dw, db = RIGHT(w, b, X, Y)
    return J, np.full_like(dw, dw[0]), db


@mutation
def right_only_where_each_feature_is_contiguous(w: Array, b: float, X: Array, Y: Array) -> Any:
    by_feature = X.ravel(order="K").reshape(X.shape)  # memory read as if each feature were contiguous
    return RIGHT(w, b, by_feature, Y)


@mutation
def right_only_below_10_000_examples(w: Array, b: float, X: Array, Y: Array) -> Any:
    return RIGHT(w, b, X[:, :10_000], Y[:10_000])


@mutation
def right_only_for_few_examples(w: Array, b: float, X: Array, Y: Array) -> Any:
    J, dw, db = RIGHT(w, b, X, Y)
    return (J, dw, db) if Y.size < 10 else (J, dw + 1e-9, db)


def large_only(name: str, change: Callable[[Any, Any, Any], Any]) -> None:
    """Right on few examples, so that it is the gate in the cell that must notice."""

    def function(w: Array, b: float, X: Array, Y: Array) -> Any:
        return change(*RIGHT(w, b, X, Y)) if Y.size == M else RIGHT(w, b, X, Y)

    MUTATIONS[name] = lambda: function


large_only("one_dw_off_by_1e_9_in_the_cell", lambda J, dw, db: (J, with_element(dw, 3, dw[3] * (1.0 + 1e-9)), db))
large_only("J_off_by_1e_9_in_the_cell", lambda J, dw, db: (J * (1.0 + 1e-9), dw, db))
large_only("db_off_by_1e_9_in_the_cell", lambda J, dw, db: (J, dw, db * (1.0 + 1e-9)))
large_only("dw_as_a_column_in_the_cell", lambda J, dw, db: (J, dw[:, None], db))
large_only("nothing_returned_in_the_cell", lambda *_: None)


# Inputs written to.
@mutation
def w_overwritten_by_the_gradient(w: Array, b: float, X: Array, Y: Array) -> Any:
    J, dw, db = RIGHT(w, b, X, Y)
    w -= 0.1 * dw
    return J, dw, db


@mutation
def features_scaled_in_place(w: Array, b: float, X: Array, Y: Array) -> Any:
    found = RIGHT(w, b, X, Y)
    X *= 0.5
    return found


@mutation
def one_label_overwritten(w: Array, b: float, X: Array, Y: Array) -> Any:
    found = RIGHT(w, b, X, Y)
    Y[-1] = 1.0 - Y[-1]
    return found


@mutation
def the_result_lies_in_w(w: Array, b: float, X: Array, Y: Array) -> Any:
    J, w[:], db = RIGHT(w, b, X, Y)
    return J, w, db


# Memory that is not the caller's.
@remembering
def the_result_lies_in_a_buffer_of_the_kernel() -> Function:
    kept: dict[int, Array] = {}

    def function(w: Array, b: float, X: Array, Y: Array) -> Any:
        J, dw, db = RIGHT(w, b, X, Y)
        buffer = kept.setdefault(dw.size, np.empty(dw.size))
        buffer[:] = dw
        return J, buffer, db

    return function


@remembering
def cost_is_a_view_of_a_buffer_of_the_kernel() -> Function:
    kept = np.empty(())

    def function(w: Array, b: float, X: Array, Y: Array) -> Any:
        kept[()], dw, db = RIGHT(w, b, X, Y)
        return kept, dw, db

    return function


@remembering
def the_result_of_the_call_before() -> Function:
    kept: list[Any] = []

    def function(w: Array, b: float, X: Array, Y: Array) -> Any:
        kept.append(RIGHT(w, b, X, Y))
        return kept[max(0, len(kept) - 2)]

    return function


@remembering
def sums_not_reset_between_calls() -> Function:
    kept: dict[int, Array] = {}

    def function(w: Array, b: float, X: Array, Y: Array) -> Any:
        J, dw, db = RIGHT(w, b, X, Y)
        total = kept.setdefault(Y.size, np.zeros(dw.size))
        total += dw
        return J, total.copy(), db

    return function


def caching(key: Callable[[Array, float, Array, Array], Any]) -> Function:
    """A kernel that computes once for each key."""
    kept: dict[Any, Any] = {}

    def function(*given: Any) -> Any:
        if key(*given) not in kept:
            kept[key(*given)] = RIGHT(*given)
        J, dw, db = kept[key(*given)]
        return J, dw.copy(), db

    return function


MUTATIONS["kept_by_shape"] = lambda: caching(lambda *given: given[2].shape)
MUTATIONS["kept_by_the_identity_of_X"] = lambda: caching(lambda *given: given[2].ctypes.data)
MUTATIONS["kept_by_the_labels_number"] = lambda: caching(lambda *given: given[3].size)
MUTATIONS["kept_by_the_identity_of_w"] = lambda: caching(lambda *given: (given[2].shape, id(given[0])))


@remembering
def right_on_the_first_call_only() -> Function:
    calls: list[None] = []

    def function(*given: Any) -> Any:
        calls.append(None)
        J, dw, db = RIGHT(*given)
        return (J, dw, db) if len(calls) == 1 else (J + 1.0, dw, db)

    return function


# Work left undone until it is read.
class Lazy:
    """Numbers that are computed when they are read."""

    def __init__(self, compute: Callable[[], Any]) -> None:
        self.compute = compute

    def __array__(self, *_: Any, **__: Any) -> Array:
        return np.asarray(self.compute())

    def __float__(self) -> float:
        return float(self.compute())


class LazySequence(Lazy):
    """The same as a sequence."""

    def __len__(self) -> int:
        return len(self.compute())

    def __getitem__(self, index: int) -> Any:
        return self.compute()[index]


class LazyArray(np.ndarray):
    """An array that could compute when it is read."""


class NotReady(Lazy):
    """What JAX returns: an array, whose numbers come later."""

    __dlpack__ = None

    def is_ready(self) -> bool:
        return False


def part(index: int, *given: Any) -> Callable[[], Any]:
    return lambda: RIGHT(*given)[index]


MUTATIONS["dw_lazy"] = lambda: lambda *i: (RIGHT(*i)[0], Lazy(part(1, *i)), RIGHT(*i)[2])
MUTATIONS["all_lazy"] = lambda: lambda *i: tuple(Lazy(part(k, *i)) for k in range(3))
MUTATIONS["dw_a_lazy_sequence"] = lambda: lambda *i: (RIGHT(*i)[0], LazySequence(part(1, *i)), RIGHT(*i)[2])
MUTATIONS["dw_a_list_of_lazy_numbers"] = lambda: (
    lambda *i: (
        RIGHT(*i)[0],
        [Lazy(lambda j=j: RIGHT(*i)[1][j]) for j in range(i[0].size)],  # type: ignore[misc]
        RIGHT(*i)[2],
    )
)
MUTATIONS["dw_a_subclass_of_arrays"] = lambda: lambda *i: (RIGHT(*i)[0], RIGHT(*i)[1].view(LazyArray), RIGHT(*i)[2])
MUTATIONS["dw_a_generator"] = lambda: lambda *i: (RIGHT(*i)[0], (each for each in RIGHT(*i)[1]), RIGHT(*i)[2])
MUTATIONS["dw_not_ready"] = lambda: lambda *i: (RIGHT(*i)[0], NotReady(part(1, *i)), RIGHT(*i)[2])
MUTATIONS["outputs_from_a_generator"] = lambda: lambda *i: (each for each in RIGHT(*i))
MUTATIONS["a_function_that_would_compute"] = lambda: lambda *i: lambda: RIGHT(*i)


@pytest.fixture(scope="module")
def large() -> tuple[Problem, Any]:
    problem = make_problem(M, N_X, seed=9)
    return problem, agreement.points(problem)


@pytest.fixture(scope="module")
def large_in_float32() -> tuple[Problem, Any]:
    problem = make_problem(M, N_X, seed=9).rounded("float32", "F")
    return problem, agreement.points(problem)


def events(function: Function, problem: Problem, points: Any, preset: Preset = PRESET) -> Iterator[EventRecord]:
    fresh = Problem(problem.w.copy(), problem.b, problem.X.copy(order="K"), problem.Y.copy(), problem.order)
    wrong = Contestant(Kernel("wrong", "wrong", "It is wrong.", function))
    yield from Trial(Cell(M, N_X), fresh, points, preset, 0, {"wrong": wrong}).events()


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_wrong_kernel_is_refused_before_timing(name: str, large: tuple[Problem, Any]) -> None:
    refused(MUTATIONS[name](), *large)


# What a float32 can't show: an error below its rounding, and what is right to compute in it.
TOO_SMALL = {name for name in MUTATIONS if "1e_9" in name or "9_digits" in name} | {
    "right_only_for_few_examples",
    "all_in_single_precision",
    "dw_in_single_precision",
    "J_in_single_precision",
}


@pytest.mark.parametrize("name", [name for name in MUTATIONS if name not in TOO_SMALL])
def test_a_wrong_kernel_is_refused_in_float32(name: str, large_in_float32: tuple[Problem, Any]) -> None:
    refused(MUTATIONS[name](), *large_in_float32)


# The bound on dw of the large problem is about a thousandth of its terms, and that of J less.
IN_FLOAT32: dict[str, Callable[[Any, Any, Any], Any]] = {
    "one dw off by a hundredth": lambda J, dw, db: (J, with_element(dw, 3, dw[3] * 1.01), db),
    "J off by a hundredth": lambda J, dw, db: (J * np.float32(1.01), dw, db),
    "db off by a hundredth": lambda J, dw, db: (J, dw, db * np.float32(1.01)),
    "one dw off by a thousandth of the terms": lambda J, dw, db: (J, with_element(dw, 3, dw[3] + 1e-3), db),
    "dw in float64": lambda J, dw, db: (J, dw.astype(np.float64), db),
    "dw in half precision": lambda J, dw, db: (J, dw.astype(np.float16), db),
    "J in half precision": lambda J, dw, db: (np.float16(J), dw, db),
    "dw with 8 digits of 24": lambda J, dw, db: (J, np.round(dw * 2.0**8) * np.float32(2.0**-8), db),
}


@pytest.mark.parametrize("few", [True, False], ids=["always", "in the cell only"])
@pytest.mark.parametrize("name", IN_FLOAT32)
def test_errors_that_float32_shows_are_refused(name: str, few: bool, large_in_float32: tuple[Problem, Any]) -> None:
    def function(w: Array, b: float, X: Array, Y: Array) -> Any:
        right = RIGHT(w, b, X, Y)
        return IN_FLOAT32[name](*right) if few or Y.size == M else right

    refused(function, *large_in_float32)


def refused(function: Function, problem: Problem, points: Any) -> None:
    """Assert that a kernel is not timed, and not because it raised."""
    records = list(events(function, problem, points))
    (failed,) = (record for record in records if isinstance(record, Failed))
    assert failed.kernel == "wrong"
    assert failed.reason.startswith("wrong: ") and "raised" not in failed.reason, failed.reason
    assert not [record for record in records if isinstance(record, Round)]


def test_the_right_kernel_that_they_are_made_of_is_timed(large: tuple[Problem, Any]) -> None:
    records = list(events(RIGHT, *large))
    assert not [record for record in records if isinstance(record, Failed)]
    assert [record for record in records if isinstance(record, Round)]


def kept_by(number: int, key: Callable[[Any, float], Any]) -> Function:
    """A kernel that is right, and from some call on remembers its answers by a key of w and b."""
    calls: list[None] = []
    kept: dict[Any, Any] = {}

    def function(w: Any, b: float, X: Any, Y: Any) -> Any:
        calls.append(None)
        if len(calls) < number:
            return RIGHT(w, b, X, Y)
        by = key(w, b)
        if by not in kept:
            kept[by] = RIGHT(w, b, X, Y)
        return kept[by]

    return function


@pytest.mark.parametrize(
    "key",
    [lambda *at: at[1], lambda *at: at[0].tobytes(), lambda *_: None],
    ids=["the bias", "the weights", "nothing"],
)
def test_one_that_remembers_its_answers_while_it_is_timed_is_caught(
    large: tuple[Problem, Any], key: Callable[[Any, float], Any]
) -> None:
    records = list(events(kept_by(12, key), *large, replace(PRESET, min_rounds=20, max_rounds=20)))
    (failed,) = (record for record in records if isinstance(record, Failed))
    assert "does it keep something between calls?" in failed.reason
    assert isinstance(records[-1], Round), "no round is taken after the wrong answer"


def test_one_that_goes_wrong_while_it_is_timed_is_caught_in_that_round(large: tuple[Problem, Any]) -> None:
    calls: list[None] = []

    def function(*given: Any) -> Any:
        calls.append(None)
        J, dw, db = RIGHT(*given)
        return (J, dw, db) if len(calls) < 12 else (J, dw + 1e-9, db)

    records = list(events(function, *large, replace(PRESET, min_rounds=20, max_rounds=20)))
    # In this order: a run that is cut off between the two would otherwise be resumed without the judgement.
    failed, last = records[-2:]
    assert isinstance(failed, Failed) and isinstance(last, Round)
    assert "in a timed call, after right answers before" in failed.reason


@pytest.mark.parametrize("name", [*KERNELS, *(name for name, peer in PEERS.items() if peer.missing is None)])
@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(("m", "n_x", "order"), [(1, 1, "F"), (3, 7, "C"), (50, 2, "F"), (20, 16, "F")])
def test_right_kernels_pass_the_probe(name: str, m: int, n_x: int, order: Any, dtype: Dtype) -> None:
    kernel = {**KERNELS, **PEERS}[name]
    if dtype not in kernel.dtypes:
        pytest.skip(f"{name} does not compute in {dtype}")
    for seed in range(3):
        problem = make_problem(m, n_x, seed, order).rounded(dtype, order)
        agreement.ask(name, kernel, agreement.questions(problem))


@pytest.mark.parametrize(
    ("dtype", "count"),
    [
        ("float64", 3_000),
        ("float32", 1_000),
        pytest.param("float64", 10_000, marks=pytest.mark.exhaustive),
        pytest.param("float32", 10_000, marks=pytest.mark.exhaustive),
    ],
)
def test_no_right_kernel_is_refused_in_random_problems(dtype: Dtype, count: int) -> None:
    """Four kernels on all of them; the others, each slower or with threads to wake, on every tenth.

    The textbook's cost is not asked for where an activation rounds to 1, as it is not in a run.
    """
    rng = np.random.default_rng(2026)
    always = [KERNELS[name] for name in ("numpy_vectorized", "numpy_textbook", "numba_loop", "numba_fused")]
    others = [kernel for kernel in KERNELS.values() if kernel not in always and dtype in kernel.dtypes]
    problems = judged = saturated = 0
    for k in range(count):
        m, n_x = int(rng.integers(1, 40)), int(rng.integers(1, 12))
        X = rng.standard_normal((m, n_x)).T * 10.0 ** rng.uniform(-6.0, 6.0, (n_x, 1) if k % 2 else ())
        X = np.array(X, order="FC"[k % 3 == 0])  # type: ignore[call-overload]
        w = rng.standard_normal(n_x) / (np.abs(X).max(axis=1) + 1e-300)
        w *= 10.0 ** rng.uniform(-4.0, 0.5)  # |z| from tiny to some 30: no activation is 0 or 1, for the textbook's
        b = float(rng.standard_normal())
        Z = np.abs(w @ X + b).max()
        if Z > 30.0:
            w, b = w * 30.0 / Z, b * 30.0 / Z
        Y = (rng.random(m) < rng.random()).astype(float)
        order = "FC"[k % 3 == 0]
        problem = Problem(w, b, X, Y, order).rounded(dtype, order)  # type: ignore[arg-type]
        expected = agreement.expect(problem)
        problems += 1
        for kernel in always if k % 10 else always + others:
            if kernel.cost_from == "a" and expected.saturated:
                saturated += 1
                continue
            outputs = kernel.bind(problem.w, problem.b, problem.X, problem.Y)()
            agreement.judge(kernel.name, outputs, expected, kernel.cost_from)
            judged += 1
    assert (problems, judged + saturated) == (count, count * len(always) + count // 10 * len(others))
    assert saturated < problems / 5 if dtype == "float32" else saturated == 0
