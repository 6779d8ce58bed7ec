"""The peers: right as the ladder is, imported late, and listed even where their library is not installed."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench import agreement
from bench.grid import ALPHA, PRECISIONS, Dtype, Order
from bench.machine import threads
from bench.problem import Problem, make_problem
from kernels import KERNELS, Kernel, gradient_descent
from kernels.peers import PEERS, c_fused
from kernels.peers._peer import by_feature
from tests.conftest import ROOT

ALL = pytest.mark.parametrize(
    "kernel",
    [
        pytest.param(peer, id=name, marks=pytest.mark.skipif(peer.missing is not None, reason=f"needs {peer.missing}"))
        for name, peer in PEERS.items()
    ],
)
INSTALLED = [name for name, peer in PEERS.items() if peer.missing is None]
FROM_Z = pytest.mark.parametrize(
    "kernel", [PEERS[name] for name in INSTALLED if PEERS[name].cost_from == "z"], ids=lambda kernel: kernel.name
)
AWKWARD = [(1, 1), (1, 7), (7, 1), (13, 17), (101, 3)]
NEEDS_C = pytest.mark.skipif("c_fused" not in INSTALLED, reason=f"needs {PEERS['c_fused'].missing}")
NEEDS_ONEDAL = pytest.mark.skipif("onedal_loss" not in INSTALLED, reason="needs scikit-learn-intelex")


def test_scikit_learn_is_always_installed() -> None:
    assert "sklearn_loss" in INSTALLED


def test_peers_are_named_after_their_files_and_are_not_in_the_ladder() -> None:
    files = {path.stem for path in (ROOT / "kernels" / "peers").glob("[a-z]*.py")}
    assert set(PEERS) == files
    assert not PEERS.keys() & KERNELS.keys()


def test_listing_the_peers_imports_none_of_their_libraries() -> None:
    code = (
        "import sys; from kernels.peers import PEERS\n"
        "print(sorted({module for peer in PEERS.values() for module in peer.requires} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@ALL
@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize(("m", "n_x"), AWKWARD)
def test_agrees_with_the_reference(kernel: Kernel, m: int, n_x: int, order: Order, dtype: Dtype) -> None:
    problem = make_problem(m, n_x, seed=m + n_x, order=order).rounded(dtype, order)
    agreement.check(kernel, problem)  # which refuses a dw that was computed in another dtype
    J, dw, db = kernel(problem.w, problem.b, problem.X, problem.Y)
    assert type(J) is float and type(db) is float
    assert type(dw) is np.ndarray and dw.shape == (n_x,)


@FROM_Z
@pytest.mark.parametrize("z", [36.0, 40.0, 500.0, 1e6])
def test_the_cost_keeps_its_digits_where_activations_saturate(kernel: Kernel, z: float) -> None:
    w = np.array([1.0])
    agreement.check(kernel, Problem(w, 0.0, np.array([[z, -z, z, -z]]), np.array([1.0, 0.0, 0.0, 1.0]), "F"))
    # Both examples are classified right by far: each loss is about e^-z, far below the rounding of z.
    agreement.check(kernel, Problem(w, 0.0, np.array([[z, -z]]), np.array([1.0, 0.0]), "F"))


@ALL
def test_leaves_its_inputs_unchanged_and_repeats_its_result(kernel: Kernel) -> None:
    problem = make_problem(13, 17, seed=1, order="C" if kernel.layout == "F" else "F")
    before = [np.copy(part) for part in (problem.w, problem.X, problem.Y)]
    with threads.limited_to(1):
        call = kernel.bind(problem.w, problem.b, problem.X, problem.Y)
        first = [np.array(np.asarray(output)) for output in call()]
        again = [np.array(np.asarray(output)) for output in call()]
        for was, now in zip(before, (problem.w, problem.X, problem.Y), strict=True):
            assert np.array_equal(was, now)
        if kernel.layout != "either":
            problem.X[:] = 0.0  # X was copied to another order, so this changes nothing
        later = call()
    for one, two, three in zip(first, again, later, strict=True):
        assert np.array_equal(one, two) and np.array_equal(one, three)


def test_no_peer_copies_an_x_with_each_feature_contiguous() -> None:
    X = make_problem(13, 17, order="C").X
    assert by_feature(X) is X
    turned = make_problem(13, 17, order="F")
    assert turned.by_feature is turned.by_feature and np.array_equal(turned.by_feature, turned.X)
    assert by_feature(turned.by_feature) is turned.by_feature and by_feature(turned.X) is not turned.X
    read_only = X.copy()
    read_only.flags.writeable = False  # PyTorch warns when it makes a tensor of read-only memory
    assert by_feature(read_only) is not read_only


@ALL
def test_refuses_what_the_contract_refuses(kernel: Kernel) -> None:
    w, X, Y = np.zeros(2), np.ones((2, 3)), np.array([0.0, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"w must have shape \(n_x,\)"):
        kernel(w[:, None], 0.0, X, Y)
    with pytest.raises(ValueError, match="labels 0 and 1"):
        kernel(w, 0.0, X, 2.0 * Y)
    with pytest.raises(ValueError, match="X contains NaN"):
        kernel(w, 0.0, X * np.nan, Y)
    with pytest.raises(TypeError, match="X must be real numbers"):
        kernel(w, 0.0, X.astype(complex), Y)


@ALL
def test_descends_as_the_reference_does(kernel: Kernel) -> None:
    problem = make_problem(13, 17, seed=30)
    descent = gradient_descent(kernel, problem.X, problem.Y, ALPHA, 10)
    agreement.judge_descent(kernel.name, descent, agreement.expect_descent(problem, ALPHA, 10))


@pytest.mark.skipif("jax_jit" not in INSTALLED, reason="needs jax")
def test_jax_has_a_pool_for_each_number_of_threads() -> None:
    from kernels.peers import jax_jit

    def workers() -> int:
        return sum((task / "comm").read_text().startswith("tf_XLAEigen") for task in Path("/proc/self/task").iterdir())

    if not Path("/proc/self/task").is_dir():
        pytest.skip("needs /proc, which has the names of threads")
    jax_jit.device(1)
    before = workers()
    jax_jit.device.__wrapped__(3)
    assert workers() == before + 3
    assert jax_jit.device(1) is not jax_jit.device(2)


@pytest.mark.skipif("torch_compile" not in INSTALLED, reason="needs torch and a C++ compiler")
def test_torch_compile_never_falls_back_to_uncompiled_code() -> None:
    import torch
    from torch._dynamo.exc import FailOnRecompileLimitHit
    from torch._dynamo.utils import counters

    from kernels.peers import torch_compile

    with threads.limited_to(1):
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


@NEEDS_ONEDAL
def test_onedal_is_refused_where_it_clips_the_activation() -> None:
    def at(z: float) -> Problem:
        return Problem(np.array([1.0]), 0.0, np.array([[z, -z, z, -z]]), np.array([1.0, 0.0, 0.0, 1.0]), "F")

    agreement.check(PEERS["onedal_loss"], at(30.0))
    with pytest.raises(agreement.Disagreement, match="onedal_loss: dw is wrong"):
        agreement.check(PEERS["onedal_loss"], at(40.0))


@NEEDS_C
@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize(("m", "n_x"), [(1, 2_100), (129, 33), (1_025, 4), (5_000, 40)])
def test_blocks_of_c_and_their_tails(m: int, n_x: int, order: Order) -> None:
    for count in (1, 2):
        with threads.limited_to(count):
            agreement.check(PEERS["c_fused"], make_problem(m, n_x, seed=m, order=order))


@pytest.mark.parametrize("name", ["c_fused", "onedal_loss"])
@pytest.mark.parametrize("order", ["F", "C"])
def test_computes_in_float32(name: str, order: Order) -> None:
    peer, problem = PEERS[name], make_problem(301, 9, order=order)
    if peer.missing is not None:
        pytest.skip(f"needs {peer.missing}")
    assert peer.prepare is not None
    X, Y, w = (np.asarray(part, dtype=np.float32) for part in (problem.X, problem.Y, problem.w))
    J, dw, db = peer.prepare(X, Y)(w, problem.b)()
    right = agreement.expect(problem)
    assert dw.dtype == np.float32
    # A few units of float32's rounding, for sums of a few hundred terms below 4.
    assert np.allclose([J, *dw, db], [right.J, *right.dw, right.db], rtol=0.0, atol=2e-6)
    assert not np.array_equal(dw, right.dw)


@NEEDS_C
def test_c_is_compiled_once_and_leaves_subnormal_numbers_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLOOP_CACHE", str(tmp_path))
    code = (
        "import numpy as np; from kernels.peers import c_fused; c_fused.library('float64');"
        "print(np.float64(2.0**-1060) * 0.5 == 2.0**-1061)"
    )
    dates = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout == "True\n"
        (built,) = tmp_path.rglob("*.so")
        dates.append(built.stat().st_mtime_ns)
    assert dates[0] == dates[1]
    assert list(built.parent.iterdir()) == [built]


@NEEDS_C
def test_what_the_compiler_says_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "c_fused.c"
    broken.write_text("no C\n")
    monkeypatch.setattr(c_fused, "SOURCE", broken)
    with pytest.raises(OSError, match=r"^gcc can't compile c_fused\.c: .*error.*$"):
        c_fused._build("broken", "double", tmp_path / "broken.so")


def test_c_is_missing_where_there_is_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(c_fused, "HEADERS", ROOT)
    assert c_fused._lacks() == ("Python.h" if shutil.which(c_fused.COMPILER) else "gcc")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert c_fused._lacks() == "gcc"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert c_fused._lacks() == "gcc on Linux"
