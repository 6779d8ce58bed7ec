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


def test_the_map_shows_numpy_and_the_end_of_the_ladder(made: Run) -> None:
    plot = limits.maps(made, Setting())
    assert plot is not None and plot.narrow is not None
    titles = [ax.get_title(loc="left") or ax.get_title() for ax in plot.figure.axes]
    assert titles == [VECTORIZED, "numba_fused"]
    assert "At m = 8,000, n_x = 8, numba_fused reaches" in plot.finding


def test_the_appendix_has_the_shares_of_all(made: Run) -> None:
    other = [factories.result(cell(each.cell.m, each.cell.n_x, "C"), TIMES) for each in made.cells]
    run = factories.run([*made.cells, *other], machine=made.header.machine, ceilings={1: ONE})
    detail = limits.detail(run)
    assert detail is not None
    first, second, _ = detail.tables
    assert first.headings == ["n_x", "m", "limit", LOOP, VECTORIZED, "numpy_textbook", "numba_fused"]
    assert second.title == "Percentage of the limit, order C, 1 thread"
    row = first.rows[1]
    result = made.cells[1]
    assert tuple(row[:2]) == (result.cell.n_x, result.cell.m)
    assert row[-1] == pytest.approx(numbers.share(made, result, "numba_fused"))


def test_a_linear_read_is_the_ruler_of_cells_from_memory(made: Run) -> None:
    table = limits.read_table(made)
    assert table is not None
    (row,) = table.text
    assert row[table.headings.index(VECTORIZED)] == "25% [25%, 25%]"
    assert READ not in table.headings[2:]


def test_without_ceilings_there_is_no_section(run: Run) -> None:
    assert limits.section(run) is None and limits.detail(run) is None
    assert run.table().of_limit.isna().all()


def test_shares_stand_in_the_table_of_a_run(run: Run) -> None:
    limited = replace(run, ceilings={1: ONE})
    result = limited.cells[0]
    table = limited.table()
    row = table[(table.kernel == "numba_fused") & (table.m == 10) & (table.n_x == 2)].iloc[0]
    assert row.of_limit == pytest.approx(limited.bound(result.cell) / result.median("numba_fused").estimate)
