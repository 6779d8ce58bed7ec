"""The ceilings of this machine: what is measured of them, and how they are described."""

import re

import numba
import numpy as np
import pytest

from bench.machine import ceilings
from bench.presets import thread_counts
from bench.results.records import Ceiling, ReadRate


def test_what_is_read_is_all_of_x_once() -> None:
    x = np.arange(1.0, 2_001.0)
    assert ceilings.read_share(x, 0, 2_000) == ceilings.read_two_share(x, 0, 2_000) == 2_001_000.0
    assert ceilings.read_share(x, 1, 3) == ceilings.read_two_share(x, 1, 3) == 5.0
    assert ceilings.read(x, 3, 2) == 3 * 2_001_000.0


def test_multiply_adds_and_exponentials_are_done() -> None:
    x = np.array([0.5, -1.0, 2.0])
    assert ceilings.exp_share(x, 0, 3) == pytest.approx(np.exp(-np.abs(x)).sum())
    p = np.polynomial.polynomial.polyval(1.0, [0.5, *np.arange(0.1, 3.2, 0.2)])
    q = np.polynomial.polynomial.polyval(1.0, [0.25, *np.arange(0.2, 3.3, 0.2)])
    assert ceilings.multiply_add_share(np.ones(1), 0, 1) == pytest.approx(p + q)  # at 1 the order makes no difference


def test_float32_is_multiplied_and_added_in_float32() -> None:
    x = np.array([0.5, -1.0, 2.0], np.float32)
    for kept in (ceilings.multiply_add_share, ceilings.exp_share, ceilings.read_share):
        # Compiled anew: Numba shows no code that it has loaded from its cache.
        share = numba.jit(**kept.targetoptions)(kept.py_func)
        share(x, 0, 3)
        (code,) = (code for types, code in share.inspect_llvm().items() if "float32" in str(types))
        # What is returned becomes a Python float, a float64; nothing before is.
        assert not re.search(r"= f(?:add|sub|mul|neg)\b[^\n]*\bdouble\b", code), "arithmetic in float64"
    assert ceilings.exp_share(x, 0, 3) == pytest.approx(np.exp(-np.abs(x)).sum(), rel=1e-6)


def test_the_ceilings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    # Caches made small, so that little is read.
    monkeypatch.setattr(ceilings, "LAST_BYTES", 2**13)
    monkeypatch.setattr(ceilings, "LEAST_BYTES", 2**15)
    lines: list[str] = []
    measured = ceilings.measure(lines.append)
    assert [ceiling.threads for ceiling in measured] == thread_counts()
    for ceiling in measured:
        assert [nbytes for nbytes, _ in ceiling.read] == [2**13, 2**14, 2**15]
        assert all(rate > 0.0 for _, rate in ceiling.read) and ceiling.flops > 0.0 and ceiling.exps > 0.0
    assert any("reading" in line for line in lines)
    rows = dict(ceilings.describe(measured, {"L1d": 2**13}))
    assert rows["Linear read, 1 thread"].startswith("L1d ") and "memory" in rows["Linear read, 1 thread"]


def test_the_rows_of_a_table() -> None:
    two = Ceiling(2, [ReadRate(2**10, 100e9), ReadRate(2**20, 10e9)], flops=50e9, exps=1e9)
    assert ceilings.describe([two], {"L1d": 2**11}) == [
        ("Linear read, 2 threads", "L1d 100 GB/s, memory 10 GB/s"),
        ("Multiply-add, 2 threads", "50 GFLOP/s"),
        ("exp, 2 threads", "1.00 ns each"),
    ]
