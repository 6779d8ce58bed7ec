"""Every kernel against results worked out by hand, the reference, central differences, and its contract."""

import math
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bench import agreement
from bench.grid import PRECISIONS, Dtype, Order
from bench.problem import Problem, make_problem
from kernels import KERNELS, Kernel, reference
from tests.conftest import ROOT

ALL = pytest.mark.parametrize("kernel", KERNELS.values(), ids=list(KERNELS))
SINGLE = pytest.mark.parametrize(
    "kernel", [k for k in KERNELS.values() if "float32" in k.dtypes], ids=lambda kernel: kernel.name
)
# One example, one feature, primes on both sides, more features than examples, and the other way round.
AWKWARD = [(1, 1), (1, 7), (7, 1), (13, 17), (101, 3), (2, 64), (257, 31)]


def test_numba_loop_compiles_the_very_function_of_the_python_loop() -> None:
    python = KERNELS["python_loop"].function
    assert KERNELS["numba_loop"].function.py_func is python  # type: ignore[attr-defined]
    assert KERNELS["numba_fastmath"].function.py_func is python  # type: ignore[attr-defined]


@ALL
def test_a_step_worked_by_hand(kernel: Kernel) -> None:
    # Two examples, two features; z = (0, ln 3), so a = (1/2, 3/4), y = (1, 0).
    X = np.array([[1.0, 1.0], [2.0, 2.0 + math.log(3.0)]])
    J, dw, db = kernel([-2.0, 1.0], 0.0, X, [1.0, 0.0])
    # Losses ln 2 and ln 4; dz = (-1/2, 3/4).
    assert pytest.approx((math.log(2.0) + math.log(4.0)) / 2.0, rel=1e-14) == J
    assert dw == pytest.approx([0.25 / 2.0, (-1.0 + 0.75 * (2.0 + math.log(3.0))) / 2.0], rel=1e-14)
    assert db == pytest.approx(0.125, rel=1e-14)


@ALL
def test_at_zero_weights_the_cost_is_ln_2(kernel: Kernel) -> None:
    problem = make_problem(50, 4)
    J, _, db = kernel(np.zeros(4), 0.0, problem.X, problem.Y)
    assert pytest.approx(math.log(2.0), rel=1e-14) == J
    assert db == pytest.approx(0.5 - problem.Y.mean(), abs=1e-15)


@ALL
@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize(("m", "n_x"), AWKWARD)
def test_agrees_with_the_reference(kernel: Kernel, m: int, n_x: int, order: Order, dtype: Dtype) -> None:
    problem = make_problem(m, n_x, seed=m + n_x, order=order).rounded(dtype, order)
    if dtype in kernel.dtypes:
        agreement.check(kernel, problem)
        J, dw, db = kernel(problem.w, problem.b, problem.X, problem.Y)
        assert type(J) is type(db) is float and dw.dtype == np.dtype(dtype)
    else:
        with pytest.raises(TypeError, match=r"computes in float64, and X is float32; convert X first"):
            agreement.check(kernel, problem)


@ALL
def test_the_gradient_is_that_of_the_cost(kernel: Kernel) -> None:
    problem = make_problem(23, 5, seed=3)
    w, b, X, Y = problem.w, problem.b, problem.X, problem.Y
    _, dw, db = kernel(w, b, X, Y)
    h = 1e-5
    for j in range(5):
        step = np.zeros(5)
        step[j] = h
        difference = (kernel(w + step, b, X, Y)[0] - kernel(w - step, b, X, Y)[0]) / (2 * h)
        assert dw[j] == pytest.approx(difference, abs=1e-9)
    assert db == pytest.approx((kernel(w, b + h, X, Y)[0] - kernel(w, b - h, X, Y)[0]) / (2 * h), abs=1e-9)


@ALL
@pytest.mark.parametrize("z", [36.0, 40.0, 500.0, 1e6])
def test_saturated_activations(kernel: Kernel, z: float) -> None:
    """The cost from z stays accurate for every z. The gate refuses the textbook's once a is exactly 1."""
    X = np.array([[z, -z, z, -z]])
    problem = Problem(np.array([1.0]), 0.0, X, np.array([1.0, 0.0, 0.0, 1.0]), "F")
    if kernel.cost_from == "a" and z > 36.7:
        with (
            np.errstate(all="ignore"),
            pytest.raises(agreement.Disagreement, match=r"numpy_textbook: J is wrong \(J = (nan|inf), expected"),
        ):
            agreement.check(kernel, problem)
    else:
        agreement.check(kernel, problem)


@pytest.mark.parametrize("name", [name for name, kernel in KERNELS.items() if kernel.cost_from == "z"])
def test_a_tiny_cost_keeps_its_digits(name: str) -> None:
    # Both examples are classified right by far: each loss is log(1 + e^-40), about e^-40, far below the rounding of 1.
    J, _, _ = KERNELS[name]([1.0], 0.0, [[40.0, -40.0]], [1.0, 0.0])
    assert pytest.approx(math.log1p(math.exp(-40.0)), rel=1e-14) == J


@ALL
def test_refuses_what_the_contract_refuses(kernel: Kernel) -> None:
    w, b, X, Y = np.zeros(2), 0.0, np.ones((2, 3)), np.array([0.0, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"w must have shape \(n_x,\) = \(2,\); got \(2, 1\).*broadcasts.*w.ravel"):
        kernel(w[:, None], b, X, Y)
    with pytest.raises(ValueError, match=r"Y must have shape \(m,\) = \(3,\); got \(1, 3\)"):
        kernel(w, b, X, Y[None, :])
    with pytest.raises(ValueError, match=r"X must have shape \(n_x, m\)"):
        kernel(w, b, X.ravel(), Y)
    with pytest.raises(ValueError, match="at least one feature and one example"):
        kernel(w, b, np.ones((2, 0)), np.ones(0))
    with pytest.raises(ValueError, match="at least one feature and one example"):
        kernel(np.ones(0), b, np.ones((0, 3)), Y)
    with pytest.raises(ValueError, match=r"w must have shape \(n_x,\) = \(2,\); got \(3,\)$"):
        kernel(np.zeros(3), b, X, Y)
    with pytest.raises(ValueError, match="labels 0 and 1"):
        kernel(w, b, X, [0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="b must be a single number"):
        kernel(w, np.zeros(1), X, Y)  # type: ignore[arg-type]
    for name, bad in (("w", (w + np.nan, b, X, Y)), ("b", (w, np.inf, X, Y)), ("X", (w, b, X * np.inf, Y))):
        with pytest.raises(ValueError, match=f"{name} contains NaN or infinity"):
            kernel(*bad)
    for dtype in (complex, object, np.longdouble, "U1"):
        if np.dtype(dtype) != np.float64:
            with pytest.raises(TypeError, match="X"):
                kernel(w, b, X.astype(dtype), Y)


@SINGLE
def test_the_dtype_of_x_decides(kernel: Kernel) -> None:
    problem = make_problem(11, 3, seed=5)
    single = problem.rounded("float32", "F")
    same = kernel(single.w, single.b, single.X, single.Y)
    assert same[1].dtype == np.float32
    for given_w, b, X, Y in (
        (single.w.astype(np.float64), problem.b, single.X, single.Y),  # b is rounded as w is
        (problem.w, problem.b, single.X.astype(">f4"), problem.Y.astype(bool)),
    ):
        J, dw, db = kernel(given_w, b, X, Y)
        assert (J, db) == (same[0], same[2]) and np.array_equal(dw, same[1])
    # X in float64 is not rounded, whatever w is.
    assert kernel(single.w, single.b, problem.X, single.Y)[1].dtype == np.float64


@SINGLE
def test_float32_sums_that_may_overflow_are_refused(kernel: Kernel) -> None:
    X = np.full((1, 2), 2e36, np.float32)
    Y = np.array([0.0, 1.0], np.float32)
    with np.errstate(all="ignore"):
        assert np.isfinite(kernel([1.0], 0.0, X, Y)[1]).all()
    for w, of_X in (([1.0], 4.0 * X), ([3.0], X), ([1e39], X)):
        with pytest.raises(ValueError, match=r"may overflow in float32|w contains NaN or infinity"):
            kernel(w, 0.0, of_X, Y)


@ALL
def test_converts_integers_strides_and_foreign_bytes(kernel: Kernel) -> None:
    problem = make_problem(11, 3, seed=5)
    X = np.round(problem.X * 8.0)  # exact in every dtype below
    expected = kernel(problem.w, problem.b, X, problem.Y)
    strided = np.zeros((6, 22))
    strided[::2, ::2] = X
    read_only = X.copy(order="F")
    read_only.flags.writeable = False
    forms = (X.astype(np.int64), X.astype(np.float16), X.astype(">f8"), strided[::2, ::2], read_only)
    for form in forms:
        J, dw, db = kernel(problem.w, problem.b, form, problem.Y.astype(bool))
        assert (expected[0], expected[2]) == pytest.approx((J, db), rel=1e-14, abs=1e-15)
        assert dw == pytest.approx(expected[1], rel=1e-13, abs=1e-15)


@ALL
def test_leaves_its_inputs_unchanged_and_repeats_its_result(kernel: Kernel) -> None:
    problem = make_problem(40, 6, seed=1)
    before = [np.copy(part) for part in (problem.w, problem.X, problem.Y)]
    call = kernel.bind(problem.w, problem.b, problem.X, problem.Y)
    first = call()
    again = call()
    assert first[0] == again[0] and first[2] == again[2]
    assert np.array_equal(first[1], again[1])
    for was, now in zip(before, (problem.w, problem.X, problem.Y), strict=True):
        assert np.array_equal(was, now)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), m=st.integers(1, 40), n_x=st.integers(1, 12), order=st.sampled_from("FC"))
def test_all_kernels_agree_on_any_problem(data: st.DataObject, m: int, n_x: int, order: str) -> None:
    numbers = st.floats(-4.0, 4.0)
    X = np.asarray(data.draw(hnp.arrays(np.float64, (n_x, m), elements=numbers)), order=order)  # type: ignore[call-overload]
    w = data.draw(hnp.arrays(np.float64, n_x, elements=st.floats(-0.7, 0.7)))
    Y = data.draw(hnp.arrays(np.float64, m, elements=st.sampled_from([0.0, 1.0])))
    problem = Problem(w, data.draw(numbers), X, Y, order)  # type: ignore[arg-type]
    for kernel in KERNELS.values():
        agreement.check(kernel, problem)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_exchanging_labels_and_signs_changes_the_sign_of_the_gradient(seed: int) -> None:
    # z -> -z and y -> 1 - y changes no loss.
    problem = make_problem(9, 4, seed)
    J, dw, db = reference.cost_and_gradient(problem.w, problem.b, problem.X, problem.Y)
    J2, dw2, db2 = reference.cost_and_gradient(-problem.w, -problem.b, problem.X, 1.0 - problem.Y)
    assert J == J2 and db == -db2
    assert np.array_equal(dw, -dw2)


@pytest.mark.parametrize("which", ["w", "X", "Y"])
def test_a_mask_is_not_lost_without_a_word(which: str) -> None:
    inputs: dict[str, Any] = {"w": np.array([0.5, 1.0]), "b": 0.1, "X": np.ones((2, 3)), "Y": np.array([0.0, 1.0, 1.0])}
    inputs[which] = np.ma.masked_array(inputs[which])
    with pytest.raises(TypeError, match=f"^{which} is a masked array, and its mask would be lost"):
        KERNELS["numpy_vectorized"](**inputs)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_kernel_of_several_threads_refuses_a_forked_process_instead_of_hanging() -> None:
    code = (
        "import os, numpy as np\n"
        "from kernels import KERNELS\n"
        "args = np.ones(2), 0.0, np.ones((2, 8)), np.ones(8)\n"
        "for name in ('numba_parallel', 'numba_fused_parallel', 'numba_loop'):\n"
        "    KERNELS[name](*args)\n"
        "if not (child := os.fork()):\n"
        "    for name in ('numba_parallel', 'numba_fused_parallel'):\n"
        "        try: KERNELS[name](*args)\n"
        "        except RuntimeError as error: print(name, error, flush=True)\n"
        "    KERNELS['numba_loop'](*args)\n"
        "    os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and lines[-1] == "7", done.stdout + done.stderr
    for name, line in zip(("numba_parallel", "numba_fused_parallel"), lines, strict=False):
        assert line.startswith(f"{name} this process was forked from one that had started OpenMP's threads")
