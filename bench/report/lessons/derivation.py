"""The derivation of the notes, checked by numbers, and what each slip of their listings would cost.

A derivative is checked by the complex step, Im f(x + ih) / h with h so small that nothing is subtracted (W. Squire and
G. Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40, 1998), and that of the
whole cost by central differences of the reference's J, which shares no code with the formulas.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bench.problem import Problem, make_problem
from kernels import reference
from kernels._kernel import Array

TINY = 1e-30  # the complex step: nothing is subtracted, so nothing cancels
STEP = 1e-5  # of central differences: their error is about STEP^2
POINTS = (-3.0, -0.5, 0.5, 2.0, 4.0)  # z
PROBLEM = {"m": 200, "n_x": 4, "seed": 11}
ITERATIONS, ALPHA = 200, 0.5

Number = Any  # float or complex


@dataclass(frozen=True)
class Check:
    """A step of the derivation: the value of its formula, the same by differences, and how far apart they ever are."""

    step: str
    formula: str
    why: str
    at: str
    by_formula: float
    by_difference: float
    apart: float
    method: str


@dataclass(frozen=True)
class Slip:
    """A slip of the notes' listings, as printed and mended, and what it does."""

    number: int
    listing: str
    printed: str
    mended: str
    cost: str


def sigma(z: Number) -> Number:
    """The sigmoid function."""
    return 1.0 / (1.0 + np.exp(-z))


def loss(a: Number, y: float) -> Number:
    """The loss of one example."""
    return -(y * np.log(a) + (1.0 - y) * np.log(1.0 - a))


def complex_step(f: Callable[[Number], Number], x: float) -> float:
    """The derivative of an analytic function."""
    return float(np.imag(f(complex(x, TINY))) / TINY)


def checks() -> list[Check]:
    """Every step of the derivation, in the order of the notes."""
    x, w, b = np.array([0.7, -1.2, 2.0]), np.array([0.3, 0.1, -0.4]), 0.2
    a = float(sigma(w @ x + b))
    problem = make_problem(50, 3, seed=3)
    dw, db = gradient(problem.w, problem.b, problem.X, problem.Y)
    numeric_dw, numeric_db = central_differences(problem)
    return [
        _over_points(
            "The sigmoid",
            "da/dz = a (1 − a)",
            "The derivative of 1 / (1 + e^−z) is e^−z / (1 + e^−z)², which is a times 1 − a.",
            lambda z, _: complex_step(sigma, z),
            lambda z, _: sigma(z) * (1.0 - sigma(z)),
        ),
        _over_points(
            "The loss by a",
            "dL/da = −y/a + (1 − y)/(1 − a)",
            "Each logarithm gives one over its argument; the second has an inner derivative of −1.",
            lambda z, y: complex_step(lambda a: loss(a, y), sigma(z)),
            lambda z, y: -y / sigma(z) + (1.0 - y) / (1.0 - sigma(z)),
        ),
        _over_points(
            "The chain rule",
            "dL/dz = dL/da · da/dz = a − y",
            "−y (1 − a) + (1 − y) a = a − y: both denominators cancel.",
            lambda z, y: complex_step(lambda z: loss(sigma(z), y), z),
            lambda z, y: sigma(z) - y,
        ),
        _compared(
            "Weights of one example",
            "dL/dw_j = (a − y) x_j",
            "z = w_1 x_1 + ... + b, so dz/dw_j = x_j.",
            "j = 3",
            (a - 1.0) * x,
            np.array([complex_step(partial(_loss_of_weight, w, b, x, j), w[j]) for j in range(3)]),
        ),
        _compared(
            "Bias of one example",
            "dL/db = a − y",
            "dz/db = 1.",
            "b = 0.2",
            np.array([a - 1.0]),
            np.array([complex_step(lambda v: loss(sigma(w @ x + v), 1.0), b)]),
        ),
        _compared(
            "Weights, all m examples",
            "dw = X dZᵀ / m, dZ = A − Y",
            "J is the mean of the losses, and the derivative of a mean is the mean of the derivatives.",
            "m = 50, n_x = 3, j = 3",
            dw,
            numeric_dw,
            "central differences",
        ),
        _compared(
            "Bias, all m examples",
            "db = mean(dZ)",
            "The same.",
            "m = 50, n_x = 3",
            np.array([db]),
            np.array([numeric_db]),
            "central differences",
        ),
    ]


def _loss_of_weight(w: Array, b: float, x: Array, j: int, value: Number) -> Number:
    """The loss of an example with label 1, with one weight replaced."""
    changed = w.astype(complex)
    changed[j] = value
    return loss(sigma(changed @ x + b), 1.0)


def _over_points(
    step: str,
    formula: str,
    why: str,
    numeric: Callable[[float, float], float],
    exact: Callable[[float, float], float],
) -> Check:
    """A check at all points and for both labels; shown is z = 0.5 with label 1."""
    apart = max(abs(numeric(z, y) - exact(z, y)) for z in POINTS for y in (0.0, 1.0))
    shown = float(exact(0.5, 1.0)), float(numeric(0.5, 1.0))
    return Check(step, formula, why, "z = 0.5, y = 1", *shown, float(apart), "complex step")


def _compared(
    step: str, formula: str, why: str, at: str, exact: Array, numeric: Array, method: str = "complex step"
) -> Check:
    """A check of all components; shown is the last."""
    apart = float(np.max(np.abs(exact - numeric)))
    return Check(step, formula, why, at, float(exact[-1]), float(numeric[-1]), apart, method)


def central_differences(problem: Problem) -> tuple[Array, float]:
    """Dw (n_x,) and db of a problem, from the reference's cost alone."""

    def cost(w: Array, b: float) -> float:
        return reference.cost_and_gradient(w, b, problem.X, problem.Y)[0]

    w, b = problem.w, problem.b
    steps = np.eye(problem.n_x) * STEP
    dw = np.array([(cost(w + step, b) - cost(w - step, b)) / (2 * STEP) for step in steps])
    return dw, (cost(w, b + STEP) - cost(w, b - STEP)) / (2 * STEP)


def gradient(w: Array, b: float, X: Array, Y: Array, slip: int = 0) -> tuple[Array, float]:
    """Dw (n_x,) and db as derived, or with one slip of the listings, by its number."""
    m = Y.size
    dZ = sigma(w @ X + b) - Y
    if slip == 1:  # dz += a - y: a running total
        dZ = np.cumsum(dZ)
    dw = X @ dZ / m
    if slip == 2:  # the same x for every weight: here, the first feature's
        dw = np.full(dw.size, dw[0])
    if slip == 7:  # only two features are written out
        dw[2:] = 0.0
    return dw, float(dZ.sum()) / (1 if slip == 3 else m)


def trained(slip: int = 0, iterations: int = ITERATIONS) -> float:
    """J after training from zeros, with one slip or none."""
    problem = make_problem(PROBLEM["m"], PROBLEM["n_x"], seed=PROBLEM["seed"])
    w, b = np.zeros(problem.n_x), 0.0
    for _ in range(iterations):
        dw, db = gradient(w, b, problem.X, problem.Y, slip)
        w, b = w - ALPHA * dw, b - ALPHA * (b if slip == 4 else db)
    return float(reference.cost_and_gradient(w, b, problem.X, problem.Y)[0])


def slips() -> list[Slip]:
    """The slips of the listings, and what each costs."""
    right = trained()

    def ends(slip: int) -> str:
        return f"J ends at {trained(slip):.3g} instead of {right:.3g}"

    try:
        np.zeros(3, 1)  # type: ignore[call-overload]
        fails = "it runs"
    except TypeError as error:
        fails = f"does not run: TypeError: {error}"
    one = trained(iterations=1)
    return [
        Slip(1, "loop", "dz += a - y", "dz = a - y: it belongs to one example", ends(1)),
        Slip(2, "loop", "dw_1 += x*dz, dw_2 += x*dz", "dw_j += x_j*dz: feature j's own value", ends(2)),
        Slip(3, "loop", "db is never divided by m", "db = db / m", ends(3)),
        Slip(4, "both", "b = b - alpha * b", "b = b - alpha * db", f"{ends(4)}; b never leaves 0"),
        Slip(5, "vectorized", "np.zeros(n_x, 1)", "np.zeros((n_x, 1))", fails),
        Slip(6, "vectorized", "J = 0, never computed", "J = mean(L(A, Y))", "training can't be watched: J stays 0"),
        Slip(7, "loop", "two features, written out", "a second loop, over n_x features", ends(7)),
        Slip(8, "both", "one pass is shown", "the iterations wrap it", f"J stops at {one:.3g} after one pass"),
    ]
