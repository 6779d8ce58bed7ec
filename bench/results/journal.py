"""Samples on disk as they are taken: `samples.jsonl`, a record of `bench.results.records` a line.

Each line ends with a checksum (CRC-32 of the line without it), so that damage is seen and not read as a sample. The
system has a line before the engine begins the next round, so that no death of a process loses it; the disk has it a
second later (SYNC_SECONDS), for a loss of power. A line is written whole, or the next reader drops its beginning.

A finished journal may be compressed, as `samples.jsonl.xz`: it is read, and can't be resumed.
"""

import json
import lzma
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout

from bench.results import format1
from bench.results.records import FORMAT, AnyRecord, Header

FILE = "samples.jsonl"
COMPRESSED = "samples.jsonl.xz"
LOCK = ".lock"
SYNC_SECONDS = 1.0
CRC = b',"crc":"%08x"}\n'
CRC_LENGTH = len(CRC % 0)

_decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)


class Journal:
    """Appends records to a run folder's journal; keeps them in memory too, for the report of the run.

    One process writes to a journal at a time: it holds a lock, which the system frees when the process dies.

    Args:
        folder: The run's folder.
        resume: Continue the journal that is there; a torn last line is cut off.

    Raises:
        FileExistsError: For a new run, if there is a journal already.
        BlockingIOError: If another process writes to it.
        ValueError: For a damaged line before the last, when resuming.
        OSError: If the folder can't be written to.
    """

    def __init__(self, folder: Path, resume: bool = False) -> None:
        self.records: list[AnyRecord] = []
        path = folder / FILE
        self._lock = FileLock(folder / LOCK)
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise BlockingIOError(f"another run is writing to {path}; wait for it, or name a new folder") from None
        try:
            self._file = path.open("r+b" if resume else "xb", buffering=0)
        except BaseException:
            self._lock.release()
            raise
        try:
            if resume:
                self.records = list(read(path))
                self._file.truncate(_whole(path.read_bytes()))
                self._file.seek(0, os.SEEK_END)
        except BaseException:
            self._file.close()
            self._lock.release()
            raise
        self._synced = time.monotonic()

    def write(self, record: AnyRecord) -> None:
        """Append one record; where that fails (a full disk), the journal ends with the record before.

        Raises:
            ValueError: For a record that a reader would refuse; nothing is written.
        """
        line = seal(record)
        as_read = _decoder.decode(_body(line))
        start = self._file.tell()
        try:
            left = memoryview(line)
            while left:
                left = left[self._file.write(left) :]
            if time.monotonic() - self._synced > SYNC_SECONDS:
                self._sync()
        except BaseException:
            with suppress(OSError):
                self._file.truncate(start)
                self._file.seek(start)
            raise
        self.records.append(as_read)

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def close(self) -> None:
        """Close the file; what was written stays."""
        if not self._file.closed:
            with suppress(OSError):
                self._sync()
            self._file.close()
            self._lock.release()


def seal(record: AnyRecord) -> bytes:
    """A record as a line of the journal, with its checksum."""
    body = msgspec.json.encode(record)
    return body[:-1] + CRC % zlib.crc32(body)


def readable(record: AnyRecord) -> bool:
    """Whether a reader takes a record."""
    try:
        _decoder.decode(_body(seal(record)))
    except ValueError:
        return False
    return True


def find(folder: Path) -> Path | None:
    """The journal of a run folder, compressed or not; None if there is none."""
    return next((folder / name for name in (FILE, COMPRESSED) if (folder / name).is_file()), None)


def read(path: Path) -> Iterator[AnyRecord]:
    """The records of a journal, the header first; a torn last line, as a killed run leaves it, is dropped.

    Raises:
        ValueError: For a journal without a header, of an unknown format, or with a damaged line before the last.
    """
    data = path.read_bytes()
    if path.suffix == ".xz":
        try:
            data = lzma.decompress(data)
        except lzma.LZMAError as error:
            raise ValueError(f"{path}: {error}") from None
    lines = data[: _whole(data)].splitlines(keepends=True)
    old = bool(lines) and _format(lines[0]) == format1.FORMAT
    seen: dict[bytes, int] = {}  # no run writes a line twice: each has its time, round or kernel
    for number, line in enumerate(lines, 1):
        if seen.setdefault(line, number) != number:
            raise ValueError(f"{path}: line {number} is the same as line {seen[line]}")
        try:
            record = _upgraded(line) if old else _decoder.decode(_body(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"{path}: line {number} is damaged: {error}") from None
        if (number == 1) != isinstance(record, Header):
            what = "line 1 is not the header of a run" if number == 1 else f"line {number} is a second header"
            raise ValueError(f"{path}: {what}")
        yield record


def compress(folder: Path) -> None:
    """Replace the journal of a finished run by its compressed form; does nothing where it is compressed already."""
    path = folder / FILE
    if not path.is_file():
        return
    (folder / COMPRESSED).write_bytes(lzma.compress(path.read_bytes(), preset=9))
    path.unlink()
    (folder / LOCK).unlink(missing_ok=True)


def _format(line: bytes) -> int:
    """The format that a header names.

    Raises:
        ValueError: If this version can't read it.
    """
    try:
        header: Any = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return FORMAT  # damaged, and refused as that
    number = header.get("format") if isinstance(header, dict) and header.get("type") == "run" else FORMAT
    if number not in (format1.FORMAT, FORMAT):
        raise ValueError(f"it has format {number}; this version reads formats {format1.FORMAT} and {FORMAT}")
    return int(number)


def _upgraded(line: bytes) -> AnyRecord:
    record: Any = json.loads(_body(line))  # NaN is a number to it, as it was to format 1
    upgraded: AnyRecord = msgspec.convert(format1.upgrade(record), AnyRecord)
    return upgraded


def _whole(data: bytes) -> int:
    """How many bytes are whole lines."""
    return data.rfind(b"\n") + 1


def _body(line: bytes) -> bytes:
    """A line without its checksum.

    Raises:
        ValueError: If the checksum does not match, or is missing.
    """
    body, tail = line[:-CRC_LENGTH] + b"}", line[-CRC_LENGTH:]
    if not tail.startswith(b',"crc":"'):
        raise ValueError("its checksum is missing")
    if tail != CRC % zlib.crc32(body):
        raise ValueError("its checksum does not match")
    return body
