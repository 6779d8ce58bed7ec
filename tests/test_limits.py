"""The ceilings, the bound that follows from them, and what is drawn of both."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench.grid import Cell, Preset, thread_counts
from bench.machine import ceilings
from bench.machine.ceilings import READ, Ceiling
from bench.measure import session
from bench.measure.contestants import contestant
from bench.measure.worker import Worker
from bench.report import placing, tables
from bench.report.chapters import limits
from bench.results import run as results
from bench.results.run import VECTORIZED, Run
from kernels import KERNELS

CEILING = Ceiling(1, [(1_000, 100e9), (100_000, 10e9)], flops=50e9, exps=1e9)


def test_the_bound_is_the_longest_of_three_times() -> None:
    # 8 m n_x = 1000 bytes at 100 GB/s; 500 flops at 50 GFLOP/s; 5 exponentials of 1 ns.
    assert CEILING.limits(5, 25) == pytest.approx({"reading X": 1e-8, "arithmetic": 1e-8, "exponentials": 5e-9})
    assert CEILING.bound(5, 25) == pytest.approx(1e-8)
    # One feature: 125 exponentials take longer than 1000 bytes.
    assert CEILING.bound(125, 1) == pytest.approx(125e-9)


def test_bandwidth_between_two_sizes_and_beyond_the_last() -> None:
    assert CEILING.bandwidth(1_000) == pytest.approx(100e9)
    assert CEILING.bandwidth(10_000) == pytest.approx(np.sqrt(100e9 * 10e9))  # half way on both logarithms
    assert CEILING.bandwidth(10**9) == pytest.approx(10e9)
    assert CEILING.bandwidth(8) == pytest.approx(100e9)


def test_of_two_measurements_the_higher_of_everything_counts() -> None:
    again = Ceiling(1, [(1_000, 90e9), (100_000, 12e9)], flops=60e9, exps=0.5e9)
    two = replace(CEILING, threads=2)
    assert ceilings.best({}, {1: CEILING}) == {1: CEILING}
    assert ceilings.best({1: CEILING}, {1: again, 2: two}) == {
        1: Ceiling(1, [(1_000, 100e9), (100_000, 12e9)], flops=60e9, exps=1e9),
        2: two,
    }


def test_a_record_of_the_ceilings_reads_back() -> None:
    two = replace(CEILING, threads=2)
    assert ceilings.from_record(ceilings.record([CEILING, two])) == {1: CEILING, 2: two}


def test_what_is_read_is_all_of_x_once() -> None:
    x = np.arange(1.0, 2_001.0)
    assert ceilings.read_share(x, 0, 2_000) == ceilings.read_two_share(x, 0, 2_000) == 2_001_000.0
    assert ceilings.read_share(x, 1, 3) == ceilings.read_two_share(x, 1, 3) == 5.0
    assert ceilings.read(x, 3) == 3 * 2_001_000.0
    for X in (np.asfortranarray(x.reshape(4, 500)), x.reshape(4, 500)):
        assert ceilings.RULER.bind(np.zeros(4), 0.0, X, np.zeros(500))() == 2_001_000.0


def test_multiply_adds_and_exponentials_are_done() -> None:
    x = np.array([0.5, -1.0, 2.0])
    assert ceilings.exp_share(x, 0, 3) == pytest.approx(np.exp(-np.abs(x)).sum())
    p = np.polynomial.polynomial.polyval(1.0, [0.5, *np.arange(0.1, 3.2, 0.2)])
    q = np.polynomial.polynomial.polyval(1.0, [0.25, *np.arange(0.2, 3.3, 0.2)])
    assert ceilings.multiply_add_share(np.ones(1), 0, 1) == pytest.approx(p + q)  # at 1 the order makes no difference


def test_the_ceilings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    # Caches made small, so that little is read.
    monkeypatch.setattr(ceilings, "LAST_BYTES", 2**13)
    monkeypatch.setattr(ceilings, "LEAST_BYTES", 2**15)
    told: list[str] = []
    found = ceilings.measure(told.append)
    assert [ceiling.threads for ceiling in found] == thread_counts()
    for ceiling in found:
        assert [nbytes for nbytes, _ in ceiling.read] == [2**13, 2**14, 2**15]
        assert all(rate > 0.0 for _, rate in ceiling.read) and ceiling.flops > 0.0 and ceiling.exps > 0.0
    assert any("reading" in line for line in told)
    rows = dict(ceilings.describe(found, {"L1d": 2**13}))
    assert rows["Linear read, 1 thread"].startswith("L1d ") and "memory" in rows["Linear read, 1 thread"]


@pytest.fixture(scope="module")
def limited(run: Run) -> Run:
    """The small run, as if its machine's ceilings had been measured, and a linear read in its largest cell."""
    found = replace(run, ceilings={1: CEILING, 2: replace(CEILING, threads=2)})
    found.header = {**run.header, "machine": {**run.header["machine"], "caches": {"L1d": 64, "L2": 4096, "L3": 8192}}}
    result = replace(run.cells[3])
    ruled = result.seconds | {READ: [each / 4.0 for each in result.seconds[VECTORIZED]]}
    found.cells = [
        *run.cells[:3],
        replace(result, seconds=ruled, rounds=result.rounds | {READ: result.rounds[VECTORIZED]}),
    ]
    return found


def test_shares_of_the_limit(limited: Run) -> None:
    result = limited.cells[0]
    seconds = result.median("numba_fused").estimate
    assert limits.share(limited, result, "numba_fused") == pytest.approx(limited.bound(result.cell) / seconds)
    table = limited.table()
    row = table[(table.kernel == "numba_fused") & (table.m == 10) & (table.n_x == 2)].iloc[0]
    assert row.of_limit == pytest.approx(limited.bound(result.cell) / seconds)


def test_without_ceilings_nothing_is_drawn_and_no_share_claimed(run: Run) -> None:
    assert limits.roofline(run, ("F", 1)) is None and limits.limit_maps(run, ("F", 1)) is None
    assert limits.tables(run) == [] and run.table().of_limit.isna().all()


def test_figures_of_the_limits(limited: Run) -> None:
    for plot in (limits.roofline(limited, ("F", 1)), limits.limit_maps(limited, ("F", 1))):
        assert plot is not None and plot.table is not None and plot.finding
        assert plot.section == "limits"
        assert all(len(row) == len(plot.table.columns) for row in plot.table.rows)


def test_a_linear_read_is_the_ruler_of_cells_from_memory(limited: Run) -> None:
    (table,) = limits.tables(limited)
    column = table.columns.index(VECTORIZED)
    assert [row[column].split()[0] for row in table.rows] == ["25%"]
    assert READ not in table.columns[2:] and READ not in limited.cells[3].kernels


def test_an_own_kernel_is_told_its_share_of_the_limit(limited: Run) -> None:
    kernels = {**limited.kernels, "numba_fused": {**limited.kernels["numba_fused"], "own": "mine.py"}}
    own = replace(limited, header={**limited.header, "kernels": kernels})
    (line,) = placing.sentences(own)
    result = own.cells[3]
    share = tables.percent(limits.share(own, result, "numba_fused"))
    assert f"at {result.cell.label}, at {share} of this machine's limit" in line


@pytest.mark.parametrize(("value", "text"), [(0.71, "71%"), (0.0995, "10%"), (0.032, "3%"), (0.00041, "0.04%")])
def test_percent(value: float, text: str) -> None:
    assert tables.percent(value) == text


def test_the_ruler_is_measured_in_the_same_rounds_and_judged_by_nobody(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LAST_BYTES", 0)
    assert not contestant(READ).judged and contestant(READ).kernel is ceilings.RULER
    preset = Preset("tiny", (Cell(500, 3),), cap=0.5, budget=2e-3, min_rounds=6, max_rounds=6, sample_seconds=2e-4)
    # As if the ceilings had been measured, which takes seconds.
    monkeypatch.setattr(Worker, "ceilings", lambda _: [CEILING])
    measuring = session.Session(tmp_path, replace(preset, ceilings=True), seed=0)
    measuring.measure({cell: ["numba_fused"] for cell in preset.cells})
    found = measuring.close()
    assert found.ceilings == {1: CEILING}
    assert len(found.cells[0].seconds[READ]) == 6
    assert READ not in found.cells[0].agreement and not found.cells[0].failed
    assert results.load(tmp_path).ceilings == {1: CEILING}
    assert set(found.measured) <= set(KERNELS)
