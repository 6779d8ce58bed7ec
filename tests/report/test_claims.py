"""The report of claims: table, figure and sentences from made-up claims; nothing overlaps, nothing is lost."""

from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from rich.console import Console

from bench.claims import outcome, results
from bench.claims.published import PUBLISHED
from bench.claims.results import Claims
from bench.report import claims as report
from bench.report.claims import figure, pages, readme, sentences, sweep, tables
from bench.report.style import SETTINGS
from tests.claims.made import card, claims, records

FAST = (1e-3, 1e-3)


def made() -> Claims:
    return claims(
        (card(claim_id="as-claimed"), {"slow": (0.3, 0.301), "fast": FAST}),
        (card(claim_id="far-smaller"), {"slow": (0.01, 0.0101), "fast": FAST}),
        (card(claim_id="in-two-minds", stated=(1000.0,)), {"slow": (0.3, 0.301), "fast": FAST}),
        (card(claim_id="from-nowhere", printed=(None, None)), {"slow": (0.002, 0.0021), "fast": FAST}),
        (card(claim_id="too-fast", printed=(1.0, 1e-3), nbytes=2.4e9), {"slow": (1.0, 1.0), "fast": FAST}),
    )


def test_the_headline_counts_verdicts() -> None:
    assert sentences.headline(made()) == (
        "5 published speed-ups, measured again on this machine: 1 reproduced, 1 smaller, 1 contradicts itself, "
        "1 impossible as printed, 1 nothing printed."
    )


def test_the_table_has_a_line_for_each_claim() -> None:
    rows = tables.table(made()).text
    assert [row[0] for row in rows] == ["as-claimed", "far-smaller", "in-two-minds", "from-nowhere", "too-fast"]
    assert rows[1][2] == "300×" and rows[1][3].startswith("10") and rows[1][4] == "0.033" and rows[1][5] == "smaller"
    assert rows[2][2] == "300× (1,000×)"
    assert rows[3][2] == "–" and rows[3][5] == "nothing printed"


def test_a_paragraph_leads_with_the_verdict_and_shows_the_arithmetic() -> None:
    smaller, _, impossible = (sentences.paragraph(made().claims[k]) for k in (1, 2, 4))
    assert smaller[0].startswith("Smaller: the fast way over the slow way, 300× claimed, 10×")
    assert smaller[0].endswith("measured: 30× smaller.")
    assert "“A title”" in " ".join(smaller) and "Its story." in smaller
    assert any(line.startswith("Cause: One thing differs: the fast way is 10× faster") for line in smaller)
    assert "2.4 GB" in impossible[1] and "2,400 GB/s" in impossible[1]


def test_a_pair_that_shows_nothing_is_no_cause() -> None:
    (result,) = claims((card(), {"slow": (1e-3, 1.01e-3), "fast": FAST})).claims
    assert any(line.startswith("No cause here: One thing differs") for line in sentences.paragraph(result))


def test_the_figure_has_a_line_for_each_claim_and_labels_that_do_not_overlap() -> None:
    names = iter(PUBLISHED)
    many = claims(
        *(
            (
                card(claim_id=next(names), printed=(10.0**k, 1e-3)),
                {"slow": (10.0 ** (k - 1), 10.0 ** (k - 1)), "fast": FAST},
            )
            for k in [j / 8 - 2 for j in range(len(PUBLISHED))]
        )
    )
    with mpl.rc_context(SETTINGS):
        plot = figure.plot(many)
        assert plot is not None and plot.table is not None
        canvas: Any = plot.figure
        canvas.draw_without_rendering()
        (ax,) = plot.figure.axes
        assert [label.get_text() for label in ax.get_yticklabels()][-1] == PUBLISHED[0]
        boxes = [text.get_window_extent() for text in (*ax.texts, *ax.get_yticklabels()) if text.get_text()]
    width, height = plot.figure.get_size_inches() * plot.figure.dpi
    for k, box in enumerate(boxes):
        assert box.x0 >= 0.0 and box.x1 <= width and box.y0 >= 0.0 and box.y1 <= height
        assert not any(box.overlaps(other) for other in boxes[:k])


def test_the_finding_names_the_claim_farthest_from_its_figure() -> None:
    plot = figure.plot(made())
    assert plot is not None
    assert plot.finding == "Farthest apart: far-smaller, 300× claimed and 10× measured, 30× smaller."


def test_the_readme_holds_the_table_between_its_markers(tmp_path: Path) -> None:
    text = f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n"
    assert readme.renewed(text, tmp_path) == text  # no claims there
    results.write(made(), tmp_path)
    new = readme.renewed(text, tmp_path)
    assert new.startswith("before\n") and new.endswith("after\n") and "old" not in new
    assert "| far-smaller | 1,000,000 | 300× | 10× [" in new and readme.renewed(new, tmp_path) == new
    assert readme.renewed("no markers", tmp_path) == "no markers"


def test_nothing_to_draw_is_no_figure() -> None:
    none = outcome.of(records(card(printed=(None, None)), {"slow": (1.0, 1.0)}))
    assert figure.plot(none) is None


def test_a_sweep_says_where_the_ways_are_equal_and_what_was_predicted() -> None:
    at = {10: {"slow": (1.0, 1.0), "fast": (2.0, 2.0)}, 1000: {"slow": (4.0, 4.0), "fast": (2.0, 2.0)}}
    at[100_000] = {"fast": (3.0, 3.0)}
    swept = outcome.of(records(card(), {}, sizes=(10, 1000, 100_000), at=at, skipped={"slow": 300.0}))
    lines = sentences.sweep_sentences(swept.claims[0])
    assert lines[0].startswith("At size 10 the fast way is 2× slower than the slow way")
    assert lines[1] == "At size 100,000 the fast way is 100× faster (est.)."
    assert lines[2] == "The two are equally fast at a size of about 100."
    assert lines[3] == "the slow way is too slow to run from size 100,000 on: predicted there (est.)."
    assert not any("is not run" in line for line in lines)
    assert tables.sweep(swept.claims[0]).text[2] == ["100,000", "300 s est.", "3 s [3 s, 3 s]", "100× est."]
    assert sweep.plot(swept.claims[0]).table is not None


@pytest.mark.parametrize("swept", [False, True])
def test_pages_and_terminal(tmp_path: Path, swept: bool) -> None:
    at = {10: {"slow": (1.0, 1.0), "fast": (2.0, 2.0)}, 90: {"slow": (4.0, 4.0), "fast": (2.0, 2.0)}}
    done = outcome.of(records(card(), {}, sizes=(10, 90), at=at)) if swept else made()
    page = report.write(done, tmp_path)
    html, text = page.read_text(encoding="utf-8"), (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "http" not in html.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert "prefers-color-scheme: dark" in html and html.count("<svg") == 1
    assert ("Measured by size" if swept else "Claim by claim") in text and "made up" in text
    console = Console(width=pages.TERMINAL_WIDTH, record=True, file=StringIO())
    for part in report.terminal(done):
        console.print(part)
    printed = console.export_text()
    assert "…" not in printed and ("equally fast" if swept else "far-smaller") in printed
