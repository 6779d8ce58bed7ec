"""Files of the reader's own: each thing wrong is a line, and the rest is measured; what is killed is resumed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench.claims import journal, outcome
from bench.claims.records import Ended, Failed, Plan, Share, Sized
from bench.claims.session import Session
from bench.words import WrongUse
from tests.conftest import Command

GOOD = '''"""The sum of squares.

Twice.
"""
import numpy as np
from bench.claims import Claim, Way


def setup(n, rng):
    return rng.random(n)


def loop(x):
    return sum(v * v for v in x)


def dot(x):
    return float(np.dot(x, x))

'''
BAD = (
    GOOD
    + """
import os, signal, time


def disagrees(x):
    return 1.0 + float(np.dot(x, x))


def raises(x):
    raise RuntimeError("no\\nway")


def changes(x):
    x += 1.0
    return float(np.dot(x - 1.0, x - 1.0))


def nothing(x):
    pass


def crashes(x):
    os.kill(os.getpid(), signal.SIGSEGV)


def hangs(x):
    time.sleep(600)


CLAIM = Claim(setup, ways=[loop, disagrees, raises, changes, nothing, crashes, hangs, dot], n=500)
"""
)
CLAIM = "CLAIM = Claim(setup, ways=[loop, dot], n=500)\n"


def write(folder: Path, text: str, name: str = "mine.py") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def measured(plan: Plan, folder: Path, patience: float = 20.0) -> tuple[Session, list[str]]:
    folder.mkdir()
    session = Session.open(plan, folder, patience)
    failures: list[str] = []
    session.measure(on_failure=failures.append)
    return session, failures


def test_each_way_that_is_wrong_is_one_line_and_the_others_are_measured(tmp_path: Path) -> None:
    plan = Plan((write(tmp_path, BAD),), processes=2)
    session, failures = measured(plan, tmp_path / "out", patience=3.0)
    done = session.close()
    starts = [line.partition(":")[2].split(" at ")[0].strip() for line in failures]
    assert starts == [
        "crashes crashed with SIGSEGV",
        "hangs does not return within 3 s",
        "disagrees disagrees beside loop",
        "raises raised RuntimeError: no way",
        "changes changes its arguments: write Way(function, in_place=True)",
        "nothing disagrees beside loop",
    ]
    assert all(line.startswith("mine.py: ") and "\n" not in line for line in failures)
    assert outcome.failures(done) and done.complete
    (result,) = done.claims
    assert {way.name for way in result.ways if way.seconds is not None} == {"loop", "dot"}
    assert result.ratios[0].measured is not None and result.ratios[0].measured.high is not None
    assert result.verdict == "nothing printed" and result.card.title == "The sum of squares"
    # What one process found out about a way, the next need not try.
    assert len([record for record in session.records if isinstance(record, Failed)]) == len(failures)
    assert "mine.py" in done.plan.claims and str(tmp_path) not in repr(done)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = ", "line 1: invalid syntax"),
        ("\n1 / 0\n", "line 2: ZeroDivisionError"),
        ("import nowhere_at_all\n", "line 1: ModuleNotFoundError"),
        ("x = 1\n", "it defines no CLAIM; write CLAIM = Claim(setup=..., ways=[...])"),
        ("CLAIM = 3\n", "its CLAIM is a int"),
        (GOOD + "CLAIM = Claim(setup, ways=[loop])\n", "ValueError: a claim needs two ways"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "crashed with SIGKILL when it is run"),
        ("import time\ntime.sleep(600)\n", "does not return within 2 s when it is run"),
    ],
)
def test_a_file_that_is_no_claim_is_one_line_of_wrong_use(tmp_path: Path, text: str, message: str) -> None:
    name = write(tmp_path, text)
    patience = 2.0 if "sleep" in text else 20.0
    with pytest.raises(WrongUse) as refused:
        Session.open(Plan((name,)), tmp_path, patience)
    assert message in str(refused.value) and "mine.py" in str(refused.value) and "\n" not in str(refused.value)
    assert not (tmp_path / journal.FILE).exists()


def test_a_setup_that_raises_and_a_way_that_raises_late_are_a_line_each(tmp_path: Path) -> None:
    late = GOOD + "calls = 0\n\n\ndef late(x):\n    global calls\n    calls += 1\n    if calls > 40:\n"
    late += (
        "        raise KeyError('late')\n    return loop(x)\n\n\nCLAIM = Claim(setup, ways=[loop, late, dot], n=500)\n"
    )
    broken = GOOD.replace("return rng", "return 1 / 0 or rng") + CLAIM
    plan = Plan((write(tmp_path, late, "late.py"), write(tmp_path, broken, "broken.py")), processes=1)
    session, failures = measured(plan, tmp_path / "out")
    done = session.close()
    assert failures == [
        "late.py: late raised KeyError: 'late'",
        "broken.py: its setup raised ZeroDivisionError: division by zero",
    ]
    assert outcome.failures(done) == failures and done.complete
    assert {way.name for way in done.claims[0].ways if way.seconds is not None} == {"loop", "dot"}


def test_a_sweep_predicts_what_is_too_slow(tmp_path: Path) -> None:
    slow = GOOD + (
        "def sleeper(x):\n    import time\n    time.sleep(1e-4 * len(x))\n    return loop(x)\n"
        "CLAIM = Claim(setup, ways=[sleeper, dot])\n"
    )
    session, failures = measured(Plan((write(tmp_path, slow),), (20, 20_000), processes=1), tmp_path / "out")
    (result,) = session.close().claims
    assert failures == []
    small, large = result.sweep
    assert small.way("sleeper").seconds is not None and small.way("sleeper").predicted is None
    predicted = large.way("sleeper").predicted
    assert predicted is not None and 1.9 < predicted < 4.0 and large.way("sleeper").seconds is None
    assert large.way("dot").seconds is not None


def test_a_killed_session_is_resumed_and_loses_nothing(tmp_path: Path, command: Command) -> None:
    name, out = write(tmp_path, GOOD + CLAIM), tmp_path / "out"
    words = [sys.executable, "-m", "bench", "reproduce", name, "--processes", "2", "--out", str(out)]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    path, deadline = out / journal.FILE, time.monotonic() + 60
    while time.monotonic() < deadline and not (path.exists() and b'"Share"' in path.read_bytes()):
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    assert children and not psutil.wait_procs(children, timeout=20)[1]
    acknowledged = path.read_bytes()
    acknowledged = acknowledged[: acknowledged.rfind(b"\n") + 1]
    path.write_bytes(acknowledged + b'{"type":"Share","cla')  # a line that was torn
    done = command("bench", "reproduce", "--resume", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    assert path.read_bytes().startswith(acknowledged)
    records, _ = journal.read(path)
    assert sorted(r.process for r in records if isinstance(r, Share)) == [0, 1]
    assert len([r for r in records if isinstance(r, Sized)]) == 1 and isinstance(records[-1], Ended)
    assert outcome.of(records).complete
    # A file that has changed since is another claim.
    write(tmp_path, GOOD + CLAIM + "# changed\n")
    with pytest.raises(WrongUse, match="begun with another version of the claims"):
        Session.resume(out)


def test_a_damaged_journal_is_refused_by_its_line(tmp_path: Path) -> None:
    session, _ = measured(Plan((write(tmp_path, GOOD + CLAIM),), processes=1), tmp_path / "out")
    session.close()
    path = tmp_path / "out" / journal.FILE
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:1], lines[1].replace(b"loop", b"pool", 1), *lines[2:]]))
    with pytest.raises(WrongUse, match="line 2 is damaged"):
        Session.resume(tmp_path / "out")
    with pytest.raises(WrongUse, match=r"there is no claims\.jsonl"):
        Session.resume(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to another process")
def test_ctrl_c_reports_what_was_measured(tmp_path: Path) -> None:
    name, out = write(tmp_path, GOOD + CLAIM), tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "reproduce", name, "--processes", "40", "--out", str(out)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        start_new_session=True,
    )
    path, deadline = out / journal.FILE, time.monotonic() + 60
    while time.monotonic() < deadline and not (path.exists() and path.read_bytes().count(b'"Share"') >= 2):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 130, text
    assert "Traceback" not in text and f"unloop reproduce --resume {out}" in text
    assert (out / "report.html").is_file() and "Interrupted" in (out / "report.md").read_text()
