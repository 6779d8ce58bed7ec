"""Samples on disk as they are taken: `samples.jsonl`, one JSON object a line.

The first line says what run this is; then a line for each cell that is begun, a line for each event of the engine (its
type's name under "type", its cell's id under "cell"), for each warning and each time that the run was resumed, and
last a line for the end of the run. `bench.records` says what each of them holds. Each line ends with a checksum (CRC-32
of the line without it), so that damage is told and not read as a sample.

What is promised: the system has a line before the engine goes on to the next round, so that no death of a process
loses it; and the disk has it a second later (SYNC_SECONDS), for a loss of power. A line is written whole, or its
beginning is what the next reader drops.
"""

import json
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from bench.results.events import Event

Record = dict[str, Any]
FORMAT = 1
FILE = "samples.jsonl"
SYNC_SECONDS = 1.0
LOCK = ".lock"
CRC = b',"crc":"%08x"}\n'
CRC_LENGTH = len(CRC % 0)


class Journal:
    """Appends records to a run folder's journal; keeps them in memory too, for who draws the report of the run.

    One process writes to a journal at a time: it holds a lock, which the system takes back when the process dies.

    Args:
        folder: The run's folder.
        resume: Go on with the journal that is there; a torn last line is cut off.

    Raises:
        FileExistsError: For a new run, if there is a journal already.
        BlockingIOError: If another process writes to it.
        ValueError: For a damaged line before the last, when resuming.
        OSError: If the folder can't be written to.
    """

    def __init__(self, folder: Path, resume: bool = False) -> None:
        self.records: list[Record] = []
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

    def write(self, record: Record) -> None:
        """Append one record; where that fails (a full disk), the journal ends with the record before."""
        start = self._file.tell()
        line = seal(record)
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
        self.records.append(_record(line))  # as a reader of the file will find it: lists, and no tuples

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


def seal(record: Record) -> bytes:
    """A record as a line of the journal, with its checksum."""
    body = json.dumps(record, separators=(",", ":")).encode()
    return body[:-1] + CRC % zlib.crc32(body)


def event_record(cell: str, event: Event) -> Record:
    """An engine's event as a record."""
    record = {"type": type(event).__name__, "cell": cell, **asdict(event)}
    if record["type"] == "Round":
        # Nine digits: beyond what a clock resolves, and a third of the size.
        record["samples"] = [[label, float(f"{s:.9g}"), float(f"{cpu:.6g}")] for label, s, cpu in record["samples"]]
    return record


def read(path: Path) -> Iterator[Record]:
    """The records of a journal; a torn last line, as a killed run leaves it, is dropped.

    A line without a checksum is of an earlier version, and is read.

    Raises:
        ValueError: For a damaged line before the last.
    """
    data = path.read_bytes()
    for number, line in enumerate(data[: _whole(data)].splitlines(keepends=True), 1):
        try:
            yield _record(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}: line {number} is damaged: {error}") from None


def _whole(data: bytes) -> int:
    """How many bytes are whole lines."""
    return data.rfind(b"\n") + 1


def _record(line: bytes) -> Record:
    body, tail = line[:-CRC_LENGTH] + b"}", line[-CRC_LENGTH:]
    if not tail.startswith(b',"crc":"'):
        body = line
    elif tail != CRC % zlib.crc32(body):
        raise ValueError("its checksum is another")
    record = json.loads(body)
    if not isinstance(record, dict) or "type" not in record:
        raise ValueError("no record")
    return record
