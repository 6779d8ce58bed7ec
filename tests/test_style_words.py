"""The project's voice: words and turns that no reader should meet, in any text that one can meet."""

import ast
import re
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench.cli import app
from bench.report.terminal import summary, tables
from bench.results import Run
from tests.conftest import ROOT

# What to write instead stands behind each. "held out" is a term of statistics; a person may say or tell.
BANNED = {
    r"\b(?:tells|told|telling)\b|(?<!can't )(?<!to )\btell\b": "reports, shows, prints",
    r"\b(?:say|says|said|saying) so\b|\bis said\b|\bwas said\b": "reports, names, marks",
    r"\bhold(?:s|ing)?\b|\bheld\b(?![- ]out)": "has, contains, keeps, applies",
    r"\b(?:give|gives|gave|given|giving) back\b": "returns",
    r"\b(?:go|goes|went|gone|going) on with\b|\bgoes on\b": "continues, resumes",
    r"\bcomes? to (?!an? end)|\bcame to\b": "becomes, reaches, is",
    r"\b(?:be|is|are|was|were) asked for\b|\basks? for\b": "needs, wants, requests",
    r"\bowed\b|\bowes?\b": "due, missing",
    r"\btimes as (?:much|many|long|fast|slow)\b": "3.1× faster, 3.7× more",
    r"\b0\.\d+ times\b|\b1/\d{2,}\b|(?<![\d.,])1× (?:slower|faster)\b": "505× slower, about the same",
    r"\bcut off\b": "interrupted",
    r"\bwith leave to\b": "allowed to",
    r"\bis another\b|\bare others\b": "differs, does not match",
    r"\bleft out of\b": "held-out",
    r"\bvanish(?:es|ed)?\b": "no gaps",
    r"\bfarther away\b": "in RAM",
    r"\bis about none\b": "almost nothing",
    r"\bin no cell\b": "no cell in common",
    r"\b(?:else|otherwise)[.;:]?$": "write the other case first",
    r"\bknown to within\b": "precise to",
    r"\bcame within\b": "are within",
}


def banned(text: str) -> list[str]:
    """What stands in a text and should not, with what to write instead."""
    plain = " ".join(text.split())
    return [
        f"{match[0]!r} in «{plain[max(0, match.start() - 50) : match.end() + 30]}»: write {instead}"
        for pattern, instead in BANNED.items()
        for match in re.finditer(pattern, plain, re.IGNORECASE)
    ]


def strings(path: Path) -> Iterator[str]:
    """The sentences in a module that are no docstrings: messages, captions, options."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield from [node.value] if " " in node.value.strip() else []


MODULES = sorted(path for package in ("bench", "kernels") for path in (ROOT / package).rglob("*.py"))


def test_messages() -> None:
    lines = [f"{path.relative_to(ROOT)}: {line}" for path in MODULES for text in strings(path) for line in banned(text)]
    assert lines == []


@pytest.mark.parametrize(
    "page", [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))], ids=lambda path: path.name
)
def test_pages_of_the_repository(page: Path) -> None:
    assert banned(page.read_text(encoding="utf-8")) == []


def test_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    names = [command.name or command.callback.__name__ for command in app.app.registered_commands if command.callback]
    for words in ([], *([name] for name in names)):
        monkeypatch.setattr(sys, "argv", ["unloop", *words, "--help"])
        with pytest.raises(SystemExit):
            app.main()
    assert banned(capsys.readouterr().out) == []


def test_what_a_run_prints_and_draws(run: Run, run_folder: Path) -> None:
    console = Console(width=tables.WIDTH, file=StringIO(), record=True)
    console.print(tables.render(run))
    assert banned(console.export_text()) == []
    assert banned("\n".join(line.text for line in summary.lines(run, run_folder, 80))) == []
    markdown = (run_folder / "report.md").read_text(encoding="utf-8")
    for card in run.kernels.values():  # what a run recorded of its kernels stays as it was
        markdown = markdown.replace(card.change, "")
    assert banned(markdown) == []


def test_what_is_banned_is_caught() -> None:
    """The examples of the style guide, as they were."""
    before = [
        "Go on with a run that was cut off, in its own folder",
        "its checksum is another",
        "data in memory farther away, where that costs otherwise",
        "differs: 3.67 times as much",
        "held up to 919 MiB",
        "with leave to reorder sums",
        "Two runs that share no kernel in no cell",
        "up to the allocator else",
        "Every speed-up is known to within 5%",
        "0.971 times",
        "the run is told to stop; what was asked for is given back",
    ]
    assert all(banned(text) for text in before)
    after = ["Resume an interrupted run", "64% of 726 held-out predictions are within 10%", "3.7× more than predicted"]
    assert not any(banned(text) for text in after)
