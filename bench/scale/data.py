"""X and Y on disk, one example after another: what they are, and a chunk of their rows.

A task opens its own rows: a memory map that goes through a scheduler is read whole (dask issue 5985). The rows of a
.npy file are mapped, so that nothing is copied and the page cache is read in place; those of Zarr are read.
"""

import ctypes
import mmap
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bench.words import WrongUse, plural
from kernels._kernel import Array

FLOAT64 = np.dtype(np.float64)
POPULATE_READ = 22  # <linux/mman.h>, from Linux 5.14 on
Block = tuple[int, int, int, int]  # first row, last row, and the checksums of X and Y
Progress = Callable[[int, int], None]


class Damaged(WrongUse):
    """Data on disk that is not what it was, or not what a gradient step can be computed on."""


@dataclass(frozen=True)
class Npy:
    """An array in a .npy file: where its numbers begin, and what they are."""

    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return self.dtype.itemsize * int(np.prod(self.shape[1:]))


@lru_cache(maxsize=16)
def read_header(path: str) -> Npy:
    """The header of a .npy file.

    Raises:
        Damaged: If it is none, or its rows do not lie one after another.
    """
    try:
        with Path(path).open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = read(file)
            offset = file.tell()
    except OSError as error:
        raise Damaged(f"{path} can't be read: {error.strerror}") from None
    except ValueError as error:
        raise Damaged(f"{path} is no .npy file: {error}") from None
    if fortran and len(shape) > 1:
        raise Damaged(
            f"{path} is in order F; write it with one example after another: np.save(path, X.copy(order='C'))"
        )
    return Npy(path, shape, dtype, offset)


@contextmanager
def mapped(array: Npy, start: int, stop: int) -> Iterator[npt.NDArray[Any]]:
    """Rows of a .npy file, mapped for as long as the block lasts.

    Privately, which lets compiled code take them for an array like any other; nobody writes to them.

    Raises:
        Damaged: If the file ends before these rows do.
    """
    first, last = (array.offset + row * array.row_bytes for row in (start, stop))
    with open(array.path, "rb", buffering=0) as file:  # noqa: PTH123 - Path.open costs more than the mapping
        size = os.fstat(file.fileno()).st_size
        if size < last:
            missing = array.offset + array.shape[0] * array.row_bytes - size
            raise Damaged(f"{array.path} is incomplete: it lacks {plural(missing, 'byte')}; make or copy it again")
        begin = first - first % mmap.ALLOCATIONGRANULARITY
        pages = mmap.mmap(file.fileno(), last - begin, access=mmap.ACCESS_COPY, offset=begin)
    try:
        _read_in_order(pages)
        count = (stop - start) * (array.row_bytes // array.dtype.itemsize)
        yield np.frombuffer(pages, array.dtype, count, first - begin).reshape(stop - start, *array.shape[1:])
    finally:
        with suppress(BufferError):  # somebody still looks at them: they are unmapped when nobody does
            pages.close()


def _read_in_order(pages: mmap.mmap) -> None:
    """Have all pages mapped at once, and read in order where they are not in the page cache; only Linux does it.

    Called through ctypes, since `mmap.madvise` keeps other threads of Python waiting meanwhile. What the system does
    not know, it refuses, and the pages are mapped one by one as they are touched.
    """
    if sys.platform == "linux":
        address = np.frombuffer(pages, np.uint8).ctypes.data
        for advice in (mmap.MADV_SEQUENTIAL, POPULATE_READ):
            _libc().madvise(ctypes.c_void_p(address), ctypes.c_size_t(len(pages)), advice)


@cache
def _libc() -> Any:
    return ctypes.CDLL(None)


@dataclass(frozen=True)
class Data:
    """X (m, n_x) and Y (m,) on disk. It goes to a task as it is: two paths and their shape.

    Attributes:
        X: Path of X, and Y of Y.
        store: "npy" or "zarr".
        m: Number of examples.
        n_x: Number of features.
        dtype: What X holds; converted to float64, chunk by chunk, where it is another.
        itemsize: Bytes of a number of X, and `Y_itemsize` of Y.
    """

    X: str
    Y: str
    store: Literal["npy", "zarr"]
    m: int
    n_x: int
    dtype: str
    itemsize: int
    Y_itemsize: int

    @property
    def row_bytes(self) -> int:
        """Bytes of an example and its label."""
        return self.n_x * self.itemsize + self.Y_itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of X and Y."""
        return self.m * self.row_bytes

    def head(self, m: int) -> "Data":
        """The first m examples."""
        return replace(self, m=min(m, self.m))

    def chunks(self, rows: int) -> list[tuple[int, int]]:
        """First and last row of each chunk of so many examples; the last chunk may have fewer."""
        return [(start, min(start + rows, self.m)) for start in range(0, self.m, rows)]

    @contextmanager
    def stored(self, start: int, stop: int) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
        """Rows of X and Y as they are stored, for as long as the block lasts.

        Raises:
            Damaged: If they can't be read.
        """
        if self.store == "zarr":
            yield tuple(_read_zarr(path, start, stop) for path in (self.X, self.Y))  # type: ignore[misc]
            return
        with ExitStack() as stack:
            yield tuple(  # type: ignore[misc]
                stack.enter_context(mapped(read_header(path), start, stop)) for path in (self.X, self.Y)
            )

    @contextmanager
    def rows(self, start: int, stop: int) -> Iterator[tuple[Array, Array]]:
        """X (n_x, stop - start) in order F and Y (stop - start,) of a chunk, in float64."""
        with self.stored(start, stop) as (X, Y):
            yield np.asarray(X, dtype=FLOAT64).T, np.asarray(Y, dtype=FLOAT64)

    def ask_ahead(self, start: int, stop: int) -> None:
        """Ask the system to begin to read these rows; where it can't be asked, nothing happens."""
        if self.store == "npy" and hasattr(os, "posix_fadvise"):
            for array in (read_header(self.X), read_header(self.Y)):
                with open(array.path, "rb", buffering=0) as file:  # noqa: PTH123
                    where = array.offset + start * array.row_bytes
                    os.posix_fadvise(file.fileno(), where, (stop - start) * array.row_bytes, os.POSIX_FADV_WILLNEED)

    def state(self) -> list[tuple[int, int]]:
        """Size and time of change of each file: the same as before, if nobody wrote to the data."""
        return [(status.st_size, status.st_mtime_ns) for status in map(os.stat, self.files())]

    def files(self) -> list[Path]:
        """The files that hold X and Y."""
        if self.store == "npy":
            return [Path(self.X), Path(self.Y)]
        return sorted(path for top in (self.X, self.Y) for path in Path(top).rglob("*") if path.is_file())


@lru_cache(maxsize=16)
def _open_zarr(path: str) -> Any:
    import zarr

    try:
        return zarr.open_array(path, mode="r")
    except (OSError, ValueError, KeyError) as error:
        raise Damaged(f"{path} can't be read as a Zarr array: {error}") from None


def _read_zarr(path: str, start: int, stop: int) -> npt.NDArray[Any]:
    try:
        return np.asarray(_open_zarr(path)[start:stop])
    except (OSError, ValueError, RuntimeError) as error:
        raise Damaged(f"{path}: the chunk with rows {start:,} to {stop:,} can't be read: {error}") from None


def describe(X: Path, Y: Path) -> Data:
    """X and Y of any origin, after checking shapes and dtypes.

    Raises:
        Damaged: With what is wrong, and what to do.
    """
    for path in (X, Y):
        if not path.exists():
            raise Damaged(f"{path} is not there")
    store: Literal["npy", "zarr"] = "zarr" if X.is_dir() else "npy"
    if X.is_dir() != Y.is_dir():
        raise Damaged(f"{X} and {Y} must be of one kind: two .npy files, or two Zarr arrays")
    x, y = (_open_zarr(str(path)) if store == "zarr" else read_header(str(path)) for path in (X, Y))
    if len(x.shape) != 2 or 0 in x.shape:
        raise Damaged(f"X must have shape (m, n_x), one example after another; {X} has {x.shape}")
    m, n_x = x.shape
    if y.shape != (m,):
        turned = "; X seems to be turned: pass (m, n_x), one example after another" if y.shape == (n_x,) else ""
        raise Damaged(f"Y must have shape (m,) = ({m},); {Y} has {y.shape}{turned}")
    for name, array in (("X", x), ("Y", y)):
        if array.dtype.kind not in "fiub" or not np.can_cast(array.dtype, FLOAT64, casting="same_kind"):
            raise Damaged(f"{name} must contain real numbers that fit in float64; got dtype {array.dtype}")
        if array.dtype.itemsize > 8:
            raise Damaged(f"{name} has dtype {array.dtype}; converting it to float64 would lose digits")
    return Data(str(X), str(Y), store, m, n_x, str(x.dtype), x.dtype.itemsize, y.dtype.itemsize)


def crc(rows: npt.NDArray[Any]) -> int:
    """The checksum of rows, as they lie in memory."""
    return zlib.crc32(np.ascontiguousarray(rows).data.cast("B"))
