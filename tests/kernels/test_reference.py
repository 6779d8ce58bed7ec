"""The oracle against mpmath: its error is at least 100 times smaller than every bound of the gate."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import agreement
from bench.problem import Problem, make_problem
from kernels import _double_double as dd
from kernels import reference
from kernels._kernel import Array

mp.mp.prec = 300


def exact(problem: Problem) -> tuple[mp.mpf, list[mp.mpf], mp.mpf]:
    """J, dw and db to 300 bits."""
    w = [mp.mpf(float(w_j)) for w_j in problem.w]
    J, dw, db = mp.mpf(0), [mp.mpf(0)] * problem.n_x, mp.mpf(0)
    for i in range(problem.m):
        x = [mp.mpf(float(x_j)) for x_j in problem.X[:, i]]
        y = int(problem.Y[i])
        z = mp.fsum(w_j * x_j for w_j, x_j in zip(w, x, strict=True)) + mp.mpf(problem.b)
        dz = 1 / (1 + mp.exp(-z)) - y
        J += mp.log1p(mp.exp(-z if y else z))
        db += dz
        dw = [total + x_j * dz for total, x_j in zip(dw, x, strict=True)]
    return J / problem.m, [total / problem.m for total in dw], db / problem.m


def scaled(problem: Problem, factor: float) -> Problem:
    return Problem(problem.w * factor, problem.b, problem.X, problem.Y, problem.order)


@pytest.mark.parametrize("factor", [0.0, 1e-3, 1.0, 20.0, 200.0], ids="z x {}".format)
@pytest.mark.parametrize(("m", "n_x"), [(1, 1), (2, 3), (37, 5), (7, 200)])
def test_error_is_a_hundredth_of_every_bound(m: int, n_x: int, factor: float) -> None:
    problem = scaled(make_problem(m, n_x, seed=m * n_x), factor)
    J, dw, db = reference.cost_and_gradient(problem.w, problem.b, problem.X, problem.Y)
    true_J, true_dw, true_db = exact(problem)
    bounds = agreement.expect(problem)
    # Half a unit in the last place is the final rounding to float64, which no float64 result can avoid.
    assert abs(J - true_J) <= bounds.J_bound["z"] / 100 + np.spacing(J) * 0.5001
    assert abs(db - true_db) <= bounds.db_bound / 100 + np.spacing(abs(db)) * 0.5001
    for j in range(n_x):
        assert abs(dw[j] - true_dw[j]) <= bounds.dw_bound[j] / 100 + np.spacing(abs(dw[j])) * 0.5001


def worst_relative_error(got: dd.Pair, expected: list[mp.mpf]) -> float:
    return max(
        float(abs((mp.mpf(float(high)) + mp.mpf(float(low))) / right - 1))
        for high, low, right in zip(*got, expected, strict=True)
    )


def test_exp_is_accurate_to_2_to_the_minus_60() -> None:
    rng = np.random.default_rng(0)
    high = -np.concatenate([rng.uniform(0.0, 650.0, 2000), 10.0 ** rng.uniform(-30.0, 2.0, 1000), [0.0, 1e-320]])
    low = high * rng.uniform(-1.0, 1.0, high.size) * 2.0**-54
    expected = [mp.exp(mp.mpf(float(a)) + mp.mpf(float(b))) for a, b in zip(high, low, strict=True)]
    assert worst_relative_error(dd.exp((high, low)), expected) < 2.0**-60


def test_log1p_is_accurate_to_2_to_the_minus_60() -> None:
    rng = np.random.default_rng(1)
    high = np.concatenate([rng.uniform(0.0, 1.0, 2000), 10.0 ** rng.uniform(-300.0, 0.0, 1000)])
    low = high * rng.uniform(-1.0, 1.0, high.size) * 2.0**-54
    expected = [mp.log1p(mp.mpf(float(a)) + mp.mpf(float(b))) for a, b in zip(high, low, strict=True)]
    assert worst_relative_error(dd.log1p((high, low)), expected) < 2.0**-60


@settings(max_examples=100, deadline=None, derandomize=True)
@given(a=st.floats(-1e100, 1e100), b=st.floats(-1e100, 1e100))
def test_two_sum_and_two_product_are_exact(a: float, b: float) -> None:
    s, e = dd.two_sum(np.float64(a), np.float64(b))  # type: ignore[arg-type]
    assert mp.mpf(float(s)) + mp.mpf(float(e)) == mp.mpf(a) + mp.mpf(b)
    if a == 0.0 or b == 0.0 or abs(a * b) > 1e-250:
        p, e = dd.two_product(np.float64(a), np.float64(b))  # type: ignore[arg-type]
        assert mp.mpf(float(p)) + mp.mpf(float(e)) == mp.mpf(a) * mp.mpf(b)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 1001])
def test_total_adds_up_all_terms_along_either_axis(n: int) -> None:
    rng = np.random.default_rng(n)
    terms: Array = rng.standard_normal((n, 2)) * 10.0 ** rng.uniform(-8.0, 8.0, (n, 2))
    for axis, x in ((0, terms), (1, terms.T)):
        high, low = dd.total((x, np.zeros_like(x)), axis)
        for k in range(2):
            expected = mp.fsum(mp.mpf(float(term)) for term in terms[:, k])
            size = float(np.abs(terms[:, k]).sum())
            assert abs(mp.mpf(float(high[k])) + mp.mpf(float(low[k])) - expected) < size * 2.0**-95


def test_the_size_of_a_block_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = make_problem(1000, 3)
    whole = reference.cost_and_gradient(problem.w, problem.b, problem.X, problem.Y)
    monkeypatch.setattr(reference, "BLOCK", 21)
    parts = reference.cost_and_gradient(problem.w, problem.b, problem.X, problem.Y)
    assert (whole[0], whole[2]) == (parts[0], parts[2])
    assert np.array_equal(whole[1], parts[1])


def test_features_of_any_magnitude() -> None:
    # Splitting a product overflows above 2^996 unless the features are scaled first.
    problem = Problem(np.array([1e-300, 1e300]), 0.5, np.array([[1e300], [1e-300]]), np.array([1.0]), "F")
    J, dw, _ = reference.cost_and_gradient(problem.w, problem.b, problem.X, problem.Y)
    true_J, true_dw, _ = exact(problem)
    assert float(true_J) == pytest.approx(J, rel=1e-15)
    assert [float(dw_j) for dw_j in true_dw] == pytest.approx(list(dw), rel=1e-15)
