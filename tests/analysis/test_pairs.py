"""Pairs: which there are, what is measured of them, and prediction beside measurement."""

import pytest

from bench.analysis import pairs
from bench.results import LOOP, VECTORIZED, CellResult, Run
from kernels import KERNELS, Pair, find
from kernels.controlled import CONTROLLED, PAIRS
from tests import factories
from tests.analysis.test_predictions import CEILINGS, COUNTS, ROUNDS, TEN, cell

LIKE = "pair: fused blocks, one thread"


def made(*results: CellResult) -> Run:
    return factories.run(results, counts=COUNTS, ceilings=CEILINGS)


def step(after: str) -> Pair:
    """The step of the ladder that ends in a rung."""
    (pair,) = [pair for pair in pairs.rung_steps() if pair.after == after]
    return pair


def measured(run: Run, pair: Pair) -> tuple[float, int, bool]:
    """Factor, threads, and whether it is paired."""
    factor = pairs.measured(run, pair, *TEN)
    assert factor is not None
    return round(factor.ratio.estimate, 9), factor.result.cell.threads, factor.paired


def test_both_of_every_pair_exist_and_every_controlled_kernel_is_in_one() -> None:
    names = {name for pair in pairs.isolated() for name in (pair.before, pair.after)}
    assert all(find(name) for name in names) and names >= set(CONTROLLED)


def test_isolated_pairs_are_controlled_or_rungs_of_one_cause() -> None:
    isolated = pairs.isolated()
    assert set(PAIRS) < set(isolated) and len(set(isolated)) == len(isolated)
    rungs = [pair.after for pair in isolated if pair not in PAIRS]
    assert rungs == [name for name, kernel in KERNELS.items() if kernel.isolates]
    # Controlled pairs follow the rung that they explain.
    causes = [(pair.before, pair.after) for pair in isolated]
    assert causes.index(("python_loop", "numba_loop")) < causes.index(("pair: loop, bounds checked", "numba_loop"))
    assert causes.index(("pair: loop, bounds checked", "numba_loop")) < causes.index(("numba_loop", "numba_fastmath"))


def test_every_rung_but_the_first_has_a_step() -> None:
    assert [pair.after for pair in pairs.rung_steps()] == list(KERNELS)[1:]
    assert {pair.before for pair in pairs.rung_steps()} < set(KERNELS)


def test_factors_are_those_of_the_rounds() -> None:
    seconds = {LOOP: 8e-3, "python_lists": 2e-3, VECTORIZED: 2e-4, "numba_passes": 4e-5, "pair: exp, scalar": 6e-5}
    noisy = {
        name: [once * (1.0 + 1e-4 * ((i + k) % 5)) for i in range(20)] for k, (name, once) in enumerate(seconds.items())
    }
    run = factories.run([factories.result(factories.cell(m, 32), noisy) for m in (1_000, 1_000_000)])
    factors = pairs.factors(run)
    lists = [factor for factor in factors if factor.pair.after == "python_lists"]
    assert [factor.ratio.estimate for factor in lists] == pytest.approx([4.0, 4.0], rel=1e-3)
    assert [factor.result.cell.m for factor in lists] == [1_000, 1_000_000]
    exp = next(factor for factor in factors if factor.pair.before == "pair: exp, scalar")
    assert exp.ratio.estimate == pytest.approx(1.5, rel=1e-3)
    # numpy_buffers was not timed.
    assert "numpy_buffers" not in {name for factor in factors for name in (factor.pair.before, factor.pair.after)}


def test_the_chosen_cells_hold_controlled_kernels_or_else_both_baselines() -> None:
    plain, small = cell(*TEN, python_loop=5.0, numpy_vectorized=1.0), cell(10, 2, python_loop=5.0)
    assert pairs.chosen(factories.run([plain, small])) == [plain]
    variants = factories.result(factories.cell(7, 3), {"pair: exp, scalar": 1.0})
    assert pairs.chosen(factories.run([plain, variants])) == [variants]
    assert pairs.chosen(factories.run([small])) == []


def test_a_wrong_prediction_is_judged_so() -> None:
    run = made(cell(*TEN, python_loop=5.0, python_lists=1.0, numpy_vectorized=0.5))
    outcome = pairs.outcome(run, step("python_lists"), *TEN)
    assert outcome is not None and outcome.verdict is not None
    assert outcome.verdict.kind == "differs" and outcome.verdict.off == pytest.approx(5.0 / (360 / 280))
    assert outcome.verdict.lesson == KERNELS["python_lists"].more != ""
    assert "bytecodes" in outcome.why
    right = made(cell(*TEN, python_loop=360.0, python_lists=280.0, numpy_vectorized=1.0))
    outcome = pairs.outcome(right, step("python_lists"), *TEN)
    assert outcome is not None and outcome.verdict is not None
    assert outcome.verdict.kind == "as predicted" and outcome.verdict.lesson == ""


def test_steps_to_all_threads_are_paired_where_they_can_be() -> None:
    one = cell(*TEN, python_loop=9.0, numpy_vectorized=1.0, numba_fastmath=4.0, numba_fused=2.0)
    seconds = {"numba_parallel": 2.0, "numba_fused_parallel": 1.0, LIKE: 3.0}
    samples = {name: [once] * ROUNDS for name, once in seconds.items()}
    two = factories.result(factories.cell(*TEN, threads=2), samples)
    # The controlled kernel stands for numba_fused in the cell of two threads.
    assert measured(made(one, two), step("numba_fused_parallel")) == (3.0, 2, True)
    # Nothing stands for numba_fastmath there, so it is taken from its own cell.
    explained = factories.result(
        one.cell, {**{n: s.tolist() for n, s in one.seconds.items()}, "pair: exp, scalar": 3.0}
    )
    assert measured(made(explained, two), step("numba_parallel")) == (2.0, 2, False)


def test_nothing_is_known_of_what_was_not_measured_or_not_predicted() -> None:
    run = made(cell(*TEN, python_loop=5.0, numba_loop=0.5, numpy_vectorized=1.0))
    assert pairs.outcomes(run, step("python_lists")) == {TEN: None}
    outcome = pairs.outcome(run, step("numba_loop"), *TEN)
    assert outcome is not None and outcome.verdict is None
    assert outcome.measured.ratio.estimate == pytest.approx(10.0)
    assert outcome.why == KERNELS["numba_loop"].unpredicted != ""


# The steps of the ladder: branches follow what each rung grew from; rungs that were not measured are bridged.

LADDER = {
    LOOP: 64.0,
    "python_lists": 32.0,
    "numpy_dot_in_loop": 16.0,
    "numba_loop": 8.0,
    "numba_fastmath": 4.0,
    "numpy_textbook": 8.0,
    VECTORIZED: 4.0,
    "numpy_buffers": 2.0,
    "numba_passes": 1.0,
    "numba_fused": 0.5,
}


def steps(seconds: dict[str, float], limit: float | None = None) -> list[pairs.Step]:
    return pairs.steps(factories.result(factories.cell(1_000, 32), seconds), lambda _: limit)


def test_branches_lead_from_the_loop_to_each_end() -> None:
    branches = [[kernel.name for kernel in branch] for branch in pairs.branches()]
    assert all(branch[0] in {n for n, k in KERNELS.items() if k.grew_from == LOOP} for branch in branches)
    assert [branch[-1] for branch in branches] == ["python_lists", "numba_fastmath", "numba_fused"]
    covered = {LOOP, *(name for branch in branches for name in branch)}
    assert covered == {name for name, kernel in KERNELS.items() if kernel.predicted_by != "threads"}
    assert pairs.main_branch() == "numba_fused"


def test_each_step_is_over_the_rung_that_it_grew_from() -> None:
    found = {step.kernel: step for step in steps(LADDER)}
    assert set(found) == set(LADDER) - {LOOP}
    for name, step in found.items():
        assert step.before == KERNELS[name].grew_from and step.cause == KERNELS[name].cause
        assert step.ratio.estimate == pytest.approx(LADDER[step.before] / LADDER[name])
        assert step.reached == pytest.approx(LADDER[LOOP] / LADDER[step.before])


def test_a_rung_that_was_not_measured_is_bridged() -> None:
    without = {name: seconds for name, seconds in LADDER.items() if name not in ("numpy_textbook", "numpy_buffers")}
    found = {step.kernel: step for step in steps(without)}
    assert found[VECTORIZED].before == "numpy_dot_in_loop"
    assert found[VECTORIZED].cause == f"{KERNELS['numpy_textbook'].cause} + {KERNELS[VECTORIZED].cause}"
    assert found["numba_passes"].before == VECTORIZED
    assert found["numba_passes"].ratio.estimate == pytest.approx(4.0)


def test_the_last_step_leads_to_the_limit() -> None:
    *_, last = steps(LADDER, 0.125)
    assert last.kernel == pairs.LIMIT and (last.branch, last.before) == ("numba_fused", "numba_fused")
    assert last.ratio.estimate == pytest.approx(4.0) and last.reached == pytest.approx(128.0)
    assert not any(step.kernel == pairs.LIMIT for step in steps(LADDER))
    assert steps({LOOP: 1.0}, 0.1) == []
