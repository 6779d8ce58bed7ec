"""Three numbers for each kernel: their figure, table and sentences, on a run whose costs are known."""

from itertools import product

import pytest

from bench.report.chapters import numbers
from bench.results import VECTORIZED, Run
from bench.stats import Interval
from tests.factories import cell, result
from tests.factories import run as made

COSTS_OF_ONE = {VECTORIZED: 1e-5}
COSTS = {"numba_fused": (1e-6, 2e-9, 1e-10), VECTORIZED: (1e-5, 8e-9, 2e-10)}


@pytest.fixture(scope="module")
def run() -> Run:
    results = [
        result(cell(m, n_x, threads=threads), {name: a + c * m + d * m * n_x for name, (a, c, d) in COSTS.items()})
        for threads, n_x, m in product((1, 2), (1, 8, 64), (10, 1_000, 100_000))
    ]
    return made([*results, result(cell(10, 2), {"numba_loop": 1e-6})])


def test_the_page_has_the_kernels_of_the_story_in_one_table(run: Run) -> None:
    section = numbers.section(run)
    assert section is not None and section.lead[1] == (
        "100% of 18 held-out predictions are within 10%; half are within 0.0%."
    )
    (table,) = section.tables
    vectorized, fused = table.text
    assert vectorized == [VECTORIZED, "10 µs", "8 ns", "200 ps", "30.8 µs", "30.8 µs"]
    assert fused == ["numba_fused", "1 µs", "2 ns", "100 ps", "9.4 µs", "9.4 µs"]
    assert table.headings[4] == "t at m = 1,000, n_x = 64"


def test_the_appendix_has_all_of_every_setting(run: Run) -> None:
    detail = numbers.detail(run)
    assert detail is not None
    first, second, held_out = detail.tables
    vectorized, fused, refused = sorted(first.text, key=lambda row: row[0] != VECTORIZED)
    assert {vectorized[0], fused[0], refused[0]} == {VECTORIZED, "numba_fused", "numba_loop"}
    assert second.title == "Three numbers, order F, 2 threads (errors: median / 90th percentile)"
    assert held_out.headings == ["n_x", "m", *COSTS] and held_out.text[0] == ["1", "10", "1.00", "1.00"]
    assert [numbers.NO_FIT, *["–"] * 6] in [row[1:] for row in first.text]


def test_a_run_with_too_few_cells_has_no_costs() -> None:
    assert numbers.section(made([result(cell(10, 2), COSTS_OF_ONE)])) is None


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
