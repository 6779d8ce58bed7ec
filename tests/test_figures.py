"""Figures and report: labels apart, nothing clipped, tables and page complete, same data same bytes."""

import itertools
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation, Text

from bench.measure.contestants import DESCENT
from bench.report import page, plots, tables
from bench.report import terminal as summary
from bench.report.chapters import maps
from bench.report.charts import SETTINGS, STYLES, seconds_point, speedup_point
from bench.report.plots import spread
from bench.results.run import LOOP, VECTORIZED, Run
from bench.stats import Interval
from kernels import KERNELS


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_spread_keeps_order_and_distance(heights: list[float]) -> None:
    ordered = sorted(heights)
    apart = spread(ordered, gap=0.08)
    assert all(b - a >= 0.08 - 1e-12 for a, b in itertools.pairwise(apart))
    # Labels that were apart already stay where they were.
    if all(b - a >= 0.08 for a, b in itertools.pairwise(ordered)):
        assert apart == ordered


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_spread_keeps_within_its_bounds(heights: list[float]) -> None:
    apart = spread(sorted(heights), gap=0.09, low=0.0, high=1.0)
    assert apart[0] >= -1e-12 and apart[-1] <= 1.0 + 1e-12
    assert all(b - a >= 0.09 - 1e-12 for a, b in itertools.pairwise(apart))


def test_every_kernel_has_a_style_of_its_own() -> None:
    assert set(STYLES) >= {*KERNELS, DESCENT}
    assert len(set(STYLES.values())) == len(STYLES)
    assert len({marker for _, marker in STYLES.values()}) == len(STYLES)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1×"),
        (1.234, "1.2×"),
        (13.4, "13×"),
        (456.0, "456×"),
        (0.5, "1/2"),
        (0.02, "1/50"),
        (0.99, "1×"),
        (1.03, "1×"),
    ],
)
def test_ratio_text(value: float, text: str) -> None:
    assert tables.ratio_text(value) == text


def test_figures_of_a_run(run: Run) -> None:
    drawn = {plot.name: plot for plot in plots.draw(run)}
    # Whether one kernel overtakes another in so small a run, chance decides.
    assert set(drawn) - {"crossovers-F-1t"} == {
        "headline",
        "causes",
        "payback-F-1t",
        "waterfall",
        "accuracy",
        "breakdown",
        "time-F-1t",
        "time-F-2t",
        f"speedup-over-{LOOP}-F-1t",
        f"map-over-{LOOP}-F-1t",
        f"speedup-over-{VECTORIZED}-F-1t",
        f"speedup-over-{VECTORIZED}-F-2t",
        f"map-over-{VECTORIZED}-F-1t",
        f"map-over-{VECTORIZED}-F-2t",
        "fastest",
    }
    for plot in drawn.values():
        assert plot.finding.endswith(".") and plot.caption.endswith("."), plot.name
        assert plot.table is not None and all(len(row) == len(plot.table.columns) for row in plot.table.rows)
    assert "Hollow" in drawn["time-F-1t"].caption and "Hollow" not in drawn["time-F-2t"].caption


def test_no_text_is_clipped_and_no_label_over_another(run: Run) -> None:
    with mpl.rc_context(SETTINGS):
        for plot in plots.draw(run):
            canvas: Any = FigureCanvasAgg(plot.figure)
            canvas.draw()
            renderer = canvas.get_renderer()
            drawn = plot.figure.get_tightbbox(renderer)  # of all that is drawn, in inches
            width, height = plot.figure.get_size_inches()
            assert drawn.x0 >= 0 and drawn.y0 >= 0 and drawn.x1 <= width and drawn.y1 <= height, (plot.name, drawn)
            labels = [t for t in plot.figure.findobj(Annotation) if t.get_visible()]
            boxes = {t: Text.get_window_extent(t, renderer) for t in labels}
            for one, other in itertools.combinations(labels, 2):
                assert not boxes[one].padded(-1).overlaps(boxes[other].padded(-1)), (plot.name, one, other)


def test_a_clipped_label_would_be_noticed(run: Run) -> None:
    with mpl.rc_context(SETTINGS):
        figure = next(iter(plots.draw(run))).figure
        figure.subplots_adjust(right=0.99)
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()
        assert figure.get_tightbbox(canvas.get_renderer()).x1 > figure.get_figwidth()


def test_predicted_points_are_hollow_and_measured_ones_are_not(run: Run) -> None:
    slow, fast = run.cells[3], run.cells[2]
    predicted = seconds_point(slow, LOOP)
    assert predicted is not None and not predicted.measured
    assert seconds_point(fast, LOOP).measured  # type: ignore[union-attr]
    ratio = speedup_point(slow, "numba_loop", LOOP)
    assert ratio is not None and not ratio.measured
    assert ratio.value.estimate == pytest.approx(predicted.value.estimate / slow.median("numba_loop").estimate)


def test_the_fastest_kernel_leads_over_the_next(run: Run) -> None:
    for result in run.cells:
        name, following, ratio, clear = maps.lead(result)  # type: ignore[misc]
        times = sorted(result.median(kernel).estimate for kernel in result.kernels)
        assert (result.median(name).estimate, result.median(following).estimate) == (times[0], times[1])
        assert not clear or ratio > 1.0 + result.noise_floor


def test_headline_is_the_largest_cell_where_both_were_timed(run: Run) -> None:
    assert page.headline(run).startswith(
        "At m = 10, n_x = 16, order F, 1 thread, the gradient step in vectorized NumPy"
    )


@pytest.mark.parametrize(("value", "text"), [(1000.0, "1000×"), (1.0, "1×"), (0.5, "1/2"), (0.001, "1/1000")])
def test_ticks_of_ratios(value: float, text: str) -> None:
    assert plots._ratio_tick(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1771.4, "1,770"), (4.776, "4.78"), (0.001134, "0.00113"), (1.0, "1"), (1e6, "1,000,000")]
)
def test_digits(value: float, text: str) -> None:
    assert tables.digits(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(1e-9, "1 ns"), (1.34e-5, "13.4 µs"), (0.0123, "12.3 ms"), (4.2, "4.2 s"), (0.9999, "1 s")]
)
def test_seconds_text(seconds: float, text: str) -> None:
    assert summary.seconds_text(seconds) == text


def test_interval_text_says_when_there_is_no_interval() -> None:
    assert summary.interval_text(Interval(2.0, 1.9, 2.1)) == "2× ±5%"
    assert summary.interval_text(Interval(2.0, 0.0, np.inf)) == "2× ±?"
    assert summary.interval_text(None) == "–"
