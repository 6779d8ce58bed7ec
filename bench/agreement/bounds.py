"""The gate: how far each output of a kernel is from the reference, and how far rounding may take it.

The bounds are those of N. J. Higham, Accuracy and Stability of Numerical Algorithms, section 3.1: an inner product of
n terms, summed in any order, has an error of at most gamma_n * sum |terms|, gamma_n = n u / (1 - n u), u = 2^-53.
Each component of each output must lie within such a bound. The error of z is carried through: sigma and the loss are
Lipschitz, and a few u are allowed for exp, log1p and division. Nothing here is fitted to what a kernel does.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from bench.grid import PRECISIONS
from bench.problem import Problem
from kernels import Descent, Kernel, reference
from kernels._kernel import Array

U = PRECISIONS["float64"].u
ETA = 2.0**-1074  # what underflow may add to any one operation
BLOCK = 2**17  # elements of X at a time, which keeps what is computed from them small

# Relative error allowed to a = 1 / (1 + e^-z): exp to 2 ulp (4 u), an addition, a division, and a reserve.
A_ERROR = 8 * U
# To a loss computed from z: exp and log1p to 2 ulp each, an addition, and a reserve.
LOSS_ERROR = 10 * U


class Disagreement(Exception):
    """An output outside its bound, or no output at all: which kernel, which output, what was expected."""


@dataclass(frozen=True)
class Agreement:
    """The largest error of each output, in units of u times its sum of magnitudes (the mean of |terms|)."""

    kernel: str
    J: float
    dw: float
    db: float


@dataclass(frozen=True)
class Expected:
    """The reference's outputs, what rounding may add, and the magnitudes that errors are measured by."""

    J: float
    dw: Array
    db: float
    J_bound: dict[Literal["z", "a"], float]
    dw_bound: Array
    db_bound: float
    J_size: float
    dw_size: Array
    db_size: float


def gamma(n: int) -> float:
    """gamma_n of Higham's lemma 3.1."""
    return n * U / (1.0 - n * U)


def expect(problem: Problem) -> Expected:
    """The reference's outputs for a problem, and their bounds."""
    J, dw, db = reference.cost_and_gradient(problem.w, problem.b, problem.X, problem.Y)
    n_x, m = problem.n_x, problem.m
    # Sums over the examples, of |terms| and of the errors that enter the sums.
    dw_size, dw_error = np.zeros(n_x), np.zeros(n_x)
    J_size = J_error = J_error_from_a = db_size = db_error = 0.0
    size = max(1, BLOCK // n_x)
    for start in range(0, m, size):
        X, Y = problem.X[:, start : start + size], problem.Y[start : start + size]
        x = np.abs(X)
        z_error = gamma(n_x + 1) * (np.dot(np.abs(problem.w), x) + abs(problem.b))
        # s is z for label 0 and -z for label 1: the loss is log(1 + e^s), and |dz| = sigma(s).
        Z = np.dot(problem.w, X) + problem.b
        s = np.where(Y == 1.0, -Z, Z)
        e = np.exp(-np.abs(s))
        dz = np.where(s > 0.0, 1.0, e) / (1.0 + e)
        a = np.where(Y == 1.0, 1.0 - dz, dz)
        loss = np.maximum(s, 0.0) + np.log1p(e)
        # Over a step of z_error, sigma and its slope grow by at most the factor e^z_error.
        growth = np.exp(np.minimum(z_error, 700.0))
        a_error = np.minimum(np.minimum(z_error / 4.0, z_error * dz * (1.0 - dz) * growth), 1.0) + A_ERROR * a + ETA
        dz_error = a_error + U * dz
        loss_slope = np.minimum(z_error, z_error * dz * growth)
        loss_error = loss_slope + LOSS_ERROR * loss + ETA
        # log(a) is off by a's relative error; log(1 - a) by that of 1 - a, which is e^z times as large.
        amplified = A_ERROR * (1.0 + np.where(Y == 1.0, 0.0, np.exp(np.minimum(Z, 700.0))))
        J_size += loss.sum()
        J_error += loss_error.sum()
        J_error_from_a += (loss_error + amplified).sum()
        db_size += dz.sum()
        db_error += dz_error.sum()
        dw_size += np.dot(x, dz)
        dw_error += np.dot(x, dz_error)
    # m additions, the factor x, and the division by m, or the product with a rounded 1/m.
    growth_m = gamma(m + 3)
    return Expected(
        J,
        dw,
        db,
        J_bound={
            "z": float(_mean_bound(J_size, J_error, growth_m, m)),
            "a": float(_mean_bound(J_size, J_error_from_a, growth_m, m)),
        },
        dw_bound=_mean_bound(dw_size, dw_error, growth_m, m),
        db_bound=float(_mean_bound(db_size, db_error, growth_m, m)),
        J_size=float(J_size / m),
        dw_size=dw_size / m,
        db_size=float(db_size / m),
    )


def _mean_bound(size: Any, error: Any, growth: float, m: int) -> Any:
    return (error + growth * (size + error)) / m + 4 * ETA


def check(kernel: Kernel, problem: Problem) -> Agreement:
    """Run a kernel once and check every output against its bound.

    Raises:
        Disagreement: Names kernel, output, index, the value, what was expected and the bound.
    """
    outputs = kernel.bind(problem.w, problem.b, problem.X, problem.Y)()
    return judge(kernel.name, outputs, expect(problem), kernel.cost_from)


def judge(name: str, outputs: Any, expected: Expected, cost_from: Literal["z", "a"] = "z") -> Agreement:
    """Check outputs of the kernel `name` that are there already against their bounds: `check` in two steps.

    Raises:
        Disagreement: See `check`.
    """
    if not isinstance(outputs, tuple) or len(outputs) != 3:
        what = f"{len(outputs)} values" if isinstance(outputs, tuple | list) else type(outputs).__name__
        raise Disagreement(f"{name}: expected a tuple (J, dw, db), not {what}")
    J, dw, db = outputs
    return Agreement(
        name,
        J=_check(name, "J", J, expected.J, expected.J_bound[cost_from], expected.J_size),
        dw=_check(name, "dw", dw, expected.dw, expected.dw_bound, expected.dw_size),
        db=_check(name, "db", db, expected.db, expected.db_bound, expected.db_size),
    )


def agrees(outputs: Any, expected: Expected, cost_from: Literal["z", "a"] = "z") -> bool:
    """Whether numbers lie within their bounds: what `judge` asks first, in a few microseconds, of every timed sample.

    An answer that can't be compared at all does not agree; `judge` finds the words for it.
    """
    try:
        J, dw, db = outputs
        return bool(
            abs(J - expected.J) <= expected.J_bound[cost_from]
            and abs(db - expected.db) <= expected.db_bound
            and (np.abs(np.asarray(dw) - expected.dw) <= expected.dw_bound).all()
        )
    except Exception:  # whatever a kernel returns
        return False


def _is_there(got: Any) -> bool:
    """Whether an output is numbers in memory (or at least no array), and not work put off until it is read."""
    if isinstance(got, list | tuple):
        return all(_is_there(part) for part in got)
    if getattr(got, "is_ready", None) is not None and not got.is_ready():  # JAX returns before it has computed
        return False
    plain = type(got) is np.ndarray or isinstance(got, np.generic | float | int | complex | str | bytes | None)
    return plain or (hasattr(got, "__dlpack__") and not isinstance(got, np.ndarray))  # a tensor of another library


def _check(name: str, output: str, got: Any, wanted: Any, bound: Any, size: Any) -> float:
    if not _is_there(got):
        raise Disagreement(f"{name}: {output} is a {type(got).__name__}, computed when it is read; return the numbers")
    try:
        values = np.asarray(got)
    except ValueError as ragged:
        raise Disagreement(f"{name}: {output} is no array: {ragged}") from None
    if values.shape != np.shape(wanted):
        raise Disagreement(f"{name}: {output} has shape {values.shape}, expected {np.shape(wanted)}")
    if values.dtype != np.float64:
        raise Disagreement(f"{name}: {output} has dtype {values.dtype}, expected float64")
    error = np.abs(values - wanted)
    outside = np.atleast_1d(~(error <= bound))  # a NaN is outside too
    if outside.any():
        j = int(np.argmax(outside))
        index = f"[{j}]" if values.ndim else ""
        value, right, allowed = (float(np.atleast_1d(part)[j]) for part in (values, wanted, bound))
        more = f"; {np.count_nonzero(outside)} of {outside.size} are wrong" if outside.sum() > 1 else ""
        raise Disagreement(
            f"{name}: {output} is wrong ({output}{index} = {value!r}, expected {right!r} ± {allowed:.3g}{more})"
        )
    unit = U * np.asarray(size)
    return float(np.max(np.divide(error, unit, out=np.zeros_like(error), where=unit > 0.0), initial=0.0))


@dataclass(frozen=True)
class ExpectedDescent:
    """The costs of gradient descent by the reference, and how far the rounding of all steps before may move each."""

    costs: Array
    bounds: dict[Literal["z", "a"], Array]
    w: Array
    b: float
    step_bound: float


def expect_descent(problem: Problem, alpha: float, iterations: int) -> ExpectedDescent:
    """Costs, bounds and the end of a training run from zeros, with the reference as the kernel.

    J is convex with a gradient of Lipschitz constant L, so a step with alpha <= 2 / L brings two points no further
    apart: the distance between a right kernel's weights and the reference's grows by no more than each step's own
    rounding, and the costs at that distance differ by at most |gradient| distance + L distance^2 / 2 + the bound on J.

    Raises:
        ValueError: For alpha above 2 / L, where rounding may grow from step to step and no such bound holds.
    """
    X1 = np.vstack([problem.X, np.ones(problem.m)])
    lipschitz = float(np.linalg.eigvalsh(X1 @ X1.T)[-1]) / (4 * problem.m)
    if alpha * lipschitz > 2.0:
        raise ValueError(f"alpha = {alpha} is above 2 / L = {2.0 / lipschitz:.3g}: errors may grow from step to step")
    w, b, distance = np.zeros(problem.n_x), 0.0, 0.0
    costs = np.empty(iterations)
    bounds: dict[Literal["z", "a"], Array] = {"z": np.empty(iterations), "a": np.empty(iterations)}
    for k in range(iterations):
        at = expect(replace(problem, w=w, b=b))
        gradient = float(np.hypot(np.linalg.norm(at.dw), at.db))
        costs[k] = at.J
        for cost_from, bound in bounds.items():
            bound[k] = at.J_bound[cost_from] + distance * (gradient + lipschitz * distance / 2.0)
        w, b = w - alpha * at.dw, b - alpha * at.db
        # The step's own error: that of the gradient, and three roundings of the update, here and in the kernel.
        of_gradient = alpha * float(np.hypot(np.linalg.norm(at.dw_bound), at.db_bound))
        distance += of_gradient + 6 * U * (float(np.hypot(np.linalg.norm(w), b)) + alpha * gradient)
    return ExpectedDescent(costs, bounds, w, b, distance)


def judge_descent(
    name: str, descent: Descent, expected: ExpectedDescent, cost_from: Literal["z", "a"] = "z"
) -> Agreement:
    """Check the cost of every iteration, and w and b at the end, against their bounds; errors are relative, in u.

    Raises:
        Disagreement: See `check`.
    """
    return Agreement(
        name,
        J=_check(name, "costs", descent.costs, expected.costs, expected.bounds[cost_from], expected.costs),
        dw=_check(name, "w", descent.w, expected.w, np.full_like(expected.w, expected.step_bound), np.abs(expected.w)),
        db=_check(name, "b", descent.b, expected.b, expected.step_bound, abs(expected.b)),
    )
