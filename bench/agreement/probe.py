"""What a kernel must answer before anything is timed, on a few examples: three calls, not one.

A kernel may be right once and wrong ever after: it may keep what it computed for this shape or these arrays, return
memory that its next call overwrites, or write to its inputs. So it computes one problem, another in the very same
arrays, and the first again; then every output must be right, and must still be what it was when it was returned.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.agreement import slips
from bench.agreement.bounds import Disagreement, Expected, expect, judge
from bench.problem import Problem
from kernels import Kernel

EXAMPLES = 8
STEEP = 12.0  # |z| of the other problem: below 15.9, where an activation rounds to 1 in float32


@dataclass(frozen=True)
class Question:
    """A small problem and what is expected of it."""

    problem: Problem
    expected: Expected


def questions(problem: Problem) -> tuple[Question, Question]:
    """The first examples of a problem; and another problem of that shape, every output of which is different."""
    one = problem.head(EXAMPLES)
    w, b, X, Y = 0.5 * one.w + 0.125, one.b - 0.375, -0.5 * one.X, 1.0 - one.Y
    # Steep, since what is wrong with large z only would pass where all are small; and with the steepest label wrong, or
    # a cost could be so tiny that it has lost its digits.
    Z = np.dot(w, X)
    steepest = int(np.argmax(np.abs(Z)))
    if Z[steepest] != 0.0:
        w *= STEEP / abs(Z[steepest])
        Y[steepest] = float(Z[steepest] < 0.0)
    other = Problem(one.w, one.b, X, Y, one.order).at(w, b)
    return Question(one, expect(one)), Question(other, expect(other))


def ask(label: str, kernel: Kernel, pair: tuple[Question, Question]) -> None:
    """Call a kernel on the one problem, the other, and the one again.

    Raises:
        Disagreement: For a wrong answer, with the likely slip where it is recognised; for an answer that is
            overwritten later; for inputs that are written to.
    """
    one, other = pair
    w, X, Y = one.problem.w.copy(), one.problem.X.copy(order="K"), one.problem.Y.copy()
    first = kernel.bind(w, one.problem.b, X, Y)
    answers = []
    for turn, question in enumerate((one, other, one)):
        problem = question.problem
        w[:], X[:], Y[:] = problem.w, problem.X, problem.Y
        call = kernel.bind(w, problem.b, X, Y) if question is other else first
        outputs = call()
        with _hint(outputs, question, repeated=turn > 0):
            judge(label, outputs, question.expected, kernel.cost_from)
        for name, array, before in (("w", w, problem.w), ("X", X, problem.X), ("Y", Y, problem.Y)):
            if not np.array_equal(array, before):
                raise Disagreement(f"{label}: it writes to {name}, which belongs to the caller; work on a copy")
        answers.append((outputs, [np.array(np.asarray(output)) for output in outputs]))
    for outputs, copies in answers:
        for name, output, copy in zip(slips.OUTPUTS, outputs, copies, strict=True):
            if not np.array_equal(np.asarray(output), copy):
                raise Disagreement(
                    f"{label}: {name} changed after it was returned: its memory is written to by the next call or by "
                    "the caller; return a new array"
                )


@contextmanager
def _hint(outputs: Any, question: Question, repeated: bool) -> Iterator[None]:
    """Add to a disagreement how many examples it was on, and what is likely wrong."""
    try:
        yield
    except Disagreement as error:
        message = f"{error}; on {question.problem.m} examples"
        if repeated:
            raise Disagreement(f"{message}, after a right answer: does it keep something between calls?") from None
        likely = slips.slip(outputs, question.problem, question.expected)
        raise Disagreement(f"{message}. Likely: {likely}" if likely else message) from None


def line(error: Exception, kernel: Kernel) -> str:
    """Where in the kernel's own file an error was raised, as "at my_kernel.py, line 7: ", or nothing."""
    function = getattr(kernel.function, "py_func", kernel.function)
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f"at {Path(str(file)).name}, line {lines[-1]}: " if lines else ""
