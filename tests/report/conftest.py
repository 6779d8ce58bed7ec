"""What the tests of the report share."""

import pytest

from bench.report import appendix, sections
from bench.report.section import Section
from bench.results import Run


@pytest.fixture(scope="session")
def story(run: Run) -> list[Section]:
    """The sections of the recorded run."""
    return sections(run)


@pytest.fixture(scope="session")
def more(run: Run) -> list[Section]:
    """The sections of its appendix."""
    return appendix(run)
