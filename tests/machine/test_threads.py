"""Thread pools: limited, restored, described."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from threadpoolctl import threadpool_info

from bench import agreement
from bench.machine import threads
from bench.machine.threads import limited_to
from bench.problem import make_problem
from kernels.peers import PEERS
from tests.conftest import ROOT


def test_threads_are_limited_and_restored() -> None:
    before = numba.get_num_threads()

    def blas() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    blas_before = blas()
    with limited_to(1):
        assert numba.get_num_threads() == 1
        assert blas() == {1}
    assert numba.get_num_threads() == before
    assert blas() == blas_before


def test_pools_are_counted_as_they_are_limited() -> None:
    with limited_to(1):
        counts = threads.counts()
    assert counts["numba"] == 1 and set(counts.values()) == {1}
    assert any(name.startswith("numpy ") for name in counts)


def test_pools_are_described_without_a_path() -> None:
    pools = threads.described()
    assert {pool.package for pool in pools} >= {"numpy"}
    for pool in pools:
        assert os.sep not in pool.file and pool.threads >= 1 and pool.user_api in ("blas", "openmp")
    assert threads._package(Path("/usr/lib/libgomp.so.1")) == "system"
    assert threads._package(Path("/x/site-packages/numpy.libs/libopenblas.so")) == "numpy"


@pytest.mark.parametrize("name", [name for name, peer in PEERS.items() if peer.missing is None])
def test_pools_of_a_peer_are_limited_and_restored(name: str) -> None:
    threads.load([PEERS[name]])
    with limited_to(1):
        agreement.check(PEERS[name], make_problem(13, 17))
    before = threads.counts()
    with limited_to(1):
        assert set(threads.counts().values()) == {1}
    assert threads.counts() == before


def test_a_library_loaded_after_the_first_look_at_the_pools_is_limited_too() -> None:
    code = (
        "import numpy; from bench.machine import threads; from kernels.peers import PEERS\n"
        "with threads.limited_to(1): before = set(threads.counts())\n"
        "threads.load([PEERS['sklearn_loss']])\n"
        "with threads.limited_to(1): counts = threads.counts()\n"
        "assert 'scikit_learn' in ' '.join(set(counts) - before) or len(counts) > len(before), (before, counts)\n"
        "assert set(counts.values()) == {1}, counts\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
