"""What can go wrong, and must never end in a wrong sum: damaged data, and workers killed in the middle of a step.

A problem that was made is checked by its checksums, a user's own data by their values, block by block.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.presets import available_threads
from bench.scale import ways
from bench.scale.cluster import one_line
from bench.scale.data import Block, Damaged, Data, Progress, crc
from bench.scale.records import Kills
from bench.scale.session import Session
from bench.scale.ways import Answer, Step
from bench.words import WrongUse
from kernels._inputs import LIMITS
from kernels._kernel import Array

KILLS = 20
CHECKED_BYTES = 2**24  # of a user's own data, looked at at once
BACK_SECONDS = 30


def by_checksum(data: Data, blocks: Sequence[Block], progress: Progress = lambda _done, _all: None) -> None:
    """Read every block once and compare its checksums.

    Raises:
        Damaged: Names the file, the block, and its rows.
    """

    def one(block: Block) -> None:
        start, stop, *wanted = block
        with data.stored(start, stop) as stored:
            for path, rows, checksum in zip((data.X, data.Y), stored, wanted, strict=True):
                if crc(rows) != checksum:
                    raise Damaged(
                        f"{path} is damaged: block {start // blocks[0][1]} (rows {start:,} to {stop - 1:,}) does not "
                        "match its checksum; make the data again, or copy it again"
                    )

    _each(one, blocks, progress)


def by_value(data: Data, progress: Progress = lambda _done, _all: None) -> float:
    """Look at every number of a user's own data; returns the largest |x|.

    Raises:
        Damaged: With the place of the first bad value of a block: NaN, infinity, or a label that is neither 0 nor 1.
    """
    rows = max(1, CHECKED_BYTES // data.row_bytes)

    def one(span: tuple[int, int]) -> float:
        with data.stored(*span) as (X, Y):
            _require(X, data.X, "X", span[0], np.isfinite(X), "a finite number")
            _require(Y, data.Y, "Y", span[0], (Y == 0) | (Y == 1), "0 or 1")
            return float(max(X.max(), -X.min()))  # of the two ends, no array as large as X

    largest = float(max(_each(one, data.chunks(rows), progress)))
    if data.m * data.n_x * largest > LIMITS["float64"].z:
        raise Damaged(f"{data.X} contains numbers as large as {largest:.3g}: a sum may overflow; scale the features")
    return largest


def _require(rows: npt.NDArray[Any], path: str, name: str, start: int, good: npt.NDArray[Any], what: str) -> None:
    if good.all():
        return
    first = tuple(int(index) for index in np.argwhere(~good)[0])
    place = ", ".join(str(index) for index in (start + first[0], *first[1:]))
    raise Damaged(f"{path}: {name}[{place}] is {rows[first]}, not {what}")


def _each(function: Callable[[Any], Any], items: Any, progress: Progress) -> list[Any]:
    """The function of each item, in order, on as many threads as there are; an error ends it."""
    items = list(items)
    results = []
    with ThreadPoolExecutor(available_threads()) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for future in futures:
                results.append(future.result())
                progress(len(results), len(items))
        finally:
            for future in futures:
                future.cancel()
    return results


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
        _until_back(client, victim, len(workers))
    return Kills(kills, right, stopped, typical, seconds)


def same(one: Answer, other: Answer) -> bool:
    """Whether two answers are the same bits."""
    return one[0] == other[0] and one[2] == other[2] and bool((one[1] == other[1]).all())


def _timed(step: Step, w: Array, b: float) -> tuple[Answer, float]:
    start = time.perf_counter()
    with one_line():
        answer = step(w, b)
    return answer, time.perf_counter() - start


def _until_back(client: Any, victim: int, workers: int) -> None:
    """Wait until a nanny has started another process for the worker that was killed, and the scheduler knows it.

    Raises:
        WrongUse: If it does not come back.
    """
    ends = time.monotonic() + BACK_SECONDS
    while time.monotonic() < ends:
        pids = {nanny.process.pid for nanny in client.cluster.workers.values() if nanny.process is not None}
        known = {info["id"]: info for info in client.scheduler_info(n_workers=-1)["workers"].values()}
        if victim not in pids and None not in pids and len(pids) == len(known) == workers:
            found = client.run(os.getpid)
            if set(found.values()) == pids:
                return
        time.sleep(0.05)
    raise WrongUse(f"a worker that was killed did not come back within {BACK_SECONDS} s")


def measure(session: Session, client: Any) -> Kills:
    """Kill workers in the middle of steps over the data."""
    scale = session.scale
    step = ways.dask_chunks(client, session.asked.data, scale.chunk_rows)
    return kill(client, step, session.w, session.b, KILLS, scale.seed, session.progress)
