"""A small run made of a large one: every fourth round, so that it fits into a package.

    python -m bench.results.selection results/reference bench/reference

A selected round keeps its samples, and the kernels that take part in every fourth round or in fewer lose none. So each
process still has its estimates and each pair of kernels the rounds that they share; only the fast kernels, which have
hundreds of rounds, have fewer.
"""

import lzma
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec.structs import replace

from bench.results import journal
from bench.results.records import AnyRecord, Calibrated, Round, Sample, Warned

STEP = 4
DIGITS = 4  # of a sample: the clock shows more, and no estimate needs them


def selected(records: Iterable[AnyRecord], step: int = STEP) -> Iterator[AnyRecord]:
    """The records of a run that holds every `step`-th round of each process; `step` is a power of two."""
    calibrated: dict[str, Calibrated] = {}
    taken: dict[str, int] = {}
    header, *others = records
    yield header
    yield Warned(cell=None, words=[f"it is a selection: every {step}th round of the run that was measured"])
    for record in others:
        match record:
            case Calibrated(cell=cell, processes=processes):
                calibrated[cell] = record
                rounds = -(-record.per_process // step) * processes
                every = {label: max(1, count // step) for label, count in record.every.items()}
                yield replace(record, every=every, rounds=rounds)
            case Round(cell=cell, index=index) if index % calibrated[cell].per_process % step == 0:
                samples = [Sample(s.label, _short(s.seconds), _short(s.cpu)) for s in record.samples]
                yield replace(record, index=taken.setdefault(cell, 0), samples=samples)
                taken[cell] += 1
            case Round():
                pass
            case _:
                yield record


def _short(seconds: float) -> float:
    return float(f"{seconds:.{DIGITS}g}")


def write(run: Path, folder: Path) -> Path:
    """Write the selection of a run's journal, compressed, into another folder; returns its path."""
    source = journal.find(run)
    if source is None:
        raise FileNotFoundError(f"{run} has no {journal.FILE}")
    lines = b"".join(journal.seal(record) for record in selected(journal.read(source)))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / journal.COMPRESSED
    path.write_bytes(lzma.compress(lines, preset=9 | lzma.PRESET_EXTREME))
    return path


if __name__ == "__main__":
    print(write(*map(Path, sys.argv[1:3])))
