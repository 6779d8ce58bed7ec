"""Causes: the variants pass the gate, pairs are compared by round, counts are right, and when compiling has paid."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from bench.agreement import bounds as agreement
from bench.grid import EXPLAINED, Cell, preset
from bench.measure import compiling, counts, traffic
from bench.measure import contestants as roster
from bench.measure.compiling import Price
from bench.problem import make_problem
from bench.report.chapters import causes
from bench.report.chapters import compiling as payback
from bench.results.run import LOOP, VECTORIZED, CellResult, Run
from kernels import KERNELS, Kernel, numba_passes, variants
from kernels._aligned import in_order_c
from kernels.variants import OF_ALL_THREADS, VARIANTS

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


@pytest.mark.parametrize("kernel", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize(
    ("m", "n_x", "order"), [(1, 1, "F"), (7, 3, "C"), (1, 5, "C"), (211, 1, "F"), (1_009, 17, "F")]
)
def test_variants_pass_the_gate(kernel: Any, m: int, n_x: int, order: Any) -> None:
    agreement.check(kernel, make_problem(m, n_x, seed=m, order=order))


@pytest.mark.parametrize("kernel", VARIANTS.values(), ids=VARIANTS)
def test_variants_hold_where_activations_saturate(kernel: Any) -> None:
    problem = make_problem(101, 3, seed=5)
    agreement.check(kernel, dataclasses.replace(problem, w=300.0 * problem.w))


def test_a_wrong_variant_would_be_refused() -> None:
    off = numba_passes.relaxed(variants.with_names(numba_passes.activate, exp=math.sqrt))
    wrong = numba_passes.relaxed(variants.with_names(numba_passes.cost_and_gradient, activate=off))
    with pytest.raises(agreement.Disagreement):
        agreement.check(Kernel("wrong", "", "", wrong), make_problem(13, 17))


def test_a_changed_name_leaves_the_kernel_itself_alone() -> None:
    few = variants.with_names(numba_passes.log_product, FACTORS=1)
    assert few.__code__ is numba_passes.log_product.py_func.__code__
    assert few.__globals__["FACTORS"] == 1 and numba_passes.FACTORS == 1_000


def test_order_c_is_a_copy_on_a_cache_line() -> None:
    X = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    copy = in_order_c(X)
    assert copy.flags.c_contiguous and copy.ctypes.data % 64 == 0 and np.array_equal(copy, X)
    assert in_order_c(X[0]).ndim == 1


def test_variants_are_no_kernels_and_are_found_by_name() -> None:
    for name, kernel in VARIANTS.items():
        assert kernel.name == name and name.startswith("pair: ") and not name.isidentifier()
        assert roster.contestant(name).kernel is kernel and roster.contestant(name).judged
    assert set(OF_ALL_THREADS) <= set(VARIANTS) and not VARIANTS.keys() & KERNELS.keys()


def test_both_of_every_pair_exist() -> None:
    known = {*KERNELS, *VARIANTS}
    assert all({pair.before, pair.after} <= known for pair in causes.PAIRS)
    assert {name for pair in causes.PAIRS for name in (pair.before, pair.after)} >= set(VARIANTS)


def test_the_full_grid_explains_and_the_smoke_grid_does_not() -> None:
    full, smoke = preset("full"), preset("smoke")
    assert full.causes and not smoke.causes and not preset("full", "breast_cancer").causes
    explained = [cell for cell in full.cells if cell.explained]
    assert {(cell.m, cell.n_x) for cell in explained} == set(EXPLAINED) and {cell.order for cell in explained} == {"F"}


def made(run: Run) -> Run:
    """A run of one small cell, and one from memory, with known times."""
    seconds = {
        LOOP: 8e-3,
        "python_lists": 2e-3,
        "numba_loop": 1e-4,
        "numba_fastmath": 5e-5,
        VECTORIZED: 2e-4,
        "numba_passes": 4e-5,
        "numba_fused": 2e-5,
        "pair: exp, scalar": 6e-5,
    }
    cells = []
    for cell in (Cell(1_000, 32), Cell(1_000_000, 32)):
        result = CellResult(cell)
        for k, (name, each) in enumerate(seconds.items()):
            result.seconds[name] = [each * (1.0 + 1e-4 * ((i + k) % 5)) for i in range(20)]
            result.rounds[name], result.loops[name] = list(range(20)), 1
        cells.append(result)
    prices = {"numba_loop": Price("numba_loop", 1.0, 0.25, 1e-5), "numba_fused": Price("numba_fused", 3.6, None, 1e-5)}
    found = dataclasses.replace(run, cells=cells, prices=prices, counts={"numba_fastmath": {"lanes": 8.0}})
    found.header = {**run.header, "machine": {**run.header["machine"], "caches": {"L3": 2**25}}}
    return found


def test_factors_are_those_of_the_rounds(run: Run) -> None:
    found = {pair.cause: ratios for pair, ratios in causes.factors(made(run)).items()}
    boxing = found["boxing: ndarray elements → list items"]
    assert [ratio.estimate for ratio in boxing.values()] == pytest.approx([4.0, 4.0], rel=1e-3)
    assert found["exp: one at a time → SIMD"]["m = 1,000, n_x = 32"].estimate == pytest.approx(1.5, rel=1e-3)
    assert "temporaries → buffers (out=)" not in found  # numpy_buffers was not timed
    plot = causes.figure(made(run))
    assert plot is not None and plot.table is not None and "the interpreter" in plot.finding
    assert plot.section == "causes" and all(len(row) == len(plot.table.columns) for row in plot.table.rows)


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
    found = counts.arithmetic(two)
    assert found is not None and (found["packed"], found["scalar"], found["division_lanes"]) == (1, 1, 4.0)
    # Where another loop lies before the second jump, the loop inside ends at the first: 1 and 1 again, of two loops.
    with_another = two.replace("\tjb", ".LBB0_2:\n\tvmulsd\t%xmm0, %xmm1, %xmm0\n\tjne\t.LBB0_2\n\tjb")
    found = counts.arithmetic(with_another)
    assert found is not None and (found["packed"], found["scalar"]) == (0, 2)


def test_a_call_of_exp_is_seen() -> None:
    for call in ("\tmovabsq\t$exp, %rax\n", "\tcallq\texp@PLT\n", "\tcallq\t_exp\n"):
        found = counts.arithmetic(LOOP_IN_CODE + call)
        assert found is not None and found["calls_exp"] == 1.0
    found = counts.arithmetic(LOOP_IN_CODE + "\tmovabsq\t$exp2, %rax\n\tcallq\texperiment\n")
    assert found is not None and found["calls_exp"] == 0.0


def test_bytes_moved_by_array_operations() -> None:
    # By hand, 8 bytes each: Z reads X, writes 1; + b 2; -Z 2; exp 2; 1 + 2; 1 / 2; two logs, 1 - Y and 1 - A 2 each;
    # two products and their sum 3 each; mean 1; A - Y 3; X dZ reads X and 1; sum 1. X is read twice.
    found = traffic.traffic(KERNELS["numpy_textbook"])
    assert found == {"moved_per_element": 16.0, "moved_per_example": 8.0 * 34, "made_per_example": 8.0 * 14}
    buffers = traffic.traffic(KERNELS["numpy_buffers"])
    # Only the mask Z >= 0 is new, a byte each.
    assert buffers["made_per_example"] == 1.0 and buffers["moved_per_element"] == 16.0
    for name in (VECTORIZED, "numpy_buffers"):
        problem = make_problem(7, 3)
        plain = KERNELS[name].function(problem.w, problem.b, problem.X, problem.Y)
        counted = [each.view(traffic.Counting) for each in (problem.w, problem.X, problem.Y)]
        assert KERNELS[name].function(counted[0], problem.b, *counted[1:])[0] == plain[0]


def test_interpreted_instructions_and_bytes() -> None:
    loop, lists = (counts.interpreted(KERNELS[name]) for name in (LOOP, "python_lists"))
    assert loop["instructions_per_element"] > lists["instructions_per_element"] > 10.0
    # np.dot does the work of the elements.
    assert counts.interpreted(KERNELS["numpy_dot_in_loop"])["instructions_per_element"] == 0.0
    # At least Z, E and A live at once; the buffers are there already.
    assert counts.allocated(KERNELS[VECTORIZED])["bytes_per_example"] >= 24.0
    assert counts.allocated(KERNELS["numpy_buffers"])["bytes_per_example"] < 8.0


def test_the_price_of_compiling_in_fresh_processes() -> None:
    told: list[str] = []
    (price,) = compiling.measure(["numba_loop"], told.append)
    assert price.kernel == "numba_loop" and told == ["compiling numba_loop in a fresh process"]
    # The second process found it on disk: that it took less time is for a benchmark to say.
    assert price.cached is not None and min(price.cold, price.cached, price.warm) > 0.0
    assert compiling.from_record(compiling.record([price])) == {"numba_loop": price}
    assert compiling.measure(["no_such_kernel"]) == []


def test_calls_until_compiling_has_paid(run: Run) -> None:
    result = made(run).cells[0]
    # 1 s, and 0.2 ms - 0.1 ms saved with each call.
    assert payback.calls(result, "numba_loop", VECTORIZED, 1.0) == pytest.approx(10_000, rel=2e-3)
    assert payback.calls(result, VECTORIZED, "numba_loop", 1.0) == payback.NEVER
    assert payback.calls(result, "numpy_buffers", VECTORIZED, 1.0) is None
    assert payback.calls(result, "numba_loop", LOOP, 1e-9) == 1.0


def test_the_map_of_payback(run: Run) -> None:
    plot = payback.payback(made(run), ("F", 1))
    assert plot is not None and plot.table is not None and plot.section == "compiling"
    assert "10k" in plot.table.rows[0] and "numba_fused" in plot.finding
    prices = payback.price_table(made(run))
    assert prices is not None and prices.rows[1][:3] == ["numba_fused", "3.6 s", "not possible"]
    # A run in which no price was measured has its own first calls.
    assert set(payback.cold_seconds(run)) == {name for name, kernel in KERNELS.items() if kernel.compiled}


@pytest.mark.parametrize(
    ("count", "text"), [(12.0, "12"), (999.0, "999"), (3_400.0, "3.4k"), (250_000.0, "250k"), (2.5e6, "2.5M")]
)
def test_count_text(count: float, text: str) -> None:
    assert payback.count_text(count) == text
    assert payback.count_text(np.inf) == "never" and payback.count_text(None) == "–"
