"""Peers on the command line: by flag, by name, listed where they are missing."""

import dataclasses
from pathlib import Path
from types import MappingProxyType

import pytest

from bench.cli import options
from bench.cli.options import Typed
from bench.measure import contestants
from bench.results import LOOP, VECTORIZED, load
from bench.words import WrongUse
from kernels.peers import PEERS
from tests.conftest import Command

INSTALLED = [name for name, peer in PEERS.items() if peer.missing is None]


@pytest.fixture
def without_numexpr(monkeypatch: pytest.MonkeyPatch) -> str:
    """A place where numexpr is not installed; returns the peer that lacks it."""
    name = "numexpr_gradient"
    changed = MappingProxyType({**PEERS, name: dataclasses.replace(PEERS[name], missing="numexpr")})
    monkeypatch.setattr(contestants, "PEERS", changed)
    monkeypatch.setattr(options, "PEERS", changed)
    return name


def test_the_command_line_takes_peers(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = command("bench", "run", "--grid", "smoke", "--kernels", "sklearn_loss", "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    run = load(out)
    assert run.cells[0].kernels == [LOOP, VECTORIZED, "sklearn_loss"]
    assert list(run.header.libraries) == ["sklearn"]


def test_peers_are_wanted_by_flag_or_by_name() -> None:
    assert not set(options.plan(Typed("smoke")).names or ()) & set(PEERS)
    every = options.plan(Typed("smoke", peers=True))
    assert list((every.names or ())[-len(INSTALLED) :]) == INSTALLED and every.peers == tuple(PEERS)
    one = options.plan(Typed("smoke", kernels="numba_loop,sklearn_loss"))
    assert (one.names, one.peers) == (("numba_loop", "sklearn_loss"), ("sklearn_loss",))
    both = options.plan(Typed("smoke", kernels="numba_loop", peers=True))
    assert both.names == ("numba_loop", *INSTALLED)


def test_one_that_is_not_installed_is_listed_as_such(without_numexpr: str) -> None:
    plan = options.plan(Typed("smoke", peers=True))
    assert without_numexpr not in (plan.names or ()) and without_numexpr in plan.peers
    assert contestants.describe_kernels(plan.peers)[without_numexpr].missing == "numexpr"
    with pytest.raises(WrongUse, match=f"kernel {without_numexpr} can't run: numexpr is not installed"):
        options.plan(Typed("smoke", kernels=without_numexpr))
