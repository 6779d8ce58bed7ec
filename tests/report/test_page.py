"""The page: its chapters in order, each figure and table once, and what a reader must know first at the top."""

from dataclasses import replace

import matplotlib as mpl

from bench.report import page, sections
from bench.report.section import Section
from bench.results import LOOP, VECTORIZED, Run
from tests.factories import cell, kernel_card, result
from tests.factories import run as made


def test_the_chapters_stand_in_order(story: list[Section]) -> None:
    assert [section.id for section in story] == [
        *("answer", "ladder", "crossovers", "causes", "maps", "compiling", "accuracy", "questions", "method", "machine")
    ]
    names = [chapter.__module__.rpartition(".")[2] for chapter in page.CHAPTERS]
    assert names == [
        *("answer", "training", "ladder", "numbers", "crossovers", "causes", "maps", "limits", "precision"),
        *("compiling", "scale", "accuracy", "claims", "questions", "trust", "trust_experiment", "machine"),
    ]


def test_the_figures_of_a_run(story: list[Section]) -> None:
    plots = {plot.name: plot for section in story for plot in section.plots}
    assert set(plots) == {
        "headline",
        "waterfall",
        "causes",
        "fastest",
        "time-F-1t",
        "time-F-2t",
        f"speedup-over-{LOOP}-F-1t",
        f"map-over-{LOOP}-F-1t",
        f"speedup-over-{VECTORIZED}-F-1t",
        f"speedup-over-{VECTORIZED}-F-2t",
        f"map-over-{VECTORIZED}-F-1t",
        f"map-over-{VECTORIZED}-F-2t",
        "payback-F-1t",
        "accuracy",
        "breakdown",
    }
    assert "Hollow" in plots["time-F-1t"].caption and "Hollow" not in plots["time-F-2t"].caption
    assert {plot.name for plot in plots.values() if plot.fold == "Order F, 2 threads"} >= {"time-F-2t"}


def test_a_chapter_shows_only_with_something_in_it(story: list[Section]) -> None:
    assert Section("empty", "Empty", ["a sentence"]).or_none() is None
    assert Section("full", "Full", items=["an item"]).or_none() is not None
    ids = {section.id for section in story}
    # The recorded run has too few cells for a cost model, and no ceilings.
    assert not ids & {"numbers", "limits", "training"}


def test_drawing_leaves_no_settings_behind(run: Run) -> None:
    before = dict(mpl.rcParams)
    sections(run)
    assert dict(mpl.rcParams) == before


def test_a_run_in_which_nothing_was_measured_has_a_page() -> None:
    nothing = sections(made([]))
    assert nothing[0].plots == [] and "were not both timed in any cell" in nothing[0].lead[0]
    assert {section.id for section in nothing} >= {"answer", "machine"}


def test_a_failure_and_an_interruption_stand_at_the_top(run: Run) -> None:
    failing = replace(run.cells[0], failed={"numba_loop": "numba_loop: dw[1] got 1.0"})
    broken = sections(replace(run, cells=[failing, *run.cells[1:]], end=None))
    assert "interrupted" in broken[0].warnings[0] and broken[0].warnings[1].startswith("Once, a kernel disagreed")
    method = next(section for section in broken if section.id == "method")
    assert "numba_loop" in method.warnings[0] and failing.cell.label in method.warnings[0]


def test_own_kernels_are_drawn_in_every_figure_of_all_kernels() -> None:
    times = {LOOP: 1e-3, "numba_loop": 3e-5, VECTORIZED: 2e-5, "mine": 1e-5}
    results = [
        result(cell(m, n_x), {name: time * m * n_x for name, time in times.items()})
        for m in (10, 1_000)
        for n_x in (2, 8)
    ]
    owned = made(results, {name: kernel_card(name, own="a file" if name == "mine" else None) for name in times})
    apart = {"waterfall", "causes", "crossovers", "breakdown", "payback"}  # these show the ladder alone
    plots = [plot for section in sections(owned) for plot in section.plots]
    assert {plot.name.partition("-")[0] for plot in plots} >= {"headline", "time", "speedup", "map", "fastest"}
    for plot in plots:
        texts = {text.get_text() for text in plot.figure.findobj(mpl.text.Text)}
        assert "mine" in texts or plot.name.partition("-")[0] in apart, plot.name
