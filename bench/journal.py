"""Samples on disk as they are taken: `samples.jsonl`, one JSON object a line.

The first line says what run this is; then a line for each cell that is begun, a line for each event of the engine (its
type's name under "type", its cell's id under "cell"), and last a line for the end of the run. A line is flushed before
the engine goes on to the next round.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.engine import Event

Record = dict[str, Any]
FORMAT = 1
FILE = "samples.jsonl"


class Journal:
    """Appends records to a run folder's journal; keeps them in memory too, for who draws the report of the run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: list[Record] = []
        self._file = (folder / FILE).open("x", encoding="utf-8")

    def write(self, record: Record) -> None:
        """Append one record."""
        self.records.append(record)
        self._file.write(json.dumps(record, separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._file.close()


def event_record(cell: str, event: Event) -> Record:
    """An engine's event as a record."""
    record = {"type": type(event).__name__, "cell": cell, **asdict(event)}
    if record["type"] == "Round":
        # Nine digits: beyond what a clock resolves, and a third of the size.
        record["samples"] = [[label, float(f"{s:.9g}"), float(f"{cpu:.6g}")] for label, s, cpu in record["samples"]]
    return record


def read(path: Path) -> Iterator[Record]:
    """The records of a journal; a torn last line, as a killed run leaves it, is dropped.

    Raises:
        ValueError: For a damaged line before the last.
    """
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith("\n"):
                return
            try:
                record = json.loads(line)
                if not isinstance(record, dict) or "type" not in record:
                    raise ValueError("no record")
            except ValueError as error:
                raise ValueError(f"{path}: line {number} is damaged: {error}") from None
            yield record
