"""The slips of the notes' listings, numbered as in the README: the printed form is wrong, the corrected one right."""

from collections.abc import Callable

import numpy as np
import pytest

from bench.problem import Problem, make_problem
from kernels import KERNELS, gradient_descent
from kernels._kernel import Array, CostAndGradient

CORRECT = KERNELS["numpy_dot_in_loop"]


def loop(slip: int, w: Array, b: float, X: Array, Y: Array) -> CostAndGradient:
    """The notes' loop with all slips but this one corrected."""
    n_x, m = X.shape
    J, dw, db, dz = 0.0, np.zeros(n_x), 0.0, 0.0
    for i in range(m):
        x = X[:, i]
        z = float(np.dot(w, x)) + b
        a = 1.0 / (1.0 + np.exp(-z))
        J += -(Y[i] * np.log(a) + (1.0 - Y[i]) * np.log(1.0 - a))
        dz = dz + (a - Y[i]) if slip == 1 else a - Y[i]
        # The listing writes x without an index: here, the value of the first feature.
        dw += (x[0] if slip == 2 else x) * dz
        db += dz
    return J / m, dw / m, db if slip == 3 else db / m


def central_differences(problem: Problem, h: float = 1e-5) -> tuple[Array, float]:
    """Dw and db from the cost alone."""

    def cost(w: Array, b: float) -> float:
        return CORRECT(w, b, problem.X, problem.Y)[0]

    w, b = problem.w, problem.b
    steps = np.eye(problem.n_x) * h
    dw = np.array([(cost(w + step, b) - cost(w - step, b)) / (2 * h) for step in steps])
    return dw, (cost(w, b + h) - cost(w, b - h)) / (2 * h)


def is_right(step: Callable[..., CostAndGradient], problem: Problem) -> bool:
    _, dw, db = step(problem.w, problem.b, problem.X, problem.Y)
    expected_dw, expected_db = central_differences(problem)
    return bool(np.allclose(dw, expected_dw, rtol=0, atol=1e-8) and abs(db - expected_db) < 1e-8)


@pytest.mark.parametrize("slip", [1, 2, 3])
def test_slips_1_to_3_disagree_with_central_differences(slip: int) -> None:
    problem = make_problem(20, 2, seed=11)
    assert not is_right(lambda *inputs: loop(slip, *inputs), problem)
    assert is_right(lambda *inputs: loop(0, *inputs), problem)
    assert is_right(CORRECT, problem)


def test_slip_4_the_bias_steps_along_its_gradient_not_its_value() -> None:
    problem = make_problem(200, 2, seed=11)
    descent = gradient_descent(CORRECT, problem.X, problem.Y, alpha=0.5, iterations=400)
    # As printed, b = b - alpha * b never leaves 0, and the cost stays above the minimum.
    w, b = np.zeros(2), 0.0
    for _ in range(400):
        J, dw, _ = CORRECT(w, b, problem.X, problem.Y)
        w, b = w - 0.5 * dw, b - 0.5 * b
    assert b == 0.0
    assert descent.costs[-1] + 1e-3 < J
    assert abs(CORRECT(descent.w, descent.b, problem.X, problem.Y)[2]) < 1e-4


def test_slip_5_zeros_takes_a_shape() -> None:
    with pytest.raises(TypeError):
        np.zeros(3, 1)  # type: ignore[call-overload]
    assert np.zeros((3, 1)).shape == (3, 1)


def test_slip_6_the_vectorized_cost_is_that_of_the_loop() -> None:
    problem = make_problem(30, 3, seed=2)
    inputs = problem.w, problem.b, problem.X, problem.Y
    assert KERNELS["numpy_textbook"](*inputs)[0] == pytest.approx(loop(0, *inputs)[0], rel=1e-13)
    assert KERNELS["numpy_textbook"](*inputs)[0] > 0.0


def test_slip_7_the_loop_takes_any_number_of_features() -> None:
    assert is_right(KERNELS["python_loop"], make_problem(20, 7, seed=4))


def test_slip_8_the_sums_start_from_zero_in_each_iteration() -> None:
    problem = make_problem(20, 2, seed=11)
    twice = gradient_descent(CORRECT, problem.X, problem.Y, alpha=0.1, iterations=2)
    once = gradient_descent(CORRECT, problem.X, problem.Y, alpha=0.1, iterations=1)
    J, dw, db = CORRECT(once.w, once.b, problem.X, problem.Y)
    assert twice.costs[1] == J
    assert np.array_equal(twice.w, once.w - 0.1 * dw) and twice.b == once.b - 0.1 * db


def test_exp_overflows_below_minus_709_78_and_the_activation_is_still_right() -> None:
    with pytest.warns(RuntimeWarning, match="overflow"):
        a = 1.0 / (1.0 + np.exp(np.array([709.79])))
    assert a[0] == 0.0
    with np.errstate(over="raise"):
        assert np.isfinite(np.exp(709.78))
