"""Two runs compared: what counts as a change and what as none, the correction, what is common, other machines."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from bench import stats
from bench.analysis.compare import NothingInCommon, compare, rounds_needed
from bench.analysis.differences import CellsAlone, Difference, KernelAlone
from bench.results import LOOP, VECTORIZED, CellResult, Run
from bench.results.records import CONTROL
from bench.stats import Interval
from tests import factories

SECONDS = {LOOP: 1e-2, "numba_loop": 1e-4, VECTORIZED: 2e-4, CONTROL: 2e-4}
ROUNDS = 60
MS = (10, 20, 30, 40, 50, 60)


def made(
    seed: int,
    slower: Mapping[str, float] | None = None,
    *,
    noise: float = 0.002,
    seconds: Mapping[str, float] = SECONDS,
    control: float | None = None,
    rounds: int = ROUNDS,
) -> Run:
    """A run of six cells whose kernels take these seconds, with noise; some slower by a factor.

    `control`: that the A/A control takes this many times as long as the very samples of its kernel.
    """
    rng = np.random.default_rng(seed)
    results = []
    for m in MS:
        samples = {
            name: (once * (slower or {}).get(name, 1.0) * np.exp(noise * rng.standard_normal(rounds))).tolist()
            for name, once in seconds.items()
        }
        if control is not None:
            samples[CONTROL] = [control * time for time in samples[VECTORIZED]]
        results.append(factories.result(factories.cell(m, 2), samples))
    return factories.run(results)


def of_cells(run: Run, cells: list[CellResult], **changes: Any) -> Run:
    """The same run with other cells, and with other values of its header."""
    return replace(run, cells=cells, header=msgspec.structs.replace(run.header, **changes))


def elsewhere(run: Run) -> Run:
    """The same run, made on another machine."""
    return of_cells(run, list(run.cells), machine=msgspec.structs.replace(run.header.machine, cpu="another"))


def shortened(run: Run, rounds: int, names: set[str], cells: int = len(MS)) -> Run:
    """A run of which some labels have only this many rounds in the first cells."""

    def short(result: CellResult) -> CellResult:
        samples = {
            name: seconds[:rounds] if name in names else seconds
            for name, seconds in ((name, seconds.tolist()) for name, seconds in result.seconds.items())
        }
        return factories.result(result.cell, samples)

    return of_cells(run, [*map(short, run.cells[:cells]), *run.cells[cells:]])


def test_the_ratio_of_medians_by_hand() -> None:
    # Ten samples each: with 95% for both, 97.5% each, k = 2; so 9/2 on the outside.
    one, two = list(range(1, 11)), [2 * k for k in range(1, 11)]
    ratio = stats.ratio(two, one)
    assert ratio.estimate == pytest.approx(2.0)
    assert (ratio.low, ratio.high) == pytest.approx((4 / 9, 9.0))
    assert stats.quotient(Interval(2.0, 1.0, 4.0), Interval(1.0, 0.5, 2.0)) == Interval(2.0, 0.5, 8.0)
    assert stats.each_of_two(0.95) == pytest.approx(0.975)


@pytest.mark.parametrize("rounds", [12, 40])
def test_the_interval_covers(rounds: int) -> None:
    rng = np.random.default_rng(rounds)
    covered = 0
    for _ in range(600):
        # Medians 1 and 1.5, and noise of different shapes.
        one = np.exp(0.05 * rng.standard_normal(rounds))
        two = 1.5 * np.exp(0.1 * (rng.exponential(size=rounds) - np.log(2.0)))
        covered += 1.5 in stats.ratio(two, one)
    assert covered / 600 >= 0.95


def test_an_interval_that_is_too_narrow_would_be_noticed() -> None:
    rng = np.random.default_rng(3)
    covered = sum(
        1.0 in stats.ratio(np.exp(rng.standard_normal(40)), np.exp(rng.standard_normal(40)), 0.3) for _ in range(400)
    )
    assert covered / 400 < 0.95


def test_a_run_and_itself_show_nothing() -> None:
    one = made(1)
    comparison = compare(one, one)
    assert len(comparison.changes) == 6 * 3
    assert comparison.changed == [] and not comparison.hardware and not comparison.versions
    assert comparison.common[None].ratio == Interval(1.0, 1.0, 1.0)
    assert comparison.alone == [] and comparison.lost == []


def test_two_runs_of_the_same_show_nothing() -> None:
    assert compare(made(1), made(2)).changed == []


def test_a_slow_down_is_found_and_is_the_only_one() -> None:
    comparison = compare(made(1), made(2, {"numba_loop": 1.2}))
    slower = comparison.of("slower")
    assert {change.kernel for change in slower} == {"numba_loop"}
    assert len(slower) == 6 and not comparison.of("faster")
    assert all(1.18 < change.ratio.estimate < 1.22 for change in slower)
    assert len(comparison.regressions(0.05)) == 6 and not comparison.regressions(0.25)
    back = compare(made(2, {"numba_loop": 1.2}), made(1))
    assert {change.kernel for change in back.of("faster")} == {"numba_loop"} and not back.regressions(0.0)


def test_what_is_within_the_noise_floor_is_no_change() -> None:
    assert len(compare(made(1, noise=1e-5), made(2, {"numba_loop": 1.005}, noise=1e-5)).changed) == 6
    # The control 1% off: half a percent is no difference then.
    one, two = made(1, noise=1e-5, control=1.01), made(2, {"numba_loop": 1.005}, noise=1e-5, control=1.01)
    assert compare(one, two).changed == []


def test_more_comparisons_ask_for_more() -> None:
    one, two = made(1), made(2)
    wide = compare(one, two).changes[0].ratio
    narrow = compare(of_cells(one, [one.cells[0]]), of_cells(two, [two.cells[0]])).changes[0].ratio
    assert wide.low < narrow.low and narrow.high < wide.high


def test_on_machines_that_differ_speedups_are_compared() -> None:
    halved = dict.fromkeys(SECONDS, 0.5)
    comparison = compare(made(1), elsewhere(made(2, {**halved, "numba_loop": 0.65})))
    assert comparison.hardware == [Difference("machine", "cpu", "a CPU", "another")]
    assert {change.baseline for change in comparison.changes} == {LOOP, VECTORIZED}
    assert {change.kernel for change in comparison.changed} == {"numba_loop"}
    assert all(change.ratio.estimate == pytest.approx(1.3, rel=0.02) for change in comparison.changed)


def test_what_all_have_in_common_is_kept_apart() -> None:
    # All are 1.2 times as slow, numba_loop 1.5 times: 1.25 times beyond that.
    comparison = compare(made(1), made(2, {**dict.fromkeys(SECONDS, 1.2), "numba_loop": 1.5}))
    common = comparison.common[None]
    assert common.verdict == "slower" and common.ratio.estimate == pytest.approx(1.2, rel=0.01)
    assert len(comparison.of("slower")) == 18 and len(comparison.regressions(0.05)) == 18
    assert {change.kernel for change in comparison.apart("slower")} == {"numba_loop"}
    assert [comparison.beyond(c).estimate for c in comparison.changed[:6]] == [pytest.approx(1.25, rel=0.01)] * 6
    assert [change.kernel for change in comparison.changed[:6]] == ["numba_loop"] * 6
    assert len(comparison.regressions_apart(0.05)) == 6 and not comparison.regressions_apart(0.3)


def test_what_two_kernels_or_few_cells_did_is_not_common() -> None:
    one, two = made(1), made(2, dict.fromkeys(SECONDS, 1.2))
    comparison = compare(of_cells(one, list(one.cells[:5])), of_cells(two, list(two.cells[:5])))
    assert comparison.common[None].verdict == "unknown"
    assert comparison.apart("slower") == comparison.of("slower") != []
    without = {name: seconds for name, seconds in SECONDS.items() if name != LOOP}
    assert compare(made(1, seconds=without), made(2, seconds=without)).common == {}


def test_a_baseline_that_changed_is_common_to_all() -> None:
    seconds = SECONDS | {"numpy_textbook": 1e-4, "numba_fused": 1e-4}
    comparison = compare(made(1, seconds=seconds), elsewhere(made(2, {LOOP: 1.5}, seconds=seconds)))
    assert list(comparison.drift) == [LOOP]
    assert not comparison.apart("slower") and not comparison.apart("faster")
    assert comparison.drift[LOOP].ratio.estimate == pytest.approx(1 / 1.5, rel=0.01)


def test_too_few_rounds_decide_nothing(run: Run) -> None:
    assert {change.verdict for change in compare(run, run).changes} == {"unknown"}


def test_the_rounds_that_an_interval_needs() -> None:
    needed = rounds_needed(18)
    # 2^-n <= 0.05 / 18 / 2 / 2, by hand: n >= log2(1440) = 10.49.
    assert needed == 11
    for rounds, verdict in ((needed - 1, "unknown"), (needed, "slower")):
        names = set(SECONDS) - {CONTROL}
        one, two = (shortened(each, rounds, names) for each in (made(1), made(2, dict.fromkeys(SECONDS, 1.2))))
        assert {change.verdict for change in compare(one, two).changes} == {verdict}


def test_what_only_one_run_holds() -> None:
    one, two = made(1), made(2)
    kept = {name: seconds.tolist() for name, seconds in two.cells[1].seconds.items() if name != "numba_loop"}
    failed = factories.result(two.cells[1].cell, kept, failed={"numba_loop": "it raised"})
    comparison = compare(one, of_cells(two, [failed, *two.cells[2:]]))
    assert comparison.alone == [
        CellsAlone("first", [one.cells[0].cell]),
        KernelAlone("first", "numba_loop", 1, "failed"),
    ]
    (lost,) = comparison.lost
    assert (lost.kernel, lost.cell, lost.reason) == ("numba_loop", one.cells[1].cell, "it raised")


def test_versions_and_settings_that_differ() -> None:
    one = made(1)
    plan = replace(one.plan, seed=3, preset=replace(one.plan.preset, sample_seconds=1.0, min_rounds=99))
    two = of_cells(
        one,
        list(one.cells),
        plan=plan,
        libraries={"torch": "2", "jax": "1"},
        environment={"OMP_NUM_THREADS": "1"},
        machine=msgspec.structs.replace(one.header.machine, numpy="3.0"),
    )
    before = of_cells(one, list(one.cells), libraries={"torch": "1"})
    # Neither the rounds of the grid nor a library that only one run has is a difference.
    assert compare(before, two).versions == [
        Difference("version", "numpy", "2.4.6", "3.0"),
        Difference("library", "torch", "1", "2"),
        Difference("setting", "sample_seconds", "0.0002", "1.0"),
        Difference("setting", "seed", "0", "3"),
        Difference("setting", "OMP_NUM_THREADS", "none", "1"),
    ]


def test_caches_are_compared_in_words() -> None:
    one = made(1)
    machine = msgspec.structs.replace(one.header.machine, caches={"L2": 2**21})
    (difference,) = compare(one, of_cells(one, list(one.cells), machine=machine)).hardware
    assert (difference.key, difference.before, difference.after) == ("caches", "L2 1 MiB, L3 32 MiB", "L2 2 MiB")


def test_nothing_in_common() -> None:
    one, two = made(1), made(2)
    other = [replace(result, cell=replace(result.cell, n_x=7)) for result in two.cells]
    with pytest.raises(NothingInCommon, match="compare runs of one grid"):
        compare(one, of_cells(two, other))


def test_no_change_is_what_lies_within_the_tolerance_asked_for() -> None:
    for tolerance, verdict in ((0.05, "same"), (0.001, "unknown")):
        assert {c.verdict for c in compare(made(1), made(2), tolerance=tolerance).changes} == {verdict}
    with pytest.raises(ValueError, match="must be above 0"):
        compare(made(1), made(2), tolerance=0.0)


def test_what_is_not_known_well_is_not_called_the_same() -> None:
    comparison = compare(made(1, noise=0.1), made(2, noise=0.1))
    assert len(comparison.of("unknown")) == 18 and comparison.effort is not None


def test_no_change_is_a_conclusion_each_and_a_change_one_of_many() -> None:
    first = compare(made(1), made(2)).changes[0]
    alone = stats.ratio(made(2).cells[0].seconds[first.kernel], made(1).cells[0].seconds[first.kernel], 0.95)
    assert first.single == alone and first.ratio.low < alone.low and alone.high < first.ratio.high


def test_so_many_times_the_rounds_decide_half_of_it() -> None:
    effort = compare(made(1, noise=0.06), made(2, noise=0.06)).effort
    assert effort is not None and effort.processes is None and 1.0 < effort.times < 20.0
    rounds = round(2 * effort.times * ROUNDS)
    decided = compare(made(3, noise=0.06, rounds=rounds), made(4, noise=0.06, rounds=rounds)).of("same")
    assert len(decided) >= effort.undecided / 2
