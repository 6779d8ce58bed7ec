"""Runs that are killed at seeded random moments and resumed; a program, so that it can fork without threads.

    python -m tests.killing 1000 --seed 7

kills a thousand times. The tests do it fifty times. Everything but the start of the processes is what `unloop run` and
`unloop run --resume` do: to start an interpreter for each would take minutes, so they are forked here.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

from bench.grid import Cell, Preset
from bench.machine import card as machine
from bench.machine import disturbances as conditions
from bench.measure import engine, session, worker
from bench.results import journal
from bench.results.run import load

# Kernels that start no threads, for the processes are forked.
NAMES = ["python_loop", "numpy_vectorized"]
CELLS = (Cell(10, 2), Cell(40, 2), Cell(10, 3))
PRESET = Preset(
    "tiny", CELLS, cap=0.1, budget=1e-2, min_rounds=10, max_rounds=14, sample_seconds=2e-4, settle_seconds=2e-5
)
SEED = 3


def measure(folder: Path) -> None:
    """Begin the run in a folder, or go on with it."""
    if not (folder / journal.FILE).exists():
        measuring = session.Session(folder, PRESET, SEED, names=NAMES)
    else:
        measuring = session.resumed(folder)[0]
    measuring.measure(dict.fromkeys(measuring.unfinished(), NAMES))
    measuring.close()


def forked(folder: Path) -> int:
    """A process that measures; its id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            measure(folder)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def killed(folder: Path, after: float) -> bool:
    """Whether a process that measures could be killed, so many seconds after its journal was there."""
    child = forked(folder)
    ended, status = 0, 0
    while not ended and not ((folder / journal.FILE).exists() and (folder / journal.FILE).stat().st_size):
        ended, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.001)
    if not ended:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise AssertionError("a run failed by itself")
    return os.WIFSIGNALED(status)


def whole_lines(folder: Path) -> bytes:
    """What a killed run had acknowledged."""
    data = (folder / journal.FILE).read_bytes()
    return data[: data.rfind(b"\n") + 1]


def check(folder: Path) -> None:
    """A completed run holds every round once, in the order that its seed gives it."""
    run = load(folder)
    assert run.end is not None and not run.end["interrupted"]
    assert [result.cell for result in run.cells] == list(CELLS)
    rounds: dict[str, list[journal.Record]] = {}
    calibrated: dict[str, journal.Record] = {}
    for record in journal.read(folder / journal.FILE):
        if record["type"] == "Calibrated":
            assert record["cell"] not in calibrated, "frozen loops were calibrated again"
            calibrated[record["cell"]] = record
        elif record["type"] == "Round":
            rounds.setdefault(record["cell"], []).append(record)
    for result in run.cells:
        assert not result.failed and set(result.agreement) == {*NAMES, engine.CONTROL}
        frozen = calibrated[result.cell.id]
        assert [record["index"] for record in rounds[result.cell.id]] == list(range(frozen["rounds"]))
        rng = np.random.default_rng([SEED, 3])
        orders = engine._orders(list(frozen["loops"]), rng)
        for record in rounds[result.cell.id]:
            order = next(orders)
            rng.integers(engine.SHIFT_BYTES)
            wanted = [label for label in order if record["index"] % frozen["every"][label] == 0]
            assert [label for label, _, _ in record["samples"]] == wanted


def main() -> None:
    """Kill so many times; prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    worker.START = "fork"
    conditions.LOOK_SECONDS = 0.01
    machine.card()  # what takes long is remembered
    rng = random.Random(asked.seed)
    kills = runs = acknowledged = torn = 0
    with tempfile.TemporaryDirectory() as root:
        longest = 0.5
        while kills < asked.kills:
            folder = Path(root) / str(runs)
            folder.mkdir()
            before = b""
            for _ in range(rng.randint(1, 3)):
                began = time.monotonic()
                if not killed(folder, rng.uniform(0.0, longest)):
                    longest = min(longest, time.monotonic() - began)
                    break
                kills += 1
                now = whole_lines(folder)
                assert now.startswith(before), "a resumed run changed what was acknowledged"
                before = now
                if now and rng.random() < 0.4:
                    # A line is written at once, so that only a loss of power tears it: the beginning of one.
                    line = now.splitlines(keepends=True)[-1]
                    with (folder / journal.FILE).open("ab") as file:
                        file.write(line[: rng.randrange(1, len(line))])
                    torn += 1
                if before:
                    load(folder)  # what a killed run leaves can be read
            _, status = os.waitpid(forked(folder), 0)
            assert status == 0, "a killed run could not be resumed"
            assert whole_lines(folder).startswith(before), "a resumed run changed what was acknowledged"
            acknowledged += before.count(b'"type":"Round"')
            check(folder)
            runs += 1
    print(f"{kills} kills in {runs} runs; all {acknowledged} rounds acknowledged are held; {torn} lines torn")


if __name__ == "__main__":
    main()
