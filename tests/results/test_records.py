"""Records: what they compute, what they refuse, and that each survives a journal."""

import msgspec
import numpy as np
import pytest

from bench.grid import Cell
from bench.results.journal import seal
from bench.results.place import Moment
from bench.results.records import (
    AnyRecord,
    Begun,
    Calibrated,
    Ceiling,
    Ceilings,
    Compiling,
    Counts,
    End,
    Failed,
    Price,
    ReadRate,
    Resumed,
    Round,
    Sample,
    Skipped,
    Warned,
    is_kernel,
)
from tests import factories

CEILING = Ceiling(1, [ReadRate(1_000, 100e9), ReadRate(100_000, 10e9)], flops=50e9, exps=1e9)
NOW = Moment("2026-01-01T00:00:00+00:00", 0.1)


def test_the_bound_is_the_longest_of_three_times() -> None:
    # 8 m n_x = 1000 bytes at 100 GB/s; 500 flops at 50 GFLOP/s; 5 exponentials of 1 ns.
    assert CEILING.limits(5, 25) == pytest.approx({"reading X": 1e-8, "arithmetic": 1e-8, "exponentials": 5e-9})
    assert CEILING.bound(5, 25) == pytest.approx(1e-8)
    # One feature: 125 exponentials take longer than 1000 bytes.
    assert CEILING.bound(125, 1) == pytest.approx(125e-9)


def test_bandwidth_between_two_sizes_and_beyond_the_last() -> None:
    assert CEILING.bandwidth(1_000) == pytest.approx(100e9)
    assert CEILING.bandwidth(10_000) == pytest.approx(np.sqrt(100e9 * 10e9))  # half way on both logarithms
    assert CEILING.bandwidth(10**9) == pytest.approx(10e9)
    assert CEILING.bandwidth(8) == pytest.approx(100e9)


def test_of_two_measurements_the_higher_of_everything_counts() -> None:
    again = Ceiling(1, [ReadRate(1_000, 90e9), ReadRate(100_000, 12e9)], flops=60e9, exps=0.5e9)
    best = Ceiling(1, [ReadRate(1_000, 100e9), ReadRate(100_000, 12e9)], flops=60e9, exps=1e9)
    assert CEILING.higher(again) == again.higher(CEILING) == best
    assert CEILING.higher(CEILING) == CEILING


def test_a_sample_has_no_more_digits_than_a_clock() -> None:
    assert Sample.of("a", 0.123456789123456, 0.123456789123456) == Sample("a", 0.123456789, 0.123457)
    assert Sample.of("a", 1.5e-7, 0.0) == ("a", 1.5e-7, 0.0)


@pytest.mark.parametrize(
    ("label", "kernel"), [("numpy_dot", True), ("A/A control", False), ("pair: exp", False), ("linear read", False)]
)
def test_kernels_are_named_as_files_and_all_else_in_words(label: str, kernel: bool) -> None:
    assert is_kernel(label) is kernel


@pytest.mark.parametrize(
    "record",
    [
        factories.header([Cell(10, 2)], ["numba_loop"], libraries={"torch": "2"}, source="0" * 64),
        Ceilings(ceilings=[CEILING, msgspec.structs.replace(CEILING, threads=2)]),
        Compiling(prices=[Price("numba_loop", 1.5, None, 1e-5), Price("numba_fused", 3.0, 0.2, 1e-5)]),
        Counts(counts={"numba_loop": {"lanes": 8.0}}),
        Warned(cell=None, words=["it was cold"]),
        Begun(cell=factories.cell(10, 2, "C", 2), pools={"numba": 2}),
        Resumed(before=NOW),
        End(wall=3.0, after=NOW, interrupted=True, peak_bytes=7),
        Skipped(cell="m10", kernel="a", reason="too slow"),
        Failed(cell="m10", kernel="a", reason="wrong"),
        Calibrated(cell="m10", loops={"a": 3}, every={"a": 1}, rounds=9, seconds=1.0),
        Round(cell="m10", index=0, samples=[Sample("a", 1e-3, 2e-3)]),
    ],
    ids=lambda record: type(record).__name__,
)
def test_a_record_survives_a_journal(record: AnyRecord) -> None:
    line = seal(record)
    assert line.endswith(b'"}\n') and line.count(b"\n") == 1
    body = line[: line.index(b',"crc"')] + b"}"
    assert msgspec.json.decode(body, type=AnyRecord) == record
