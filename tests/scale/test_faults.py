"""What goes wrong meanwhile: killed workers, a lost scheduler, data that change. Right, or one line."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.scale import cluster, faults, model, run, ways
from bench.scale.data import Damaged, Data
from bench.words import WrongUse
from kernels._kernel import Array
from tests.scale.conftest import NEEDED, M

pytest.importorskip("distributed", reason=NEEDED)
At = tuple[Array, float]


def slow_sums(*words: Any) -> Array:
    """A chunk that takes long enough to be killed in."""
    threading.Event().wait(0.02)
    return ways.sums(*words)


def test_workers_killed_in_the_middle_of_a_step(data: Data, at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "sums", slow_sums)
    with cluster.embedded(2) as client:
        step = ways.dask_chunks(client, data, 50)
        killed = faults.kill(client, step, *at, kills=1, seed=1)
        assert (killed.kills, killed.right, killed.stopped) == (1, 1, 0)
        assert faults.same(step(*at), step(*at))


def test_another_answer_after_a_kill_would_be_noticed() -> None:
    one = (0.5, np.array([1.0, 2.0]), 3.0)
    assert faults.same(one, (0.5, np.array([1.0, 2.0]), 3.0))
    for other in ((0.5000000000000001, one[1], 3.0), (0.5, np.array([1.0, 2.5]), 3.0), (0.5, one[1], -3.0)):
        assert not faults.same(one, other)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A scheduler in a process of its own, with a worker in another."""
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    words = [*start, "--port", "0", "--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(tmp_path / "s")]
    scheduler = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert scheduler.stderr is not None
    found = next(line for line in scheduler.stderr if "Scheduler at" in line).split()[-1]
    reading = threading.Thread(target=scheduler.stderr.read)
    reading.start()
    start = [sys.executable, "-m", "distributed.cli.dask_worker", found, "--no-nanny", "--nthreads", "1"]
    worker = subprocess.Popen(
        [*start, "--no-dashboard", "--local-directory", str(tmp_path), "--death-timeout", "20"],
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    yield found, scheduler
    for process in (worker, scheduler):
        process.kill()
        process.wait()
    reading.join()
    scheduler.stderr.close()


def test_a_scheduler_that_exists_is_used_and_missed(
    address: tuple[str, subprocess.Popen[str]], data: Data, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, process = address

    def use() -> None:
        with cluster.existing(where) as client:
            client.wait_for_workers(1, timeout=20)
            assert cluster.shape(client) == (1, 1)
            cluster.require_same_files(client, data)
            monkeypatch.chdir(Path(data.X).parent)  # the worker has another folder
            with pytest.raises(WrongUse, match=r"worker tcp.* does not see X.npy as this process does: .*No such file"):
                cluster.require_same_files(client, replace(data, X="X.npy", Y="Y.npy"))
            step = ways.dask_chunks(client, data, 100)
            with ways.read_ahead(data, 100, 1) as plain:
                assert faults.same(step(*at), plain(*at))
            late = client.map(model.sleep, [0.2] * 20, pure=False)
            threading.Timer(0.1, os.kill, (process.pid, signal.SIGKILL)).start()
            client.gather(late)

    with pytest.raises(WrongUse, match="the scheduler is gone"):
        use()


def test_no_scheduler_is_a_line() -> None:
    with pytest.raises(WrongUse, match="there is no scheduler at nowhere"), cluster.existing("nowhere"):
        pass


def test_damage_in_a_task_comes_out_as_a_line(client: Any, data: Data, at: At) -> None:
    long = Data(data.X, data.Y, data.store, M + 50, data.n_x, data.dtype, 8, 8)
    with pytest.raises(Damaged, match=r"X.npy is incomplete|Y.npy is incomplete"):
        ways.dask_chunks(client, long, 100)(*at)


def test_data_that_change_meanwhile_are_refused(data: Data, tmp_path: Path) -> None:
    before = data.state()
    run.require_unchanged(data, before)
    with pytest.raises(Damaged, match="changed while it was measured"):
        run.require_unchanged(data, [(1, 2), (3, 4)])
    gone = Data(str(tmp_path / "X.npy"), data.Y, data.store, M, data.n_x, data.dtype, 8, 8)
    with pytest.raises(Damaged, match="is gone"):
        run.require_unchanged(gone, before)
