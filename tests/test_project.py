"""The repository itself: README and reference run agree, versions are pinned, nothing names a host."""

import re
import subprocess
import tomllib

import pytest

from bench.measure.contestants import describe_kernels
from bench.report import readme
from bench.report.plots import headline_cells
from bench.results.run import load
from kernels import KERNELS
from tests.conftest import ROOT


def test_the_readme_is_what_the_reference_run_says() -> None:
    text = readme.README.read_text(encoding="utf-8")
    assert readme.replaced(text, readme.generate(load(readme.REFERENCE))) == text, "run: make readme"
    for picture in re.findall(r"!\[[^]]*]\(([^)]+)\)", text):
        assert (ROOT / picture).is_file()


def test_a_readme_that_differs_would_be_noticed() -> None:
    text = readme.README.read_text(encoding="utf-8")
    run = load(readme.REFERENCE)
    assert readme.replaced(text.replace("×", "x", 1).replace("95%", "99%", 1), readme.generate(run)) == text
    first = run.cells[0]
    first.seconds = {name: [2.0 * each for each in times] for name, times in first.seconds.items()}
    changed = headline_cells(run)[0]
    changed.seconds["numba_loop"] = [1.0] * len(changed.seconds["numba_loop"])
    assert readme.replaced(text, readme.generate(run)) != text


def test_markers_must_be_there() -> None:
    with pytest.raises(ValueError, match="must hold the markers"):
        readme.replaced("no markers", "")


def test_the_reference_run_is_a_full_one_that_ended() -> None:
    run = load(readme.REFERENCE)
    assert run.header["grid"] == "full"
    assert run.end is not None and not run.end["interrupted"]
    assert len(run.cells) == len(run.header["planned"])
    # What fails is shown; a peer may, on a machine of one day. No rung of the ladder does.
    assert not [reason for result in run.cells for name, reason in result.failed.items() if name in KERNELS]
    for result in run.cells:
        for name, error in result.agreement.items():
            assert set(error) == {"J", "dw", "db"}, name


def test_the_readme_names_every_kernel() -> None:
    text = readme.README.read_text(encoding="utf-8")
    assert all(f"kernels/{name}.py" in text for name in KERNELS)
    assert set(describe_kernels()) >= set(KERNELS)


def test_every_version_is_pinned_and_no_address_is_named() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!-]+", line) for line in pins)
    names = {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    assert {re.sub(r"[-_.]+", "-", re.split(r"[\[<>= ]", each)[0]).lower() for each in wanted} <= names


def test_no_tracked_file_names_a_path_of_a_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout, so what is tracked is not known")
    pattern = re.compile(r"/(?:home|root|Users)/[a-z]|[A-Z]:\\Users")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix not in (".png", ".svg") and path.is_file() and name != "tests/test_project.py":
            assert not pattern.search(path.read_text(encoding="utf-8")), name


def test_kernels_import_nothing_of_bench() -> None:
    for path in (ROOT / "kernels").glob("*.py"):
        assert not re.search(r"^\s*(from|import) bench\b", path.read_text(), re.MULTILINE), path.name


def test_modules_fit_in_a_head() -> None:
    for folder in ("kernels", "bench"):
        for path in (ROOT / folder).glob("*.py"):
            assert len(path.read_text().splitlines()) <= 320, path.name
