"""Workers killed in the middle of a step: the answer must be right all the same, or the step must end in a line."""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.scale import ways
from bench.scale.cluster import one_line
from bench.scale.records import Kills
from bench.scale.session import Session
from bench.scale.ways import Answer, Step
from bench.words import WrongUse
from kernels._kernel import Array

KILLS = 20
BACK_SECONDS = 30


def kill(
    client: Any,
    step: Step,
    w: Array,
    b: float,
    kills: int,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
) -> Kills:
    """Take the step again and again; in each, kill a worker of the embedded cluster at a seeded moment.

    Raises:
        WrongUse: If an answer is wrong, or the workers do not come back.
    """
    rng = np.random.default_rng([seed, 3])
    wanted, undisturbed = _timed(step, w, b)
    more = [_timed(step, w, b)[1] for _ in range(2)]
    typical = float(np.median([undisturbed, *more]))
    right = stopped = 0
    seconds = []
    for number in range(kills):
        progress(f"killing a worker: {number + 1} of {kills}")
        workers = list(client.cluster.workers.values())
        victim = workers[int(rng.integers(len(workers)))].process.pid
        timer = threading.Timer(float(rng.uniform(0.0, 0.9 * typical)), os.kill, (victim, signal.SIGKILL))
        timer.start()
        try:
            answer, took = _timed(step, w, b)
        except WrongUse:
            stopped += 1
        else:
            if not same(answer, wanted):
                raise WrongUse(f"a step in which a worker was killed gave another answer: J = {answer[0]!r}")
            right += 1
            seconds.append(took)
        timer.join()
        _until_back(client, len(workers))
    return Kills(kills, right, stopped, typical, seconds)


def same(one: Answer, other: Answer) -> bool:
    """Whether two answers are the same bits."""
    return one[0] == other[0] and one[2] == other[2] and bool((one[1] == other[1]).all())


def _timed(step: Step, w: Array, b: float) -> tuple[Answer, float]:
    start = time.perf_counter()
    with one_line():
        answer = step(w, b)
    return answer, time.perf_counter() - start


def _until_back(client: Any, workers: int) -> None:
    """Wait until a nanny has started the worker again, and it runs tasks.

    Raises:
        WrongUse: If it does not come back.
    """
    ends = time.monotonic() + BACK_SECONDS
    while time.monotonic() < ends:
        pids = {nanny.process.pid for nanny in client.cluster.workers.values() if nanny.process is not None}
        if len(pids) == workers and None not in pids and len(client.scheduler_info(n_workers=-1)["workers"]) == workers:
            return
        time.sleep(0.05)
    raise WrongUse(f"a worker that was killed did not come back within {BACK_SECONDS} s")


def measure(session: Session, client: Any) -> Kills:
    """Kill workers in the middle of steps over the data."""
    scale = session.scale
    step = ways.dask_chunks(client, session.asked.data, scale.chunk_rows)
    return kill(client, step, session.w, session.b, KILLS, scale.seed, session.progress)
