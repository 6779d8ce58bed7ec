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
from bench.grid import PRECISIONS, Dtype, Order
from bench.problem import Problem, make_problem
from kernels import KERNELS, Kernel, _pages, gradient_descent, numba_fused, numba_passes
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


# Of float32, the bits of every x <= 0, and of minus infinity.
FIRST, LAST = 0x80000000, 0xFF800000


def ulps_32(bits: Array) -> Array:
    """The error of exp against float64's, in units of the last place of the right result, subnormal ones included."""
    x: Array = bits.astype(np.uint32).view(np.float32)
    exact = np.exp(x.astype(np.float64))
    error: Array = np.abs(exp_of(x) - exact) / np.spacing(exact.astype(np.float32)).astype(np.float64)
    return error


def test_exp_in_float32_is_within_two_ulp_at_every_97th_input_and_the_ends() -> None:
    bits = np.arange(FIRST, LAST + 1, 97)
    assert bits.size > 20_000_000 and ulps_32(bits).max() <= 2.0
    # Of the middle, -103 to -104.5: e^x is 0 from there on.
    ends = np.r_[FIRST : FIRST + 10_000, 0xC2CE0000:0xC2D10000, LAST - 10_000 : LAST + 1]
    assert ulps_32(ends).max() <= 2.0


@pytest.mark.exhaustive
def test_exp_in_float32_is_within_two_ulp_at_every_input() -> None:
    for start in range(FIRST, LAST + 1, 2**22):
        worst = ulps_32(np.arange(start, min(start + 2**22, LAST + 1))).max()
        assert worst <= 2.0, hex(start)


def test_an_error_of_three_ulp_would_be_noticed_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    off = exp_of
    monkeypatch.setitem(globals(), "exp_of", lambda x: off(x) * np.float32(1.0 + 6 * PRECISIONS["float32"].u))
    assert ulps_32(np.arange(0xBF800000, 0xC2000000, 997)).max() > 2.0


def test_exp_in_float32_at_the_ends() -> None:
    x = np.array([0.0, -0.0, -104.0, -3e38, -np.inf], np.float32)
    assert exp_of(x).tolist() == [1.0, 1.0, 0.0, 0.0, 0.0]
    assert exp_of(np.array([-103.9], np.float32)).item() == exp_of(np.array([-103.0], np.float32)).item() == 2.0**-149
    assert np.isnan(exp_of(np.array([np.nan] * 9, np.float32))).all()
    assert exp_of(x).dtype == np.float32


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("kernel", FUSED, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize(
    ("m", "n_x"),
    [
        *((1, 12_288), (5, 2_048), (63, 7), (64, 8), (65, 9), (1_025, 2), (4_099, 17), (5_000, 40), (301, 600)),
        *((1, 96), (7, 192), (1_003, 128), (2_003, 193), (10, 768), (33, 769)),
    ],
)
def test_blocks_and_their_tails(kernel: Kernel, order: Order, m: int, n_x: int, dtype: Dtype) -> None:
    agreement.check(kernel, make_problem(m, n_x, seed=m, order=order).rounded(dtype, order))


@pytest.mark.parametrize("kernel", FUSED, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("order", ["F", "C"])
def test_the_sums_of_many_examples_in_float32_are_those_of_spans(kernel: Kernel, order: Order) -> None:
    assert max(numba_passes.SPAN, numba_fused.SPAN) < 150_000
    agreement.check(kernel, make_problem(150_001, 3, order=order).rounded("float32", order))
    # In spans the error is that of a short sum: a hundredth of what float32's worst case of this many terms allows.
    ones = Problem(np.zeros(2), 0.0, np.ones((2, 300_000)), np.ones(300_000), "F").rounded("float32", order)
    _, dw, db = kernel(ones.w, ones.b, ones.X, ones.Y)
    assert np.allclose(dw, -0.5, rtol=0.01 * 300_000 * PRECISIONS["float32"].u) and db == -0.5


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("fours", [0, 1, 300])
def test_examples_of_a_page_one_or_four_at_a_time(fours: int, dtype: Dtype) -> None:
    # One at a time is for an X larger than the last cache. Here it is called directly, with more examples than factors.
    problem = make_problem(2_403, 100, seed=3).rounded(dtype, "F")
    w, b, m, zeros = problem.w, problem.X.dtype.type(problem.b), problem.m, np.zeros(100, dtype)
    J, dw, db = _pages.by_pages(w, b, problem.X.T, problem.Y, 0, m, fours, zeros)
    agreement.judge("by_pages", (J / m, (dw / m).astype(dtype), db / m), agreement.expect(problem))


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("kernel", FUSED, ids=lambda kernel: kernel.name)
def test_many_blocks_take_the_logarithm_before_the_product_overflows(kernel: Kernel, dtype: Dtype) -> None:
    # At z = 0 every factor is 2: a product of more than 1023 of them, or 127 in float32, would be infinite.
    m = 700_000
    problem = Problem(np.zeros(1), 0.0, np.ones((1, m)), np.ones(m), "F").rounded(dtype, "F")
    J, _, _ = kernel(problem.w, problem.b, problem.X, problem.Y)
    assert pytest.approx(np.log(2.0), rel=1e-12 if dtype == "float64" else 1e-6) == J


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", ["numba_loop", "numba_fused"])
def test_descent_with_compiled_iterations_ends_at_the_same_place(name: str, dtype: Dtype) -> None:
    problem = make_problem(200, 5, seed=2).rounded(dtype, "F")
    kernel, digits = KERNELS[name], PRECISIONS[dtype].u / PRECISIONS["float64"].u
    apart, together = (
        gradient_descent(kernel, problem.X, problem.Y, 0.1, 30, compiled=compiled) for compiled in (False, True)
    )
    assert np.allclose(apart.costs, together.costs, rtol=1e-13 * digits)
    assert np.allclose(apart.w, together.w, rtol=1e-11 * digits)
    assert together.w.dtype == dtype and type(together.b) is float


LOOPS = ("forward_rows", "backward_rows", "forward_columns", "backward_columns", "activate")
# In a separate process, because the tests compile without optimizing.
READ_CODE = r"""
import re
from bench.problem import make_problem
from kernels import KERNELS, numba_passes
for order in "FC":
    for dtype in ("float64", "float32"):
        problem = make_problem(50, 9, order=order).rounded(dtype, order)
        for name in ("numba_passes", "numba_loop"):
            KERNELS[name](problem.w, problem.b, problem.X, problem.Y)
def codes(function, dtype):
    return "".join(code for types, code in function.inspect_asm().items() if dtype in str(types))
for dtype, kind in (("float64", "pd"), ("float32", "ps")):
    for name in LOOPS:
        # Four float64 or eight float32 at least; and no float32 is made a float64 on the way.
        packed = re.search(r"v(fmadd|mul)\w*" + kind + r"\s.*%[yz]mm", codes(getattr(numba_passes, name), dtype))
        widened = dtype == "float32" and "vcvtps2pd" in codes(getattr(numba_passes, name), dtype)
        print(name, dtype, bool(packed and not widened))
strict = codes(KERNELS["numba_loop"].function, "float64")
print("numba_loop", "float64", bool(re.search(r"vfmadd\w*pd\s.*%[yz]mm", strict)))
"""


@pytest.fixture(scope="module")
def vectorized() -> dict[tuple[str, str], bool]:
    """Name, dtype -> whether the code that Numba generates has packed arithmetic on registers of 32 bytes or more."""
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_OPT"}
    done = subprocess.run(
        [sys.executable, "-c", f"LOOPS = {LOOPS}\n{READ_CODE}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return {(name, dtype): packed == "True" for name, dtype, packed in map(str.split, done.stdout.splitlines())}


@pytest.mark.skipif(not WIDE, reason="this CPU has no AVX2, so its registers have room for two numbers only")
@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", LOOPS)
def test_hot_loops_are_vectorized(vectorized: dict[tuple[str, str], bool], name: str, dtype: str) -> None:
    assert vectorized[name, dtype], f"{name} is scalar in {dtype}, or widens it"


@pytest.mark.skipif(not WIDE, reason="this CPU has no AVX2, so its registers have room for two numbers only")
def test_that_check_can_fail(vectorized: dict[tuple[str, str], bool]) -> None:
    # Strict arithmetic fuses nothing.
    assert not vectorized["numba_loop", "float64"]


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
