"""The page: its chapters in order, each figure and table once, and what a reader must know first at the top."""

from dataclasses import replace

import matplotlib as mpl

from bench.report import appendix, sections
from bench.report.section import Section
from bench.results import LOOP, VECTORIZED, Run
from tests.factories import cell, kernel_card, result
from tests.factories import run as made


def test_the_chapters_stand_in_order(story: list[Section], more: list[Section]) -> None:
    # The recorded run has too few cells for a cost model, and no ceilings.
    ids = ("answer", "notes", "ladder", "crossovers", "best", "compiling", "accuracy", "method", "machine")
    assert [section.id for section in story] == list(ids)
    ids = ("questions", "causes", "winners", "overtaking", "times", "ladder-tables", "paybacks", "errors", "warnings")
    assert [section.id for section in more] == list(ids)


def test_the_figures_of_a_run(story: list[Section], more: list[Section]) -> None:
    plots = {plot.name: plot for section in story for plot in section.plots}
    assert set(plots) == {"headline", "loop-or-numpy", "best", "payback-F-1t", "breakdown"}
    assert all(plot.narrow is not None for plot in plots.values())
    assert "Hollow" in plots["headline"].caption
    apart = {plot.name for section in more for plot in section.plots}
    assert apart == {"causes", "accuracy"}


def test_no_figure_has_more_than_six_series(story: list[Section], more: list[Section]) -> None:
    for plot in (plot for section in [*story, *more] for plot in section.plots):
        for ax in plot.figure.axes:
            colors = {mpl.colors.to_hex(line.get_color()) for line in ax.lines} - {"#555555"}  # a line at 1
            assert len(colors) <= 6, plot.name


def test_a_chapter_shows_only_with_something_in_it(story: list[Section]) -> None:
    assert Section("empty", "Empty", ["a sentence"]).or_none() is None
    assert Section("full", "Full", items=["an item"]).or_none() is not None
    assert not {section.id for section in story} & {"numbers", "limits", "training"}


def test_drawing_leaves_no_settings_behind(run: Run) -> None:
    before = dict(mpl.rcParams)
    sections(run)
    assert dict(mpl.rcParams) == before


def test_a_run_in_which_nothing_was_measured_has_a_page() -> None:
    nothing = sections(made([]))
    assert nothing[0].plots == [] and "were not both timed in any cell" in nothing[0].lead[0]
    assert {section.id for section in nothing} >= {"answer", "notes", "machine"}
    assert [section.id for section in appendix(made([]))] == ["questions"]


def test_a_failure_and_an_interruption_stand_at_the_top(run: Run) -> None:
    failing = replace(run.cells[0], failed={"numba_loop": "numba_loop: dw[1] got 1.0"})
    broken = sections(replace(run, cells=[failing, *run.cells[1:]], end=None))
    assert "interrupted" in broken[0].warnings[0] and broken[0].warnings[1].startswith("Once, a kernel disagreed")
    method = next(section for section in broken if section.id == "method")
    assert "numba_loop" in method.warnings[0] and failing.cell.label in method.warnings[0]


def test_own_kernels_are_in_the_headline_and_the_tables() -> None:
    times = {LOOP: 1e-3, "numba_loop": 3e-5, VECTORIZED: 2e-5, "mine": 1e-5}
    results = [
        result(cell(m, n_x), {name: time * m * n_x for name, time in times.items()})
        for m in (10, 1_000)
        for n_x in (2, 8)
    ]
    owned = made(results, {name: kernel_card(name, own="a file" if name == "mine" else None) for name in times})
    plots = {plot.name: plot for section in [*sections(owned), *appendix(owned)] for plot in section.plots}
    assert "mine" in {text.get_text() for text in plots["headline"].figure.findobj(mpl.text.Text)}
    assert plots["best"].table is not None and {row[1] for row in plots["best"].table.rows} == {"mine"}


def test_training_has_a_page_of_its_own() -> None:
    where = cell(569, 30, problem="breast_cancer", iterations=20)
    run = made([result(where, {LOOP: 1.0, VECTORIZED: 0.01})], problem="breast_cancer")
    assert [section.id for section in sections(run)] == ["answer", "training", "notes", "method", "machine"]
    assert {section.id for section in appendix(run)} >= {"times"}
