"""The ledger: how far a cell is, what must be the same to resume a run, and the source that a sample depends on."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.grid import Cell
from bench.measure import ledger
from bench.measure.ledger import Ledger, NotTheSame, Progress, progress_of, source_hash, sources
from bench.results.journal import Journal
from bench.results.records import (
    AnyRecord,
    Begun,
    Calibrated,
    Failed,
    FirstCall,
    Header,
    Resumed,
    Round,
    Sample,
    Skipped,
)
from tests import factories
from tests.conftest import ROOT

CELL = Cell(10, 2)
LOOPS = {"a": 3, "b": 1, "c": 2}


def calibrated(cell: Cell = CELL) -> Calibrated:
    return Calibrated(cell=cell.id, loops=LOOPS, every=dict.fromkeys(LOOPS, 1), rounds=10, seconds=5.0)


def round_(index: int, cell: Cell = CELL) -> Round:
    return Round(cell=cell.id, index=index, samples=[Sample(label, 1e-3, 1e-3) for label in LOOPS])


def test_progress_is_what_the_records_of_a_cell_add_up_to() -> None:
    other = Cell(20, 2)
    records: list[AnyRecord] = [
        factories.header([CELL, other]),
        Begun(cell=CELL),
        FirstCall(cell=CELL.id, kernel="a", seconds=0.1),
        Skipped(cell=CELL.id, kernel="d", reason="too slow"),
        calibrated(),
        Begun(cell=other),
        round_(0),
        round_(1),
        Failed(cell=CELL.id, kernel="c", reason="crashed"),
    ]
    cells = progress_of(records)
    assert set(cells) == {CELL.id, other.id} and cells[other.id] == Progress()
    progress = cells[CELL.id]
    assert progress.done == 2 and progress.out == {"c", "d"} and not progress.complete
    assert progress.left(["x"]) == ["a", "b"]  # what calibration has fixed, and not what is asked for now
    assert cells[other.id].left(["x"]) == ["x"]
    assert progress.frozen is not None and progress.frozen.calibrated == calibrated() and progress.frozen.done == 2
    assert cells[other.id].frozen is None
    assert (FirstCall, "a") in progress.recorded and not {Round} & {kind for kind, _ in progress.recorded}
    ahead = progress.ahead(calibrated())
    assert (ahead.rounds, ahead.seconds) == (8, 4.0)
    for index in range(2, 10):
        progress.note(round_(index))
    assert progress.complete


def test_an_event_counts_once_it_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    book = Ledger(journal, 0.0)
    book.begin_run(factories.header([CELL], source="0" * 64))
    book.begin(CELL, {"numba": 1})
    book.note(calibrated())
    book.note(round_(0))

    def full(_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "write", full)
        with pytest.raises(OSError, match="No space left"):
            book.note(round_(1))
    assert book.of(CELL).done == 1
    book.close()


def test_a_resumed_run_continues_its_clock(tmp_path: Path) -> None:
    header = factories.header([CELL], source="0" * 64)
    journal = Journal(tmp_path)
    journal.write(msgspec.structs.replace(header, at=1_000.0))
    journal.close()
    book = Ledger(Journal(tmp_path, resume=True), time.perf_counter())
    book.begin_run(header)
    assert isinstance(book.records[-1], Resumed)
    assert 1_000.0 <= book.records[-1].at < 1_100.0
    book.close()


def changed(header: Header, part: str, **values: Any) -> Header:
    """A header with something else in one of its parts."""
    old = getattr(header, part)
    new = old | values if isinstance(old, dict) else msgspec.structs.replace(old, **values)
    return msgspec.structs.replace(header, **{part: new})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda h: changed(h, "machine", numpy="1.0"), "machine: numpy was 1.0 and is 2.4.6 here"),
        (lambda h: changed(h, "machine", cpu="Z80"), "machine: cpu was Z80 and is a CPU here"),
        (lambda h: changed(h, "machine", caches={"L2": 1}), "machine: caches: L2 was 1 and is 1048576 here"),
        (
            lambda h: changed(h, "environment", memory_layout="lost"),
            "environment: memory_layout was lost and is random",
        ),
        (lambda h: changed(h, "libraries", torch="1"), "libraries: torch was 1 and is None here"),
        (
            lambda h: msgspec.structs.replace(h, source="0" * 64),
            "the source of its kernels or of the clock has changed",
        ),
        (lambda h: msgspec.structs.replace(h, source=None), "an earlier version of unloop made it"),
        (lambda h: msgspec.structs.replace(h, format=1), "an earlier version of unloop made it"),
    ],
)
def test_a_run_that_would_continue_otherwise_is_refused(change: Callable[[Header], Header], reason: str) -> None:
    here = factories.header([CELL], source="1" * 64, environment={"memory_layout": "random"})
    ledger.compare(here, here)
    with pytest.raises(NotTheSame, match=reason) as refused:
        ledger.compare(change(here), here)
    assert "\n" not in str(refused.value) and "measure a new run" in str(refused.value)


def test_what_changes_from_one_moment_to_the_next_is_not_compared() -> None:
    here = factories.header([CELL], source="1" * 64)
    later = changed(changed(here, "before", load_1min=7.0), "machine", memory_bytes=2**33)
    ledger.compare(later, here)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's source, to be changed."""
    root = tmp_path_factory.mktemp("copy")
    for room in ("kernels", "bench"):
        shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def test_a_byte_changed_in_any_room_that_a_sample_depends_on_changes_the_hash(copy: Path) -> None:
    assert source_hash(root=copy) == source_hash()
    hashes = {source_hash()}
    for name in sources(copy):
        path = copy / name
        text = path.read_bytes()
        path.write_bytes(text + b"#")
        hashes.add(source_hash(root=copy))
        path.write_bytes(text)
    names = list(sources(copy))
    assert len(hashes) == len(names) + 1
    rooms = {name.parent.as_posix() for name in names}
    assert rooms == {"bench", "bench/agreement", "bench/machine", "bench/measure", "kernels", "kernels/peers"}
    assert {Path("bench/measure/rounds.py"), Path("bench/machine/threads.py"), Path("bench/grid.py")} <= set(names)


def test_what_no_sample_depends_on_leaves_the_hash_alone(copy: Path) -> None:
    before = source_hash(root=copy)
    for name in ("bench/words.py", "bench/report/charts.py", "bench/cli/app.py"):
        with (copy / name).open("a") as file:
            file.write("#")
    assert source_hash(root=copy) == before


def test_a_file_that_is_new_or_renamed_changes_the_hash(copy: Path) -> None:
    before = source_hash(root=copy)
    (copy / "kernels" / "another.py").touch()
    added = source_hash(root=copy)
    (copy / "kernels" / "another.py").rename(copy / "kernels" / "renamed.py")
    assert len({before, added, source_hash(root=copy)}) == 3
    (copy / "kernels" / "renamed.py").unlink()
    assert source_hash(root=copy) == before


def test_the_source_of_an_own_kernel_counts_wherever_it_lies(tmp_path: Path) -> None:
    one, moved = tmp_path / "mine.py", tmp_path / "elsewhere" / "mine.py"
    moved.parent.mkdir()
    for path in (one, moved):
        path.write_text("one")
    first = source_hash([one])
    assert source_hash([moved]) == first
    one.write_text("two")
    assert len({first, source_hash([one]), source_hash()}) == 3
