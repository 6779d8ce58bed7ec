"""Thread pools: limited, restored, described."""

import os
from pathlib import Path

import numba
from threadpoolctl import threadpool_info

from bench.machine import threads
from bench.machine.threads import limited_to


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
