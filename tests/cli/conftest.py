"""The command line, called in the process of the tests."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.cli import app

Refused = Callable[..., str]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Call the command line in an empty folder; the one line that it wrote to stderr as it exited with 2.

    It must print nothing else, unless it `shows` something first.
    """

    def call(*words: str, shows: bool = False) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["unloop", *words])
        with pytest.raises(SystemExit) as ended:
            app.main()
        output = capsys.readouterr()
        assert ended.value.code == 2, output
        assert bool(output.out) == shows and output.err.count("\n") == 1
        return output.err

    return call
