"""The chapter on limits: the roofline, the maps, and shares of a linear read."""

from dataclasses import replace

import msgspec
import pytest

from bench.analysis import limits as numbers
from bench.grid import Setting
from bench.report.chapters import limits
from bench.results import LOOP, READ, VECTORIZED, Run
from bench.results.records import Ceiling, ReadRate
from tests import factories
from tests.factories import CARD, cell

ONE = Ceiling(1, [ReadRate(1_000, 100e9), ReadRate(10**6, 10e9)], flops=50e9, exps=1e9)
TIMES = {LOOP: 1e-2, VECTORIZED: 2e-4, "numpy_textbook": 2e-4, "numba_fused": 5e-5}


@pytest.fixture(scope="module")
def made() -> Run:
    """Cells in a small cache and from memory, for two n_x, with a linear read in one of them."""
    results = [factories.result(cell(m, n_x), TIMES) for n_x in (2, 8) for m in (250, 4_000)]
    largest = factories.result(cell(8_000, 8), {**TIMES, READ: TIMES[VECTORIZED] / 4.0})
    card = msgspec.structs.replace(CARD, caches={"L1d": 64, "L2": 2**13, "L3": 2**14})
    return factories.run([*results, largest], machine=card, ceilings={1: ONE})


def test_the_roofline(made: Run) -> None:
    plot = limits.roofline(made, Setting())
    assert plot is not None and plot.table is not None and plot.table.title == "The roofline, order F, 1 thread"
    titles = [ax.get_title(loc="left") or ax.get_title() for ax in plot.figure.axes]
    assert titles == ["X in the cache (3.91 KiB to 15.6 KiB)", "X in memory (62.5 KiB to 500 KiB)"]
    # The rungs that compile once, and the baselines; the rest is in the table of shares.
    assert plot.table.headings == ["n_x", "m", "limited by", "limit, GB/s", LOOP, VECTORIZED, "numba_fused"]
    result = made.cells[1]
    row = next(row for row in plot.table.rows if tuple(row[:2]) == (result.cell.n_x, result.cell.m))
    assert row[-1].rate == pytest.approx(result.cell.nbytes / 5e-5 / 1e9)
    assert row[-1].share == pytest.approx(numbers.share(made, result, "numba_fused"))
    assert plot.finding.startswith("numba_fused comes nearest to the roof: it reaches ")


def test_the_maps(made: Run) -> None:
    plot = limits.maps(made, Setting())
    assert plot is not None and plot.table is not None
    assert plot.table.headings == ["n_x", "m", "limit", LOOP, VECTORIZED, "numpy_textbook", "numba_fused"]
    assert "At m = 8,000, n_x = 8, order F, 1 thread, numba_fused reaches" in plot.finding
    assert all(len(row) == len(plot.table.columns) for row in plot.table.text)


def test_a_linear_read_is_the_ruler_of_cells_from_memory(made: Run) -> None:
    (table,) = limits.tables(made)
    (row,) = table.text
    assert row[table.headings.index(VECTORIZED)] == "25% [25%, 25%]"
    assert READ not in table.headings[2:]


def test_only_the_first_setting_stands_outside_a_fold(made: Run) -> None:
    other = [factories.result(cell(each.cell.m, each.cell.n_x, "C"), TIMES) for each in made.cells]
    section = limits.section(factories.run([*made.cells, *other], machine=made.header.machine, ceilings={1: ONE}))
    assert section is not None
    assert [(plot.name, plot.fold) for plot in section.plots] == [
        ("roofline-F-1t", ""),
        ("limit-F-1t", ""),
        ("roofline-C-1t", "order C, 1 thread"),
        ("limit-C-1t", "order C, 1 thread"),
    ]


def test_without_ceilings_there_is_no_section(run: Run) -> None:
    assert limits.section(run) is None and run.table().of_limit.isna().all()


def test_shares_stand_in_the_table_of_a_run(run: Run) -> None:
    limited = replace(run, ceilings={1: ONE})
    result = limited.cells[0]
    table = limited.table()
    row = table[(table.kernel == "numba_fused") & (table.m == 10) & (table.n_x == 2)].iloc[0]
    assert row.of_limit == pytest.approx(limited.bound(result.cell) / result.median("numba_fused").estimate)
