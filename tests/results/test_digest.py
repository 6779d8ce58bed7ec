"""A run's table does not change by itself: a digest of the recorded run's, and of the same run in format 1."""

import hashlib

from bench.results import Run, load
from tests.conftest import ROOT

# Of twelve digits of every figure, as they were when the run was recorded.
DIGEST = "25bee8b0f5a61c9ccacf4c8a7b544e4e9dbbd82744878337f3104d21a3e6ab22"


def digest(run: Run) -> str:
    return hashlib.sha256(run.table().to_csv(float_format="%.12g").encode()).hexdigest()


def test_the_table_of_the_recorded_run_is_what_it_was(run: Run) -> None:
    assert digest(run) == DIGEST


def test_the_same_run_in_format_1_gives_the_same_table() -> None:
    old = load(ROOT / "tests" / "data" / "format1")
    assert digest(old) == DIGEST
    assert old.header.format == 1 and old.plan.preset.name == "tiny"


def test_another_table_has_another_digest(run: Run) -> None:
    table = run.table(confidence=0.9)
    assert hashlib.sha256(table.to_csv(float_format="%.12g").encode()).hexdigest() != DIGEST
