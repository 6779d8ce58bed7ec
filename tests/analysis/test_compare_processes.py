"""Two runs of several processes compared: their spread is what counts, and they are as many as there are processes."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats as scipy_stats

from bench import stats
from bench.analysis.compare import compare
from bench.results import CellResult, Run
from bench.results.cell import Samples
from bench.results.records import CONTROL
from bench.stats import Interval
from tests import factories
from tests.analysis.test_compare import MS, SECONDS, elsewhere, of_cells


def made_of_processes(
    seed: int,
    slower: Mapping[str, float] | None = None,
    *,
    spread: float = 0.003,
    shared: float = 0.0,
    processes: int = 6,
) -> Run:
    """The same run measured by several processes, in 10 rounds each.

    `spread`: standard deviation of ln(seconds) between processes, of each kernel. `shared`: of all kernels alike.
    """
    rng = np.random.default_rng(seed)
    results = []
    for m in MS:
        alike = shared * rng.standard_normal(processes)
        samples = {}
        for name, once in SECONDS.items():
            level = np.repeat(alike + spread * rng.standard_normal(processes), 10)
            times = once * (slower or {}).get(name, 1.0) * np.exp(level + 1e-4 * rng.standard_normal(level.size))
            samples[name] = Samples(1, range(level.size), times.tolist(), times.tolist(), per_process=10)
        results.append(CellResult(factories.cell(m, 2), samples))
    return factories.run(results)


def in_one_process(run: Run) -> Run:
    """The same samples, as if one process had taken them all."""
    return of_cells(
        run,
        [
            replace(each, samples={name: replace(kept, per_process=0) for name, kept in each.samples.items()})
            for each in run.cells
        ],
    )


def test_the_ratio_of_processes_is_welchs() -> None:
    rng = np.random.default_rng(5)
    one, two = rng.normal(0.0, 0.01, 6), rng.normal(0.1, 0.05, 9)
    for confidence in (0.9, 0.95, 0.9999):
        wanted = scipy_stats.ttest_ind(two, one, equal_var=False).confidence_interval(confidence)
        ratio = stats.ratio_of_processes(two, one, confidence)
        assert np.log([ratio.low, ratio.high]) == pytest.approx([wanted.low, wanted.high])
        assert math.log(ratio.estimate) == pytest.approx(two.mean() - one.mean())
    assert stats.ratio_of_processes([0.0, 0.0], [1.0, 1.0]) == Interval(math.exp(-1.0), math.exp(-1.0), math.exp(-1.0))
    assert stats.ratio_of_processes([0.0], [0.0, 1.0]) == Interval(math.exp(-0.5), 0.0, np.inf)
    for wrong in ([], [np.nan, 1.0]):
        with pytest.raises(ValueError, match="finite estimates"):
            stats.ratio_of_processes(wrong, [0.0, 1.0])


def test_what_differs_between_processes_is_no_change() -> None:
    wrong, wrong_in_one = 0, 0
    for seed in range(4):
        one, two = (made_of_processes(s, spread=0.04) for s in (seed, seed + 10))
        comparison, in_one = compare(one, two), compare(in_one_process(one), in_one_process(two))
        assert {c.processes for c in comparison.changes} == {6} and comparison.changed == []
        assert comparison.effort is not None and comparison.effort.processes is not None
        assert in_one.effort is not None and in_one.effort.processes is None
        wrong += sum(1.0 not in c.single for c in comparison.changes)
        wrong_in_one += sum(1.0 not in c.single for c in in_one.changes)
    # Of 72 intervals of 95%. The same rounds, taken as those of one process, are as sure as they are wrong.
    assert wrong <= 7 and wrong_in_one > 20


def test_false_alarms_and_no_change_in_several_processes() -> None:
    pairs = [compare(made_of_processes(2 * k), made_of_processes(2 * k + 1)) for k in range(20)]
    assert sum(bool(comparison.changed) for comparison in pairs) <= 3
    same = sum(len(comparison.of("same")) for comparison in pairs)
    assert same >= 0.95 * sum(len(comparison.changes) for comparison in pairs)


def test_intervals_that_know_the_processes_need_no_noise_floor() -> None:
    # The control is 3% off; a kernel is 2% slower in every process.
    slower = {"numba_loop": 1.02, CONTROL: 1.03}
    one, two = made_of_processes(1, {CONTROL: 1.03}, spread=1e-4), made_of_processes(2, slower, spread=1e-4)
    assert {c.kernel for c in compare(one, two).of("slower")} == {"numba_loop"}
    # Where either run has one process, it counts.
    for a, b in ((in_one_process(one), two), (one, in_one_process(two))):
        comparison = compare(a, b)
        assert not comparison.of("slower") and {c.processes for c in comparison.changes} == {1}
        assert {c.floor > 0.02 for c in comparison.changes} == {True}


def test_the_ratio_of_processes_is_the_second_over_the_first() -> None:
    found = compare(made_of_processes(1), made_of_processes(2, {"numba_loop": 1.2})).of("slower")
    assert {c.kernel for c in found} == {"numba_loop"} and len(found) == 6
    for each in found:
        assert each.ratio.estimate == pytest.approx(1.2, rel=0.02) == each.b / each.a


def test_speedups_of_processes_are_paired_by_process() -> None:
    # What a process does to all kernels alike is no part of a speed-up.
    one = made_of_processes(1, shared=0.2)
    two = elsewhere(made_of_processes(2, {"numba_loop": 1.2}, shared=0.2))
    comparison = compare(one, two)
    assert {c.kernel for c in comparison.of("slower")} == {"numba_loop"} and not comparison.of("faster")
    for each in comparison.of("slower"):
        assert each.ratio.estimate == pytest.approx(1.2, rel=0.02) == each.a / each.b


def test_a_kernel_that_one_process_timed_is_compared_by_its_rounds() -> None:
    one, two = made_of_processes(1), made_of_processes(2)
    cut = {
        name: replace(kept, rounds=kept.rounds[:10], wall=kept.wall[:10], cpu=kept.cpu[:10])
        if name == "numba_loop"
        else kept
        for name, kept in two.cells[0].samples.items()
    }
    comparison = compare(one, of_cells(two, [replace(two.cells[0], samples=cut), *two.cells[1:]]))
    assert {c.kernel for c in comparison.changes if c.processes == 1} == {"numba_loop"}
