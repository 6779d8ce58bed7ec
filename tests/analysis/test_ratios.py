"""Speed-ups with their cells, leads, neighbours; and the cells and figures that stand for a run."""

import pytest

from bench.analysis.ratios import (
    clearly_faster,
    clearly_slower,
    furthest_ahead,
    gain,
    headline,
    headline_cells,
    in_both,
    largest,
    lead,
    neighbours,
    ratios,
    story_cells,
)
from bench.results import LOOP, VECTORIZED, CellResult
from bench.results.cell import Samples
from bench.results.records import CONTROL
from tests import factories


def cell(m: int, n_x: int, threads: int = 1, **seconds: float) -> CellResult:
    """A cell with a perfect A/A control."""
    labels = {**seconds, CONTROL: seconds[VECTORIZED]} if VECTORIZED in seconds else seconds
    return factories.result(factories.cell(m, n_x, threads=threads), labels)


def test_speedups_that_were_measured() -> None:
    results = [cell(10, 2, python_loop=8.0, numpy_vectorized=1.0), cell(100, 2, numpy_vectorized=1.0)]
    (found,) = ratios(results, LOOP, [LOOP, VECTORIZED, "numba_loop"])
    assert found.estimate == pytest.approx(8.0) and found.kernel == VECTORIZED and found.result is results[0]


def test_what_is_clearly_faster_or_slower() -> None:
    results = [
        cell(m, 2, numpy_vectorized=1.0, numba_loop=time) for m, time in ((1, 0.5), (2, 2.0), (3, 1.0), (4, 0.25))
    ]
    found = ratios(results, VECTORIZED, ["numba_loop"])
    assert [ratio.result.cell.m for ratio in clearly_faster(found)] == [4, 1]
    assert [ratio.result.cell.m for ratio in clearly_slower(found)] == [2]
    assert largest(found).result.cell.m == 4
    # Without a control, nothing is clear.
    bare = factories.result(factories.cell(1, 2), {VECTORIZED: 1.0, "numba_loop": 0.1})
    assert clearly_faster(ratios([bare], VECTORIZED, ["numba_loop"])) == []


def test_who_leads() -> None:
    found = lead(cell(10, 2, python_loop=9.0, numpy_vectorized=2.0, numba_loop=1.0))
    assert found is not None and (found.kernel, found.next, found.clear) == ("numba_loop", VECTORIZED, True)
    assert found.ratio.estimate == pytest.approx(2.0)
    tie = lead(cell(10, 2, numpy_vectorized=1.0, numba_loop=1.0))
    assert tie is not None and not tie.clear
    assert lead(cell(10, 2, numpy_vectorized=1.0)) is None


def test_what_a_dtype_gains_is_taken_process_by_process() -> None:
    where = factories.cell(10, 2)
    single = where.with_setting(dtype="float32")
    # Two processes of two rounds; the second is slower as a whole, in both cells.
    seconds = {where: [4.0, 4.0, 8.0, 8.0], single: [2.0, 2.0, 4.0, 4.0]}
    cells = [
        CellResult(each, {LOOP: Samples(1, [0, 1, 2, 3], times, times, per_process=2)})
        for each, times in seconds.items()
    ]
    run = factories.run([*cells, cell(10, 3, python_loop=1.0)])
    ((before, after),) = in_both(run)
    assert (before.cell, after.cell) == (where, single)
    ratio = gain(before, after, LOOP)
    assert ratio is not None and (ratio.estimate, ratio.low, ratio.high) == pytest.approx((2.0, 2.0, 2.0))
    assert gain(before, after, VECTORIZED) is None
    alone = gain(cell(10, 2, python_loop=3.0), cell(10, 2, python_loop=1.0), LOOP)
    assert alone is not None and alone.estimate == pytest.approx(3.0)


def test_neighbours_of_an_own_kernel() -> None:
    result = cell(10, 2, python_loop=9.0, numpy_vectorized=2.0, numba_loop=1.0, mine=1.5, other=1.6)
    assert neighbours(result, "mine", ["mine", "other"]) == (VECTORIZED, "numba_loop")
    fastest = cell(10, 2, python_loop=9.0, mine=1.5)
    assert neighbours(fastest, "mine", ["mine"]) == (LOOP, None)


def test_the_cells_that_stand_for_a_run() -> None:
    cells = [
        cell(m, n_x, python_loop=8.0, numpy_vectorized=1.0) for n_x in (2, 40, 512) for m in (1_000, 10, 100, 100_000)
    ]
    slow = cell(10**6, 40, numpy_vectorized=1.0)
    run = factories.run([*cells, slow, cell(10, 32, threads=2, python_loop=8.0, numpy_vectorized=1.0)])
    assert [r.cell.m for r in headline_cells(run)] == [10, 100, 1_000, 100_000, 10**6]
    assert {r.cell.n_x for r in headline_cells(run)} == {40}
    # The loop was too slow to run at the largest m.
    assert [r.cell.m for r in story_cells(run)] == [10, 1_000, 100_000]


def test_the_speedups_that_a_run_quotes() -> None:
    results = [
        cell(10, 2, python_loop=4.0, numpy_vectorized=1.0, numba_loop=0.01),
        cell(1_000, 32, python_loop=8.0, numpy_vectorized=1.0, numba_loop=0.5),
        cell(1_000, 32, threads=2, python_loop=9.0, numpy_vectorized=1.0, numba_loop=0.1),
    ]
    run = factories.run(results)
    ratio, ahead = headline(run), furthest_ahead(run)
    assert ratio is not None and ratio.result is results[1] and ratio.estimate == pytest.approx(8.0)
    # Few examples do not count, nor do several threads.
    assert ahead is not None and ahead.kernel == "numba_loop" and ahead.estimate == pytest.approx(2.0)
    alone = factories.run([cell(1_000, 32, numpy_vectorized=1.0)])
    assert headline(alone) is None and furthest_ahead(alone) is None
