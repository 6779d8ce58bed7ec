"""A damaged run folder: told in one line with exit 2, or read as what it was; never as something else."""

import copy
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.cli import app as cli
from bench.results import journal, records
from bench.results.journal import Record, seal
from bench.results.quality import trust
from bench.results.run import NotARun, Run, load

COMMANDS = (["report"], ["plot"], ["run", "--resume"])


def written(folder: Path, data: bytes) -> Path:
    (folder / journal.FILE).write_bytes(data)
    return folder


@pytest.fixture(scope="session")
def data(run_folder: Path) -> bytes:
    return (run_folder / journal.FILE).read_bytes()


@pytest.fixture(scope="session")
def found(run_folder: Path) -> list[Record]:
    return list(journal.read(run_folder / journal.FILE))


def sealed(found: list[Record]) -> bytes:
    return b"".join(seal(record) for record in found)


def test_every_line_carries_the_checksum_of_what_it_says(data: bytes, found: list[Record]) -> None:
    assert sealed(found) == data
    assert all(b',"crc":"' in line for line in data.splitlines())


def test_flipped_bits_are_told_or_change_nothing(data: bytes, run: Run, tmp_path: Path) -> None:
    rng = random.Random(5)
    told = 0
    for _ in range(150):
        flipped = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 20))):
            flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        try:
            read = load(written(tmp_path, bytes(flipped)))
        except NotARun:
            told += 1
        else:
            # What is lost then is the last line, or the mark of a checksum.
            assert read.table().equals(run.table())
    assert told > 140


def test_a_flipped_digit_of_a_sample_is_told(data: bytes, tmp_path: Path) -> None:
    at = data.index(b'"samples":[[') + data[data.index(b'"samples":[[') :].index(b".") + 1
    other = b"1" if data[at : at + 1] != b"1" else b"2"
    with pytest.raises(NotARun, match=r"line \d+ is damaged: its checksum is another"):
        load(written(tmp_path, data[:at] + other + data[at + 1 :]))


def test_whatever_is_cut_off_the_rest_is_read(data: bytes, run: Run, tmp_path: Path) -> None:
    rng = random.Random(6)
    header = data.index(b"\n") + 1
    for length in [header, *(rng.randrange(header, len(data)) for _ in range(25))]:
        read = load(written(tmp_path, data[:length]))
        for result, whole in zip(read.cells, run.cells, strict=False):
            for name, times in result.seconds.items():
                assert times == whole.seconds[name][: len(times)]
    for length in (0, 1, header - 1):
        with pytest.raises(NotARun, match="does not begin with the header"):
            load(written(tmp_path, data[:length]))


WRONG: tuple[Any, ...] = ("text", -1, 1.5e308, None, True, [], {}, [[]], "")


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all that a record holds."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def test_wrong_types_are_told(found: list[Record], tmp_path: Path) -> None:
    rng = random.Random(7)
    told = 0
    for kind in records.SHAPES:
        where = [index for index, record in enumerate(found) if record["type"] == kind]
        for _ in range(40 if where else 0):
            index = rng.choice(where)
            changed = copy.copy(found)
            changed[index] = copy.deepcopy(found[index])
            *path, last = rng.choice(places(changed[index])[1:])
            item = changed[index]
            for key in path:
                item = item[key]
            if rng.random() < 0.3 and isinstance(item, dict):
                del item[last]
            else:
                item[last] = rng.choice(WRONG)
            try:
                read = load(written(tmp_path, sealed(changed)))
            except NotARun:
                told += 1
            else:
                read.table(), trust(read)  # what is read can be worked with
    assert told > 150


@pytest.mark.parametrize(
    ("kind", "field", "value", "message"),
    [
        ("run", "format", 2, "has format 2; this version reads format 1"),
        ("run", "machine", [], "run: machine holds"),
        ("run", "kernels", {"numba_loop": {}}, "run: kernels: numba_loop lacks 'title'"),
        ("run", "seed", "0", "run: seed holds '0', which it can't"),
        ("cell", "cell", {"m": 0}, "cell: cell: m holds '0'"),
        ("Calibrated", "loops", {"numba_loop": 0}, "Calibrated: loops: numba_loop holds '0'"),
        ("Round", "samples", [["numba_loop", -1.0, 0.0]], "Round holds|Round: samples holds '-1.0'"),
        ("Round", "samples", [["numba_loop", float("nan"), 0.0]], "samples holds 'nan'"),
        ("Round", "samples", [["numba_loop", "0.1", 0.0]], "samples holds '0.1'"),
        ("Round", "samples", [["nobody", 0.1, 0.1]], "a sample of 'nobody'"),
        ("Round", "cell", "m7", "tells of a cell 'm7' that was not begun"),
        ("end", "wall", None, "end: wall holds 'None'"),
    ],
)
def test_what_is_wrong_is_named(
    found: list[Record], tmp_path: Path, kind: str, field: str, value: object, message: str
) -> None:
    index = next(index for index, record in enumerate(found) if record["type"] == kind)
    changed = [*found]
    changed[index] = {**found[index], field: value}
    with pytest.raises(NotARun, match=message):
        load(written(tmp_path, sealed(changed)))


def no_text(data: bytes) -> bytes:
    return data[:3000] + b"\xff\xfe\x00" + data[3000:]


@pytest.mark.parametrize("words", COMMANDS, ids=[" ".join(words) for words in COMMANDS])
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:100],
        lambda data: data.replace(b'"format":1,', b'"format":9,'),
        lambda data: data[: len(data) // 2] + data[len(data) // 2 + 10 :],
        lambda data: b"\0" * len(data) + b"\n",
        lambda _: b"[" * 100_000 + b"\n",
        no_text,
    ],
    ids=["header torn", "another format", "a piece missing", "zeros", "nested", "no text"],
)
def test_every_command_tells_damage_in_one_line(
    data: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    damage: Callable[[bytes], bytes],
) -> None:
    written(tmp_path, damage(data))
    monkeypatch.setattr(sys, "argv", ["unloop", *words, str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert told.err.startswith("unloop: ") and told.err.count("\n") == 1 and not told.out
    assert [path.name for path in tmp_path.iterdir()] == [journal.FILE]  # nothing was drawn, nothing repaired
    assert (tmp_path / journal.FILE).read_bytes() == damage(data)


def test_a_journal_of_an_earlier_version_without_checksums_is_read(
    found: list[Record], run: Run, tmp_path: Path
) -> None:
    lines = "".join(json.dumps(record) + "\n" for record in found)
    assert load(written(tmp_path, lines.encode())).table().equals(run.table())
