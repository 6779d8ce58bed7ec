"""The chapter on accuracy: errors beside times, and where the textbook's cost breaks down."""

import math

import pytest

from bench.report.chapters import accuracy
from bench.results import CONTROL, LOOP, VECTORIZED, CellResult, Run
from bench.results.records import Agreed
from kernels import KERNELS
from tests import factories
from tests.factories import cell

TIMES = {LOOP: 12.0, "numba_loop": 0.032, "numba_fastmath": 0.008, "numpy_textbook": 0.01, VECTORIZED: 0.008}


def made(**dw: float) -> CellResult:
    """A cell in which dw is off by 8 units, or by as much as is given."""
    agreement = {name: Agreed(cell="", kernel=name, J=1.0, dw=dw.get(name, 8.0), db=0.0) for name in TIMES}
    return factories.result(cell(1_000, 512), {**TIMES, CONTROL: 0.008}, agreement=agreement)


def test_the_pairs_come_from_what_kernels_say_of_themselves() -> None:
    strict, relaxed = KERNELS[accuracy.STRICT], KERNELS[accuracy.RELAXED]
    assert (strict.arithmetic, relaxed.arithmetic, relaxed.grew_from) == ("strict", "relaxed", strict.name)
    textbook, stable = KERNELS[accuracy.TEXTBOOK], KERNELS[accuracy.STABLE]
    assert (textbook.cost_from, stable.cost_from, stable.grew_from) == ("a", "z", textbook.name)


def test_what_relaxed_arithmetic_costs() -> None:
    assert accuracy.finding(made(numba_fastmath=2.0)) == (
        "At m = 1,000, n_x = 512, numba_fastmath is 4× faster than numba_loop (95% interval 4 to 4). With its relaxed "
        "arithmetic dw is off by 2 units of rounding, with strict arithmetic by 8."
    )
    result = made()
    alone = CellResult(result.cell, {VECTORIZED: result.samples[VECTORIZED]}, agreement=result.agreement)
    assert (
        accuracy.finding(alone) == "The dw of the fastest kernel here, numpy_vectorized, is off by 8 units of rounding."
    )


def test_times_and_errors_of_a_cell() -> None:
    result = made()
    plot = accuracy.figure(result)
    assert plot is not None and plot.table is not None
    assert plot.table.text[0] == [LOOP, "12 s", "1", "8", "0"]
    first = plot.figure.axes[0]
    assert [label.get_text() for label in first.get_yticklabels()][-1] == LOOP  # the slowest on top
    unjudged = factories.result(cell(1_000, 512), TIMES)
    assert accuracy.figure(unjudged) is None


def test_the_textbook_cost_breaks_down_where_a_saturates() -> None:
    right = accuracy.costs(37.0, 1.0)
    assert math.isnan(right.textbook) and right.stable == pytest.approx(math.exp(-37.0), rel=1e-15) == right.true
    wrong = accuracy.costs(37.0, 0.0)
    assert math.isinf(wrong.textbook) and wrong.true == 37.0
    before = accuracy.costs(20.0, 1.0)
    assert 1e-9 < abs(before.textbook / before.true - 1.0) < 1e-6


def test_the_breakdown_is_drawn_where_the_textbook_was_measured() -> None:
    plot = accuracy.breakdown(factories.run([made()]))
    assert plot is not None and "infinite from z = 37 on for label 0 and NaN from z = 37 on for label 1" in plot.finding
    assert plot.table is not None
    row = ["label 1: right, and sure of it", "37", "8.53305e-17", "all of it: the cost is nan", "0"]
    assert row in plot.table.text
    assert accuracy.breakdown(factories.run([factories.result(cell(10, 2), {"numba_loop": 1.0})])) is None


def test_the_section_of_a_recorded_run(run: Run) -> None:
    section, detail = accuracy.section(run), accuracy.detail(run)
    assert section is not None and [plot.name for plot in section.plots] == ["breakdown"]
    assert detail is not None and [plot.name for plot in detail.plots] == ["accuracy"]
    (table,) = detail.tables
    worst = max(result.agreement["numba_loop"].dw for result in run.cells if "numba_loop" in result.agreement)
    (row,) = [row for row in table.rows if row[0] == "numba_loop"]
    assert row[2] == worst and table.headings == ["kernel", "J", "dw", "db", "cells"]
