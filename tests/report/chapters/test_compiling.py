"""The chapter on compiling: the map of calls until it has paid off, and what first calls cost."""

from dataclasses import replace

import pytest
from matplotlib.figure import Figure

from bench.grid import Setting
from bench.report.chapters import compiling
from bench.report.runtables import kernel_table
from bench.report.tables import Table
from bench.results import CONTROL, LOOP, VECTORIZED, Run
from bench.results.records import Price
from kernels import KERNELS
from tests import factories
from tests.factories import cell

PRICES = {"numba_loop": Price("numba_loop", 1.0, 0.25, 1e-5), "numba_fused": Price("numba_fused", 3.6, None, 1e-5)}


@pytest.fixture(scope="module")
def made() -> Run:
    """Two cells with known times, and known prices."""
    few = {LOOP: 8e-3, VECTORIZED: 2e-4, CONTROL: 2e-4, "numba_loop": 1e-4, "numba_fused": 2e-5}
    many = {VECTORIZED: 2e-3, CONTROL: 2e-3, "numba_loop": 4e-3, "numba_fused": 2e-4}
    small, large = factories.result(cell(1_000, 32), few), factories.result(cell(10_000, 32), many)
    return factories.run([small, large], prices=PRICES)


def test_the_map_and_the_table_of_the_appendix(made: Run) -> None:
    plot, table = compiling.figure(made, Setting()), detail_table(made)
    assert plot is not None and plot.name == "payback-F-1t" and plot.narrow is not None
    # 1 s for 0.1 ms a call; 3.6 s for 0.18 ms a call.
    assert table.text[0] == ["32", "1,000", "127", "452", "10k", "20k"]
    assert table.text[1] == ["32", "10,000", "–", "–", "never", "2k"]
    assert plot.finding == (
        "Against numpy_vectorized, compiling pays off soonest for numba_fused at m = 10,000, n_x = 32, order F, "
        "1 thread: after 2k calls. Where it pays off at all, it does so latest for numba_fused at m = 1,000, "
        "n_x = 32, order F, 1 thread: after 20k calls."
    )
    assert titles(plot.figure) == ["cold: 3.6 s to begin"]


def test_from_the_cache_it_pays_sooner(made: Run) -> None:
    cached = {"numba_fused": Price("numba_fused", 3.6, 0.18, 1e-5)}
    plot = compiling.figure(replace(made, prices=cached), Setting())
    assert plot is not None and titles(plot.figure) == ["cold: 3.6 s to begin", "cached: 180 ms to begin"]
    assert plot.finding.endswith("From the cache, 100 calls are enough at best.")


def titles(figure: Figure) -> list[str]:
    return [ax.get_title(loc="left") or ax.get_title() for ax in figure.axes]


def detail_table(run: Run) -> Table:
    detail = compiling.detail(run)
    assert detail is not None
    (table,) = detail.tables
    return table


def test_it_may_never_pay() -> None:
    slow = factories.run([factories.result(cell(10, 2), {VECTORIZED: 1e-5, "numba_fused": 1e-4})], prices=PRICES)
    plot = compiling.figure(slow, Setting())
    assert plot is not None and plot.finding.startswith("Compiling never pays off here")
    without = factories.run([factories.result(cell(10, 2), {VECTORIZED: 1e-5})])
    assert compiling.figure(without, Setting()) is None and compiling.section(without) is None


def test_what_first_calls_cost(made: Run) -> None:
    table = compiling.price_table(made)
    assert table is not None and table.text[1] == ["numba_fused", "3.6 s", "not possible", "10 µs"]
    assert table.headings == ["kernel", "compiling, cold", "cached on disk", "the next call"]


def test_every_table_has_the_same_price(made: Run) -> None:
    ladder, table = kernel_table(made), detail_table(made)
    assert table.title == "Calls until compiling has paid off, order F, 1 thread"
    assert ladder.title == "The ladder" and ladder.headings[-1] == "compiling, cold"
    assert {row[0]: row[-1] for row in ladder.text if row[0] in PRICES} == {"numba_loop": "1 s", "numba_fused": "3.6 s"}


def test_a_title_says_where_first_calls_of_the_run_stand_in() -> None:
    result = factories.result(cell(10, 2), {VECTORIZED: 1e-4, "numba_loop": 1e-5}, first_call={"numba_loop": 0.4})
    alone = factories.run([result])
    note = "(compiling, cold: the first call in this run)"
    assert detail_table(alone).title == f"Calls until compiling has paid off, order F, 1 thread {note}"
    assert kernel_table(alone).title == f"The ladder {note}"
    partly = factories.run([result], prices={"numba_fused": PRICES["numba_fused"]})
    assert kernel_table(partly).title == "The ladder (compiling, cold: the first call in this run for numba_loop)"


def test_a_run_without_prices_has_its_own_first_calls(run: Run) -> None:
    assert compiling.price_table(run) is None
    assert compiling.figure(run, run.settings[0]) is not None
    once = [name for name, kernel in KERNELS.items() if kernel.compiles == "once"]
    assert detail_table(run).headings[2:] == [
        f"{name} over {baseline}" for baseline in (LOOP, VECTORIZED) for name in once
    ]
