"""Slips: the likely mistake behind a wrong answer, in words."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from bench import agreement
from bench.agreement import Disagreement, slips
from bench.problem import make_problem
from kernels import KERNELS, Kernel
from kernels._kernel import Array


def mistakes() -> dict[str, tuple[Callable[..., Any], str]]:
    """Slips that students make, and the words that they should get."""
    right = KERNELS["numpy_vectorized"].function

    def loop(w: Array, b: float, X: Array, Y: Array, summed: bool = False, first_x: bool = False) -> Any:
        J, dw, db, dz = 0.0, np.zeros(w.size), 0.0, 0.0
        for i in range(Y.size):
            z = float(w @ X[:, i]) + b
            a = 1 / (1 + np.exp(-z))
            J += -(Y[i] * np.log(a) + (1 - Y[i]) * np.log(1 - a))
            dz = dz + a - Y[i] if summed else a - Y[i]
            dw += (X[0, i] if first_x else X[:, i]) * dz
            db += dz
        return float(J / Y.size), dw / Y.size, float(db / Y.size)

    def single(w: Array, b: float, X: Array, Y: Array) -> Any:
        J, dw, db = right(*(np.asarray(part, np.float32) for part in (w, b, X, Y)))
        return float(J), dw.astype(float), float(db)

    def course(w: Array, b: float, X: Array, Y: Array) -> Any:
        A = 1 / (1 + np.exp(-(w.reshape(-1, 1).T @ X + b)))  # (1, m)
        return right(w, b, X, Y)[0], X @ (A - Y).T / Y.size, np.mean(A - Y)

    def broadcast(w: Array, b: float, X: Array, Y: Array) -> Any:
        A = 1 / (1 + np.exp(-(X.T @ w.reshape(-1, 1) + b)))  # (m, 1)
        return right(w, b, X, Y)[0], X @ (A - Y) / Y.size, np.mean(A - Y)

    def of(change: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
        return lambda *inputs: change(*right(*inputs))

    return {
        "no 1/m": (of(lambda J, dw, db: (J, dw * 8, db)), "dw is never divided by m (here 8)"),
        "db a sum": (of(lambda J, dw, db: (J, dw, db * 8)), "db is never divided by m"),
        "1/m twice": (of(lambda J, dw, db: (J, dw / 8, db)), "dw is divided by m (here 8) twice"),
        "dz summed": (partial(loop, summed=True), "dz is summed across the examples"),
        "first x": (partial(loop, first_x=True), "first feature's x"),
        "y - a": (of(lambda J, dw, db: (J, -dw, -db)), "dw has the wrong sign: dz is a - y, not y - a"),
        "sign of J": (of(lambda J, dw, db: (-J, dw, db)), "J has the wrong sign: the loss is -("),
        "labels": (lambda w, b, X, Y: right(w, b, X, 1 - Y), "The labels are exchanged"),
        "no b": (lambda w, _, X, Y: right(w, 0.0, X, Y), "b is not added"),
        "b twice": (lambda w, b, X, Y: right(w, 2 * b, X, Y), "b is added twice"),
        "range(m - 1)": (lambda w, b, X, Y: right(w, b, X[:, :-1], Y[:-1]), "The last example is left out"),
        "range(1, m)": (lambda w, b, X, Y: right(w, b, X[:, 1:], Y[1:]), "The first example is left out"),
        "no db": (of(lambda J, dw, _: (J, dw, 0.0)), "db is 0: it is never computed"),
        "J as 0": (of(lambda _, dw, db: (0, dw, db)), "J has whole numbers: does it keep its initial 0"),
        "J is NaN": (of(lambda _, dw, db: (np.nan, dw, db)), "J is not finite: log(0)"),
        "single": (single, "single precision (float32)"),
        "float32": (of(lambda J, dw, db: (J, dw.astype(np.float32), db)), "dw is in single precision"),
        "None": (lambda *_: None, "The function returns nothing"),
        "list": (of(lambda J, dw, db: [J, dw, db]), "it returns a list, not a tuple"),
        "two": (of(lambda _, dw, db: (dw, db)), "return J, dw, db, in this order"),
        "order": (of(lambda J, dw, db: (db, dw, J)), "J has the value of db: the order is (J, dw, db)"),
        "(1, m)": (course, "dw.ravel()"),
        "(m, 1)": (broadcast, "broadcasts to a matrix"),
        "losses": (of(lambda J, dw, db: (np.full(8, J), dw, db)), "J has an element for each example"),
        "[J]": (of(lambda J, dw, db: (np.array([J]), dw, db)), "float(J.item())"),
        "J half": (
            lambda w, b, X, Y: (float(np.mean(Y * np.log1p(np.exp(-(w @ X + b))))), *right(w, b, X, Y)[1:]),
            "J counts only the examples of label 1",
        ),
        "a for dz": (
            lambda w, b, X, Y: (right(w, b, X, Y)[0], X @ (1 / (1 + np.exp(-(w @ X + b)))) / Y.size, 0.5),
            "a stands where dz = a - y belongs",
        ),
    }


@pytest.mark.parametrize("what", mistakes())
def test_the_likely_slip_is_named(what: str) -> None:
    function, words = mistakes()[what]
    kernel = Kernel("mine", "mine", "Mine.", function, cost_from="a")
    for problem in (make_problem(1_000, 3), make_problem(1_000, 5, seed=4, order="C")):
        with pytest.raises(Disagreement, match=r"^mine: .*; on 8 examples\. Likely: ") as raised:
            agreement.ask("mine", kernel, agreement.questions(problem))
        assert words in str(raised.value)


def test_an_unknown_slip_gets_no_hint_and_a_right_kernel_no_word() -> None:
    (question, _) = agreement.questions(make_problem(50, 3))
    inputs = question.problem.w, question.problem.b, question.problem.X, question.problem.Y
    J, dw, db = KERNELS["numpy_vectorized"](*inputs)
    assert slips.slip((J, dw, db), question.problem, question.expected) is None
    assert slips.slip((J + 0.01, dw, db), question.problem, question.expected) is None
    assert slips.slip((J, [[1.0], [1.0, 2.0]], db), question.problem, question.expected) is None
