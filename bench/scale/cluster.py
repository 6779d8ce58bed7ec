"""Dask: a cluster in this machine, or one that exists; its errors in a line; and the memory of all processes.

Each of our tasks returns a few numbers, so the scheduler need not hold tasks back to save memory: it hands out all at
once (worker-saturation), which saves a way there and back for each.
"""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import psutil

from bench.scale.data import Data
from bench.words import WrongUse, human_bytes, plural

START_SECONDS = 60
SETTINGS = {
    "distributed.scheduler.worker-saturation": float("inf"),
    "distributed.scheduler.allowed-failures": 3,
    "distributed.comm.timeouts.connect": "10s",
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.target": False,
}
DEFAULT_SATURATION = 1.1
EXTRA = ("dask", "distributed", "zarr")
PROCESS_BYTES = 200 * 2**20  # about what a process with NumPy, Numba and Dask needs before it reads anything


def require_extra() -> None:
    """Refuse to go on without the libraries.

    Raises:
        WrongUse: With what to install.
    """
    from importlib.util import find_spec

    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        raise WrongUse(f"unloop scale needs {', '.join(missing)}; install them: pip install 'unloop[scale]'")


@contextmanager
def embedded(workers: int, threads: int = 1, processes: bool = True) -> Iterator[Any]:
    """A client of a cluster in this machine, which ends with the block."""
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set(SETTINGS),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=threads,
            processes=processes,
            dashboard_address="127.0.0.1:0",
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
        one_line(),
    ):
        yield client


@contextmanager
def holding_back(client: Any) -> Iterator[None]:
    """Dask's default for tasks whose results are large: an embedded scheduler hands out few at a time."""
    scheduler = getattr(client.cluster, "scheduler", None)
    if scheduler is None:
        yield
        return
    before, scheduler.WORKER_SATURATION = scheduler.WORKER_SATURATION, DEFAULT_SATURATION
    try:
        yield
    finally:
        scheduler.WORKER_SATURATION = before


@contextmanager
def existing(address: str) -> Iterator[Any]:
    """A client of a cluster that somebody else has started, and ends."""
    import dask
    from distributed import Client

    with dask.config.set(SETTINGS):
        try:
            client = Client(address, timeout=10, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise WrongUse(f"there is no scheduler at {address} ({error}); start one: dask scheduler") from None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            with one_line():
                yield client
        finally:
            with suppress(Exception):  # of a scheduler that is gone
                client.close(timeout=2)


@contextmanager
def one_line() -> Iterator[None]:
    """What Dask raises where a worker or the scheduler is gone, as a line."""
    from asyncio import CancelledError
    from concurrent.futures import CancelledError as AlsoCancelled

    from distributed import KilledWorker
    from distributed.client import FutureCancelledError
    from distributed.comm.core import CommClosedError

    try:
        yield
    except KilledWorker as error:
        raise WrongUse(
            f"workers died again and again on one chunk ({str(error).split(' ')[-1]}): a bad disk, or too little memory"
        ) from None
    except (FutureCancelledError, CommClosedError, CancelledError, AlsoCancelled, TimeoutError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WrongUse(f"the scheduler is gone ({reason[:120]}); start it, and the run, again") from None


def require_same_files(client: Any, data: Data) -> None:
    """Make sure that every worker of a cluster sees the data, and has this package.

    Raises:
        WrongUse: Names a worker that does not.
    """
    expected = data.state()
    try:
        states = client.run(data.state, on_error="return")
    except (ImportError, ModuleNotFoundError) as error:
        raise WrongUse(f"the workers can't run this code: {error}; install unloop[scale] there") from None
    for address, state in states.items():
        if not isinstance(state, list) or [size for size, _ in state] != [size for size, _ in expected]:
            reason = str(state) if isinstance(state, BaseException) else "its files differ"
            raise WrongUse(f"worker {address} does not see {data.X} as this process does: {reason}")


def shape(client: Any) -> tuple[int, int]:
    """Workers of a cluster, and threads of each.

    Raises:
        WrongUse: If it has no worker.
    """
    workers = client.scheduler_info(n_workers=-1)["workers"]
    if not workers:
        raise WrongUse("the cluster has no worker; start one: dask worker ADDRESS")
    return len(workers), max(worker["nthreads"] for worker in workers.values())


class Memory:
    """The memory of this process and all that it has started, looked at again and again in a thread.

    The sum of their resident sets: what several processes share (libraries, the page cache that they map) counts in
    each, so it is an upper bound. Use it as a context.
    """

    EVERY_SECONDS, LIST_SECONDS = 0.02, 0.5

    def __init__(self) -> None:
        self.peak = self._since = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def lap(self) -> int:
        """The most since the last call."""
        most, self._since = self._since, 0
        return most

    def _look(self) -> None:
        here = psutil.Process(os.getpid())
        looks = 0
        processes = [here]
        while not self._ended.wait(self.EVERY_SECONDS):
            if looks % round(self.LIST_SECONDS / self.EVERY_SECONDS) == 0:
                processes = [here, *here.children(recursive=True)]
            looks += 1
            total = 0
            for process in processes:
                with suppress(psutil.Error):
                    total += process.memory_info().rss
            self._since = max(self._since, total)
            self.peak = max(self.peak, total)


def default_chunk(memory: int, slots: int) -> int:
    """Bytes of a chunk: 64 MiB, or less where all that are open at once would take over an eighth of the memory."""
    return int(min(2**26, max(2**16, memory // (8 * slots))))


def too_little(memory: int, workers: int) -> str | None:
    """A warning where the processes alone need more than the memory allowed."""
    least = (workers + 1) * PROCESS_BYTES
    if memory >= least:
        return None
    return (
        f"--memory {human_bytes(memory)} is less than {plural(workers + 1, 'process', 'processes')} of Python need by "
        f"themselves (about {human_bytes(least)}); chunks are small, but the peak will be above it"
    )
