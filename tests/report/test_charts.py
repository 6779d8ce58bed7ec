"""What figures share: names apart, points measured or estimated, ticks; and no text of a figure is clipped."""

import itertools
from typing import Any

import matplotlib as mpl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation, Text

from bench.report.chapters import answer, headline
from bench.report.charts import Plot, ratio_tick, seconds_point, spread
from bench.report.section import Section
from bench.report.style import SETTINGS
from bench.results import LOOP, Run
from bench.results.records import Skipped
from tests.factories import cell, result
from tests.factories import run as run_of


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_spread_keeps_order_and_distance(heights: list[float]) -> None:
    ordered = sorted(heights)
    apart = spread(ordered, gap=0.08)
    assert all(b - a >= 0.08 - 1e-12 for a, b in itertools.pairwise(apart))
    # Labels that were apart already stay where they were.
    if all(b - a >= 0.08 for a, b in itertools.pairwise(ordered)):
        assert apart == pytest.approx(ordered, abs=1e-12)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_spread_keeps_within_its_bounds(heights: list[float]) -> None:
    apart = spread(sorted(heights), gap=0.09, low=0.0, high=1.0)
    assert apart[0] >= -1e-12 and apart[-1] <= 1.0 + 1e-12
    assert all(b - a >= 0.09 - 1e-12 for a, b in itertools.pairwise(apart))


def test_spread_by_hand() -> None:
    assert spread([], 0.1) == []
    assert spread([0.5, 0.5], 0.2) == pytest.approx([0.4, 0.6])
    # Three do not fit between 0.9 and 1: they go below.
    assert spread([1.0, 1.0, 1.0], 0.1, low=0.9, high=1.0) == pytest.approx([0.8, 0.9, 1.0])


@pytest.mark.parametrize(
    ("value", "text"),
    [(1000.0, "1k×"), (20_000.0, "20k×"), (300.0, "300×"), (1.0, "1×"), (0.5, "↓2×"), (0.001, "↓1k×"), (0.7, "↓1.43×")],
)
def test_ticks_of_ratios(value: float, text: str) -> None:
    assert ratio_tick(value) == text


def test_estimated_points_are_not_measured_and_rest_on_the_nearest_cells() -> None:
    skipped = {LOOP: Skipped(cell="", kernel=LOOP, reason="too slow", predicted=9.0)}
    slow = result(cell(1_000, 2), {"numba_loop": 0.5, "numpy_vectorized": 0.25}, skipped=skipped)
    made = run_of([result(cell(500, 2), {LOOP: 1.0}), slow], [LOOP, "numba_loop", "numpy_vectorized", "numba_fused"])
    estimated, measured = seconds_point(made, slow, LOOP), seconds_point(made, slow, "numba_loop")
    assert estimated is not None and not estimated.measured and estimated.value.estimate == pytest.approx(2.0)
    assert measured is not None and measured.measured and (measured.m, measured.value.estimate) == (1_000, 0.5)
    assert seconds_point(made, slow, "numba_fused") is None
    crashed = {LOOP: Skipped(cell="", kernel=LOOP, reason="needs all threads")}
    assert seconds_point(made, result(cell(10, 2), {}, skipped=crashed), LOOP) is None


def test_estimates_make_no_headline() -> None:
    skipped = {LOOP: Skipped(cell="", kernel=LOOP, reason="too slow", predicted=9.0)}
    both = result(cell(1_000, 32), {LOOP: 1.0, "numpy_vectorized": 0.01})
    slow = result(cell(100_000, 32), {"numpy_vectorized": 0.5}, skipped=skipped)
    made = run_of([both, slow])
    assert answer.headline(made) == (
        "Vectorized NumPy is 100× faster than the Python loop (95% interval 100 to 100), at m = 1,000, n_x = 32, one "
        "thread."
    )
    plot = headline.figure(made)
    assert plot is not None
    assert plot.finding.startswith("At m = 1,000") and "100,000" not in plot.finding
    assert plot.table is not None and plot.table.text[1][2] == "est. 100 s"


@pytest.fixture(scope="module")
def plots(story: list[Section], more: list[Section]) -> list[Plot]:
    return [plot for section in [*story, *more] for plot in section.plots]


def test_every_figure_says_what_it_shows_and_what_the_data_show(plots: list[Plot]) -> None:
    assert len({plot.name for plot in plots}) == len(plots)
    for plot in plots:
        assert plot.finding.endswith(".") and plot.caption.endswith("."), plot.name
        if plot.table is not None:
            assert all(len(row) == len(plot.table.headings) for row in plot.table.rows), plot.name


def test_no_text_is_clipped_and_no_label_over_another(plots: list[Plot]) -> None:
    with mpl.rc_context(SETTINGS):
        for plot, figure in [(p, each) for p in plots for each in (p.figure, p.narrow) if each]:
            canvas: Any = FigureCanvasAgg(figure)
            canvas.draw()
            renderer = canvas.get_renderer()
            drawn = figure.get_tightbbox(renderer)  # of all that is drawn, in inches
            width, height = figure.get_size_inches()
            assert drawn.x0 >= 0 and drawn.y0 >= 0 and drawn.x1 <= width and drawn.y1 <= height, (plot.name, drawn)
            labels = [text for text in figure.findobj(Annotation) if text.get_visible() and text.get_text()]
            boxes = {text: Text.get_window_extent(text, renderer) for text in labels}
            for one, other in itertools.combinations(labels, 2):
                assert not boxes[one].padded(-1).overlaps(boxes[other].padded(-1)), (plot.name, one, other)


def test_a_clipped_label_would_be_noticed(run: Run) -> None:
    with mpl.rc_context(SETTINGS):
        plot = headline.figure(run)
        assert plot is not None
        figure = plot.figure
        figure.axes[0].set_position((0.1, 0.1, 0.89, 0.8))
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()
        assert figure.get_tightbbox(canvas.get_renderer()).x1 > figure.get_figwidth()
