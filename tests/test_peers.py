"""The peers: right as the ladder is right, imported late, held to the cell's threads, listed where they are missing."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import pytest

from bench.agreement import bounds as agreement
from bench.cli import options as face
from bench.cli.options import WrongUse
from bench.grid import Cell
from bench.machine import threads
from bench.machine.threads import held_to
from bench.measure import contestants as roster
from bench.measure import session
from bench.problem import make_problem
from bench.report import terminal as summary
from bench.results.run import LOOP, VECTORIZED, load
from kernels import Kernel
from kernels.peers import PEERS
from tests.conftest import PRESET, ROOT, Command

ALL = pytest.mark.parametrize(
    "kernel",
    [
        pytest.param(peer, id=name, marks=pytest.mark.skipif(peer.missing is not None, reason=f"lacks {peer.missing}"))
        for name, peer in PEERS.items()
    ],
)
INSTALLED = [name for name, peer in PEERS.items() if peer.missing is None]
AWKWARD = [(1, 1), (1, 7), (7, 1), (13, 17), (101, 3)]


@pytest.fixture
def without_numexpr(monkeypatch: pytest.MonkeyPatch) -> str:
    """A place where numexpr is not installed; returns the peer that lacks it."""
    name = "numexpr_gradient"
    changed = MappingProxyType({**PEERS, name: dataclasses.replace(PEERS[name], missing="numexpr")})
    monkeypatch.setattr(roster, "PEERS", changed)
    monkeypatch.setattr(face, "PEERS", changed)
    return name


@ALL
def test_pools_are_held_inside_and_given_back(kernel: Kernel) -> None:
    threads.load([kernel])
    with held_to(1):
        agreement.check(kernel, make_problem(13, 17))
    before = threads.counts()
    with held_to(1):
        assert set(threads.counts().values()) == {1}
    assert threads.counts() == before


def test_a_library_loaded_after_the_first_look_at_the_pools_is_held_too() -> None:
    code = (
        "import numpy; from bench import threads; from kernels.peers import PEERS\n"
        "with threads.held_to(1): before = set(threads.counts())\n"
        "threads.load([PEERS['sklearn_loss']])\n"
        "with threads.held_to(1): found = threads.counts()\n"
        "assert 'scikit_learn' in ' '.join(set(found) - before) or len(found) > len(before), (before, found)\n"
        "assert set(found.values()) == {1}, found\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_peers_run_end_to_end(tmp_path: Path) -> None:
    folder = session.run_folder(tmp_path, "tiny")
    cells = (Cell(10, 2), Cell(10, 2, threads=2))
    measuring = session.Session(folder, dataclasses.replace(PRESET, cells=cells), seed=0, peers=list(PEERS))
    # In the order F, in the cells of one problem: its pools are looked at again when the libraries are there.
    measuring.measure({cell: [*INSTALLED, LOOP] for cell in cells})
    measuring.close()
    run = load(folder)
    assert run.cells[0].kernels == [LOOP, VECTORIZED, *INSTALLED]
    assert run.cells[1].kernels == [VECTORIZED, *INSTALLED]
    assert set(run.cells[0].agreement) >= set(INSTALLED)
    for result in run.cells:
        assert result.pools and max(result.pools.values()) <= result.cell.threads
    required = {module for name in INSTALLED for module in PEERS[name].requires}
    assert set(run.header["libraries"]) == required
    assert all(not re.search(r"[/\\]", str(pool)) for pool in run.header["pools"])


def test_the_command_lines_take_peers(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = command("bench", "run", "--grid", "smoke", "--kernels", "sklearn_loss", "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    assert load(out).cells[0].kernels == [LOOP, VECTORIZED, "sklearn_loss"]
    assert list(load(out).header["libraries"]) == ["sklearn"]
    assert "Cores used, order F, 1 thread" in (out / "report.md").read_text(encoding="utf-8")
    listed = command("bench", "kernels").stdout
    assert all(name in listed for name in PEERS)
    only = ("pytest", "--benchmark-only", "--collect-only", "-q", "--grid", "smoke")
    assert "sklearn_loss" in command(*only, "--peers", cwd=ROOT).stdout


def test_peers_are_asked_for_by_flag_or_by_name() -> None:
    assert not set(face.choose("smoke", "synthetic", None).names) & set(PEERS)
    every = face.choose("smoke", "synthetic", None, peers=True)
    assert every.names[-len(INSTALLED) :] == INSTALLED and every.peers == list(PEERS)
    one = face.choose("smoke", "synthetic", "numba_loop,sklearn_loss")
    assert (one.names, one.peers) == (["numba_loop", "sklearn_loss"], ["sklearn_loss"])
    both = face.choose("smoke", "synthetic", "numba_loop", peers=True)
    assert both.names == ["numba_loop", *INSTALLED]


def test_one_that_is_not_installed_is_listed_as_such(without_numexpr: str, tmp_path: Path) -> None:
    choice = face.choose("smoke", "synthetic", None, peers=True)
    assert without_numexpr not in choice.names and without_numexpr in choice.peers
    with pytest.raises(WrongUse, match=f"kernel {without_numexpr} can't run: numexpr is not installed"):
        face.choose("smoke", "synthetic", without_numexpr)
    measuring = session.Session(session.run_folder(tmp_path, "tiny"), PRESET, seed=0, peers=[without_numexpr])
    run = measuring.close()
    assert f"{without_numexpr}: numexpr is not installed" in summary.skipped_words(run)


def test_a_cell_without_room_for_the_peers_copies_keeps_its_ladder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cell = Cell(2_000, 8)
    limit = session.SPARE_BYTES + 3 * cell.nbytes + cell.nbytes // 2  # the peers want a copy more
    monkeypatch.setattr("bench.machine.card.memory_limit", lambda: limit)
    measuring = session.Session(session.run_folder(tmp_path, "tiny"), PRESET, seed=0, peers=["sklearn_loss"])
    measuring.measure({cell: [VECTORIZED, "sklearn_loss"]})
    (result,) = measuring.close().cells
    assert VECTORIZED in result.seconds
    assert result.skipped["sklearn_loss"][0].startswith("needs ")
