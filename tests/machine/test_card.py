"""The card of the machine, its memory, and what keeps a measuring process quiet."""

import getpass
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import bench
from bench.machine import card, memory
from bench.results.place import Card, Moment
from tests.conftest import ROOT


def test_the_card_is_what_a_journal_takes() -> None:
    machine, moment = card.card(), card.moment()
    assert msgspec.json.decode(msgspec.json.encode(machine), type=Card) == machine
    assert msgspec.json.decode(msgspec.json.encode(moment), type=Moment) == moment
    assert moment.memory_available_bytes <= machine.memory_bytes


def test_the_card_names_neither_host_nor_user_nor_path() -> None:
    text = msgspec.json.encode(card.card()).decode()
    for secret in {platform.node(), getpass.getuser(), str(Path.home())} - {"", "/", "root"}:
        assert not re.search(rf"(?<![\w-]){re.escape(secret)}(?![\w-])", text)


def test_the_rows_of_the_card() -> None:
    machine = card.card()
    rows = dict(card.describe(machine))
    assert rows["CPU"] == machine.cpu
    assert rows["Cores"] == f"{machine.cores} ({machine.threads_available} threads available)"
    assert rows["NumPy"].startswith(machine.numpy) and rows["Numba"].startswith(machine.numba)
    bare = msgspec.structs.replace(machine, caches={}, memory_bytes=2**34)
    assert dict(card.describe(bare))["Caches of a core"] == "unknown"
    assert dict(card.describe(bare))["Memory"] == "16 GiB"


@pytest.mark.skipif(sys.platform != "linux", reason="reads what only Linux knows of a process")
def test_memory_that_this_process_has_had_and_can_get() -> None:
    before = memory.peak_bytes()
    block = bytearray(2**26)
    block[::4096] = b"x" * len(block[::4096])
    assert memory.peak_bytes() >= max(before, 2**26)
    assert 0 < memory.memory_limit() <= card.card().memory_bytes


def test_a_container_s_limit_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"memory.current": "300\n", "memory.max": "1000\n"}
    monkeypatch.setattr(Path, "read_text", lambda path: files[path.name])
    assert memory.memory_limit() == 700
    files["memory.max"] = "max\n"
    assert memory.memory_limit() > 2**20


def in_a_process(code: str, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name not in bench.SPIN}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept | environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_quiet_is_light() -> None:
    code = "import sys, bench.machine.quiet; print([m for m in ('numpy', 'numba', 'pandas') if m in sys.modules])"
    assert in_a_process(code) == "[]"


def test_pools_spin_briefly_unless_the_user_has_set_it() -> None:
    code = "from bench.machine import quiet; print(quiet.settings())"
    assert in_a_process(code) == str({"memory_layout": "random", **bench.SPIN})
    assert in_a_process(code, GOMP_SPINCOUNT="7") == str(
        {"memory_layout": "random", **bench.SPIN, "GOMP_SPINCOUNT": "7"}
    )
