"""Hostile cases by the hundred, and by the ten thousand."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

linux = pytest.mark.skipif(sys.platform != "linux", reason="forks as Linux does")


def fuzzed(*words: str, timeout: float) -> dict[str, int]:
    """What was tried, and how often."""
    command = [sys.executable, "-m", "tests.measure.fuzzing", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (line.strip().partition(" ") for line in done.stdout.splitlines())
    return {what: int(count) for count, _, what in lines}


@linux
def test_two_hundred_hostile_cases() -> None:
    tried = fuzzed("200", timeout=200)
    assert tried["cases"] >= 200
    for what, least in (("command lines", 300), ("damaged journals", 150), ("runs", 8), ("runs completed", 4)):
        assert tried[what] > least, tried


@linux
@pytest.mark.exhaustive
def test_ten_thousand_hostile_cases() -> None:
    assert fuzzed("10000", "--seed", "0", timeout=7_200)["cases"] >= 10_000
