"""The chapter of claims: there where the run's folder holds claims, and not elsewhere."""

from dataclasses import replace
from pathlib import Path

from bench.claims import results
from bench.report.chapters import claims as chapter
from bench.results import Run
from tests.claims.made import card, claims


def test_a_run_without_claims_has_no_such_chapter(run: Run) -> None:
    assert chapter.section(run) is None
    assert chapter.section(replace(run, folder=None)) is None


def test_a_run_with_claims_shows_them(run: Run, tmp_path: Path) -> None:
    ways = {"slow": (0.3, 0.31), "fast": (1e-3, 1e-3)}
    done = claims((card(claim_id="so"), ways), (card(claim_id="not-so", printed=(3.0, 1e-3)), ways))
    results.write(done, tmp_path)
    section = chapter.section(replace(run, folder=tmp_path))
    assert section is not None and [plot.name for plot in section.plots] == ["claims"]
    assert len(section.items) == 1 and section.items[0].startswith("not-so. Smaller: ")
