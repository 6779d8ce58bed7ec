"""The README and docs/: every command and Python block runs, every link leads somewhere, and it fits on a page."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import presets
from bench.cli import app, commands
from bench.grid import Preset, Setting
from bench.problem import make_problem
from bench.report import readme
from kernels import KERNELS, reference
from tests.conftest import RECORDED, ROOT
from tests.factories import cell, preset

MOST_LINES = 150
MINUTES = ("reproduce", "scale", "trust")  # commands that take minutes whatever the grid
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands_of(page: Path) -> list[list[str]]:
    """The commands of a page, word by word: those of its sh blocks, and lines that are indented."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    unfenced = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines += [line for line in unfenced.splitlines() if re.match(r" {4}(unloop|pytest|make|python) ", line)]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


EVERY = [(page, words) for page in PAGES for words in commands_of(page)]
RUNS = list(dict.fromkeys(tuple(words) for _, words in EVERY if words[0] == "unloop"))


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as a user may have it, in which every grid is small and nothing is drawn."""
    for name in ("results/reference", "RUN", "RUN_A", "RUN_B"):
        shutil.copytree(RECORDED, tmp_path / name)
    # A run that can be resumed here was begun here.
    (tmp_path / "my_kernel.py").write_text(next(b for b in blocks(ROOT / "README.md", "python") if "# my_kernel" in b))

    def small(_name: str, _problem: str = "synthetic", _dtype: str | None = None) -> Preset:
        changes: dict[str, Any] = {"budget": 2e-3, "min_rounds": 2, "max_rounds": 4, "sample_seconds": 1e-4}
        return preset([cell(12, 3)], **changes)

    monkeypatch.setattr(presets, "preset", small)
    monkeypatch.setattr(commands, "drawn_report", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def called(words: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        app.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("typed", RUNS, ids=" ".join)
def test_every_command_runs(
    typed: tuple[str, ...], user: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = list(typed)
    if "advise" in words and "RUN" not in words:
        shutil.rmtree(user / "results")  # then the checkout's reference answers
    if words[1] in ("advise", "compare"):  # the recorded run is too small to decide anything
        for name in {"RUN", "RUN_A", "RUN_B"} & set(words):
            shutil.rmtree(user / name)
            shutil.copytree(readme.REFERENCE, user / name, ignore=shutil.ignore_patterns("plots", "*.html", "*.md"))
    if "--resume" in words:
        shutil.rmtree(user / "RUN")
        assert called(["unloop", "run", "--kernels", "numpy_buffers", "--out", "RUN"], monkeypatch) == 0
    if "machine" in words:
        monkeypatch.setattr("bench.machine.ceilings.measure", lambda _: {})
    if words[1] in MINUTES or "--peers" in words:
        # What takes minutes: that the words are understood is shown here, what they do by tests of their own.
        words = [*words, "--help"]
    out = called(words, monkeypatch)
    output = capsys.readouterr()
    assert out == 0, output.out + output.err


def test_every_pytest_command_collects() -> None:
    lines = {tuple(words[1:]) for _, words in EVERY if words[0] == "pytest"}
    assert lines
    for line in sorted(lines):
        words = [word for word in line if "claims" not in word and "compare" not in word]
        command = [sys.executable, "-m", "pytest", *words, "--collect-only", "-q"]
        plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "test_gradient[" in done.stdout, f"{line} {done.stdout} {done.stderr}"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed here")
def test_every_make_target_is_there() -> None:
    targets = {word for _, words in EVERY if words[0] == "make" for word in words[1:]}
    assert "bench" in targets
    for target in sorted(targets):
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        if target == "bench":
            assert "unloop run --grid quick" in done.stdout


def test_every_other_command_is_a_module_of_this_repository() -> None:
    for _, words in EVERY:
        assert words[0] in ("unloop", "pytest", "make", "python"), words


def test_both_listings_compute_the_step() -> None:
    """They stand side by side; a sigmoid, zeros and the sizes are all that they need."""
    loop, vectorized, *_ = blocks(ROOT / "README.md", "python")
    assert len(loop.splitlines()) == len(vectorized.splitlines()) == 6
    problem = make_problem(40, 3)
    J, dw, db = reference.cost_and_gradient(problem.w, problem.b, problem.X, problem.Y)
    for listing, sigmoid in (
        (loop, lambda z: 1 / (1 + exp(-z))),
        (vectorized, lambda Z: 1 / (1 + np.exp(-Z))),
    ):
        names = {"np": np, "log": log, "sigmoid": sigmoid, "m": 40, "n_x": 3, "J": 0.0, "db": 0.0, "dw": np.zeros(3)}
        names |= {"w": problem.w, "b": problem.b, "X": problem.X, "Y": problem.Y}
        exec(listing, names)
        assert names["J"] == pytest.approx(J) and names["dw"] == pytest.approx(dw) and names["db"] == pytest.approx(db)


@pytest.mark.parametrize(
    "block",
    [b for page in PAGES for b in blocks(page, "python") if "import" in b and "Claim" not in b],
    ids=lambda block: block.splitlines()[0][:40],
)
def test_every_other_python_block_runs(block: str, user: Path) -> None:
    shutil.rmtree(user / "results" / "reference")
    shutil.copytree(RECORDED, user / "results" / "reference")
    problem = make_problem(40, 3)
    names: dict[str, Any] = {"w": problem.w, "b": problem.b, "X": problem.X, "Y": problem.Y}
    exec(block, names)
    if "cost_and_gradient" in names:
        J, dw, _ = reference.cost_and_gradient(problem.w, problem.b, problem.X, problem.Y)
        answer = names["cost_and_gradient"](problem.w, problem.b, problem.X, problem.Y)
        assert answer[0] == pytest.approx(J) and answer[1] == pytest.approx(dw)
    if "table" in names:
        assert {"kernel", "m", "n_x", "seconds", "speedup"} <= set(names["table"].columns)


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(((?!https:)[^)#]+)(?:#[^)]*)?\)", text):
            path = (page.parent / target).resolve()
            assert path.exists(), f"{page.name}: {target}"


def test_it_fits_on_a_page_and_its_first_screen_starts() -> None:
    lines = readme.README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MOST_LINES
    assert "make bench" in "\n".join(lines[:15])
    assert all(f"({page.relative_to(ROOT).as_posix()})" in "\n".join(lines) for page in PAGES[1:])
    assert all(len(line) <= 120 for line in lines if not line.startswith(("|", "- ", "!", "**", "In the table")))


def test_every_kernel_is_named() -> None:
    text = (ROOT / "docs" / "kernels.md").read_text(encoding="utf-8")
    assert all(f"kernels/{name}.py" in text for name in KERNELS)


def test_what_the_readme_finds_is_computed() -> None:
    """Five sentences from the reference; none from a run that lacks what they are about."""
    from bench.results import load

    findings = readme.findings(load(readme.REFERENCE))
    assert len(findings) == 5
    assert all(re.search(r"\d", sentence) and sentence.endswith(".") for sentence in findings)
    few = readme.findings(load(RECORDED))
    assert len(few) < 5 and all(sentence.endswith(".") for sentence in few)
    assert Setting().label in readme.generate(load(readme.REFERENCE))
