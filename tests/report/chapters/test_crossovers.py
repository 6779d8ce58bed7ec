"""The chapter on crossovers: its sentences, its table and its figure."""

import pytest
from matplotlib.collections import LineCollection

from bench.analysis import crossovers as numbers
from bench.analysis.crossovers import Compared, Crossover
from bench.grid import Setting
from bench.report.chapters import crossovers
from bench.results import CONTROL, CellResult, Run
from bench.stats import Interval
from tests import factories
from tests.factories import cell, kernel_card, run_of_costs

COSTS = {"numba_loop": (1e-6, 2e-8, 1e-9), "numpy_vectorized": (1e-5, 8e-9, 2e-10)}
NEVER = {"numba_loop": (1e-6, 1e-9, 1e-10), "numpy_vectorized": (1e-5, 8e-9, 2e-10)}
TWO = [Interval(1 / 4, 1 / 8, 1 / 2), Interval(4.0, 2.0, 8.0)]
FOUND = [Crossover("a", "b", Interval(37.2, 30.1, 45.4)), Crossover("b", "a", Interval(5210.0, 1000.0, 10_000.0))]
LETTERS = factories.run([], {"a": kernel_card("a"), "b": kernel_card("b")})


def test_the_sentence() -> None:
    once = Compared("a", "b", 32, [10, 100], TWO, FOUND[:1])
    assert crossovers.sentence(LETTERS, Setting(), once) == (
        "At n_x = 32, a beats b below m = 37 (95% interval 30 to 45); above, b wins."
    )
    twice = Compared("a", "b", 32, [10, 100], TWO, FOUND)
    assert crossovers.sentence(LETTERS, Setting(), twice).endswith(
        "above, b wins; from m = 5,200 (95% interval 1,000 to 10,000) on, a wins again."
    )


def test_where_all_threads_are_allowed_a_kernel_of_one_is_named_so() -> None:
    run = factories.run([], {"a": kernel_card("a", threads="one"), "b": kernel_card("b")})
    once = Compared("a", "b", 32, [10, 100], TWO, FOUND[:1])
    assert "a (one thread) beats b below m" in crossovers.sentence(run, Setting(threads=2), once)


@pytest.mark.parametrize(
    ("ratios", "found", "words"),
    [
        (TWO, FOUND, "below m = 37 [30, 45] a beats b; from m = 5,200 [1,000, 10,000] on a beats b"),
        ([Interval(0.9, 0.5, 1.2), Interval(1.1, 0.8, 2.0)], [], "too close to tell"),
        ([Interval(2.0, 1.5, 3.0)] * 2, [], "no crossover in the measured range: b is faster"),
        (
            [Interval(2.0, 1.5, 3.0), Interval(0.9, 0.5, 1.2)],
            [],
            "b is faster where it is clear; elsewhere too close to tell",
        ),
    ],
)
def test_what_is_known_of_a_pair(ratios: list[Interval], found: list[Crossover], words: str) -> None:
    assert crossovers.known_words(Compared("a", "b", 32, [10, 100], ratios, found)) == words


def test_the_map_of_loop_or_numpy() -> None:
    run = run_of_costs(COSTS, noise=0.02)
    section = crossovers.section(run)
    assert section is not None
    (plot,) = section.plots
    assert plot.name == "loop-or-numpy" and plot.narrow is not None
    assert plot.finding.startswith("At n_x = 64, numba_loop beats numpy_vectorized below m = ")
    assert plot.table is not None and len(plot.table.rows) == len(run.cells)
    # A black line over a white one for each crossover.
    crossings = [at for at in numbers.measured(run, Setting()) if at.crossovers]
    lines = [each for each in plot.figure.axes[0].collections if isinstance(each, LineCollection)]
    assert crossings and len(lines) == 2 * sum(len(at.crossovers) for at in crossings)


def test_a_run_that_compared_the_two_in_one_cell_has_no_map() -> None:
    alone = factories.run([factories.result(cell(10, 2), {"numba_loop": 1e-6, "numpy_vectorized": 1e-5})])
    assert crossovers.section(alone) is None


def test_the_appendix_lists_every_pair() -> None:
    detail = crossovers.detail(run_of_costs(NEVER))
    assert detail is not None and not detail.plots
    (table,) = detail.tables
    assert all(row[2] == "no crossover in the measured range: numba_loop is faster" for row in table.rows)
    assert {row[-1] for row in table.rows} == {"measured", "predicted"}
    # Neighbouring n_x of which the same is known share a row.
    assert [row[1] for row in table.rows if row[-1] == "measured"] == ["1 to 512"]


def test_one_thread_against_all() -> None:
    def result(m: int, n_x: int) -> CellResult:
        seconds = 2e-5 + 0.5 * (2e-9 * m + 1e-10 * m * n_x)
        return factories.result(
            cell(m, n_x, threads=2), {"numba_fused_parallel": seconds, "numpy_vectorized": 1.0, CONTROL: 1.0}
        )

    costs = {"numba_fused": (1e-6, 2e-9, 1e-10), "numpy_vectorized": (1.0, 0.0, 0.0)}
    more = [result(m, n_x) for m in factories.COST_MS for n_x in factories.COST_N_XS]
    names = ("numba_fused", "numba_fused_parallel", "numpy_vectorized")
    cards = {name: kernel_card(name, threads="one" if name == "numba_fused" else "all") for name in names}
    run: Run = run_of_costs(costs, more=more, cards=cards)
    setting = Setting(threads=2)
    (compared,) = (
        each
        for each in numbers.measured(run, setting)
        if (each.first, each.second, each.n_x) == ("numba_fused", "numba_fused_parallel", 8)
    )
    # 1.9e-5 of waking against half of 2.8e-9 m.
    assert compared.crossovers[0].m.estimate == pytest.approx(1.9e-5 / 1.4e-9, rel=1e-3)
    assert crossovers.sentence(run, setting, compared).startswith(
        "At n_x = 8, numba_fused (one thread) beats numba_fused_parallel below m = 14,000 (95% interval"
    )
    detail = crossovers.detail(run)
    assert detail is not None and any("2 threads" in table.title for table in detail.tables)
