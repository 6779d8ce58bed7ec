"""The headline figure: four curves and a floor, and annotations that come from the run alone."""

from dataclasses import replace

import matplotlib as mpl
import pytest
from matplotlib.text import Text

from bench.analysis import ratios
from bench.report.chapters import headline
from bench.report.charts import Plot
from bench.report.style import SETTINGS
from bench.results import CONTROL, LOOP, VECTORIZED, Run
from bench.results.records import Ceiling, ReadRate, Skipped
from tests.factories import cell, kernel_card, result
from tests.factories import run as made


def plotted(run: Run) -> Plot:
    plot = headline.figure(run)
    assert plot is not None
    return plot


# Seconds per call, per example, per element.
COSTS = {
    LOOP: (1e-6, 1e-6, 4e-7),
    "numba_loop": (1e-6, 2e-8, 1e-9),
    VECTORIZED: (1.4e-5, 1e-8, 2e-10),
    "numba_fused": (1e-6, 2e-9, 1e-10),
    "numba_passes": (1e-6, 3e-9, 2e-10),
}
CEILING = Ceiling(1, [ReadRate(1_000, 100e9), ReadRate(10**8, 10e9)], flops=50e9, exps=1e9)


@pytest.fixture(scope="module")
def run_of_costs() -> Run:
    """Five sizes for each of three n_x; the loop is too slow for the largest."""
    results = []
    for n_x in (8, 32, 128):
        for m in (10, 100, 1_000, 10_000, 1_000_000):
            times = {name: a + c * m + d * m * n_x for name, (a, c, d) in COSTS.items()}
            slow = {LOOP: Skipped(cell="", kernel=LOOP, reason="too slow", predicted=9.0)} if m == 1_000_000 else {}
            times = {name: time for name, time in times.items() if name not in slow}
            results.append(result(cell(m, n_x), times | {CONTROL: times[VECTORIZED]}, skipped=slow))
    return made(results, list(COSTS), ceilings={1: CEILING})


def test_the_notes_are_those_of_the_run(run_of_costs: Run) -> None:
    results = ratios.headline_cells(run_of_costs)
    notes = headline.annotations(run_of_costs, results)
    assert {r.cell.n_x for r in results} == {32}
    assert notes.typical is not None and notes.small is not None
    (typical, ratio), (small, only) = notes.typical, notes.small
    assert (typical.cell.m, small.cell.m) == (1_000, 10)
    assert ratio == pytest.approx((1e-6 + 1e-3 + 1.28e-2) / (1.4e-5 + 1e-5 + 6.4e-6))
    assert only == pytest.approx((1e-6 + 1e-5 + 1.28e-4) / (1.4e-5 + 1e-7 + 6.4e-8))
    assert notes.call == pytest.approx(1.4e-5, rel=1e-3)
    # 1e-6 + 5.2e-8 m = 1.4e-5 + 1.64e-8 m.
    assert notes.crossover == pytest.approx(1.3e-5 / 3.56e-8, rel=0.02)
    # An L3 of 32 MiB holds 131,072 examples of 32 features.
    assert notes.cache == 2**25 / (8 * 32)
    assert headline.finding(notes) == (
        "At m = 1,000, NumPy is 450× faster than the Python loop. At m = 10 it is 9.8× faster, because a call of NumPy "
        "costs 14 µs. Below m = 360 (est.), the compiled loop beats NumPy. From m = 130,000 on, X no longer fits in "
        "the last cache."
    )


def test_the_title_says_what_the_data_show(run_of_costs: Run) -> None:
    results = ratios.headline_cells(run_of_costs)
    assert headline.title(results) == headline.PAYS_ONCE
    # NumPy's time grows with m as the loop's does: the title must not say otherwise.
    grows = [result(cell(m, 32), {LOOP: 1e-5 * m, VECTORIZED: 1e-6 * m}) for m in (10, 100)]
    assert headline.title(grows) == headline.SUBTITLE == headline.title(grows[:1])


def test_no_more_than_six_curves_however_many_kernels_are_the_user_s_own() -> None:
    own = {f"mine_{k}": 1e-6 for k in range(4)}
    results = [
        result(cell(m, 32), {LOOP: 1e-3, VECTORIZED: 1e-5, "numba_loop": 1e-5, "numba_fused": 1e-6} | own)
        for m in (10, 1_000)
    ]
    names = (LOOP, VECTORIZED, "numba_loop", "numba_fused", *own)
    cards = {name: kernel_card(name, own="a file" if name in own else None) for name in names}
    curves = headline._curves(made(results, cards), results)
    assert len(curves) == 6 and "mine_0" in curves


def test_both_figures_hold_every_note_and_name(run_of_costs: Run) -> None:
    with mpl.rc_context(SETTINGS):
        plot = plotted(run_of_costs)
    assert plot.narrow is not None and "hollow" in plot.caption.lower()
    for figure in (plot.figure, plot.narrow):
        texts = " ".join(text.get_text().replace("\n", " ") for text in figure.findobj(Text))
        for words in (
            "450× faster",
            "only 9.8×: a call",
            "360",
            "X leaves the cache",
            "compiled",
            "limit",
            "estimated",
        ):
            assert words in texts, words


def test_what_a_run_lacks_is_left_out(run: Run) -> None:
    results = [result(cell(10, 2), {LOOP: 1e-3})]
    alone = plotted(made(results))
    assert alone.finding == "" and "limit" not in alone.caption
    bare = replace(run, ceilings={})
    notes = headline.annotations(bare, ratios.headline_cells(bare))
    assert notes.cache is None and "allows" not in plotted(bare).caption


def test_nothing_is_drawn_where_nothing_was_timed() -> None:
    assert headline.figure(made([result(cell(10, 32), {CONTROL: 1e-6})])) is None
