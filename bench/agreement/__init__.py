"""The gate that every kernel passes before it is timed: bounds from the theory of rounding, and a probe.

`bounds` compares outputs with the reference, `probe` calls a kernel three times on few examples, `points` is where it
is called while it is timed, and `slips` names the likely mistake behind a wrong answer.
"""

from bench.agreement.bounds import (
    Agreement,
    Disagreement,
    Expected,
    ExpectedDescent,
    agrees,
    check,
    expect,
    expect_descent,
    judge,
    judge_descent,
)
from bench.agreement.points import Point, points
from bench.agreement.probe import Question, ask, line, questions

__all__ = [
    "Agreement",
    "Disagreement",
    "Expected",
    "ExpectedDescent",
    "Point",
    "Question",
    "agrees",
    "ask",
    "check",
    "expect",
    "expect_descent",
    "judge",
    "judge_descent",
    "line",
    "points",
    "questions",
]
