"""Lesson 0: every derivative holds against numbers, and every slip costs something."""

import math

import numpy as np
import pytest

from bench.problem import make_problem
from bench.report.chapters import notes
from bench.report.lessons import derivation
from kernels import KERNELS
from tests.factories import run as made


def test_every_formula_agrees_with_the_numbers() -> None:
    for check in derivation.checks():
        # Central differences are off by about the square of their step, the complex step by rounding alone.
        bound = 1e-9 if check.method == "central differences" else 1e-13
        assert check.apart < bound and check.by_formula == pytest.approx(check.by_difference, abs=bound), check.step


def test_a_wrong_formula_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derivation, "sigma", lambda z: 1.0 / (1.0 + np.exp(-2.0 * z)))
    assert max(check.apart for check in derivation.checks()) > 0.1


def test_the_complex_step_by_hand() -> None:
    assert derivation.complex_step(lambda x: x**3, 2.0) == pytest.approx(12.0, rel=1e-15)
    assert derivation.complex_step(np.exp, 1.0) == pytest.approx(math.e, rel=1e-15)


@pytest.mark.parametrize("slip", [1, 2, 3, 4, 7])
def test_a_slip_ends_at_a_higher_cost(slip: int) -> None:
    assert derivation.trained(slip) > derivation.trained() + 1e-3


def test_without_a_slip_the_gradient_is_that_of_the_ladder() -> None:
    problem = make_problem(40, 3, seed=5)
    _, dw, db = KERNELS["numpy_vectorized"](problem.w, problem.b, problem.X, problem.Y)
    mine, bias = derivation.gradient(problem.w, problem.b, problem.X, problem.Y)
    assert mine == pytest.approx(dw, rel=1e-12) and bias == pytest.approx(db, rel=1e-12)


def test_all_eight_slips_are_told_apart() -> None:
    slips = derivation.slips()
    assert [slip.number for slip in slips] == list(range(1, 9)) and all(slip.cost for slip in slips)
    assert "TypeError" in slips[4].cost


def test_the_section_needs_nothing_of_a_run() -> None:
    section = notes.section(made([]))
    assert section is not None and [len(table.rows) for table in section.tables] == [7, 8]
