"""The journal of a run of claims, `claims.jsonl`: a record a line, with the checksum of a run's own journal."""

import os
import zlib
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from bench.claims.records import FORMAT, AnyRecord, Begun
from bench.results.journal import CRC, CRC_LENGTH, seal
from bench.words import WrongUse

FILE = "claims.jsonl"
LOCK = ".claims.lock"
_decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)


class Journal:
    """Appends records to the journal of a folder, and keeps it locked; a torn last line is removed.

    Args:
        folder: The folder.
        resume: Continue the journal that is there.

    Raises:
        WrongUse: If there is one and it is not to be resumed, or none to resume, or if it is damaged or in use.
    """

    def __init__(self, folder: Path, resume: bool = False) -> None:
        path = folder / FILE
        if path.is_file() != resume:
            if resume:
                raise WrongUse(f"there is no {FILE} in {folder}; name the folder of an interrupted unloop reproduce")
            raise WrongUse(f"there is a {FILE} in {folder}; resume it: unloop reproduce --resume {folder}")
        self._lock = FileLock(folder / LOCK)
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise WrongUse(f"another run is writing to {path}; wait for it, or name a new folder") from None
        try:
            self.records, whole = read(path) if resume else ([], 0)
        except BaseException:
            self._lock.release()
            raise
        self._file = path.open("r+b" if resume else "xb", buffering=0)
        self._file.truncate(whole)
        self._file.seek(whole)

    def write(self, record: AnyRecord) -> None:
        """Append a record; the system has it when this returns."""
        line = memoryview(seal(record))  # type: ignore[arg-type]
        while line:
            line = line[self._file.write(line) :]
        self.records.append(record)

    def close(self) -> None:
        """Close the file and free the lock; what was written stays."""
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()
            self._lock.release()


def read(path: Path) -> tuple[list[AnyRecord], int]:
    """The records of a journal, and how many bytes of it are whole lines.

    Raises:
        WrongUse: If a whole line is damaged, or it does not begin as a journal of this version does.
    """
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    records: list[AnyRecord] = []
    for number, line in enumerate(data[:whole].splitlines(keepends=True), 1):
        body, tail = line[:-CRC_LENGTH] + b"}", line[-CRC_LENGTH:]
        if tail != CRC % zlib.crc32(body):
            raise WrongUse(f"{path}: line {number} is damaged: its checksum does not match; measure again")
        try:
            records.append(_decoder.decode(body))
        except msgspec.DecodeError as error:
            raise WrongUse(f"{path}: line {number} is of another version: {error}; measure again") from None
    if not records or not isinstance(records[0], Begun) or records[0].format != FORMAT:
        raise WrongUse(f"{path} does not begin as the journal of a run of claims; measure again")
    return records, whole
