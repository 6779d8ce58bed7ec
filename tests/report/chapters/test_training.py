"""Training: the cost of every iteration, laid over the time of each kernel."""

import math
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from bench.report import sections
from bench.report.chapters import training
from bench.report.style import SETTINGS
from bench.results import LOOP, Run
from tests.factories import cell, result
from tests.factories import run as made


def test_the_cost_is_laid_over_the_time_of_each_kernel() -> None:
    where = cell(569, 30, problem="breast_cancer", iterations=20)
    J = training.costs(where, seed=0)
    assert J.shape == (20,) and J[0] == pytest.approx(math.log(2.0)) and (np.diff(J) < 0.0).all()
    run = made([result(where, {LOOP: 2.0, "numba_fused": 0.01})], problem="breast_cancer")
    section = next(section for section in sections(run) if section.id == "training")
    (plot,) = section.plots
    with mpl.rc_context(SETTINGS):
        above, below = plot.figure.axes
        ends = sorted(float(np.asarray(line.get_xdata())[-1]) for line in above.lines)
        assert ends == [pytest.approx(0.01), pytest.approx(2.0)]
        assert [label.get_text() for label in below.get_yticklabels()] == [LOOP, "numba_fused"]
        canvas: Any = FigureCanvasAgg(plot.figure)
        canvas.draw()
        box, (width, height) = plot.figure.get_tightbbox(canvas.get_renderer()), plot.figure.get_size_inches()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
    assert plot.table is not None and plot.name == "training-F-1t"
    assert "in 10 ms with numba_fused and in 2 s with python_loop; numba_fused is 200× faster" in plot.finding


def test_a_training_run_has_no_maps_and_a_grid_no_training(run: Run) -> None:
    where = cell(569, 30, problem="breast_cancer", iterations=20)
    trained = made([result(where, {LOOP: 2.0})], problem="breast_cancer")
    assert not {section.id for section in sections(trained)} & {"maps", "numbers", "crossovers", "questions"}
    assert training.section(run) is None
