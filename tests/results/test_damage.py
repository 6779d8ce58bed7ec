"""A damaged run folder: refused in one line with exit 2, or read as what it was; never as something else."""

import json
import random
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from bench.cli import app
from bench.results import CONTROL, NotARun, Run, journal, load
from bench.results.journal import CRC, FILE
from bench.results.quality import trust
from bench.results.records import AnyRecord
from tests.conftest import RECORDED

COMMANDS = (["report"], ["plot"], ["run", "--resume"])
TYPES = [str(kind.__struct_config__.tag) for kind in get_args(AnyRecord)]
Line = dict[str, Any]


def written(folder: Path, data: bytes) -> Path:
    (folder / FILE).write_bytes(data)
    return folder


@pytest.fixture(scope="session")
def data() -> bytes:
    return (RECORDED / FILE).read_bytes()


@pytest.fixture
def lines(data: bytes) -> list[Line]:
    """The journal's lines as plain data, to be damaged."""
    plain = [json.loads(line) for line in data.splitlines()]
    for line in plain:
        del line["crc"]
    return plain


def sealed(lines: list[Line]) -> bytes:
    """Lines with the checksum of what they hold now, so that only what they hold is wrong."""
    bodies = [json.dumps(line, separators=(",", ":")).encode() for line in lines]
    return b"".join(body[:-1] + CRC % zlib.crc32(body) for body in bodies)


def first(lines: list[Line], kind: str) -> Line:
    return next(line for line in lines if line["type"] == kind)


def test_every_line_carries_the_checksum_of_what_it_holds(data: bytes) -> None:
    again = [journal.seal(record) for record in journal.read(RECORDED / FILE)]
    assert len(again) == len(data.splitlines())
    assert all(b'"crc":"' in line for line in again)
    assert all(b',"crc":"' in line for line in data.splitlines())


def test_what_is_sealed_again_is_read_as_the_same(lines: list[Line], run: Run, tmp_path: Path) -> None:
    assert load(written(tmp_path, sealed(lines))).table().equals(run.table())


def test_flipped_bits_are_refused_or_change_nothing(data: bytes, run: Run, tmp_path: Path) -> None:
    rng = random.Random(5)
    refused = 0
    for _ in range(150):
        flipped = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 20))):
            flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        try:
            read = load(written(tmp_path, bytes(flipped)))
        except NotARun:
            refused += 1
        else:
            # What is lost then is the last line.
            assert read.table().equals(run.table())
    assert refused > 140


def test_a_flipped_digit_of_a_sample_is_refused(data: bytes, tmp_path: Path) -> None:
    at = data.index(b'"samples":[[') + data[data.index(b'"samples":[[') :].index(b".") + 1
    other = b"1" if data[at : at + 1] != b"1" else b"2"
    with pytest.raises(NotARun, match=r"line \d+ is damaged: its checksum does not match"):
        load(written(tmp_path, data[:at] + other + data[at + 1 :]))


def test_a_line_without_its_checksum_is_refused(lines: list[Line], tmp_path: Path) -> None:
    bare = json.dumps(lines[3]).encode() + b"\n"
    with pytest.raises(NotARun, match=r"line 4 is damaged: its checksum is missing"):
        load(written(tmp_path, sealed(lines[:3]) + bare + sealed(lines[4:])))


def test_whatever_is_cut_off_the_rest_is_read(data: bytes, run: Run, tmp_path: Path) -> None:
    rng = random.Random(6)
    header = data.index(b"\n") + 1
    for length in [header, *(rng.randrange(header, len(data)) for _ in range(25))]:
        read = load(written(tmp_path, data[:length]))
        assert read.end is None
        for result, whole in zip(read.cells, run.cells, strict=False):
            for name, times in result.seconds.items():
                assert times.tolist() == whole.seconds[name][: len(times)].tolist()
        lines_left = data[:length].rpartition(b"\n")[0].splitlines()
        rounds = [json.loads(line)["samples"] for line in lines_left if b'"type":"Round"' in line]
        assert sum(label == CONTROL for samples in rounds for label, _, _ in samples) == sum(
            len(result.samples[CONTROL].wall) for result in read.cells if CONTROL in result.samples
        )
    for length in (0, 1, header - 1):
        with pytest.raises(NotARun, match="the header of the run is missing"):
            load(written(tmp_path, data[:length]))


WRONG: tuple[Any, ...] = ("text", -1, 1.5e308, None, True, [], {}, [[]], "")


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all that a line holds."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def test_wrong_types_are_refused(data: bytes, tmp_path: Path) -> None:
    rng = random.Random(7)
    refused = 0
    for kind in TYPES:
        for _ in range(40 if f'"type":"{kind}"'.encode() in data else 0):
            changed: list[Line] = [json.loads(line) for line in data.splitlines()]
            line = rng.choice([line for line in changed if line["type"] == kind])
            *path, last = rng.choice([place for place in places(line)[1:] if place != ("crc",)])
            item: Any = line
            for key in path:
                item = item[key]
            if rng.random() < 0.3 and isinstance(item, dict):
                del item[last]
            else:
                item[last] = rng.choice(WRONG)
            for plain in changed:
                del plain["crc"]
            try:
                read = load(written(tmp_path, sealed(changed)))
            except NotARun:
                refused += 1
            else:
                read.table(), trust(read)  # what is read can be worked with
    assert refused > 150


@pytest.mark.parametrize(
    ("kind", "path", "value", "message"),
    [
        ("run", ["format"], 9, "has format 9; this version reads formats 1 and 2"),
        ("run", ["machine"], [], r"line 1 is damaged: Expected `object`, got `array` - at `\$.machine`"),
        ("run", ["kernels", "numba_loop"], {}, "missing required field `title`"),
        ("run", ["plan", "seed"], "0", r"line 1 is damaged: Expected `int`, got `str` - at `\$.plan.seed`"),
        ("run", ["plan", "preset", "cells", 0, "setting", "order"], "G", r"Invalid enum value 'G'"),
        ("cell", ["cell", "m"], 0, r"Expected `int` >= 1 - at `\$.cell.m`"),
        ("Calibrated", ["loops", "numba_loop"], 0, "Expected `int` >= 1"),
        ("Round", ["type"], "Square", "line .* is damaged: Invalid value 'Square'"),
        ("Round", ["samples", 0, 1], -1.0, "Expected `float` >= 1e-10"),
        ("Round", ["samples", 0, 1], 1e-300, r"line \d+ is damaged: Expected `float` >= 1e-10"),
        ("Round", ["index"], 10**9, r"line \d+ does not follow from those before it: round 1000000000 of m10-n_x2-F"),
        ("Round", ["samples"], [], r"line \d+ does not .*: round 0 of m10-n_x2-F-1t lacks the sample of A/A control, "),
        ("Calibrated", ["every"], {}, "what was fixed for m10-n_x2-F-1t does not fit together"),
        ("Calibrated", ["rounds"], 1, "round 1 of m10-n_x2-F-1t is one more than the 1 that were planned"),
        ("Round", ["samples", 0, 1], "0.1", "Expected `float`, got `str`"),
        ("Round", ["samples", 0, 0], "nobody", r"line \d+ .*: round 0 of .* has a sample of 'nobody' that does not"),
        ("Round", ["samples", 0], 7, "Expected `array`, got `int`"),
        ("Round", ["index"], 5, "round 5 of m10-n_x2-F-1t stands where round 0 belongs"),
        ("Round", ["cell"], "m7", r"line \d+ .*: it is a record of the cell 'm7', which was not begun"),
        ("end", ["wall"], None, r"Expected `float`, got `null` - at `\$.wall`"),
    ],
)
def test_what_is_wrong_is_named(
    lines: list[Line], tmp_path: Path, kind: str, path: list[Any], value: object, message: str
) -> None:
    *outer, last = path
    item: Any = first(lines, kind)
    for key in outer:
        item = item[key]
    item[last] = value
    with pytest.raises(NotARun, match=message):
        load(written(tmp_path, sealed(lines)))


def again(line: Line) -> Line:
    """The same at another time: no journal holds two equal lines."""
    return line | {"at": line["at"] + 1e-3}


def doubled(lines: list[Line], number: int) -> list[Line]:
    """The lines, with the first sample of a round twice."""
    line = lines[number]
    return [*lines[:number], line | {"samples": [line["samples"][0], *line["samples"]]}, *lines[number + 1 :]]


def test_no_line_stands_twice_in_a_journal(data: bytes, tmp_path: Path) -> None:
    lines = data.splitlines(keepends=True)
    for number in range(0, len(lines), 7):
        with pytest.raises(NotARun, match=rf"line {number + 2} is the same as line {number + 1}"):
            load(written(tmp_path, b"".join([*lines[: number + 1], *lines[number:]])))


def test_no_round_may_be_missing_or_swapped(data: bytes, run: Run, tmp_path: Path) -> None:
    lines = data.splitlines(keepends=True)
    rounds = [number for number, line in enumerate(lines) if b'"type":"Round"' in line]
    last = {json.loads(lines[number])["cell"]: number for number in rounds}
    rng = random.Random(8)
    for number in rng.sample(sorted(set(rounds) - set(last.values())), 25):
        with pytest.raises(NotARun, match=r"line \d+ does not follow .*: round \d+ of .* stands where round \d+"):
            load(written(tmp_path, b"".join([*lines[:number], *lines[number + 1 :]])))
        cell = json.loads(lines[number])["cell"]
        other = next(n for n in rounds if n > number and json.loads(lines[n])["cell"] == cell)
        lines[number], lines[other] = lines[other], lines[number]
        with pytest.raises(NotARun, match=rf"line {number + 1} does not follow"):
            load(written(tmp_path, b"".join(lines)))
        lines[number], lines[other] = lines[other], lines[number]
    assert load(written(tmp_path, b"".join(lines))).table().equals(run.table())


def test_lines_that_are_right_alone_and_wrong_together(lines: list[Line], tmp_path: Path) -> None:
    rounds = [number for number, line in enumerate(lines) if line["type"] == "Round"]
    cell = next(number for number, line in enumerate(lines) if line["type"] == "cell")
    one, two = rounds[:2]
    wrong = {
        r"line \d+ is the same as line 1": [*lines, lines[0]],
        r"line \d+ is a second header": [lines[0], lines[0] | {"at": 0.5}, *lines[1:]],
        r"line \d+ .*: round 0 of .* stands where round 1 belongs": [*lines[:two], again(lines[one]), *lines[two:]],
        r"line \d+ .*: round 1 of .* has a sample of .* that does not belong there": doubled(lines, two),
        r"line \d+ .*: the run has ended before": [*lines, again(lines[-1])],
        "round 1 of .* stands where round 0 belongs": [*lines[:one], *lines[one + 1 :]],
        "is begun twice": [*lines[: cell + 1], again(lines[cell]), *lines[cell + 1 :]],
        "line 1 is not the header of a run": lines[1:],
    }
    for message, damaged in wrong.items():
        with pytest.raises(NotARun, match=message):
            load(written(tmp_path, sealed(damaged)))


def test_a_journal_that_is_wrong_is_not_resumed(lines: list[Line], tmp_path: Path) -> None:
    damaged = sealed(lines[:5]) + b"{}\n" + sealed(lines[5:])
    with pytest.raises(ValueError, match="line 6 is damaged"):
        journal.Journal(written(tmp_path, damaged), resume=True)
    assert (tmp_path / FILE).read_bytes() == damaged
    journal.Journal(written(tmp_path, sealed(lines)), resume=True).close()  # and the lock is free


def test_numbers_that_json_has_no_word_for_are_refused() -> None:
    record = list(journal.read(RECORDED / FILE))[-1]
    broken = msgspec.structs.replace(record, at=float("nan"))
    with pytest.raises(ValueError, match="at"):
        journal._decoder.decode(journal._body(journal.seal(broken)))


@pytest.mark.parametrize("words", COMMANDS, ids=[" ".join(words) for words in COMMANDS])
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:100],
        lambda data: data.replace(b'"format":2', b'"format":9'),
        lambda data: data[: len(data) // 2] + data[len(data) // 2 + 10 :],
        lambda data: b"\0" * len(data) + b"\n",
        lambda _: b"[" * 100_000 + b"\n",
        lambda data: data[:3000] + b"\xff\xfe\x00" + data[3000:],
    ],
    ids=["header torn", "another format", "a piece missing", "zeros", "nested", "no text"],
)
def test_every_command_names_damage_in_one_line(
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
        app.main()
    assert ended.value.code == 2
    output = capsys.readouterr()
    assert output.err.startswith("unloop: ") and output.err.count("\n") == 1 and not output.out
    assert [path.name for path in tmp_path.iterdir()] == [FILE]  # nothing was drawn, nothing repaired
    assert (tmp_path / FILE).read_bytes() == damage(data)
