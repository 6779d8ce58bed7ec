"""Three numbers for each kernel: their figure, table and sentences, on a run whose costs are known."""

from itertools import product

import matplotlib as mpl
import pytest

from bench.report.chapters import numbers
from bench.report.section import Section
from bench.report.style import SETTINGS
from bench.results import VECTORIZED
from bench.stats import Interval
from tests.factories import cell, result
from tests.factories import run as made

COSTS = {"numba_fused": (1e-6, 2e-9, 1e-10), VECTORIZED: (1e-5, 8e-9, 2e-10)}


@pytest.fixture(scope="module")
def section() -> Section:
    results = [
        result(cell(m, n_x, threads=threads), {name: a + c * m + d * m * n_x for name, (a, c, d) in COSTS.items()})
        for threads, n_x, m in product((1, 2), (1, 8, 64), (10, 1_000, 100_000))
    ]
    few = result(cell(10, 2), {"numba_loop": 1e-6})
    with mpl.rc_context(SETTINGS):
        section = numbers.section(made([*results, few]))
    assert section is not None
    return section


def test_the_figures_are_those_of_the_first_setting_and_the_other_has_a_table(section: Section) -> None:
    assert [plot.name for plot in section.plots] == ["three-numbers-F-1t", "held-out-F-1t"]
    assert [table.title for table in section.tables] == [
        "Three numbers, order F, 2 threads (errors: median / 90th percentile)"
    ]


def test_the_numbers_are_those_of_the_run(section: Section) -> None:
    table = section.plots[0].table
    assert table is not None
    fused, vectorized, refused = table.text
    assert fused[:2] == ["numba_fused", "anywhere"] and fused[5:] == ["9", "0.0% / 0%", "0.0% / 0%"]
    assert [cost.split(" [")[0] for cost in fused[2:5]] == ["1 µs", "2 ns", "100 ps"]
    assert [cost.split(" [")[0] for cost in vectorized[2:5]] == ["10 µs", "8 ns", "200 ps"]
    assert refused == ["numba_loop", numbers.NO_FIT, *["–"] * 6]
    assert section.plots[0].finding == (
        "An element of X costs 200 ps with numpy_vectorized and 100 ps with numba_fused. numpy_vectorized has the "
        "highest fixed cost per call, 10 µs."
    )


def test_predictions_of_held_out_cells(section: Section) -> None:
    plot = section.plots[1]
    assert plot.finding == "100% of 18 held-out predictions are within 10%; half are within 0.0%."
    assert plot.table is not None and plot.table.headings == ["n_x", "m", *COSTS]
    assert plot.table.text[0] == ["1", "10", "1.00", "1.00"] and len(plot.table.rows) == 9


@pytest.mark.parametrize(
    ("low", "estimate", "high", "text"),
    [
        (9e-10, 1e-9, 1.1e-9, "1 ns"),
        (0.0, 1e-9, 2e-9, "≈ 0 (below 2 ns)"),
        (0.0, 0.0, 0.0, "≈ 0"),
        (1e-10, 2.4e-10, 3e-10, "240 ps"),
    ],
)
def test_a_cost_in_words(low: float, estimate: float, high: float, text: str) -> None:
    assert numbers.cost_text(Interval(estimate, low, high)) == text
