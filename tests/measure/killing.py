"""Runs that are killed at seeded random moments and resumed; a program, so that it can fork without threads.

    python -m tests.measure.killing 1000 --seed 7

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

from bench.grid import Cell, Plan, Preset
from bench.machine import card, disturbances
from bench.measure import worker
from bench.measure.rounds import schedule
from bench.measure.session import Session
from bench.results import CONTROL, load
from bench.results.journal import FILE, read
from bench.results.records import Calibrated, Round

# Kernels that start no threads, since the processes are forked.
NAMES = ("python_loop", "numpy_vectorized")
CELLS = (Cell(10, 2), Cell(40, 2), Cell(10, 3))
PRESET = Preset(
    "tiny",
    CELLS,
    cap=0.1,
    budget=2e-2,
    min_rounds=5,
    max_rounds=7,
    sample_seconds=2e-4,
    settle_seconds=2e-5,
    processes=2,
)
PLAN = Plan(PRESET, seed=3, names=NAMES)


def measure(folder: Path) -> None:
    """Begin the run in a folder, or resume it."""
    with Session.resume(folder) if (folder / FILE).exists() else Session.open(PLAN, folder) as session:
        session.measure(dict.fromkeys(session.unfinished(), NAMES))


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
    while not ended and not ((folder / FILE).exists() and (folder / FILE).stat().st_size):
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
    data = (folder / FILE).read_bytes()
    return data[: data.rfind(b"\n") + 1]


def check(folder: Path) -> None:
    """A completed run has every round once, in the order that its seed gives it."""
    run = load(folder)
    assert run.end is not None and not run.end.interrupted
    assert [result.cell for result in run.cells] == list(CELLS)
    rounds: dict[str, list[Round]] = {}
    calibrated: dict[str, Calibrated] = {}
    for record in read(folder / FILE):
        match record:
            case Calibrated(cell=cell):
                assert cell not in calibrated, "loops that were fixed were calibrated again"
                calibrated[cell] = record
            case Round(cell=cell):
                rounds.setdefault(cell, []).append(record)
    for result in run.cells:
        cell = result.cell.id
        assert not result.failed and set(result.agreement) == {*NAMES, CONTROL}
        taken = [(record.index, [sample.label for sample in record.samples]) for record in rounds[cell]]
        assert taken == [(turn.index, turn.labels) for turn in schedule(calibrated[cell], PLAN.seed)]


def tear(folder: Path, line: bytes, rng: random.Random) -> None:
    """Append the beginning of a line: a line is written at once, so that only a loss of power tears it."""
    with (folder / FILE).open("ab") as file:
        file.write(line[: rng.randrange(1, len(line))])


def main() -> None:
    """Kill so many times; prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    worker.START = "fork"
    disturbances.LOOK_SECONDS = 0.01
    card.card()  # what takes long is remembered
    rng = random.Random(options.seed)
    kills = runs = acknowledged = torn = 0
    with tempfile.TemporaryDirectory() as root:
        longest = 0.5
        while kills < options.kills:
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
                    tear(folder, now.splitlines(keepends=True)[-1], rng)
                    torn += 1
                if before:
                    load(folder)  # what a killed run leaves can be read
            _, status = os.waitpid(forked(folder), 0)
            assert status == 0, "a killed run could not be resumed"
            assert whole_lines(folder).startswith(before), "a resumed run changed what was acknowledged"
            acknowledged += before.count(b'"type":"Round"')
            check(folder)
            runs += 1
    print(f"{kills} kills in {runs} runs; all {acknowledged} acknowledged rounds are kept; {torn} lines torn")


if __name__ == "__main__":
    main()
