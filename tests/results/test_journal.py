"""The journal: one writer, whole lines, a lock that ends with its process, and a compressed form that is read."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.grid import Cell
from bench.results import journal, load
from bench.results.journal import COMPRESSED, FILE, Journal, compress
from bench.results.place import Moment
from bench.results.records import End, FirstCall, Round, Sample
from tests import factories
from tests.conftest import RECORDED, ROOT

linux = pytest.mark.skipif(sys.platform != "linux", reason="mounts as Linux does")
HEADER = factories.header([Cell(10, 2)], ["numba_loop"])
END = End(wall=1.0, after=Moment("2026-01-01T00:00:00+00:00", 0.1), interrupted=False)


def round_(index: int) -> Round:
    return Round(cell="m10", index=index, samples=[Sample("numba_loop", 1e-3, 1e-3)])


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    book = Journal(tmp_path)
    for record in (HEADER, round_(0), END):
        book.write(record)
    assert list(journal.read(tmp_path / FILE)) == book.records == [HEADER, round_(0), END]
    book.close()
    again = Journal(tmp_path, resume=True)
    assert again.records == [HEADER, round_(0), END]
    again.write(round_(1))
    again.close()
    assert list(journal.read(tmp_path / FILE))[-1] == round_(1)


def test_a_record_that_a_reader_would_refuse_is_not_written(tmp_path: Path) -> None:
    book = Journal(tmp_path)
    book.write(HEADER)
    for wrong in (FirstCall(cell="m10", kernel="a", seconds=-1.0), FirstCall(cell="m10", kernel="a", seconds=1e300)):
        with pytest.raises(ValueError, match="seconds"):
            book.write(wrong)
    book.close()
    assert list(journal.read(tmp_path / FILE)) == book.records == [HEADER]


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.write(HEADER)
    with pytest.raises(BlockingIOError, match=r"another run is writing to .*; wait for it, or name a new folder"):
        Journal(tmp_path, resume=True)
    first.close()
    with pytest.raises(FileExistsError):
        Journal(tmp_path)
    Journal(tmp_path, resume=True).close()


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    code = (
        "import os, pathlib, sys; from bench.results.journal import Journal\n"
        "journal = Journal(pathlib.Path(sys.argv[1]), resume=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False).returncode
    Journal(tmp_path, resume=True).close()


def test_a_torn_line_is_cut_off_before_the_next_is_written(tmp_path: Path) -> None:
    book = Journal(tmp_path)
    for record in (HEADER, round_(0)):
        book.write(record)
    book.close()
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole + whole[-40:-1])
    assert list(journal.read(tmp_path / FILE)) == [HEADER, round_(0)]
    again = Journal(tmp_path, resume=True)
    again.write(round_(1))
    again.close()
    assert list(journal.read(tmp_path / FILE)) == [HEADER, round_(0), round_(1)]


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small file system in memory; skips where this user may not mount one."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can be mounted by root only, and not in every container")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


@linux
def test_a_journal_on_a_full_disk_ends_with_a_whole_line_and_continues(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    with mounted(folder, "size=64k"):
        ballast = folder / "ballast"
        ballast.write_bytes(b"0" * 40_000)
        full = Journal(folder)
        full.write(HEADER)

        def fill() -> None:
            for index in range(10_000):
                full.write(round_(index))

        with pytest.raises(OSError, match="No space left"):
            fill()
        kept = list(journal.read(folder / FILE))
        assert kept == full.records and len(kept) > 10
        assert (folder / FILE).read_bytes().endswith(b"\n")
        ballast.unlink()
        full.write(END)
        full.close()
        assert list(journal.read(folder / FILE)) == [*kept, END]


def test_a_compressed_journal_is_read_as_the_same_run(tmp_path: Path) -> None:
    shutil.copy(RECORDED / FILE, tmp_path)
    size = (tmp_path / FILE).stat().st_size
    compress(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [COMPRESSED]
    assert journal.find(tmp_path) == tmp_path / COMPRESSED and (tmp_path / COMPRESSED).stat().st_size < size / 3
    assert load(tmp_path).table().equals(load(RECORDED).table())


def test_the_format_before_this_one_is_read_as_the_same_run() -> None:
    old, new = load(ROOT / "tests" / "data" / "format1"), load(RECORDED)
    assert old.table().equals(new.table())
    assert [r.cell for r in old.cells] == [r.cell for r in new.cells]
    for before, after in zip(old.cells, new.cells, strict=True):
        assert before.skipped == after.skipped and before.agreement == after.agreement
        assert before.first_call == after.first_call and before.pools == after.pools
    assert old.plan.preset.cells == new.plan.preset.cells and old.plan.preset.cap == new.plan.preset.cap
    assert old.header.environment == new.header.environment and old.header.machine == new.header.machine
    assert old.kernels == new.kernels
