"""report.html and report.md: the same tables in both, self-contained, small; and the files beside them."""

import html
import re
from pathlib import Path

import pytest

from bench.report import draw, svg, write
from bench.report.section import Section
from bench.report.tables import Table
from bench.results import Run


@pytest.fixture(scope="module")
def text(run_folder: Path) -> str:
    return (run_folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def apart(run_folder: Path) -> str:
    """The appendix."""
    return (run_folder / "appendix.html").read_text(encoding="utf-8")


def tables_of(story: list[Section]) -> list[Table]:
    tables = [plot.table for section in story for plot in section.plots if plot.table]
    tables += [table for section in story for table in section.tables]
    return tables + [lesson.outcomes for section in story for lesson in section.lessons if lesson.outcomes]


def test_markdown_and_pages_have_the_same_tables_and_sentences(
    story: list[Section], more: list[Section], run_folder: Path, text: str, apart: str
) -> None:
    markdown = (run_folder / "report.md").read_text(encoding="utf-8")
    for sections, page in ((story, text), (more, apart)):
        plain = html.unescape(page).replace("\u00a0", " ")
        for table in tables_of(sections):
            assert table.title in markdown and plain.count(f">{table.title}</summary>") <= 1
            for row in table.text:
                assert "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" in markdown
                assert len(row) == len(table.headings)
                assert all(f">{cell}</td>" in plain or f">{cell}</th>" in plain for cell in row)
        for section in sections:
            for words in (section.title, *section.lead, *section.items, *(plot.finding for plot in section.plots)):
                assert words in markdown and words in plain


def test_every_table_has_a_caption_and_headers(text: str, apart: str) -> None:
    for page in (text, apart):
        tables = re.findall(r"<table.*?</table>", page, re.DOTALL)
        assert tables and all("<caption" in table and '<th scope="col"' in table for table in tables)
        assert all('<th scope="row"' in table for table in tables if 'class="diff"' not in table)


def test_the_page_is_self_contained_and_every_figure_is_described(run_folder: Path, text: str, apart: str) -> None:
    drawn = len(list((run_folder / "plots").glob("*.svg")))
    wide = 0
    for page in (text, apart):
        outside = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
        assert not re.search(r'(src|href)="(?!#|data:,"|report.html"|appendix.html")', outside)
        assert "url(http" not in outside and "@import" not in outside
        assert outside.count("<svg") == outside.count('role="img" aria-label="')
        wide += outside.count("<svg") - outside.count('class="pan narrow"')
        ids = re.findall(r'\bid="([^"]+)"', outside)
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'href="#([^"]+)"', outside)) | set(re.findall(r"url\(#([^)]+)\)", outside)) <= set(ids)
    assert wide == drawn
    assert "<script" not in apart


def test_the_text_of_a_figure_gives_its_finding(story: list[Section], text: str) -> None:
    for plot in (plot for section in story for plot in section.plots):
        assert text.count(f'aria-label="{html.escape(plot.words)}"') == 1 + (plot.narrow is not None)


def test_the_page_is_small(text: str) -> None:
    assert len(text.encode()) < 2e6


def test_the_dark_page_turns_figures_round(text: str) -> None:
    assert "filter: invert(.92) hue-rotate(180deg)" in text
    # Paper and figure meet without a seam: 0.08 of 255 is 20, #14.
    assert "--paper: #141414" in text


def test_the_figures_alone_are_the_same_files(run: Run, run_folder: Path, tmp_path: Path) -> None:
    drawn = draw(run, tmp_path)
    assert {path.name for path in drawn} == {path.name for path in (run_folder / "plots").iterdir()}
    svgs = [path for path in drawn if path.suffix == ".svg"]
    assert svgs and all(path.read_bytes() == (run_folder / "plots" / path.name).read_bytes() for path in svgs)


def test_a_light_folder_keeps_only_the_figures_of_the_page(
    run: Run, story: list[Section], more: list[Section], tmp_path: Path, text: str
) -> None:
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "of-an-earlier-version.svg").touch()
    seen: list[str] = []
    page = write(run, tmp_path, seen.append, figures="open")
    plots = [plot for section in story for plot in section.plots]
    kept = {f"{plot.name}.png" for plot in plots}
    apart = [plot for section in more for plot in section.plots]
    assert seen == [plot.name for plot in [*plots, *apart]]
    assert {path.name for path in (tmp_path / "plots").iterdir()} == kept
    assert {path.name for path in tmp_path.iterdir()} == {"plots", "report.md", "report.html", "appendix.html"}
    markdown = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\(plots/([^)]+)\)", markdown)) == kept
    assert all(plot.caption in markdown and plot.finding in markdown for plot in [*plots, *apart])
    # The page lacks nothing.
    assert page.read_text(encoding="utf-8") == text


def test_inlining_keeps_every_word_and_drops_most_bytes(run_folder: Path) -> None:
    for path in (run_folder / "plots").glob("*.svg"):
        before = path.read_text(encoding="utf-8")
        after = svg.inline(before, "f0", 'a "label" & more')
        words = re.compile(r"<text[^>]*>([^<]*)</text>")
        assert words.findall(after) == words.findall(before)
        assert len(after) < 0.6 * len(before)
        assert 'aria-label="a &quot;label&quot; &amp; more"' in after


def test_inlining_by_hand() -> None:
    before = (
        '<?xml version="1.0"?>\n<svg width="9pt" viewBox="0 0 9 9" xmlns="x"><metadata>m</metadata>'
        "<defs><style>*{}</style></defs>\n"
        ' <g id="a_1">\n  <path d="M 1.26 2.0 \nL 3 4.04 \n" clip-path="url(#p7)" style="fill: none; stroke: #fff"/>\n'
        '  <path d="M 5 5 \nL 6 6 \n" clip-path="url(#p7)" style="fill: none; stroke: #fff"/>\n </g>\n'
        ' <g id="t"><!-- 1.04: a; b --><text style="font: 9px; font-family: \'D\', serif; x: y" x="1.26" y="2"'
        ' transform="rotate(-0 1.2 2)">1.04: a; b</text></g>\n'
        ' <defs><clipPath id="p7"><rect x="0.123" width="7"/></clipPath></defs></svg>'
    )
    assert svg.inline(before, "f3", "l") == (
        '<svg viewBox="0 0 9 9" role="img" aria-label="l">'
        "<style>.f3s0{clip-path:url(#f3-0)}.f3s1{fill:none;stroke:#fff}.f3s2{font:9px;x:y}</style>"
        '<path d="M1.3 2L3 4M5 5L6 6" class="f3s0 f3s1"/>'
        '<text class="f3s2" x="1.3" y="2">1.04: a; b</text>'
        '<defs><clipPath id="f3-0"><rect x="0.1" width="7"/></clipPath></defs></svg>'
    )
