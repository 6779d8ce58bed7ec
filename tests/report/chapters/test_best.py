"""The best kernel at each size: named in its cell, ties as ties."""

from typing import Any

from matplotlib.text import Text

from bench.grid import Setting
from bench.report.chapters import best
from bench.results import CONTROL, LOOP, VECTORIZED, Run
from tests.factories import cell, result
from tests.factories import run as made

ONE = result(cell(10, 2), {LOOP: 9.0, VECTORIZED: 2.0, CONTROL: 2.0, "numba_fused": 1.0})
TIE = result(cell(1_000, 2), {LOOP: 9.0, VECTORIZED: 2.0, CONTROL: 2.0, "numba_fused": 2.0})
TWO = result(cell(10, 2, threads=2), {VECTORIZED: 2.0, CONTROL: 2.0, "numba_fused_parallel": 3.0})
FAST = result(cell(1_000, 2, threads=2), {VECTORIZED: 2.0, CONTROL: 2.0, "numba_fused_parallel": 1.0})


def texts(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def test_every_cell_names_its_winner_and_what_ties_with_it() -> None:
    plot = best.figure(made([ONE, TIE, TWO, FAST]), [Setting(), Setting(threads=2)])
    assert plot is not None and plot.narrow is not None and plot.table is not None
    shown = texts(plot.figure)
    assert {"numba_fused\n2× faster", "numba_fused¹\n2× faster", "numba_fused_parallel\n2× faster"} <= set(shown)
    assert f"{VECTORIZED}\n≈ numba_fused" in shown or f"numba_fused\n≈ {VECTORIZED}" in shown
    # A telephone shows a letter, and below what it stands for.
    assert {"A", "A¹", "C"} <= set(texts(plot.narrow)) and "A  numba_fused" in texts(plot.narrow)
    assert plot.finding == (
        "Fastest by more than the noise, of 4 cells: numba_fused in 2, numba_fused_parallel in 1; 1 tie. One thread is "
        "the fastest in 1 of the cells that allow more."
    )
    assert [row[1] for row in plot.table.text if "2 threads" in row[0]] == [
        "numba_fused on one thread",
        "numba_fused_parallel",
    ]


def test_a_run_of_one_kernel_has_no_winner() -> None:
    alone = made([result(cell(10, 2), {LOOP: 1.0})])
    assert best.section(alone) is None and best.detail(alone) is None


def test_the_page_shows_the_first_order_and_the_appendix_all(run: Run) -> None:
    section, detail = best.section(run), best.detail(run)
    assert section is not None and [plot.name for plot in section.plots] == ["best"]
    assert detail is not None and len(detail.tables[0].rows) == len(run.cells)
