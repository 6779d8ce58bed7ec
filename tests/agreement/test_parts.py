"""Expected of parts, put together: the reference of the whole, within its own rounding, and a bound that holds."""

import numpy as np
import pytest

from bench.agreement import Disagreement, expect, judge
from bench.agreement.parts import U, together
from bench.problem import Problem, make_problem
from kernels import KERNELS

PROBLEM = make_problem(101, 5, seed=3)


def parts(size: int, problem: Problem = PROBLEM) -> list[tuple[int, object]]:
    cut = [slice(start, min(start + size, problem.m)) for start in range(0, problem.m, size)]
    made = [Problem(problem.w, problem.b, problem.X[:, s], problem.Y[s], "F") for s in cut]
    return [(part.m, expect(part)) for part in made]


@pytest.mark.parametrize("size", [1, 7, 50, 101])
def test_parts_are_the_whole(size: int) -> None:
    whole, joined = expect(PROBLEM), together(parts(size))  # type: ignore[arg-type]
    # A few roundings apart, each by u times the sum of magnitudes at most.
    for name in ("J", "dw", "db"):
        off = np.abs(getattr(joined, name) - getattr(whole, name))
        assert (off <= 4 * U * getattr(whole, f"{name}_size")).all(), name
    for name in ("J_size", "db_size", "dw_size", "db_bound", "dw_bound"):
        assert np.allclose(getattr(joined, name), getattr(whole, name), rtol=0.5), name
    assert joined.J_bound == pytest.approx(whole.J_bound, rel=0.5)
    for kernel in KERNELS.values():
        judge(kernel.name, kernel(PROBLEM.w, PROBLEM.b, PROBLEM.X, PROBLEM.Y), joined, kernel.cost_from)


def test_a_lost_part_is_outside_the_bound() -> None:
    with pytest.raises(Disagreement):
        judge("whole", KERNELS["numpy_vectorized"](PROBLEM.w, PROBLEM.b, PROBLEM.X, PROBLEM.Y), together(parts(7)[1:]))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no parts"):
        together([])
