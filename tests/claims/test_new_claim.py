"""A claim is one file and one line: added to a copy of the project, it is in list, table and page."""

from pathlib import Path

import pytest

from bench.claims.results import load
from tests.claims.test_session import GOOD
from tests.test_new_kernel import call, copy, replace_once

FILE = (
    GOOD
    + """
from bench.claims import Source, Work, summed

CLAIM = Claim(
    setup,
    ways=[Way(loop, printed=0.3), Way(dot, printed=0.001)],
    n=1_000,
    shape="sum of the squares of {n} numbers",
    source=Source("Somebody", "Something", "somewhere", 2020),
    tolerance=summed(),
    work=lambda n: Work(8.0 * n, 2.0 * n),
)
"""
)

__all__ = ["copy"]  # the fixture


@pytest.mark.usefixtures("copy")
def test_adding_a_claim_is_one_file_and_one_line(copy: Path) -> None:
    folder = copy / "bench" / "claims" / "published"
    (folder / "sum_of_squares.py").write_text(FILE)
    replace_once(folder / "__init__.py", '    "ng_dot",\n', '    "ng_dot",\n    "sum_of_squares",\n')
    printed = call(copy, "reproduce", "sum-of-squares", "--processes", "2", "--out", "out")
    assert "sum-of-squares" in printed
    claims = load(copy / "out")
    assert claims is not None and claims.claims[0].ratios[0].printed == 300.0
    page = (copy / "out" / "report.html").read_text()
    assert "sum-of-squares: The sum of squares" in page and "Somebody" in page
