"""report.html and report.md: the story in order, the same tables in both, self-contained, small."""

import html
import re
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from bench.report import page, plots, svg
from bench.report.charts import STYLES, Plot, contrast, in_dark, text_on, text_style
from bench.report.page import Section
from bench.report.tables import Table
from bench.results.run import Run


@pytest.fixture(scope="module")
def drawn(run: Run) -> list[Plot]:
    return list(plots.draw(run))


@pytest.fixture(scope="module")
def story(run: Run, drawn: list[Plot]) -> list[Section]:
    return page.sections(run, drawn)


@pytest.fixture(scope="module")
def text(run_folder: Path) -> str:
    return (run_folder / "report.html").read_text(encoding="utf-8")


def test_the_sections_stand_in_order_and_hold_every_figure(drawn: list[Plot], story: list[Section]) -> None:
    assert [section.id for section in story] == [
        *("answer", "ladder", "numbers", "causes", "maps", "compiling", "accuracy", "questions", "method", "machine")
    ]
    assert [plot.name for section in story for plot in section.plots] == [
        plot.name for section in story for plot in drawn if plot.section == section.id
    ]
    assert sum(len(section.plots) for section in story) == len(drawn)


def test_a_section_shows_only_with_something_in_it_and_no_figure_is_lost(run: Run, drawn: list[Plot]) -> None:
    one = drawn[0]
    new = [replace(one, name="three-numbers", section="numbers"), replace(one, name="stray", section="more")]
    shown = {section.id: section for section in page.sections(run, new)}
    assert [plot.name for plot in shown["numbers"].plots] == ["three-numbers"]
    assert [plot.name for plot in shown["more"].plots] == ["stray"]
    assert "limits" not in shown and "maps" not in shown


def test_every_figure_names_a_section_of_the_page(drawn: list[Plot], story: list[Section]) -> None:
    assert {plot.section for plot in drawn} <= {section.id for section in story}


def test_a_table_that_a_figure_shows_is_shown_once(run: Run, drawn: list[Plot]) -> None:
    told = [table.title for table in page.number_tables(run, [])]
    assert told and set(told) >= {plot.table.title for plot in drawn if plot.section == "numbers" and plot.table}
    assert not any(
        table.title in (plot.table.title for plot in drawn if plot.table) for table in (page.number_tables(run, drawn))
    )


def tables_of(story: list[Section]) -> list[Table]:
    tables = [plot.table for section in story for plot in section.plots if plot.table]
    tables += [table for section in story for table in section.tables]
    return tables + [source.table for section in story for source in section.sources]


def test_a_table_of_paragraphs_is_stacked_however_few_its_columns(story: list[Section], text: str) -> None:
    tables = [table for section in story for table in section.tables if table.stacked]
    assert min(len(table.columns) for table in tables) == 4  # one shape was measured of the pairs in this run
    assert text.count('<table class="prose stacked">') == len(tables) == 2


def test_markdown_and_page_carry_the_same_tables(story: list[Section], run_folder: Path, text: str) -> None:
    markdown = (run_folder / "report.md").read_text(encoding="utf-8")
    plain = html.unescape(text)
    for table in tables_of(story):
        assert table.title in markdown and plain.count(f">{table.title}</summary>") <= 1
        for row in table.rows:
            assert "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" in markdown
            assert len(row) == len(table.columns)
            assert all(f">{cell}</td>" in plain for cell in row)
    for section in story:
        for words in (section.title, *section.lead, *section.items, *(plot.finding for plot in section.plots)):
            assert words in markdown
            assert words in plain.replace("\u00a0", " ")


def test_the_page_is_self_contained_and_every_figure_is_described(run_folder: Path, text: str) -> None:
    assert not re.search(r'(src|href)="(?!#|data:,")', text) and "url(http" not in text and "@import" not in text
    assert "<script" not in text
    assert (
        text.count("<svg") == text.count('role="img" aria-label="') == len(list((run_folder / "plots").glob("*.svg")))
    )
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', text)) | set(re.findall(r"url\(#([^)]+)\)", text)) <= set(ids)


def test_the_source_of_each_kernel_stands_beside_its_figures(run: Run, story: list[Section], text: str) -> None:
    ladder = next(section for section in story if section.id == "ladder")
    assert [source.name for source in ladder.sources] == run.measured
    fused = next(source for source in ladder.sources if source.name == "numba_fused")
    assert "The Python loop compiled" in next(s for s in ladder.sources if s.name == "numba_loop").text
    assert "def by_blocks(" in fused.text and html.escape(fused.change) in text
    assert len(fused.table.rows) == len(plots.story_cells(run))


def test_inlining_keeps_every_word_and_drops_most_bytes(run_folder: Path) -> None:
    for path in (run_folder / "plots").glob("*.svg"):
        before = path.read_text(encoding="utf-8")
        after = svg.inline(path, "f0", 'a "label" & more')
        words = re.compile(r"<text[^>]*>([^<]*)</text>")
        assert words.findall(after) == words.findall(before)
        assert len(after) < 0.6 * len(before)
        assert 'aria-label="a &quot;label&quot; &amp; more"' in after


def test_inlining_by_hand(tmp_path: Path) -> None:
    (tmp_path / "x.svg").write_text(
        '<?xml version="1.0"?>\n<svg width="9pt" viewBox="0 0 9 9" xmlns="x"><metadata>m</metadata>'
        "<defs><style>*{}</style></defs>\n"
        ' <g id="a_1">\n  <path d="M 1.26 2.0 \nL 3 4.04 \n" clip-path="url(#p7)" style="fill: none; stroke: #fff"/>\n'
        '  <path d="M 5 5 \nL 6 6 \n" clip-path="url(#p7)" style="fill: none; stroke: #fff"/>\n </g>\n'
        ' <g id="t"><!-- 1.04: a; b --><text style="font: 9px; font-family: \'D\', serif; x: y" x="1.26" y="2"'
        ' transform="rotate(-0 1.2 2)">1.04: a; b</text></g>\n'
        ' <defs><clipPath id="p7"><rect x="0.123" width="7"/></clipPath></defs></svg>'
    )
    assert svg.inline(tmp_path / "x.svg", "f3", "l") == (
        '<svg viewBox="0 0 9 9" role="img" aria-label="l">'
        "<style>.f3s0{clip-path:url(#f3-0)}.f3s1{fill:none;stroke:#fff}.f3s2{font:9px;x:y}</style>"
        '<path d="M1.3 2L3 4M5 5L6 6" class="f3s0 f3s1"/>'
        '<text class="f3s2" x="1.3" y="2">1.04: a; b</text>'
        '<defs><clipPath id="f3-0"><rect x="0.1" width="7"/></clipPath></defs></svg>'
    )


def test_contrast_and_the_colours_of_names() -> None:
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21.0)
    assert contrast((1, 1, 1), (1, 1, 1)) == 1.0
    # WCAG's own example of a grey that just passes: #767676.
    assert contrast([0x76 / 255] * 3, (1, 1, 1)) == pytest.approx(4.54, abs=0.01)
    assert all(contrast(text_style(name), (1, 1, 1)) >= 4.5 for name in STYLES)


def test_what_the_dark_page_makes_of_colours(text: str) -> None:
    assert "filter: invert(.92) hue-rotate(180deg)" in text
    assert in_dark((1, 1, 1)) == pytest.approx([0.08] * 3) and in_dark((0, 0, 0)) == pytest.approx([0.92] * 3)
    # Paper and figure meet without a seam: 0.08 of 255 is 20, #14.
    assert "--paper: #141414" in text
    assert all(contrast(in_dark(text_style(name)), in_dark((1, 1, 1))) >= 3.0 for name in STYLES)


def test_cells_of_a_map_can_be_read_on_both_pages() -> None:
    assert (text_on((1, 1, 1)), text_on((0, 0, 0))) == ("black", "white")
    shades = [mpl.colormaps["PuOr"](k / 60) for k in range(61)]
    for rgb in (*shades, *(mpl.colors.to_rgb(color) for color, _ in STYLES.values())):
        text = np.ones(3) if text_on(rgb) == "white" else np.zeros(3)
        assert min(contrast(rgb, text), contrast(in_dark(rgb), in_dark(text))) >= 3.0


def test_a_failure_and_an_interruption_are_told_at_the_top(run: Run) -> None:
    cells = [replace(cell) for cell in run.cells]
    cells[0].failed = {"numba_loop": "numba_loop: dw[1] got 1.0"}
    broken = page.sections(Run(run.header, cells, None), [])
    assert "interrupted" in broken[0].warnings[0] and broken[0].warnings[1].startswith("Once, a kernel disagreed")
    method = next(section for section in broken if section.id == "method")
    assert method.warnings[0] == f"Failed at {cells[0].cell.label}: numba_loop: dw[1] got 1.0"
