"""Shares of the limit, the cells of a roofline, and those from memory."""

import re
import tempfile
from io import StringIO
from pathlib import Path

import msgspec
import numpy as np
import pytest
from rich.console import Console

from bench.analysis import limits
from bench.grid import Setting
from bench.report import terminal, write
from bench.results import LOOP, READ, VECTORIZED, Run
from bench.results.records import Ceiling, ReadRate
from tests import factories

CEILING = Ceiling(1, [ReadRate(1_000, 100e9), ReadRate(100_000, 10e9)], flops=50e9, exps=1e9)
SECONDS = {LOOP: 1e-3, "python_lists": 1e-3, VECTORIZED: 1e-4, "numba_fused": 1e-5, READ: 2e-6}


def limited(shapes: list[tuple[int, int]], caches: dict[str, int] | None = None) -> Run:
    """A run whose ceilings were measured."""
    card = factories.CARD if caches is None else msgspec.structs.replace(factories.CARD, caches=caches)
    results = [factories.result(factories.cell(m, n_x), SECONDS) for m, n_x in shapes]
    names = [name for name in SECONDS if name != READ]
    return factories.run(results, names, machine=card, ceilings={1: CEILING})


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
    highest = Ceiling(1, [ReadRate(1_000, 100e9), ReadRate(100_000, 12e9)], flops=60e9, exps=1e9)
    assert CEILING.higher(again) == again.higher(CEILING) == highest


def test_shares_of_the_limit() -> None:
    run = limited([(125, 1), (5, 25)])
    few, many = run.cells
    # 125 exponentials of 1 ns take longer than 1000 bytes at 100 GB/s.
    assert limits.share(run, few, "numba_fused") == pytest.approx(125e-9 / 1e-5)
    assert limits.limiting(run, few) == "exponentials" and limits.limiting(run, many) in ("reading X", "arithmetic")
    found = limits.shares(run, run.cells, ["numba_fused", "numba_loop"])
    assert [(share.kernel, share.result) for share in found] == [("numba_fused", few), ("numba_fused", many)]
    table = run.table()
    row = table[(table.kernel == "numba_fused") & (table.m == 125)].iloc[0]
    assert row.of_limit == pytest.approx(found[0].share)


def test_without_ceilings_there_is_no_limit(run: Run) -> None:
    assert limits.limited(run, Setting()) == []
    assert limits.from_memory(run) == [] and run.table().of_limit.isna().all()


def test_a_linear_read_is_the_ruler_of_cells_from_memory() -> None:
    run = limited([(10, 2), (100_000, 8)], {"L3": 2**20})
    (result,) = limits.from_memory(run)
    assert result.cell.m == 100_000
    share = limits.of_read(result, "numba_fused")
    assert share is not None and share.estimate == pytest.approx(0.2)
    assert limits.of_read(result, "numba_loop") is None
    assert READ not in result.kernels and np.isfinite(run.bound(result.cell))


def test_more_than_all_of_a_limit_is_called_an_error_wherever_it_is_shown() -> None:
    fast = {LOOP: 1e-1, VECTORIZED: 1e-2, "numba_fused": 1e-9}  # no machine reads so fast
    results = [factories.result(factories.cell(m, n_x), fast) for n_x in (8, 64) for m in (1_000, 10_000)]
    run = factories.run(results, ceilings={1: CEILING})
    (line,) = limits.beyond(run)
    assert (
        line.startswith("numba_fused is at ")
        and "and beyond it in 3 more cells: the ceilings were measured too" in line
    )
    with tempfile.TemporaryDirectory() as folder:
        page = write(run, Path(folder)).read_text(encoding="utf-8") + (Path(folder) / "report.md").read_text("utf-8")
    text = Console(width=120, file=StringIO())
    with text.capture() as capture:
        text.print(terminal.render(run))
    shown = page + capture.get()
    assert f"Error: {line}" in page and "Error: numba_fused is at" in capture.get()
    for percent in re.finditer(r"(?<![\w.,])([\d,]+)%", shown):
        if float(percent[1].replace(",", "")) > 100.0:
            before = shown[max(0, percent.start() - 200) : percent.start()]
            assert re.search(r"error \($|is at $|(faster|slower|±|within|interval|to|differ)[^<|\n]*$", before), before
    assert limits.beyond(limited([(1_000, 8)])) == []
