"""Counts: interpreted instructions, bytes, and arithmetic in machine code."""

import platform
from dataclasses import replace
from typing import Any

import numba
import pytest

from bench.measure import counts
from bench.problem import make_problem
from bench.results import LOOP, VECTORIZED
from kernels import KERNELS, Kernel

LOOP_IN_CODE = """
\tvmulsd\t%xmm0, %xmm1, %xmm0
.LBB0_1:
\tvaddsd\t%xmm0, %xmm1, %xmm0
.LBB0_2:
\tvfmadd231pd\t(%rsi,%rax,8), %zmm1, %zmm0
\tvaddpd\t%ymm0, %ymm1, %ymm2
\tvmulsd\t%xmm0, %xmm1, %xmm0
\tvmovupd\t%zmm0, (%rsi)
\tjne\t.LBB0_2
\tjb\t.LBB0_1
"""


def test_arithmetic_is_counted_in_innermost_loops_only() -> None:
    assert counts.arithmetic(LOOP_IN_CODE) == {
        "packed": 2,
        "scalar": 1,
        "lanes": 8.0,
        "division_lanes": 1.0,
        "calls_exp": 0.0,
    }
    assert counts.arithmetic("\tvaddsd\t%xmm0, %xmm1, %xmm0\n") is None


def test_two_jumps_back_to_a_label_are_one_loop() -> None:
    two = ".LBB0_1:\n\tvaddsd\t%xmm0, %xmm1, %xmm0\n\tja\t.LBB0_1\n\tvdivpd\t%ymm0, %ymm1, %ymm0\n\tjb\t.LBB0_1\n"
    counted = counts.arithmetic(two)
    assert counted is not None and (counted["packed"], counted["scalar"], counted["division_lanes"]) == (1, 1, 4.0)
    # Where another loop lies before the second jump, the loop inside ends at the first: 1 and 1 again, of two loops.
    with_another = two.replace("\tjb", ".LBB0_2:\n\tvmulsd\t%xmm0, %xmm1, %xmm0\n\tjne\t.LBB0_2\n\tjb")
    counted = counts.arithmetic(with_another)
    assert counted is not None and (counted["packed"], counted["scalar"]) == (0, 2)


def test_a_call_of_exp_is_seen() -> None:
    for call in ("\tmovabsq\t$exp, %rax\n", "\tcallq\texp@PLT\n", "\tcallq\t_exp\n"):
        counted = counts.arithmetic(LOOP_IN_CODE + call)
        assert counted is not None and counted["calls_exp"] == 1.0
    counted = counts.arithmetic(LOOP_IN_CODE + "\tmovabsq\t$exp2, %rax\n\tcallq\texperiment\n")
    assert counted is not None and counted["calls_exp"] == 0.0


def test_bytes_moved_by_array_operations() -> None:
    # By hand, 8 bytes each: Z reads X, writes 1; + b 2; -Z 2; exp 2; 1 + 2; 1 / 2; two logs, 1 - Y and 1 - A 2 each;
    # two products and their sum 3 each; mean 1; A - Y 3; X dZ reads X and 1; sum 1. X is read twice.
    counted = counts.traffic(KERNELS["numpy_textbook"])
    assert counted == {"moved_per_element": 16.0, "moved_per_example": 8.0 * 34, "made_per_example": 8.0 * 14}
    buffers = counts.traffic(KERNELS["numpy_buffers"])
    # Only the mask Z >= 0 is new, a byte each.
    assert buffers["made_per_example"] == 1.0 and buffers["moved_per_element"] == 16.0
    for name in (VECTORIZED, "numpy_buffers"):
        problem = make_problem(7, 3)
        plain = KERNELS[name].function(problem.w, problem.b, problem.X, problem.Y)
        w, X, Y = (array.view(counts.Counting) for array in (problem.w, problem.X, problem.Y))
        assert KERNELS[name].function(w, problem.b, X, Y)[0] == plain[0]


def test_interpreted_instructions_and_bytes() -> None:
    loop, lists = (counts.interpreted(KERNELS[name]) for name in (LOOP, "python_lists"))
    assert loop["instructions_per_element"] > lists["instructions_per_element"] > 10.0
    # np.dot does the work of the elements.
    assert counts.interpreted(KERNELS["numpy_dot_in_loop"])["instructions_per_element"] == 0.0
    # At least Z, E and A live at once; the buffers are there already.
    assert counts.allocated(KERNELS[VECTORIZED])["bytes_per_example"] >= 24.0
    assert counts.allocated(KERNELS["numpy_buffers"])["bytes_per_example"] < 8.0


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        ("interpreted", {"instructions_per_element", "instructions_per_example"}),
        ("arrays", {"bytes_per_example", "moved_per_element", "moved_per_example", "made_per_example"}),
        ("library", set()),
    ],
)
def test_what_is_counted_is_the_work_of_a_kernel(work: str, expected: set[str]) -> None:
    kernel = next((kernel for kernel in KERNELS.values() if kernel.work == work), Kernel("x", "x", "X.", len))
    assert set(counts.of_kernel(kernel) or {}) == expected


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads the machine code of x86")
def test_the_arithmetic_of_compiled_code_is_counted() -> None:
    compiled = next(kernel for kernel in KERNELS.values() if kernel.work == "compiled")
    function: Any = compiled.function
    anew = replace(compiled, function=numba.jit(**function.targetoptions)(function.py_func))
    counted = counts.of_kernel(anew)
    assert counted is not None and counted["packed"] + counted["scalar"] > 0
