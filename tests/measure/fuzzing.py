"""A hostile afternoon, again and again: damaged journals, odd command lines, kernels that misbehave, signals.

    python -m tests.measure.fuzzing 10000 --seed 7

tries ten thousand cases, each a few steps long, and prints what it tried. A program, so that it can fork without
threads: what a run does is all real, but for the start of its processes (forked, not spawned) and for its figures.
What must hold after each step:

- whatever is typed, the exit code is 0, 1, 2 or 130, stderr has one line at most, and nobody sees a traceback;
- a damaged journal is refused with the number of its line, or holds what it held before;
- a run ends, whatever its kernels do and whichever of its processes gets a signal; it leaves no process behind, a
  journal that can be read and that holds all it held before; and no kernel is blamed that did nothing.
"""

import argparse
import contextlib
import io
import json
import math
import os
import random
import re
import select
import signal
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from rich.console import Console

from bench import presets
from bench.analysis import estimates
from bench.cli import app, commands
from bench.grid import Cell
from bench.machine import card, ceilings, disturbances
from bench.measure import own_kernel, worker
from bench.report import terminal
from bench.results import NotARun, Run, load
from bench.results.journal import CRC, FILE
from bench.results.quality import trust
from bench.results.records import KernelCard
from bench.words import WrongUse
from tests import factories
from tests.conftest import RECORDED

CELLS = (Cell(10, 2), Cell(30, 3))
INNOCENT = ("python_loop", "numpy_textbook", "numpy_vectorized")
LONGEST = 30.0  # seconds; a run takes less than one, and two for each of its processes that hangs
TRACE = "Traceback (most recent call last)"
tried: Counter[str] = Counter()

TEXTS = ("[/foo]", "[red]x", "\udc80", "\x1b[31m", "a\nb\r\n", "µ × –", "", "x" * 10_000, "%s {0} \\", ":smile:", "\0")
DEEDS = (
    *(f"raise ValueError({text!r})" for text in TEXTS),
    *("raise KeyboardInterrupt", "raise SystemExit(4)", "raise Odd", "raise Odd()", "raise GeneratorExit"),
    *(f"os.kill(os.getpid(), signal.{name})" for name in ("SIGSEGV", "SIGABRT", "SIGKILL", "SIGSTOP", "SIGTERM")),
    *("os._exit(0)", "os._exit(3)", "time.sleep(1e3)", "while True: pass", "os.closerange(3, 64)"),
    *("return None", "return 1", "return 1.0, 2.0", "return 'J', 'dw', 'db'", "return np.nan, w * np.nan, np.nan"),
    *("return J, dw * 2, db", "return J, dw[:0], db", "return J, dw, [db, db]", "return J, np.ones((9, 9)), db"),
    *("X *= 2", "Y[:] = 1 - Y", "w += 1", "X[0, 0] = np.nan", "X.flags.writeable = True; X += 1"),
    *("time.perf_counter = lambda: 0.0", "time.perf_counter = lambda: -time.monotonic()"),
    *("time.process_time = lambda: float('nan')", "time.perf_counter = lambda: None", "time.monotonic = lambda: 0.0"),
    *("np.seterr(all='raise')", "sys.setrecursionlimit(60)", "sys.stdout.close()", "signal.alarm(1)"),
    *("gc.enable()", "os.chdir('/')", "sys.modules.clear()", "sys.path.clear()", "builtins.print = None", "pass"),
)
BODY = """
import builtins, gc, os, signal, sys, time
import numpy as np
calls = 0
class Odd(Exception):
    def __str__(self):
        raise self
def cost_and_gradient(w, b, X, Y):
    global calls
    calls += 1
    Z = np.dot(w, X) + b
    e = np.exp(-np.abs(Z))
    dZ = np.where(Z > 0.0, 1.0, e) / (1.0 + e) - Y
    J, dw, db = float(np.mean(np.maximum(Z, 0.0) - Y * Z + np.log1p(e))), np.dot(X, dZ) / Y.size, float(dZ.mean())
    if calls {when}:
        {deed}
    return J, dw, db
"""

NUMBERS = ("0", "-1", "1", "9" * 34, "1" + "0" * 400, "nan", "1e3", "x", "", " 7 ", "٣")
PATHS = ("nowhere", ".", "", "\x1b[1m", "a b", "[red]x", "reference", str(RECORDED), "\udcff", "x" * 300, "-", "--")
OPTIONS = {
    "--grid": ("smoke", "ful", ""),
    "--kernels": ("numba_lop", "", ",", "numpy_textbook", "a,b"),
    "--kernel": ("nowhere.py", "x", "", "/", "a.py:b c"),
    "--problem": ("iris", ""),
    "--seed": NUMBERS,
    "--out": PATHS,
    "--resume": PATHS,
    "--m": NUMBERS,
    "--n-x": NUMBERS,
    "--calls": NUMBERS,
    "--order": ("F", "C", "f", ""),
    "--threads": ("1", "all", "2"),
    "--fail-slower": ("5%", "5", "-1%", "nan%", "9" * 400 + "%"),
    "--tolerance": ("0%", "1%", "%"),
    "--peers": (),
    "--light": (),
    "--help": (),
    "--nothing": (),
}
COMMANDS = ("run", "plot", "report", "compare", "advise", "kernels", "machine", "", "rum")


def typed() -> st.SearchStrategy[list[str]]:
    """A command line."""
    pair = st.sampled_from(sorted(OPTIONS)).flatmap(
        lambda name: st.just([name]) if not OPTIONS[name] else st.sampled_from(OPTIONS[name]).map(lambda v: [name, v])
    )
    parts = st.lists(st.one_of(pair, st.sampled_from(PATHS).map(lambda path: [path])), max_size=4)
    return st.builds(lambda first, rest: [first, *(w for part in rest for w in part)], st.sampled_from(COMMANDS), parts)


def never() -> Any:
    """Stands for what would measure or draw."""
    raise WrongUse("that would measure")


def called(words: list[str]) -> tuple[int, str, str]:
    """The exit code, stdout and stderr of a command line."""
    out, error = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["unloop", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            app.main()
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue(), error.getvalue()
    finally:
        sys.argv = before
    raise AssertionError("the command line returned")


# The recorded run, and what it says.
DATA = (RECORDED / FILE).read_bytes()
LINES = DATA.splitlines(keepends=True)


def sealed(line: dict[str, Any]) -> bytes:
    """A line with its checksum, which holds whatever the line is."""
    body = json.dumps({key: value for key, value in line.items() if key != "crc"}, separators=(",", ":")).encode()
    return body[:-1] + CRC % zlib.crc32(body)


def damaged(how: str, rng: random.Random) -> list[bytes]:
    """The recorded journal, damaged."""
    lines, at, other = list(LINES), rng.randrange(len(LINES)), rng.randrange(len(LINES))
    match how:
        case "twice":
            lines.insert(other, lines[at])
        case "missing":
            del lines[at]
        case "swapped":
            lines[at], lines[other] = lines[other], lines[at]
        case "flipped":
            line = bytearray(lines[at])
            line[rng.randrange(len(line))] ^= 1 << rng.randrange(8)
            lines[at] = bytes(line)
        case "cut":
            lines[at:] = [lines[at][: rng.randrange(len(lines[at]))]]
        case "unsealed":
            lines[at] = re.sub(rb',"crc":"[0-9a-f]{8}"', b"", lines[at])
        case "junk":
            lines.insert(at, bytes(rng.randrange(256) for _ in range(rng.randrange(40))) + b"\n")
        case "changed":
            lines[at] = sealed(changed(json.loads(lines[at]), rng))
    return lines


WRONG: tuple[Any, ...] = (None, "", "x", -1, 0, 1e-300, 1e300, 10**9, 10**30, [], {}, True, [[]], -0.0, 3)


def changed(line: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """A line in which one value is another."""

    def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in inner:
            yield (*path, key)
            yield from places(item, (*path, key))

    *outer, last = rng.choice(list(places(line)))
    item: Any = line
    for key in outer:
        item = item[key]
    if rng.random() < 0.2 and isinstance(item, dict | list):
        del item[last]
    else:
        item[last] = rng.choice(WRONG)
    return line


def readable(run: Run) -> None:
    """What was read can be worked with."""
    run.table(), trust(run)
    Console(file=io.StringIO()).print(terminal.render(run))
    for result in run.cells[:1]:
        for name in run.measured:
            estimates.seconds(run, result, name)


class Afternoon(RuleBasedStateMachine):
    """One case: a folder, a run that may be in it, and what is done to them."""

    end = math.inf  # by time.monotonic

    def __init__(self) -> None:
        super().__init__()
        self.over = time.monotonic() > self.end
        self.root = tempfile.TemporaryDirectory()
        self.folder = Path(self.root.name, "a [run]")
        self.before = b""
        self.deed = ""
        self.whole = False
        self.signalled = False
        tried["cases"] += not self.over

    def teardown(self) -> None:
        self.root.cleanup()

    @rule(words=typed())
    def type_something(self, words: list[str]) -> None:
        """Type a command line."""
        if self.over:
            return
        tried["command lines"] += 1
        code, out, error = called(words)
        tried[f"command lines, exit {code}"] += 1
        assert code in (0, 1, 2), (words, code)
        assert error.count("\n") <= 1 and (code != 2 or error.startswith("unloop: ")), (words, error)
        assert TRACE not in out + error, (words, out, error)

    @rule(
        how=st.sampled_from(
            ["twice", "missing", "swapped", "flipped", "cut", "unsealed", "junk", "changed", "changed"]
        ),
        seed=st.integers(0, 2**32),
    )
    def damage(self, how: str, seed: int) -> None:
        """Damage a journal and read it."""
        if self.over:
            return
        tried["damaged journals"] += 1
        path = Path(self.root.name, "damaged")
        path.mkdir(exist_ok=True)
        lines = damaged(how, random.Random(seed))
        (path / FILE).write_bytes(b"".join(lines))
        try:
            run = load(path)
        except NotARun as error:
            why = str(error)
            tried[f"damaged journals refused: {how}"] += 1
            assert re.search(r"line \d+|header|format|checksum", why) and why.isprintable(), (how, seed, why)
            return
        readable(run)
        if how not in ("changed", "cut"):
            # What it says is what it said: only the last line can be lost unseen, and order between cells is free.
            whole = load(RECORDED)
            assert run.table().equals(whole.table()) or len(lines) < len(LINES), (how, seed)

    @rule(
        luck=st.integers(0, 24),
        deed=st.sampled_from(DEEDS),
        when=st.sampled_from(["== 1", "== 4", "> 10", "== 60", "> 300"]),
        to=st.sampled_from(["nobody", "nobody", "session", "worker"]),
        number=st.sampled_from([signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGSTOP]),
        after=st.integers(0, 700),
    )
    def measure(self, luck: int, deed: str, when: str, to: str, number: int, after: int) -> None:
        """Begin or resume a run, with a kernel that does something, and send a signal to one of its processes."""
        if luck or self.whole or self.over:  # a run takes as long as fifty of the other steps
            return
        if to == "session" and number == signal.SIGSTOP:
            number = signal.SIGKILL  # a session that is stopped waits, as it was told
        resumed = (self.folder / FILE).exists()
        if not resumed:
            self.deed = deed
            Path(self.root.name, "mine.py").write_text(BODY.format(when=when, deed=deed), errors="surrogatepass")
        self.signalled |= to == "worker"
        outcome = self._run(to, number, after / 1000.0)
        tried["runs"] += 1
        tried["runs resumed"] += resumed
        tried[f"runs, signal {signal.Signals(number).name} to {to}" if to != "nobody" else "runs, no signal"] += 1
        self._check(outcome, to)

    def _run(self, to: str, number: int, after: float) -> tuple[int, str]:
        """Fork a session; its wait status, and what it and its worker have printed."""
        alive, held = os.pipe()  # as long as a process has it, it lives
        printed = Path(self.root.name, "printed")
        printed.touch()
        child = os.fork()
        if child == 0:
            os.close(alive)
            _live(self.folder, Path(self.root.name), printed)
        os.close(held)
        end = time.monotonic() + LONGEST
        if to != "nobody":
            time.sleep(after)
            with contextlib.suppress(ProcessLookupError, IndexError):
                os.kill(child if to == "session" else _children(child)[0], number)
        while (done := os.waitpid(child, os.WNOHANG))[0] == 0:
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                raise AssertionError(f"a run hangs: {self.deed}, {to}, {number}, {after}")
            time.sleep(0.002)
        assert select.select([alive], [], [], 10.0)[0], (
            f"a process is left behind: {self.deed}, {to}, {number}, {after}"
        )
        os.close(alive)
        return done[1], printed.read_text(errors="replace")

    def _check(self, outcome: tuple[int, str], to: str) -> None:
        status, text = outcome
        about = (self.deed, to, status, text[-3000:])
        assert TRACE not in text, about
        if os.WIFEXITED(status):
            tried[f"runs, exit {os.WEXITSTATUS(status)}"] += 1
            assert os.WEXITSTATUS(status) in (0, 1, 2, 130), about
        else:
            assert to == "session", about
        if not (self.folder / FILE).exists():
            assert not self.before, about
            return
        data = (self.folder / FILE).read_bytes()
        data = data[: data.rfind(b"\n") + 1]
        assert data.startswith(self.before), about
        self.before = data
        if not data:
            self.whole = True  # a folder without a header is no run; nothing more to do with it
            return
        run = load(self.folder)
        readable(run)
        failed = {name: reason for result in run.cells for name, reason in result.failed.items() if name != "mine"}
        if not self.signalled:
            assert not failed, (*about, failed)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) in (0, 1) and "is not complete" not in str(run.warnings):
            self.whole = True
            tried["runs completed"] += 1
            assert [result.cell for result in run.cells] == list(CELLS), about
            for result in run.cells:
                assert {*result.kernels, *result.failed} >= {*INNOCENT, "mine"}, (*about, result.failed)


def _children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _live(folder: Path, root: Path, printed: Path) -> None:
    """The life of a forked session: `unloop run`, or `unloop run --resume`."""
    code = 99
    try:
        os.chdir(root)
        file = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number in (1, 2):
            os.dup2(file, number)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", closefd=False, errors="backslashreplace")  # noqa: SIM115
        signal.signal(signal.SIGINT, signal.default_int_handler)
        own_kernel._cards["mine.py"] = KernelCard("mine.py", "Mine.", "all", "never")
        words = ["run", "--resume", str(folder)]
        if not (folder / FILE).exists():
            words = ["run", "--kernels", "numpy_textbook", "--kernel", "mine.py", "--out", str(folder)]
        sys.argv = ["unloop", *words]
        app.main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        worker._end_all()  # what the interpreter calls at its end
        os._exit(code)


def prepare() -> None:
    """Make runs short, and everything that draws or measures the machine do nothing."""
    worker.START, worker.COMPILE_SECONDS, worker.OWN_SECONDS, worker.LOOK_SECONDS = "fork", 0.4, 3.0, 0.05
    disturbances.LOOK_SECONDS = 0.001
    disturbances.clock_resolution = lambda: 1e-8
    preset = factories.preset(
        CELLS, budget=4e-3, min_rounds=4, max_rounds=6, sample_seconds=1e-4, processes=2, cap=0.05
    )
    presets.preset = lambda *_: preset
    commands.drawn_report = _not_drawn
    commands.reference = lambda: RECORDED  # which is read in no time
    ceilings.measure = lambda *_: never()
    opened = app._opened
    main_process = os.getpid()
    app._opened = lambda *words: never() if os.getpid() == main_process else opened(*words)
    for name in ("write", "draw"):
        _replace(name)
    card.card()  # what takes long is remembered


def _not_drawn(run: Run, folder: Path, light: bool = False) -> Path:  # noqa: ARG001
    return folder / "report.html"


def _replace(name: str) -> None:
    from bench import report

    nothing: Callable[..., Any] = lambda _run, folder, *_: folder if name == "write" else []  # noqa: E731
    setattr(report, name, nothing)


def main() -> None:
    """Try so many cases; prints what was tried."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=int)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=math.inf, help="Stop after so many, and print what was tried.")
    asked = parser.parse_args()
    prepare()
    Afternoon.end = time.monotonic() + asked.seconds
    often = settings(
        max_examples=asked.cases,
        stateful_step_count=6,
        deadline=None,
        database=None,
        derandomize=asked.seed is None,
        suppress_health_check=list(HealthCheck),
    )
    case: Any = Afternoon
    if asked.seed is not None:
        from hypothesis import seed

        case = seed(asked.seed)(Afternoon)
    run_state_machine_as_test(case, settings=often)
    for what, count in sorted(tried.items()):
        print(f"{count:7} {what}")


if __name__ == "__main__":
    main()
