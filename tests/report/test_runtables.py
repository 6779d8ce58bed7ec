"""Tables that chapters share: measured, or marked as estimated."""

import math

import pytest

from bench.analysis import estimates
from bench.analysis.estimates import Estimated
from bench.grid import Setting
from bench.report import runtables
from bench.results import CONTROL, LOOP, VECTORIZED, Run
from bench.results.records import Skipped
from bench.stats import Interval
from tests import factories
from tests.factories import cell


@pytest.fixture(scope="module")
def made() -> Run:
    """A loop that takes 5% more in every other cell, and is too slow for the last."""
    timed = [
        factories.result(
            cell(10**k, 2), {LOOP: 10.0 ** (k - 7) * (1.05 if k % 2 else 1.0), VECTORIZED: 1e-6, CONTROL: 1e-6}
        )
        for k in range(6)
    ]
    skipped = {LOOP: Skipped(cell="", kernel=LOOP, reason="too slow", predicted=0.9)}
    return factories.run([*timed, factories.result(cell(10**6, 2), {VECTORIZED: 1e-6, CONTROL: 1e-6}, skipped=skipped)])


def test_the_row_of_an_estimate_says_so(made: Run) -> None:
    times = runtables.time_table(made, made.cells, "here").text[-1]
    assert times[:2] == ["2", "1,000,000"] and times[2].startswith("est. 110 ms [")
    over_loop = runtables.speedup_table(made, Setting(), LOOP)
    assert over_loop is not None
    *_, time, ratio = over_loop.text[-1]
    assert time == times[2] and ratio.startswith("est. 110,000 [")
    over_numpy = runtables.speedup_table(made, Setting(), VECTORIZED)
    assert over_numpy is not None and over_numpy.text[-1][3].startswith("est. 9.5e-06 [")
    assert not any("est." in text for row in over_loop.text[:-1] for text in row)


def test_the_raw_value_is_the_estimate(made: Run) -> None:
    value = runtables.time_table(made, made.cells, "here").rows[-1][2]
    assert isinstance(value, Estimated) and value.low < value.estimate < value.high


def test_bounds() -> None:
    assert runtables.bounds(Interval(475.0, 455.0, 496.0)) == "475 [455, 496]"
    assert runtables.bounds(Estimated(475.0, 455.0, 496.0)) == "est. 480 [460, 500]"
    assert runtables.bounds(Estimated(475.0, 0.0, math.inf)) == "est. 480"
    assert runtables.time_bounds(Estimated(0.4312, 0.39, 0.474)) == "est. 430 ms [390 ms, 470 ms]"


def test_a_baseline_that_failed_is_no_baseline_that_was_too_slow() -> None:
    times = {VECTORIZED: 1e-6, CONTROL: 1e-6, "numba_loop": 1e-7}
    big = Skipped(cell="", kernel=LOOP, reason="needs 9 GiB of memory, of which 1 GiB are free")
    slow = Skipped(cell="", kernel=LOOP, reason="a call would take about 9 s", predicted=9.0)
    results = [
        factories.result(cell(10, 2), times | {LOOP: 1e-5}),
        factories.result(cell(100, 2), times, failed={LOOP: "python_loop: crashed with SIGSEGV"}),
        factories.result(cell(1_000, 2), times, skipped={LOOP: big}),
    ]
    run = factories.run(results)
    for table in (
        runtables.speedup_table(run, Setting(), LOOP),
        runtables.time_table(run, run.cells, "here"),
    ):
        assert table is not None
        column = next(k for k, heading in enumerate(table.headings) if LOOP in heading)
        assert [row[column] for row in table.text][1:] == ["failed", "not run"]
    assert not estimates.any_too_slow(run.cells)
    slower = factories.run([*results, factories.result(cell(10_000, 2), times, skipped={LOOP: slow})])
    assert estimates.any_too_slow(slower.cells)
