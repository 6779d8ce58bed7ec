"""Gradient descent: what it computes, and training on the real data set."""

import numpy as np
import pytest

from bench import agreement
from bench.grid import ALPHA
from bench.problem import accuracy, load_breast_cancer, make_problem
from kernels import DESCENTS, KERNELS, Kernel, gradient_descent


@pytest.mark.parametrize("name", KERNELS)
def test_two_iterations_by_hand(name: str) -> None:
    # One example x = 1, y = 1: a = 1/2 first, so dw = db = -1/2 and w = b = 1/2; then z = 1.
    descent = gradient_descent(KERNELS[name], [[1.0]], [1.0], alpha=1.0, iterations=2)
    assert descent.costs == pytest.approx([np.log(2.0), np.log1p(np.exp(-1.0))], rel=1e-15)
    expected = 0.5 + 1.0 / (1.0 + np.exp(1.0))
    assert descent.w == pytest.approx([expected], rel=1e-15)
    assert descent.b == pytest.approx(expected, rel=1e-15)


def test_no_iterations_return_the_start() -> None:
    descent = gradient_descent(KERNELS["numpy_vectorized"], [[1.0]], [1.0], 1.0, 0, w=[3.0], b=2.0)
    assert (descent.w[0], descent.b, descent.costs.size) == (3.0, 2.0, 0)


def test_the_start_is_not_changed() -> None:
    problem = make_problem(30, 4)
    w = problem.w.copy()
    for compiled in (False, True):
        gradient_descent(KERNELS["numba_loop"], problem.X, problem.Y, 0.1, 5, w=w, b=problem.b, compiled=compiled)
        assert np.array_equal(w, problem.w)


def test_compiled_iterations_give_the_same_bits() -> None:
    problem = make_problem(57, 6)
    python, compiled = (
        gradient_descent(KERNELS["numba_loop"], problem.X, problem.Y, 0.2, 50, compiled=how) for how in (False, True)
    )
    assert np.array_equal(python.costs, compiled.costs)
    assert np.array_equal(python.w, compiled.w) and python.b == compiled.b


def test_the_cost_falls() -> None:
    problem = make_problem(100, 3)
    costs = gradient_descent(KERNELS["numpy_vectorized"], problem.X, problem.Y, 0.1, 100).costs
    assert (np.diff(costs) < 0.0).all()


def test_refuses_wrong_use() -> None:
    kernel = KERNELS["numpy_vectorized"]
    with pytest.raises(ValueError, match="no form with compiled iterations"):
        gradient_descent(kernel, [[1.0]], [1.0], 1.0, 1, compiled=True)
    with pytest.raises(ValueError, match="alpha must be finite"):
        gradient_descent(kernel, [[1.0]], [1.0], np.nan, 1)
    with pytest.raises(ValueError, match="iterations must be 0 or more"):
        gradient_descent(kernel, [[1.0]], [1.0], 1.0, -1)
    with pytest.raises(ValueError, match=r"X must have shape \(n_x, m\)"):
        gradient_descent(kernel, [1.0], [1.0], 1.0, 1)


@pytest.fixture(scope="module")
def cancer_expected() -> agreement.ExpectedDescent:
    return agreement.expect_descent(load_breast_cancer(), ALPHA, 1000)


# The two interpreted loops over features take seconds for 100 iterations.
@pytest.mark.parametrize("kernel", [*KERNELS.values(), *DESCENTS.values()], ids=[*KERNELS, *DESCENTS])
def test_training_on_real_data(kernel: Kernel, cancer_expected: agreement.ExpectedDescent) -> None:
    problem = load_breast_cancer()
    assert (problem.m, problem.n_x) == (569, 30)
    iterations = 50 if kernel.work == "interpreted" else 1000
    descent = gradient_descent(kernel, problem.X, problem.Y, ALPHA, iterations, compiled=kernel.trains_only)
    expected = cancer_expected if iterations == 1000 else agreement.expect_descent(problem, ALPHA, iterations)
    agreement.judge_descent(kernel.name, descent, expected, kernel.cost_from)
    assert accuracy(descent.w, descent.b, problem) > (0.98 if iterations == 1000 else 0.95)


def test_a_descent_that_steps_wrongly_is_refused(cancer_expected: agreement.ExpectedDescent) -> None:
    problem = load_breast_cancer()
    wrong = gradient_descent(KERNELS["numba_loop"], problem.X, problem.Y, ALPHA * (1.0 + 1e-9), 1000)
    with pytest.raises(agreement.Disagreement, match=r"numba_loop: costs is wrong \(costs\[\d+\] = "):
        agreement.judge_descent("numba_loop", wrong, cancer_expected)


def test_no_bound_where_errors_may_grow() -> None:
    with pytest.raises(ValueError, match="errors may grow"):
        agreement.expect_descent(load_breast_cancer(), 10.0, 2)
