"""The fused kernels: their exp against mpmath, their blocks against the reference, and the code that LLVM generates."""

import os
import re
import subprocess
import sys
from typing import Any

import llvmlite.binding
import numba
import numpy as np
import pytest
from mpmath.libmp import from_float, mpf_exp, mpf_sub, to_float

from bench import agreement
from bench.grid import PRECISIONS
from bench.problem import Problem, make_problem
from kernels import KERNELS, gradient_descent, numba_fused
from kernels._exp import exp
from kernels._kernel import Array
from tests.conftest import ROOT


@numba.njit  # type: ignore[untyped-decorator, unused-ignore]
def exp_of(x):  # type: ignore[no-untyped-def]
    """`exp` as the kernels call it: in a loop."""
    results = np.empty_like(x)
    for i in range(x.size):
        results[i] = exp(x[i])
    return results


FUSED = [KERNELS[name] for name in ("numba_passes", "numba_fused", "numba_fused_parallel")]
WIDE = llvmlite.binding.get_host_cpu_features().get("avx2", False)


def ulps(x: Array) -> Array:
    """The error of exp against mpmath, in units of the last place of the right result, subnormal ones included."""
    exact = [mpf_exp(from_float(value), 120) for value in x.tolist()]
    high = np.array([to_float(value) for value in exact])
    low = np.array([to_float(mpf_sub(value, from_float(part))) for value, part in zip(exact, high, strict=True)])
    error: Array = np.abs((exp_of(x) - high) - low)
    of_last_place: Array = error / np.spacing(high)
    return of_last_place


def test_exp_is_within_two_ulp_over_its_whole_range() -> None:
    rng = np.random.default_rng(7)
    parts = [
        rng.uniform(-745.1, 0.0, 400_000),
        rng.uniform(-40.0, 0.0, 400_000),
        rng.uniform(-745.1, -708.0, 150_000),  # subnormal results
        -(10.0 ** rng.uniform(-300.0, 0.0, 50_000)),
    ]
    assert sum(part.size for part in parts) >= 1_000_000
    assert ulps(np.concatenate(parts)).max() <= 2.0


def test_an_error_of_three_ulp_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    off = exp_of
    monkeypatch.setitem(globals(), "exp_of", lambda x: off(x) * (1.0 + 6 * PRECISIONS["float64"].u))
    assert ulps(np.linspace(-700.0, -1.0, 1_000)).max() > 2.0


def test_exp_at_the_ends() -> None:
    x = np.array([0.0, -0.0, -746.0, -1e308, -np.inf])
    assert exp_of(x).tolist() == [1.0, 1.0, 0.0, 0.0, 0.0]
    assert exp_of(np.array([-745.1])).item() == exp_of(np.array([-744.5])).item() == 2.0**-1074
    assert np.isnan(exp_of(np.array([np.nan] * 9))).all()


@pytest.mark.parametrize("kernel", FUSED, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize(
    ("m", "n_x"),
    [
        *((1, 12_288), (5, 2_048), (63, 7), (64, 8), (65, 9), (1_025, 2), (4_099, 17), (5_000, 40), (301, 600)),
        *((1, 96), (7, 192), (1_003, 128), (2_003, 193), (10, 768), (33, 769)),
    ],
)
def test_blocks_and_their_tails(kernel: object, order: str, m: int, n_x: int) -> None:
    agreement.check(kernel, make_problem(m, n_x, seed=m, order=order))  # type: ignore[arg-type]


@pytest.mark.parametrize("fours", [0, 1, 300])
def test_examples_of_a_page_one_or_four_at_a_time(fours: int) -> None:
    # One at a time is for an X larger than the last cache. Here it is called directly, with more examples than factors.
    problem = make_problem(2_403, 100, seed=3)
    J, dw, db = numba_fused.by_pages(problem.w, problem.b, problem.X.T, problem.Y, 0, problem.m, fours, np.zeros(100))
    expected = agreement.expect(problem)
    agreement.judge("by_pages", (J / problem.m, dw / problem.m, db / problem.m), expected)


@pytest.mark.parametrize("kernel", FUSED, ids=lambda kernel: kernel.name)
def test_many_blocks_take_the_logarithm_before_the_product_overflows(kernel: object) -> None:
    # At z = 0 every factor is 2: a product of more than 1023 of them would be infinite.
    m = 700_000
    problem = Problem(np.zeros(1), 0.0, np.ones((1, m)), np.ones(m), "F")
    J, _, _ = kernel(problem.w, problem.b, problem.X, problem.Y)  # type: ignore[operator]
    assert pytest.approx(np.log(2.0), rel=1e-12) == J


def test_descent_with_compiled_iterations_ends_at_the_same_place() -> None:
    problem = make_problem(200, 5, seed=2)
    kernel = KERNELS["numba_fused"]
    apart, together = (
        gradient_descent(kernel, problem.X, problem.Y, 0.1, 30, compiled=compiled) for compiled in (False, True)
    )
    assert np.allclose(apart.costs, together.costs, rtol=1e-13)
    assert np.allclose(apart.w, together.w, rtol=1e-11)


LOOPS = ("forward_rows", "backward_rows", "forward_columns", "backward_columns", "activate")
# In a separate process, because the tests compile without optimizing.
READ_CODE = r"""
import re
from bench.problem import make_problem
from kernels import KERNELS, numba_passes
for order in "FC":
    problem = make_problem(50, 9, order=order)
    for name in ("numba_passes", "numba_loop"):
        KERNELS[name](problem.w, problem.b, problem.X, problem.Y)
for name in LOOPS:
    code = "".join(getattr(numba_passes, name).inspect_asm().values())
    print(name, bool(re.search(r"v(fmadd|mul)\w*pd\s.*%[yz]mm", code)))
strict = "".join(KERNELS["numba_loop"].function.inspect_asm().values())
print("numba_loop", bool(re.search(r"vfmadd\w*pd\s.*%[yz]mm", strict)))
"""


@pytest.fixture(scope="module")
def vectorized() -> dict[str, bool]:
    """Name -> whether the code that Numba generates has packed arithmetic on registers of four numbers or more."""
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_OPT"}
    done = subprocess.run(
        [sys.executable, "-c", f"LOOPS = {LOOPS}\n{READ_CODE}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name: packed == "True" for name, packed in (line.split() for line in done.stdout.splitlines())}


@pytest.mark.skipif(not WIDE, reason="this CPU has no AVX2, so its registers have room for two numbers only")
@pytest.mark.parametrize("name", LOOPS)
def test_hot_loops_are_vectorized(vectorized: dict[str, bool], name: str) -> None:
    assert vectorized[name], f"{name} is scalar"


@pytest.mark.skipif(not WIDE, reason="this CPU has no AVX2, so its registers have room for two numbers only")
def test_that_check_can_fail(vectorized: dict[str, bool]) -> None:
    # Strict arithmetic fuses nothing.
    assert not vectorized["numba_loop"]


@pytest.mark.parametrize("name", ["numba_parallel", "numba_fused_parallel"])
def test_a_call_wakes_its_threads_once(name: str) -> None:
    """An operation on whole arrays under parallel=True would wake them once more."""
    kernel, problem = KERNELS[name], make_problem(50, 9)
    function: Any = kernel.function
    again = numba.jit(**function.targetoptions)(function.py_func)
    again(problem.w, problem.b, problem.X, problem.Y, 2)
    (code,) = again.inspect_llvm().values()
    assert woken(code) == 1


def test_threads_woken_twice_would_be_noticed() -> None:
    @numba.njit(parallel=True)  # type: ignore[untyped-decorator, unused-ignore]
    def twice(x):  # type: ignore[no-untyped-def]
        for i in numba.prange(x.size):
            x[i] += 1.0
        total = 0.0
        for i in range(x.size):
            total += x[i]
        return x / total

    twice(np.ones(9))
    assert {woken(code) for code in twice.inspect_llvm().values()} == {2}


def woken(llvm: str) -> int:
    return len(re.findall(r"call \w+ @numba_parallel_for\(", llvm))
