"""The gate: wrong kernels are caught, whatever is wrong with them, and right ones are not refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench import agreement
from bench.agreement import Disagreement, bounds
from bench.agreement.points import LARGE
from bench.grid import PRECISIONS, Dtype
from bench.problem import Problem, make_problem
from kernels import KERNELS, Kernel
from kernels._kernel import Array

right = KERNELS["numpy_vectorized"].function
Wrong = Callable[[Array, float, Array, Array], Any]


def off(output: str, amount: float = 1e-9) -> Wrong:
    def wrong(w: Array, b: float, X: Array, Y: Array) -> Any:
        J, dw, db = right(w, b, X, Y)
        if output == "J":
            J += amount
        elif output == "db":
            db += amount
        else:
            dw[-1] += amount
        return J, dw, db

    return wrong


def changed(change: Callable[[Any, Any, Any], Any]) -> Wrong:
    return lambda w, b, X, Y: change(*right(w, b, X, Y))


def single_precision(w: Array, b: float, X: Array, Y: Array) -> Any:
    J, dw, db = right(w.astype(np.float32), np.float32(b), X.astype(np.float32), Y.astype(np.float32))
    return float(J), dw.astype(np.float64), float(db)


WRONG: dict[str, Wrong] = {
    "J off by 1e-9": off("J"),
    "one dw off by 1e-9": off("dw"),
    "db off by 1e-9": off("db"),
    "returns nothing": lambda *_: None,
    "returns a list": changed(lambda J, dw, db: [J, dw, db]),
    "two outputs": changed(lambda J, dw, _: (J, dw)),
    "four outputs": changed(lambda J, dw, db: (J, dw, db, 0.0)),
    "dw as a column": changed(lambda J, dw, db: (J, dw[:, None], db)),
    "dw one short": changed(lambda J, dw, db: (J, dw[:-1], db)),
    "J as an array": changed(lambda J, dw, db: (np.array([J]), dw, db)),
    "dw in single precision": changed(lambda J, dw, db: (J, dw.astype(np.float32), db)),
    "computed in single precision": single_precision,
    "J is NaN": changed(lambda _, dw, db: (np.nan, dw, db)),
    "one dw is NaN": changed(lambda J, dw, db: (J, np.where(np.arange(dw.size) == 1, np.nan, dw), db)),
    "db is infinite": changed(lambda J, dw, _: (J, dw, np.inf)),
    "wrong sign": changed(lambda J, dw, db: (J, -dw, -db)),
    "not divided by m": lambda w, b, X, Y: (lambda J, dw, db: (J, dw * Y.size, db * Y.size))(*right(w, b, X, Y)),
    "last example dropped": lambda w, b, X, Y: right(w, b, X[:, :-1], Y[:-1]),
    "first example twice": lambda w, b, X, Y: right(w, b, np.c_[X, X[:, :1]], np.r_[Y, Y[:1]]),
    "labels exchanged": lambda w, b, X, Y: right(w, b, X, 1.0 - Y),
    "bias forgotten": lambda w, _, X, Y: right(w, 0.0, X, Y),
    "two features exchanged": changed(lambda J, dw, db: (J, dw[[1, 0, *range(2, dw.size)]], db)),
    "dw ragged": changed(lambda J, _, db: (J, [[1.0], [1.0, 2.0]], db)),
    "dw as text": changed(lambda J, dw, db: (J, dw.astype(str), db)),
    "J as None": changed(lambda _, dw, db: (None, dw, db)),
    "sums over the wrong axis": lambda w, b, X, Y: (lambda J, dw, db: (J, np.full_like(dw, dw.mean()), db))(
        *right(w, b, X, Y)
    ),
}


def kernel(function: Wrong) -> Kernel:
    return Kernel("wrong", "a wrong kernel", "It is wrong.", function)


@pytest.mark.parametrize("m", [1_000, 20_000])
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_kernel_is_refused(what: str, m: int) -> None:
    with pytest.raises(Disagreement, match=r"^wrong: "):
        agreement.check(kernel(WRONG[what]), make_problem(m, 5, seed=9))


def test_the_error_names_what_is_wrong() -> None:
    with pytest.raises(Disagreement, match=r"^wrong: dw is wrong \(dw\[4\] = .*, expected .* ± \d\.\d+e-1\d\)$"):
        agreement.check(kernel(off("dw")), make_problem(1_000, 5))
    with pytest.raises(Disagreement, match="; 5 of 5 are wrong"):
        agreement.check(kernel(WRONG["wrong sign"]), make_problem(1_000, 5))


def test_right_kernels_are_not_refused() -> None:
    rng = np.random.default_rng(7)
    strict = [each for each in KERNELS.values() if not each.name.startswith("python")]
    for seed in range(40):  # test_mutations has 10 000 smaller ones
        problem = make_problem(int(rng.integers(1, 200)), int(rng.integers(1, 30)), seed)
        # From tiny to saturating z: up to |z| of 30, where the textbook's cost is held to its own condition.
        scaled = replace(problem, w=problem.w * 10.0 ** rng.uniform(-4.0, 0.6))
        expected = agreement.expect(scaled)
        for each in strict:
            outputs = each.bind(scaled.w, scaled.b, scaled.X, scaled.Y)()
            agreement.judge(each.name, outputs, expected, each.cost_from)


def test_errors_are_reported_in_units_of_rounding() -> None:
    problem = make_problem(1_000, 5)
    clean = agreement.check(kernel(right), problem)
    size = agreement.expect(problem).J_size
    shifted = agreement.check(kernel(off("J", 100 * PRECISIONS["float64"].u * size)), problem)
    assert clean.J < 20.0
    assert pytest.approx(100.0, abs=clean.J + 4.0) == shifted.J


def test_bounds_grow_with_the_number_of_terms() -> None:
    small, large = (agreement.expect(make_problem(m, 4)) for m in (100, 10_000))
    assert large.dw_bound.max() / large.dw_size.max() > 50 * small.dw_bound.max() / small.dw_size.max()
    assert bounds.gamma(10) == pytest.approx(10 * 2.0**-53)


def test_the_bound_of_float32_is_the_worst_case_of_short_sums_and_probable_for_long_ones() -> None:
    u = PRECISIONS["float32"].u
    assert bounds.gamma(256, u) == pytest.approx(256 * 2.0**-24, rel=1e-4)
    assert bounds.gamma(257, u) == pytest.approx(bounds.gamma(256, u), rel=0.01)
    assert bounds.gamma(10**6, u) == pytest.approx(16 * 1_000 * 2.0**-24, rel=0.01)
    # Terms that are added one by one are lost once the sum is 2^24 times as large: a quarter of these.
    m = 2**24 * 4 // 3
    assert bounds.gamma(m, u) < 0.01 < 0.25
    assert bounds.gamma(10**9) == pytest.approx(1e9 * 2.0**-53, rel=1e-6), "float64 keeps to the worst case"


def test_float32_is_judged_by_its_own_rounding() -> None:
    problem = make_problem(1_000, 5)
    single = problem.rounded("float32", "F")
    expected, half = agreement.expect(problem), agreement.expect(single)
    assert half.dtype == "float32" and 2.0**28 < half.J_bound["z"] / expected.J_bound["z"] < 2.0**30
    J, dw, db = right(single.w, single.b, single.X, single.Y)
    assert agreement.check(kernel(right), single).J < 20.0
    for outputs, message in (
        ((J, dw.astype(np.float64), db), "dw has dtype float64, expected float32"),
        ((np.float16(J), dw, db), "J has dtype float16, expected float32"),
        ((J, dw, db + np.float32(1e-3)), "db is wrong"),
    ):
        with pytest.raises(Disagreement, match=message):
            agreement.judge("wrong", outputs, half)
    agreement.judge("right", (float(J), dw, float(db)), half)
    with pytest.raises(Disagreement, match="J has dtype float32, expected float64"):
        agreement.judge("wrong", (np.float32(expected.J), expected.dw, expected.db), expected)


@pytest.mark.parametrize(("dtype", "z"), [("float64", 37.0), ("float32", 17.0)])
def test_where_an_activation_rounds_to_1_a_cost_from_it_is_not_asked_for(dtype: Dtype, z: float) -> None:
    problem = make_problem(4, 1).rounded(dtype, "F")
    X = np.array([[z, -1e3, 0.5, 1.0]], dtype)
    one = replace(problem, X=X, w=np.ones(1, dtype), b=0.0, Y=np.array([1.0, 0.0, 1.0, 0.0], dtype))
    assert agreement.expect(one).saturated
    assert not agreement.expect(replace(one, w=np.full(1, 0.9, dtype))).saturated
    textbook = KERNELS["numpy_textbook"]
    with np.errstate(all="ignore"), pytest.raises(Disagreement, match=r"J is wrong \(J = (nan|inf)"):
        agreement.check(textbook, one)
    agreement.check(textbook, replace(one, X=np.array([[0.9 * z, -0.9 * z, 0.5, 1.0]], dtype)))


def test_a_feature_of_zeros_must_have_a_zero_gradient() -> None:
    problem = make_problem(50, 3)
    zeros: Problem = replace(problem, X=np.where(np.arange(3)[:, None] == 1, 0.0, problem.X))
    assert agreement.check(kernel(right), zeros).dw < 20.0
    with pytest.raises(Disagreement, match=r"dw\[1\] = 1e-300, expected 0\.0"):
        agreement.check(kernel(changed(lambda J, dw, db: (J, np.array([dw[0], 1e-300, dw[2]]), db))), zeros)


def test_a_large_problem_has_fewer_points_and_each_has_another_answer() -> None:
    for m, count in ((1_000, 3), (LARGE // 4 + 1, 2)):
        taken = agreement.points(make_problem(m, 4))
        assert len(taken) == count
        assert len({(float(at.w[0]), at.b) for at in taken}) == count
        assert len({at.expected.J for at in taken if isinstance(at.expected, agreement.Expected)}) == count


@pytest.mark.parametrize("output", range(3))
def test_what_agrees_is_what_the_gate_lets_through(output: int) -> None:
    problem = make_problem(100, 4)
    expected = agreement.expect(problem)
    right = KERNELS["numpy_vectorized"](problem.w, problem.b, problem.X, problem.Y)
    assert agreement.agrees(right, expected)
    wrong: list[Any] = list(right)
    wrong[output] = wrong[output] + 1e-9
    assert not agreement.agrees(tuple(wrong), expected)
    for nothing in (None, right[:2], (None, None, None), (*right[:2], np.nan)):
        assert not agreement.agrees(nothing, expected)
