"""What is accepted as data, and that damage is found and named."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.scale import faults, store
from bench.scale.data import Damaged, Data, describe, mapped, read_header
from tests.scale.conftest import N_X, NEEDED, SEED, M, written

GOOD = np.arange(12.0).reshape(6, 2), np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])


def test_rows_are_those_of_the_file_and_cover_it_once(data: Data) -> None:
    X, Y = np.load(data.X), np.load(data.Y)
    for rows in (1, 7, 500, M, 2 * M):
        chunks = data.chunks(rows)
        assert [start for start, _ in chunks] == list(range(0, M, rows)) and chunks[-1][1] == M
    for start, stop in ((0, 1), (5, 200), (M - 1, M), (0, M)):
        with data.rows(start, stop) as (x, y):
            assert (x == X[start:stop].T).all() and (y == Y[start:stop]).all()
            assert x.shape == (N_X, stop - start) and x.flags.f_contiguous


def test_nothing_that_a_task_does_to_its_rows_reaches_the_file(made: Path) -> None:
    before = (made / "X.npy").read_bytes()
    with mapped(read_header(str(made / "X.npy")), 0, 10) as rows:
        rows[:] = 0.0
    assert (made / "X.npy").read_bytes() == before


@pytest.mark.parametrize("dtype", [np.float32, np.int8, ">f8"])
def test_other_dtypes_are_converted_by_the_chunk(tmp_path: Path, dtype: Any) -> None:
    data = written(tmp_path, GOOD[0].astype(dtype), GOOD[1].astype(bool))
    faults.by_value(data)
    with data.rows(2, 5) as (X, Y):
        assert X.dtype == Y.dtype == np.float64 and X.dtype.isnative
        assert (X == GOOD[0][2:5].T).all() and (GOOD[1][2:5] == Y).all()


@pytest.mark.parametrize(
    ("X", "Y", "message"),
    [
        (GOOD[0][0], GOOD[1], r"X must have shape \(m, n_x\)"),
        (GOOD[0].T.copy(), GOOD[1], "X seems to be turned"),
        (np.asfortranarray(GOOD[0]), GOOD[1], "is in order F"),
        (GOOD[0], GOOD[1][:, None], r"Y must have shape \(m,\) = \(6,\)"),
        (GOOD[0] + 1j, GOOD[1], "real numbers that fit in float64; got dtype complex128"),
        (GOOD[0].astype(np.longdouble), GOOD[1], "would lose digits"),
        (np.empty((0, 2)), np.empty(0), "X must have shape"),
    ],
)
def test_shapes_and_dtypes_are_refused(tmp_path: Path, X: Any, Y: Any, message: str) -> None:
    with pytest.raises(Damaged, match=message):
        written(tmp_path, X, Y)


@pytest.mark.parametrize(
    ("which", "place", "value", "message"),
    [
        ("X", (4, 1), np.nan, r"X\[4, 1\] is nan, not a finite number"),
        ("X", (5, 0), -np.inf, r"X\[5, 0\] is -inf"),
        ("Y", (3,), 2.0, r"Y\[3\] is 2.0, not 0 or 1"),
        ("Y", (0,), np.nan, r"Y\[0\] is nan"),
        ("X", (1, 1), 1e300, "a sum may overflow; scale the features"),
    ],
)
def test_a_bad_value_is_found_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str, place: Any, value: float, message: str
) -> None:
    monkeypatch.setattr(faults, "CHECKED_BYTES", 2 * 24)  # two examples at a time
    arrays = {"X": GOOD[0].copy(), "Y": GOOD[1].copy()}
    assert faults.by_value(written(tmp_path, **arrays)) == 11.0
    arrays[which][place] = value
    read_header.cache_clear()
    with pytest.raises(Damaged, match=message):
        faults.by_value(written(tmp_path, **arrays))


def test_a_users_own_zarr_is_accepted(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr", reason=NEEDED)
    for name, values in zip("XY", GOOD, strict=True):
        zarr.save_array(tmp_path / name, values)
    data = describe(tmp_path / "X", tmp_path / "Y")
    assert faults.by_value(data) == 11.0 and (data.m, data.n_x, data.store) == (6, 2, "zarr")
    written(tmp_path / "npy", *GOOD)
    with pytest.raises(Damaged, match="must be of one kind"):
        describe(tmp_path / "npy" / "X.npy", tmp_path / "Y")


def test_what_is_no_array_is_refused(tmp_path: Path) -> None:
    (tmp_path / "X.npy").write_text("no array")
    with pytest.raises(Damaged, match=r"is no \.npy file"):
        describe(tmp_path / "X.npy", tmp_path / "X.npy")
    with pytest.raises(Damaged, match="is not there"):
        describe(tmp_path / "Z.npy", tmp_path / "X.npy")


def test_one_bit_that_changed_is_found_and_named(tmp_path: Path) -> None:
    store.make(tmp_path, 300, 4096, SEED, block_bytes=1)
    data, manifest = store.open_data(tmp_path)
    assert manifest.blocks == 3
    faults.by_checksum(data, manifest.checksums())
    with (tmp_path / "X.npy").open("r+b") as file:
        file.seek(-4096 * 8, 2)  # in the last row
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(Damaged, match=r"X.npy is damaged: block 2 \(rows 256 to 299\) does not match its checksum"):
        faults.by_checksum(data, manifest.checksums())


def test_a_file_that_was_cut_off_is_found_before_it_is_read(tmp_path: Path) -> None:
    data = written(tmp_path, *GOOD)
    with (tmp_path / "X.npy").open("r+b") as file:
        file.truncate(file.seek(0, 2) - 5)
    with data.rows(0, 5):
        pass
    with pytest.raises(Damaged, match="is incomplete: it lacks 5 bytes"), data.rows(4, 6):
        pass
