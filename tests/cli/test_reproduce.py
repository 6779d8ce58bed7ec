"""unloop reproduce, called as a user calls it; the example of its documentation; the claims in the page of a run."""

import json
import re
import shutil
from pathlib import Path

import pytest

from bench.claims import results
from bench.claims.published import PUBLISHED
from bench.cli import reproduce
from bench.results import load
from tests.cli.conftest import Refused
from tests.conftest import RECORDED, ROOT, Command

DOCS = ROOT / "docs" / "reproduce.md"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ng-dott"], "unknown claim 'ng-dott'; did you mean ng-dot?"),
        (["nowhere.py"], "there is no file nowhere.py"),
        (["--sizes", "10:100"], "--sizes needs a claim: unloop reproduce ng-dot --sizes 10:1e6"),
        (["ng-dot", "--sizes", "ten"], "--sizes takes a range, such as 10:1e6, or a list"),
        (["--resume", "nowhere"], "there is no claims.jsonl in nowhere; name the folder of an interrupted"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(refused: Refused, words: list[str], message: str) -> None:
    assert refused("reproduce", *words).startswith(f"unloop: {message}")


def test_the_list_names_every_claim_and_where_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    reproduce.reproduce(list_claims=True)
    printed = capsys.readouterr().out
    assert all(claim_id in printed for claim_id in PUBLISHED) and "Andrew Ng" in printed


def test_the_ten_lines_of_the_documentation(command: Command, tmp_path: Path) -> None:
    (example,) = re.findall(r'```python\n(""".*?)```', DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in example.splitlines() if line]) == 10
    (tmp_path / "my_claim.py").write_text(example)
    done = command("bench", "reproduce", "my_claim.py", "--sizes", "10,1000", "--processes", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    (out,) = (tmp_path / "results").iterdir()
    assert out.name.endswith("-claims") and f"report: {out / 'report.html'}" in done.stdout
    measured = results.load(out)
    assert measured is not None and measured.complete
    assert [size.n for size in measured.claims[0].sweep] == [10, 1000]
    assert "At size 1,000 vectorized is" in done.stdout and "0% measured" in done.stdout
    assert (out / "plots" / "sweep_my_claim.svg").is_file()
    # No name of this machine, and no path of it.
    assert str(tmp_path) not in (out / results.FILE).read_text()


def test_a_way_that_disagrees_is_exit_1(command: Command, tmp_path: Path) -> None:
    text = "from bench.claims import Claim\nCLAIM = Claim(lambda n: n, ways=[abs, hash, bool], n=5)\n"
    (tmp_path / "mine.py").write_text(text)
    done = command("bench", "reproduce", "mine.py", "--processes", "1", "--out", "out")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.count("FAIL mine.py: bool disagrees beside abs at size 5: the result is True, expected 5") == 2
    assert "Traceback" not in done.stdout + done.stderr


def test_claims_in_the_folder_of_a_run_are_in_its_page(command: Command, tmp_path: Path) -> None:
    shutil.copytree(RECORDED, tmp_path / "run")
    (tmp_path / "mine.py").write_text("from bench.claims import Claim\nCLAIM = Claim(lambda n: n, ways=[abs, hash])\n")
    done = command("bench", "reproduce", "mine.py", "--processes", "1", "--out", "run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "In the page of the run: unloop report run" in done.stdout
    assert not (tmp_path / "run" / "report.html").exists()
    run = load(tmp_path / "run")
    assert run.folder is not None and results.load(run.folder) is not None


def test_the_face_of_pytest_benchmark(command: Command, tmp_path: Path) -> None:
    out, saved = tmp_path / "out", tmp_path / "saved.json"
    chosen = "fpn-add-lists-comprehension or fpn-add-lists-add_of_lists"
    done = command(
        "pytest", "--benchmark-only", "--claims", "-k", chosen, "--out", str(out), f"--benchmark-json={saved}", cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout and "contradicts itself" in done.stdout and str(out / "report.html") in done.stdout
    measured = results.load(out)
    assert measured is not None and [result.card.id for result in measured.claims] == ["fpn-add-lists"]
    published = json.loads(saved.read_text())["benchmarks"]
    assert {each["extra_info"]["verdict"] for each in published} == {"contradicts itself"}
    ways = {way.name: way for way in measured.claims[0].ways}
    for each in published:
        seconds = ways[each["params"]["way"]].seconds
        assert seconds is not None
        assert each["stats"]["min"] / 2 < seconds.estimate < each["stats"]["median"] * 2
