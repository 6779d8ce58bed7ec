"""All ways give the reference's answer within the bound of the theory, for any chunking."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.agreement import Disagreement, expect, judge
from bench.problem import Problem
from bench.scale import ways
from bench.scale.cluster import default_chunk, too_little
from bench.scale.data import Data
from bench.scale.session import opened, turned
from kernels._kernel import Array
from tests.scale.conftest import NEEDED, M, written

At = tuple[Array, float]


@pytest.mark.parametrize("rows", [1_013, 1_012, 500, 37, 2_000])
def test_every_way_agrees_for_any_chunking(client: Any, data: Data, at: At, rows: int) -> None:
    with data.rows(0, M) as (X, Y):
        expected = expect(Problem(*at, X.copy(order="F"), Y.copy(), "F"))
    with opened(ways.NAMES, data, rows, client, 2) as steps:
        assert list(steps) == list(ways.NAMES) == list(ways.CHANGES)
        for name, step in steps.items():
            judge(name, step(*at), expected)


@pytest.mark.parametrize(("m", "n_x"), [(1, 1), (1, 5), (7, 1), (257, 193)])
def test_awkward_shapes_and_saturated_z(client: Any, tmp_path: Path, m: int, n_x: int) -> None:
    rng = np.random.default_rng(1)
    X, Y = 30.0 * rng.standard_normal((m, n_x)), (rng.random(m) < 0.5).astype(float)
    data = written(tmp_path, X, Y)
    w, b = rng.standard_normal(n_x), 3.0
    expected = expect(Problem(w, b, np.asfortranarray(X.T), Y, "F"))
    with opened(("dask_chunks", "read_ahead", "in_memory"), data, 3, client, 2) as steps:
        for name, step in steps.items():
            judge(name, step(w, b), expected)


def test_a_lost_chunk_would_be_noticed(data: Data, at: At) -> None:
    with data.rows(0, M) as (X, Y):
        expected = expect(Problem(*at, X.copy(order="F"), Y.copy(), "F"))
    with ways.read_ahead(data.head(M - 1), 100, 1) as step, pytest.raises(Disagreement):
        judge("read_ahead", step(*at), expected)


def test_dask_and_the_plain_loop_give_the_same_bits(client: Any, data: Data, at: At) -> None:
    with ways.read_ahead(data, 11, 2) as plain:  # 93 chunks: a tree of two levels
        one, other = plain(*at), ways.dask_chunks(client, data, 11)(*at)
    assert one[0] == other[0] and (one[1] == other[1]).all() and one[2] == other[2]


def test_both_stores_give_the_same_bits(client: Any, tmp_path: Path, data: Data, at: At) -> None:
    pytest.importorskip("zarr", reason=NEEDED)
    from bench.scale import store
    from bench.scale.data import describe

    store.copy(data, tmp_path, "zarr", 100)
    copied = describe(tmp_path / "X.zarr", tmp_path / "Y.zarr")
    one, other = (ways.dask_chunks(client, each, 100)(*at) for each in (data, copied))
    assert one[0] == other[0] and (one[1] == other[1]).all()
    judge("zarr", ways.dask_array(client, copied, 64)(*at), _expected(data, at))


def _expected(data: Data, at: At) -> Any:
    with data.rows(0, data.m) as (X, Y):
        return expect(Problem(*at, X.copy(order="F"), Y.copy(), "F"))


def test_sums_by_hand() -> None:
    assert ways.means(np.array([6.0, 3.0, 9.0, -3.0]), 3)[0] == 3.0
    J, dw, db = ways.means(np.array([6.0, 3.0, 9.0, -3.0]), 3)
    assert (J, dw.tolist(), db) == (3.0, [2.0, 1.0], -1.0)
    seen: list[int] = []

    def join(some: Any) -> Any:
        seen.append(len(some))
        return sum(some)

    assert ways.by_tree(list(range(70)), join) == sum(range(70)) and seen == [32, 32, 6, 3]


def test_each_way_comes_first_in_turn() -> None:
    names = ["a", "b", "c"]
    assert [turned(names, k) for k in range(3)] == [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]]
    assert {turned(names, k)[0] for k in range(6)} == set(names)


def test_what_is_too_large_for_the_memory_is_said(data: Data) -> None:
    assert ways.too_large(data, 2 * data.nbytes) is None
    assert "do not fit: half of --memory" in str(ways.too_large(data, 2 * data.nbytes - 2))
    assert default_chunk(2**31, 2) == 2**26 and default_chunk(2**28, 2) == 2**24
    assert too_little(2**31, 2) is None and "less than 3 processes" in str(too_little(2**26, 2))
