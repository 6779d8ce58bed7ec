"""The slip behind a wrong answer, if it is a common one: each is made on purpose, and its outputs compared."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bench.agreement.bounds import Expected
from bench.problem import Problem
from kernels._kernel import Array

OUTPUTS = ("J", "dw", "db")
Outputs = dict[str, Any]


def slip(outputs: Any, problem: Problem, expected: Expected) -> str | None:
    """One or two sentences on what is likely wrong with the outputs of a kernel, or None; for a small problem."""
    if outputs is None:
        return "The function returns nothing: end it with return J, dw, db."
    if isinstance(outputs, list) and len(outputs) == 3:
        return "Write return J, dw, db without brackets: it returns a list, not a tuple."
    if not isinstance(outputs, tuple) or len(outputs) != 3:
        return "End the function with return J, dw, db, in this order."
    try:
        got = {name: np.asarray(value) for name, value in zip(OUTPUTS, outputs, strict=True)}
    except ValueError:
        return None
    for name, value in got.items():
        hint = _of_shape(name, value, problem) or _of_dtype(name, value)
        if hint is not None:
            return hint
    right: Outputs = {"J": expected.J, "dw": expected.dw, "db": expected.db}
    hints = [
        _of_value(name, got, right, problem) for name in OUTPUTS if not _close(got[name], right[name], relative=1e-13)
    ]
    sentences = list(dict.fromkeys(sentence for sentence in hints if sentence is not None))
    return " ".join(sentences[:2]) or None


def _of_shape(name: str, value: Any, problem: Problem) -> str | None:
    n_x, m = problem.n_x, problem.m
    if name == "dw":
        if value.shape in ((n_x, 1), (1, n_x)):
            return f"dw is a matrix of one column or row; return dw.ravel(), of shape (n_x,) = ({n_x},)."
        if value.ndim == 2:
            return (
                "(m, 1), or (1, m), against (m,) broadcasts to a matrix without an error; give Z and A the shape of Y, "
                "(m,)."
            )
        return "dw needs an element for each feature: do not sum over the features." if value.ndim == 0 else None
    if value.shape == () or value.size == 0:
        return None
    if value.size == 1:
        return f"{name} is an array of one element: float({name}.item()) is a number."
    if value.shape == (m,):
        return f"{name} has an element for each example: take the mean over them."
    return None


def _of_dtype(name: str, value: Array) -> str | None:
    if value.dtype == np.float32:
        return f"{name} is in single precision (float32): the inputs are float64, so all else should be."
    if value.dtype.kind not in "iubfc":
        return f"{name} has dtype {value.dtype}, which is not numbers."
    if value.dtype.kind in "iub":
        return f"{name} has whole numbers: does it keep its initial 0, or is it summed into an array of integers?"
    return None


def _of_value(name: str, got: Outputs, right: Outputs, problem: Problem) -> str | None:
    value = got[name]
    if value.shape != np.shape(right[name]) or value.dtype != np.float64:
        return None
    if not np.isfinite(value).all():
        return f"{name} is not finite: log(0), where a rounded to 0 or 1, an overflow, or a division by 0."
    for sentence, wrong in _slips(name, right, problem):
        if _close(value, wrong) and not _close(wrong, right[name]):
            return sentence
    for other in OUTPUTS:
        if other != name and np.shape(right[other]) == value.shape and _close(value, right[other]):
            return f"{name} has the value of {other}: the order is (J, dw, db)."
    if _close(value, right[name], relative=1e-5):
        return f"{name} is right to about 7 digits: something is computed in single precision (float32)."
    return None


def _close(value: Any, wanted: Any, relative: float = 1e-9) -> bool:
    return bool(np.shape(value) == np.shape(wanted) and np.allclose(value, wanted, rtol=relative, atol=1e-3 * relative))


def _step(w: Array, b: float, X: Array, Y: Array, dz_of: Callable[[Array], Array] = lambda dz: dz) -> Outputs:
    """The step in plain NumPy, on few examples; dz as `dz_of` spoils it."""
    m = max(Y.size, 1)
    Z = np.dot(w, X) + b
    A = 1.0 / (1.0 + np.exp(-Z))
    dZ = dz_of(A - Y)
    losses = np.maximum(Z, 0.0) - Y * Z + np.log1p(np.exp(-np.abs(Z)))
    return {"J": losses.sum() / m, "dw": np.dot(X, dZ) / m, "db": dZ.sum() / m}


def _slips(name: str, right: Outputs, problem: Problem) -> Iterator[tuple[str, Any]]:
    """Sentence, and what the output would be with that slip."""
    w, b, X, Y, m = problem.w, problem.b, problem.X, problem.Y, problem.m
    value = right[name]
    minus = "the loss is -(y log a + (1 - y) log(1 - a))" if name == "J" else "dz is a - y, not y - a"
    yield f"{name} is never divided by m (here {m}): it is a sum over the examples, and should be the mean.", value * m
    yield f"{name} is divided by m (here {m}) twice.", value / m
    yield f"{name} has the wrong sign: {minus}.", -value
    yield f"{name} has the wrong sign, and is never divided by m: {minus}.", -value * m
    yield f"{name} is 0: it is never computed.", np.zeros_like(value)
    summed = "dz is summed across the examples (dz += a - y): it belongs to one example, so dz = a - y"
    wholes = {
        "The labels are exchanged: 1 - y stands where y belongs": _step(w, b, X, 1.0 - Y),
        "b is not added: z = w.x + b": _step(w, 0.0, X, Y),
        "b is added twice": _step(w, 2.0 * b, X, Y),
        "The sign of z is wrong: a = 1 / (1 + exp(-z))": _step(-w, -b, X, Y),
        "The last example is left out: range(m) ends before m": _step(w, b, X[:, :-1], Y[:-1]),
        "The first example is left out: Python counts from 0": _step(w, b, X[:, 1:], Y[1:]),
    }
    if name != "J":
        wholes[summed] = _step(w, b, X, Y, np.cumsum)
        wholes["a stands where dz = a - y belongs"] = _step(w, b, X, Y, lambda dZ: dZ + Y)
        wholes["The activation's slope a (1 - a) is multiplied in: it cancels, and dz = a - y"] = _step(
            w, b, X, Y, lambda dZ: dZ * (dZ + Y) * (1.0 - dZ - Y)
        )
    for sentence, outputs in wholes.items():
        yield f"{sentence}.", outputs[name]
    for sentence, outputs in wholes.items():
        yield f"{sentence}. And {name} is not divided by m.", outputs[name] * m
        if m > 1 and "left out" in sentence:  # summed over m - 1, divided by m
            yield f"{sentence}.", outputs[name] * (m - 1) / m
    if name == "dw":
        dZ = 1.0 / (1.0 + np.exp(-(np.dot(w, X) + b))) - Y
        first = np.full_like(value, np.dot(X[0], dZ) / m)
        yield "Every dw_j takes the first feature's x (dw_2 += x * dz): it needs its own, x_j.", first
        yield "dw is the mean over the features too: keep one element for each.", np.full_like(value, value.mean())
        yield "x is missing from dw: it is the mean of x * dz.", np.full_like(value, right["db"])
    if name == "J":
        Z = np.dot(w, X) + b
        yield (
            "J counts only the examples of label 1: (1 - y) log(1 - a) is missing.",
            np.sum(Y * np.log1p(np.exp(-Z))) / m,
        )
        half = np.sum((1.0 - Y) * np.log1p(np.exp(Z))) / m
        yield "J counts only the examples of label 0: y log(a) is missing.", half
