"""The peers: right as the ladder is right, imported late, held to the cell's threads, listed where they are missing."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from bench.agreement import bounds as agreement
from bench.cli import options as face
from bench.cli.options import WrongUse
from bench.grid import ALPHA, Cell
from bench.machine import threads
from bench.machine.threads import held_to
from bench.measure import contestants as roster
from bench.measure import session
from bench.problem import Problem, make_problem
from bench.report import terminal as summary
from bench.results.run import LOOP, VECTORIZED, load
from kernels import KERNELS, Kernel, gradient_descent
from kernels.peers import PEERS
from kernels.peers._peer import by_feature
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


def test_scikit_learn_is_always_there_to_compare_with() -> None:
    assert "sklearn_loss" in INSTALLED


def test_peers_are_named_as_their_files_and_are_not_in_the_ladder() -> None:
    files = {path.stem for path in (ROOT / "kernels" / "peers").glob("[a-z]*.py")}
    assert set(PEERS) == files
    assert not PEERS.keys() & KERNELS.keys()


def test_listing_the_peers_imports_none_of_their_libraries() -> None:
    code = (
        "import sys; from bench import cli, plugin; from kernels.peers import PEERS\n"
        "print(sorted({module for peer in PEERS.values() for module in peer.requires} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout in ("[]\n", "['numexpr']\n")  # pandas imports numexpr where it is installed


@ALL
@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize(("m", "n_x"), AWKWARD)
def test_agrees_with_the_reference(kernel: Kernel, m: int, n_x: int, order: Any) -> None:
    problem = make_problem(m, n_x, seed=m + n_x, order=order)
    agreement.check(kernel, problem)
    J, dw, db = kernel(problem.w, problem.b, problem.X, problem.Y)
    assert type(J) is float and type(db) is float
    assert type(dw) is np.ndarray and dw.shape == (n_x,)


@ALL
@pytest.mark.parametrize("z", [36.0, 40.0, 500.0, 1e6])
def test_the_cost_keeps_its_digits_where_activations_saturate(kernel: Kernel, z: float) -> None:
    w = np.array([1.0])
    agreement.check(kernel, Problem(w, 0.0, np.array([[z, -z, z, -z]]), np.array([1.0, 0.0, 0.0, 1.0]), "F"))
    # Both right by far: each loss is about e^-z, far below the rounding of z.
    agreement.check(kernel, Problem(w, 0.0, np.array([[z, -z]]), np.array([1.0, 0.0]), "F"))


@ALL
def test_leaves_its_inputs_alone_and_repeats_itself(kernel: Kernel) -> None:
    problem = make_problem(13, 17, seed=1, order="F")
    before = [np.copy(part) for part in (problem.w, problem.X, problem.Y)]
    with held_to(1):
        call = kernel.bind(problem.w, problem.b, problem.X, problem.Y)
        first = [np.array(np.asarray(output)) for output in call()]
        again = [np.array(np.asarray(output)) for output in call()]
        for was, now in zip(before, (problem.w, problem.X, problem.Y), strict=True):
            assert np.array_equal(was, now)
        problem.X[:] = 0.0  # what was brought to another order has its own
        later = call()
    for one, two, three in zip(first, again, later, strict=True):
        assert np.array_equal(one, two) and np.array_equal(one, three)


def test_x_is_copied_for_none_of_them_where_each_feature_is_contiguous() -> None:
    X = make_problem(13, 17, order="C").X
    assert by_feature(X) is X
    turned = make_problem(13, 17, order="F")
    assert turned.by_feature is turned.by_feature and np.array_equal(turned.by_feature, turned.X)
    assert by_feature(turned.by_feature) is turned.by_feature and by_feature(turned.X) is not turned.X
    read_only = X.copy()
    read_only.flags.writeable = False  # a tensor would be made of it with a warning
    assert by_feature(read_only) is not read_only


@ALL
def test_refuses_what_the_contract_refuses(kernel: Kernel) -> None:
    w, X, Y = np.zeros(2), np.ones((2, 3)), np.array([0.0, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"w must have shape \(n_x,\)"):
        kernel(w[:, None], 0.0, X, Y)
    with pytest.raises(ValueError, match="labels 0 and 1"):
        kernel(w, 0.0, X, 2.0 * Y)
    with pytest.raises(ValueError, match="X holds NaN"):
        kernel(w, 0.0, X * np.nan, Y)
    with pytest.raises(TypeError, match="X must be real numbers"):
        kernel(w, 0.0, X.astype(complex), Y)


@ALL
def test_descends_as_the_reference_does(kernel: Kernel) -> None:
    problem = make_problem(13, 17, seed=30)
    descent = gradient_descent(kernel, problem.X, problem.Y, ALPHA, 10)
    agreement.judge_descent(kernel.name, descent, agreement.expect_descent(problem, ALPHA, 10))


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


@pytest.mark.skipif("jax_jit" not in INSTALLED, reason="lacks jax")
def test_jax_computes_in_a_pool_of_as_many_threads_as_it_may_use() -> None:
    from kernels.peers import jax_jit

    def workers() -> int:
        return sum((task / "comm").read_text().startswith("tf_XLAEigen") for task in Path("/proc/self/task").iterdir())

    if not Path("/proc/self/task").is_dir():
        pytest.skip("threads are told by their names in /proc")
    jax_jit.device(1)
    before = workers()
    jax_jit.device.__wrapped__(3)
    assert workers() == before + 3
    assert jax_jit.device(1) is not jax_jit.device(2)


@pytest.mark.skipif("torch_compile" not in INSTALLED, reason="lacks torch or a C++ compiler")
def test_torch_compile_never_falls_back_to_uncompiled_code() -> None:
    import torch
    from torch._dynamo.exc import FailOnRecompileLimitHit
    from torch._dynamo.utils import counters

    from kernels.peers import torch_compile

    with held_to(1):
        torch_compile.compiled.cache_clear()
        counters.clear()
        for m in range(1, 4):
            problem = make_problem(m, 1)
            agreement.check(PEERS["torch_compile"], problem)
            agreement.check(PEERS["torch_compile"], problem)
        assert counters["stats"]["unique_graphs"] == 3
        other = [torch.ones(shape, dtype=torch.float64) for shape in ((1,), (), (1, 5), (5,), (5,))]
        with pytest.raises(FailOnRecompileLimitHit):
            torch_compile.compiled(1, 1, 1)(*other)


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
