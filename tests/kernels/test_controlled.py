"""The controlled kernels: right by the gate, named in words, and compared in pairs that exist."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from bench import agreement
from bench.problem import make_problem
from kernels import KERNELS, Kernel, Pair, controlled, find, numba_passes
from kernels._aligned import in_order_c
from kernels.controlled import CONTROLLED, PAIRS

ALL = pytest.mark.parametrize("kernel", CONTROLLED.values(), ids=CONTROLLED)


@ALL
@pytest.mark.parametrize(
    ("m", "n_x", "order"), [(1, 1, "F"), (7, 3, "C"), (1, 5, "C"), (211, 1, "F"), (1_009, 17, "F")]
)
def test_controlled_kernels_pass_the_gate(kernel: Kernel, m: int, n_x: int, order: Any) -> None:
    agreement.check(kernel, make_problem(m, n_x, seed=m, order=order))


@ALL
def test_controlled_kernels_are_right_where_activations_saturate(kernel: Kernel) -> None:
    problem = make_problem(101, 3, seed=5)
    agreement.check(kernel, dataclasses.replace(problem, w=300.0 * problem.w))


def test_a_wrong_one_would_be_refused() -> None:
    off = numba_passes.relaxed(controlled.with_names(numba_passes.activate, exp=math.sqrt))
    wrong = numba_passes.relaxed(controlled.with_names(numba_passes.cost_and_gradient, activate=off))
    with pytest.raises(agreement.Disagreement):
        agreement.check(Kernel("wrong", "", "", wrong), make_problem(13, 17))


def test_replacing_a_name_leaves_the_rung_unchanged() -> None:
    few = controlled.with_names(numba_passes.log_product, FACTORS=1)
    assert few.__code__ is numba_passes.log_product.py_func.__code__
    assert few.__globals__["FACTORS"] == 1 and numba_passes.FACTORS == 1_000


def test_order_c_is_a_copy_on_a_cache_line() -> None:
    X = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    copy = in_order_c(X)
    assert copy.flags.c_contiguous and copy.ctypes.data % 64 == 0 and np.array_equal(copy, X)
    assert in_order_c(X[0]).ndim == 1


def test_their_names_are_words_and_no_kernel_of_the_ladder_has_one() -> None:
    for name, kernel in CONTROLLED.items():
        assert kernel.name == name and name.startswith("pair: ") and not name.isidentifier()
        assert find(name) is kernel
    assert not CONTROLLED.keys() & KERNELS.keys()


def test_both_kernels_of_every_pair_exist_and_every_controlled_kernel_is_in_a_pair() -> None:
    known = {*KERNELS, *CONTROLLED}
    assert all({pair.before, pair.after} <= known for pair in PAIRS)
    assert {name for pair in PAIRS for name in (pair.before, pair.after)} >= set(CONTROLLED)


def test_a_stand_in_is_the_very_function_of_a_rung_with_one_thread() -> None:
    stand_ins = [kernel for kernel in CONTROLLED.values() if kernel.stands_for is not None]
    assert stand_ins
    for kernel in stand_ins:
        rung = KERNELS[str(kernel.stands_for)]
        assert kernel.function is rung.function and kernel.threads == rung.threads == "one"


def test_the_pair_of_a_rung_is_made_of_its_fields() -> None:
    pair = Pair.of(KERNELS["numba_fused"])
    assert (pair.before, pair.after) == ("numba_passes", "numba_fused")
    assert (pair.cause, pair.predicted_by, pair.less) == ("X read once", "read_once", KERNELS["numba_fused"].less)
    with pytest.raises(ValueError, match="python_loop grew from no other kernel"):
        Pair.of(KERNELS["python_loop"])
