"""The maps: what stands open and what in a fold, the fastest kernel, and the sentences."""

import pytest

from bench.analysis.ratios import Lead
from bench.report.chapters import maps
from bench.results import CONTROL, LOOP, VECTORIZED, Run
from bench.stats import Interval
from tests.factories import cell, result
from tests.factories import run as made

SMALL = result(cell(10, 2), {LOOP: 140e-6, "numba_loop": 2e-6, VECTORIZED: 14e-6, CONTROL: 14e-6})
LARGE = result(cell(1_000, 512), {LOOP: 12.0, "numba_loop": 0.032, VECTORIZED: 0.008, CONTROL: 0.008})


def test_only_what_shows_the_most_stands_open(run: Run) -> None:
    section = maps.section(run)
    assert section is not None
    assert [plot.name for plot in section.folds[""]] == ["fastest", "time-F-1t", f"map-over-{VECTORIZED}-F-1t"]
    assert list(section.folds) == ["", "More of order F, 1 thread", "Order F, 2 threads"]


def test_the_fastest_kernel_and_its_lead(run: Run) -> None:
    table = maps.fastest(run).table
    assert table is not None and len(table.rows) == len(run.cells)
    for (where, first, following, lead, clear), each in zip(table.rows, run.cells, strict=True):
        times = sorted(each.median(kernel).estimate for kernel in each.kernels)
        assert where == each.cell.label
        assert [each.median(first).estimate, each.median(following).estimate] == times[:2]
        assert not clear or lead > 1.0 + each.noise_floor


def test_growth() -> None:
    more = result(cell(1_000, 2), {VECTORIZED: 28e-6})
    start = "At n_x = 2, numpy_vectorized takes 14 µs for m = 10 and "
    assert maps.growth([SMALL, more]) == f"{start}28 µs for m = 1,000: 100× the examples, 2× the time."
    flat = result(cell(50, 2), {VECTORIZED: 13.9e-6})
    assert maps.growth([SMALL, flat]) == f"{start}14 µs for m = 50: 5× the examples, about the same time."
    assert maps.growth([SMALL]) == "At m = 10, n_x = 2, numpy_vectorized takes 14 µs."
    assert maps.growth([result(cell(10, 2), {LOOP: 1.0})]) == ""


def test_extremes() -> None:
    run = made([SMALL, LARGE])
    assert maps.extremes(run, run.cells, VECTORIZED) == (
        "Furthest ahead: numba_loop, 7× faster than numpy_vectorized (95% interval 7 to 7), at m = 10, n_x = 2. "
        "Furthest behind: python_loop, 1,500× slower (95% interval 1,500 to 1,500), at m = 1,000, n_x = 512."
    )
    assert maps.extremes(run, run.cells, LOOP).endswith("; no kernel is slower in any cell.")
    assert maps.extremes(run, run.cells, "numba_fused") == ""


@pytest.mark.parametrize(
    ("clear", "sentence"),
    [
        ([True, False], "Fastest by more than the noise, of 2 cells: numba_loop in 1; 1 tie."),
        ([True, True], "Fastest by more than the noise, of 2 cells: numba_loop in 2."),
        ([False, False], "Fastest by more than the noise, of 2 cells: none; 2 ties."),
        ([], ""),
    ],
)
def test_winners(clear: list[bool], sentence: str) -> None:
    leads = [Lead("numba_loop", "x", Interval(2.0, 2.0, 2.0), each) for each in clear]
    assert maps.winners_finding(leads) == sentence
