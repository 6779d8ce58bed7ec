"""`unloop scale make`: a problem of any size on disk, written block by block from a seed, and what it is checked by.

X and Y are drawn in tiles that depend on n_x alone, each from its own generator: the same seed gives the same bits
whatever the block. A manifest with a checksum (CRC-32) of each block is on disk after the blocks that it names, so that
what was interrupted can be resumed there.
"""

import os
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta, Struct

from bench.files import replaced
from bench.presets import available_threads
from bench.scale.data import Block, Data, Progress, crc, describe, read_header
from bench.words import WrongUse, human_bytes
from kernels._kernel import Array

FILE = "manifest.json"
BLOCK_BYTES = 2**26
TILE_ELEMENTS = 2**19
SAVE_SECONDS = 1.0
Store = Literal["npy", "zarr"]
SPARE_BYTES = 2**24  # what a file system may want for itself


class Manifest(Struct, kw_only=True):
    """What a folder holds: the problem, and the checksums of the blocks that are on disk."""

    seed: Annotated[int, Meta(ge=0)]
    m: Annotated[int, Meta(ge=1)]
    n_x: Annotated[int, Meta(ge=1)]
    store: Store
    block_rows: Annotated[int, Meta(ge=1)]
    X: list[int] = []
    Y: list[int] = []
    dtype: str = "<f8"
    checksum: Literal["crc32"] = "crc32"
    format: Literal[1] = 1

    @property
    def blocks(self) -> int:
        """How many blocks there will be."""
        return -(-self.m // self.block_rows)

    @property
    def complete(self) -> bool:
        """Whether all of them are on disk."""
        return len(self.X) == len(self.Y) == self.blocks

    def rows(self, block: int) -> tuple[int, int]:
        """First and last row of a block."""
        return block * self.block_rows, min((block + 1) * self.block_rows, self.m)

    def checksums(self) -> list[Block]:
        """Rows and checksums of every block."""
        return [(*self.rows(k), X, Y) for k, (X, Y) in enumerate(zip(self.X, self.Y, strict=True))]


def tile_rows(n_x: int) -> int:
    """Examples of a tile."""
    return max(1, TILE_ELEMENTS // n_x)


def model(n_x: int, seed: int) -> tuple[Array, float, Array, float]:
    """The true w and b that labels are drawn from, and the w and b of the step, some way off them."""
    draw = np.random.default_rng([seed, 0])
    w_true = 2.0 * draw.standard_normal(n_x) / np.sqrt(n_x)
    b_true = float(draw.standard_normal())
    w = w_true + 0.5 * draw.standard_normal(n_x) / np.sqrt(n_x)
    return w_true, b_true, w, b_true + 0.5 * float(draw.standard_normal())


def fill(X: Array, Y: Array, start: int, seed: int, pool: ThreadPoolExecutor) -> None:
    """Write examples from `start` on into X (rows, n_x) and Y (rows,)."""
    rows, n_x = X.shape
    size = tile_rows(n_x)
    w_true, b_true, *_ = model(n_x, seed)

    def tile(number: int) -> None:
        first = number * size
        low, high = max(start, first), min(start + rows, first + size)
        examples, labels = (np.random.default_rng([seed, stream, number]) for stream in (1, 2))
        # Of a tile that is begun in the middle, all that comes before is drawn too.
        x = examples.standard_normal((high - first, n_x))[low - first :]
        # einsum and not BLAS: its sums do not depend on the number of threads, so neither do the labels.
        probability = 1.0 / (1.0 + np.exp(-(np.einsum("j,ij->i", w_true, x) + b_true)))
        X[low - start : high - start] = x
        Y[low - start : high - start] = labels.random(high - first)[low - first :] < probability

    list(pool.map(tile, range(start // size, -(-(start + rows) // size))))


def make(
    out: Path,
    m: int,
    n_x: int,
    seed: int = 0,
    store: Store = "npy",
    block_bytes: int = BLOCK_BYTES,
    progress: Progress = lambda _done, _blocks: None,
) -> Manifest:
    """Write a problem into a folder, or what is missing of it; does nothing where it is complete.

    Raises:
        WrongUse: If the folder contains another problem, or the disk has too little room.
        OSError: If it can't be written; what is there is kept, and the same call goes on with it.
    """
    if m < 1 or n_x < 1:
        raise WrongUse(f"a problem needs at least one example and one feature; got m = {m}, n_x = {n_x}")
    out.mkdir(parents=True, exist_ok=True)
    manifest = _begun(out, m, n_x, seed, store, block_bytes)
    if manifest.complete:
        return manifest
    _require_room(out, manifest)
    write = (_Zarr if store == "zarr" else _Npy)(out, manifest)
    saved = time.monotonic()
    done = len(manifest.X)
    progress(done, manifest.blocks)
    # One thread writes a block while the next is drawn; two blocks are in memory.
    with ThreadPoolExecutor(available_threads()) as pool, ThreadPoolExecutor(1) as writer:
        buffers = [(np.empty((manifest.block_rows, n_x)), np.empty(manifest.block_rows)) for _ in range(2)]
        waiting: Future[Block] | None = None
        try:
            for block in range(done, manifest.blocks):
                start, stop = manifest.rows(block)
                X, Y = (buffer[: stop - start] for buffer in buffers[block % 2])
                fill(X, Y, start, seed, pool)
                if waiting is not None:
                    _record(manifest, waiting.result())
                    progress(len(manifest.X), manifest.blocks)
                waiting = writer.submit(write.block, start, X, Y)
                if time.monotonic() - saved > SAVE_SECONDS:
                    write.sync()
                    save(out, manifest)
                    saved = time.monotonic()
        finally:
            try:
                if waiting is not None:
                    _record(manifest, waiting.result())
            finally:
                with suppress(OSError):
                    write.sync()
                    save(out, manifest)
                write.close()
    progress(manifest.blocks, manifest.blocks)
    return manifest


def copy(data: Data, out: Path, store: Store, rows: int) -> None:
    """Write data to the other store, so many examples at a time; for Zarr they are its chunk."""
    manifest = Manifest(seed=0, m=data.m, n_x=data.n_x, store=store, block_rows=rows)
    write = (_Zarr if store == "zarr" else _Npy)(out, manifest)
    for start, stop in data.chunks(rows):
        with data.rows(start, stop) as (X, Y):
            write.block(start, np.ascontiguousarray(X.T), Y)
    write.sync()
    write.close()


def _record(manifest: Manifest, written: Block) -> None:
    """Note a block that is on disk; the same block twice is noted once."""
    start, _, X, Y = written
    block = start // manifest.block_rows
    manifest.X[block:], manifest.Y[block:] = [X], [Y]


def _begun(out: Path, m: int, n_x: int, seed: int, store: Store, block_bytes: int) -> Manifest:
    """The manifest of what is there already, or a new one."""
    path = out / FILE
    if path.is_file():
        manifest = read(out)
        wanted = {"m": m, "n_x": n_x, "seed": seed, "store": store}
        other = [f"{name} = {getattr(manifest, name)}" for name, v in wanted.items() if getattr(manifest, name) != v]
        if other:
            raise WrongUse(f"{out} contains another problem ({', '.join(other)}); name another folder with --out")
        return manifest
    if any(out.iterdir()):
        raise WrongUse(f"{out} is not empty, and has no {FILE}; name another folder with --out")
    size = tile_rows(n_x)
    rows = min(m, size * max(1, round(block_bytes / (8 * (n_x + 1)) / size)))
    manifest = Manifest(seed=seed, m=m, n_x=n_x, store=store, block_rows=rows)
    save(out, manifest)
    return manifest


def _require_room(out: Path, manifest: Manifest) -> None:
    missing = 8 * (manifest.n_x + 1) * (manifest.m - manifest.rows(len(manifest.X))[0])
    free = shutil.disk_usage(out).free
    if missing + SPARE_BYTES > free:
        room = f"{out} has {human_bytes(free)} free, and {human_bytes(missing)} are to be written"
        raise WrongUse(f"{room}; free some, lower --m, or name another disk with --out")


def read(folder: Path) -> Manifest:
    """The manifest of a folder.

    Raises:
        WrongUse: If there is none, or it is damaged.
    """
    path = folder / FILE
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise WrongUse(f"{folder} has no {FILE}; make one: unloop scale make --m 1e8 --out {folder}") from None
    except ValueError as error:
        raise WrongUse(f"{path} is damaged: {error}; make the data again in another folder") from None
    return manifest


def save(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, whole or not at all."""
    with replaced(folder / FILE) as new, new.open("wb") as file:
        file.write(msgspec.json.encode(manifest))
        file.flush()
        os.fsync(file.fileno())


def open_data(folder: Path) -> tuple[Data, Manifest]:
    """The data of a folder that `make` has completed.

    Raises:
        WrongUse: If it is not complete, or not as the manifest says.
    """
    manifest = read(folder)
    if not manifest.complete:
        more = f"unloop scale make --m {manifest.m} --n-x {manifest.n_x} --seed {manifest.seed} --out {folder}"
        raise WrongUse(f"{folder} is not complete, {len(manifest.X)} of {manifest.blocks} blocks; resume it: {more}")
    data = describe(folder / f"X.{manifest.store}", folder / f"Y.{manifest.store}")
    if (data.m, data.n_x) != (manifest.m, manifest.n_x):
        raise WrongUse(f"{data.X} has shape {(data.m, data.n_x)}, its manifest {(manifest.m, manifest.n_x)}")
    return data, manifest


class _Npy:
    """X.npy and Y.npy, written in place; the files have their whole length from the beginning."""

    def __init__(self, out: Path, manifest: Manifest) -> None:
        self._files = []
        for name, shape in (("X", (manifest.m, manifest.n_x)), ("Y", (manifest.m,))):
            path = out / f"{name}.npy"
            if not manifest.X:
                with path.open("wb") as file:
                    header = {"shape": shape, "fortran_order": False, "descr": manifest.dtype}
                    np.lib.format.write_array_header_1_0(file, header)
                    file.truncate(file.tell() + 8 * int(np.prod(shape)))
            read_header.cache_clear()
            self._files.append((path.open("r+b", buffering=0), read_header(str(path))))

    def block(self, start: int, X: Array, Y: Array) -> Block:
        """Write rows; their checksums."""
        for (file, array), rows in zip(self._files, (X, Y), strict=True):
            file.seek(array.offset + start * array.row_bytes)
            left = rows.data.cast("B")
            while left:
                left = left[file.write(left) :]
        return start, start + len(Y), crc(X), crc(Y)

    def sync(self) -> None:
        for file, _ in self._files:
            os.fsync(file.fileno())

    def close(self) -> None:
        for file, _ in self._files:
            file.close()


class _Zarr:
    """X.zarr and Y.zarr, version 3, a chunk a block, not compressed: random numbers can't be."""

    def __init__(self, out: Path, manifest: Manifest) -> None:
        import zarr

        rows, n_x = manifest.block_rows, manifest.n_x
        self._arrays = []
        for name, shape, chunk in (("X", (manifest.m, n_x), (rows, n_x)), ("Y", (manifest.m,), (rows,))):
            path = str(out / f"{name}.zarr")
            if not manifest.X:
                zarr.create_array(
                    path, shape=shape, chunks=chunk, dtype=manifest.dtype, compressors=None, zarr_format=3
                )
            self._arrays.append(zarr.open_array(path, mode="r+"))

    def block(self, start: int, X: Array, Y: Array) -> Block:
        for array, rows in zip(self._arrays, (X, Y), strict=True):
            array[start : start + rows.shape[0]] = rows
        return start, start + len(Y), crc(X), crc(Y)

    def sync(self) -> None:
        if hasattr(os, "sync"):
            os.sync()

    def close(self) -> None: ...
