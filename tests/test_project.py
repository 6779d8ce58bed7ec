"""The repository itself: README and reference run agree, versions are pinned, nothing names a host."""

import re
import subprocess
import tomllib
from dataclasses import replace
from fnmatch import fnmatch

import pytest

from bench.analysis.ratios import headline_cells
from bench.report import readme
from bench.report.claims import readme as claims
from bench.results import Run, load
from bench.results.cell import Samples
from kernels import KERNELS
from tests.conftest import ROOT

MOST_BYTES = 6 * 2**20


@pytest.fixture(scope="module")
def reference() -> Run:
    return load(readme.REFERENCE)


def test_the_readme_is_generated_from_the_reference_run(reference: Run) -> None:
    text = readme.README.read_text(encoding="utf-8")
    assert readme.replaced(text, readme.generate(reference)) == text, "run: make readme"
    for picture in re.findall(r"!\[[^]]*]\(([^)]+)\)", text):
        assert (ROOT / picture).is_file()


def test_the_table_of_claims_is_generated_from_the_reference_run() -> None:
    text = readme.CLAIMS.read_text(encoding="utf-8")
    assert claims.renewed(text, readme.REFERENCE) == text, "run: make readme"
    assert "| ng-dot |" in text


def test_a_readme_that_differs_would_be_noticed(reference: Run) -> None:
    text = readme.README.read_text(encoding="utf-8")
    assert readme.replaced(text.replace("×", "x", 1).replace("95%", "99%", 1), readme.generate(reference)) == text
    shown = headline_cells(reference)[0]
    ones = Samples.of_calls([1.0] * len(shown.samples["numba_loop"].rounds))
    changed = replace(shown, samples={**shown.samples, "numba_loop": ones})
    cells = [changed if result is shown else result for result in reference.cells]
    assert readme.replaced(text, readme.generate(replace(reference, cells=cells))) != text


def test_markers_must_be_there() -> None:
    with pytest.raises(ValueError, match="must have the markers"):
        readme.replaced("no markers", "")


def test_the_reference_run_is_a_full_one_that_ended(reference: Run) -> None:
    assert reference.plan.preset.name == "full"
    assert reference.end is not None and not reference.end.interrupted
    assert len(reference.cells) == len(reference.plan.preset.cells)
    # What fails is shown; a peer may, on a machine of one day. No rung of the ladder does.
    assert not [name for result in reference.cells for name in result.failed if name in KERNELS]
    for result in reference.cells:
        assert set(result.agreement) >= set(result.kernels)


def test_the_reference_is_light_and_every_figure_of_its_report_is_there() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "results/reference"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout, so what is tracked is not known")
    files = [ROOT / name for name in listed.stdout.splitlines()]
    assert sum(path.stat().st_size for path in files if path.is_file()) <= MOST_BYTES
    text = (readme.REFERENCE / "report.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^]]*]\(([^)]+)\)", text)
    assert pictures and all(readme.REFERENCE / picture in files for picture in pictures)
    shown = {readme.REFERENCE / picture for picture in pictures}
    assert {path for path in files if path.suffix in (".png", ".svg")} == shown


def test_every_version_is_pinned_and_no_address_is_named() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!-]+", line) for line in pins)
    names = {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    assert {re.sub(r"[-_.]+", "-", re.split(r"[\[<>= ]", name)[0]).lower() for name in wanted} <= names


def test_every_package_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    files = [path for package in ("bench", "kernels") for path in (ROOT / package).rglob("*.*")]
    folders = {path.parent for path in files if path.suffix in (".py", ".jinja")}
    packages = {folder.relative_to(ROOT).as_posix().replace("/", ".") for folder in folders}
    patterns = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert all(any(fnmatch(package, pattern) for pattern in patterns) for package in packages)
    data = [str(path) for package in ("bench", "kernels") for path in (ROOT / package).rglob("*.c")]
    assert data and project["tool"]["setuptools"]["package-data"]["kernels.peers"] == ["*.c"]


def test_no_tracked_file_names_a_path_of_a_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout, so what is tracked is not known")
    pattern = re.compile(r"/(?:home|root|Users)/[a-z]|[A-Z]:\\Users")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix not in (".png", ".svg", ".xz") and path.is_file() and name != "tests/test_project.py":
            assert not pattern.search(path.read_text(encoding="utf-8")), name
