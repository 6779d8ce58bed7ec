"""A run in progress: what was asked for, what has been measured, and how ways are opened, checked and timed."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.agreement import Agreement, Disagreement, Expected, expect, judge
from bench.agreement.parts import together
from bench.problem import Problem
from bench.scale import ways
from bench.scale.cluster import Memory
from bench.scale.data import Data
from bench.scale.records import Point, Scale, save
from bench.scale.ways import Answer, Step
from bench.words import human_bytes
from kernels._kernel import Array

REFERENCE_BYTES = 2**23  # of a chunk that the reference takes at once
REFERENCE_ROWS_SECOND = 1e6  # a guess, for 8 features on one thread
REFERENCE_SECONDS = 40.0
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """What was asked for.

    Attributes:
        data: X and Y, checked.
        seed: Of w and b.
        ways: Names, in the order of `ways.NAMES`.
        memory: Bytes that all processes may have together.
        chunk_bytes: Bytes of a chunk.
        workers: Of the embedded cluster.
        threads: Of each worker.
        scheduler: Address of an existing cluster; None for an embedded one.
        iterations: Steps of each way.
        parts: What is measured beside the ways.
        most_tasks: The most simulated tasks.
        checked: How the data were checked.
        begun: A run of the same to which parts are added; None for a new one.
        state: Of the data's files before they were checked.
    """

    data: Data
    seed: int
    ways: tuple[str, ...]
    memory: int
    chunk_bytes: int
    workers: int
    threads: int
    scheduler: str | None
    iterations: int
    parts: tuple[str, ...]
    most_tasks: int
    checked: Any
    begun: Scale | None = None
    state: list[tuple[int, int]] | None = None


@dataclass
class Session:
    """A run in progress: what was asked for, and what has been measured."""

    asked: Asked
    folder: Path
    progress: Progress
    memory: Memory
    scale: Scale
    w: Array
    b: float
    began: float = field(default_factory=time.monotonic)
    expected: dict[int, tuple[Data, Expected]] = field(default_factory=dict)
    first: dict[int, tuple[str, Answer]] = field(default_factory=dict)

    @property
    def slots(self) -> int:
        """How many chunks are worked on at once."""
        return self.scale.workers * self.scale.threads

    def check(self, name: str, data: Data, answer: Answer, client: Any) -> Agreement | None:
        """Compare an answer over data with the reference; where that took too long, with the first answer over them.

        Raises:
            Disagreement: If it is outside the bound.
        """
        if data.m not in self.expected:
            self.progress(f"the reference over {data.m:,} examples")
            self.expected[data.m] = reference(self, data, client)
        compared, expected = self.expected[data.m]
        if compared.m == data.m:
            return judge(name, answer, expected)
        other, known = self.first.setdefault(data.m, (name, answer))
        require_same({other: known, name: answer}, expected, compared.m, data.m)
        return None

    def time(
        self,
        names: Sequence[str],
        data: Data,
        rows: int,
        client: Any,
        steps: int,
        *,
        workers: int | None = None,
        threads: int = 1,
        before: Callable[[], object] = lambda: None,
        cold: bool = False,
    ) -> None:
        """Time steps of these ways over data, in turn, at the first w and b; adds a point of the grid for each.

        Args:
            names: The ways.
            data: What they read.
            rows: Examples in a chunk.
            client: Of the cluster.
            steps: How many of each way are timed, after one that is not.
            workers: Of the cluster, if not those of the run.
            threads: Of each of these workers.
            before: Called before each step.
            cold: What to record of the page cache.
        """
        where = (workers, threads) if workers else (self.scale.workers, self.scale.threads)
        seconds: dict[str, list[float]] = {name: [] for name in names}
        with opened(names, data, rows, client, where[0] * where[1]) as step_of:
            for k in range(steps if cold else steps + 1):
                for name in turned(names, k):
                    self.progress(f"{name}: {data.m:,} examples, chunks of {human_bytes(rows * data.row_bytes)}")
                    before()
                    start = time.perf_counter()
                    answer = step_of[name](self.w, self.b)
                    took = time.perf_counter() - start
                    if cold or k:
                        seconds[name].append(took)
                    if k == 0:
                        self.check(name, data, answer, client)
        self.scale.grid += [point(name, data, rows, seconds[name], where, cold) for name in names]

    def save(self) -> None:
        """Write what there is."""
        self.scale.peak_bytes = max(self.scale.peak_bytes, self.memory.peak)
        now = time.monotonic()
        self.scale.seconds += now - self.began
        self.began = now
        save(self.scale, self.folder)


@contextmanager
def opened(names: Sequence[str], data: Data, rows: int, client: Any, slots: int) -> Iterator[dict[str, Step]]:
    """The ways of these names, ready to step."""
    steps: dict[str, Step] = {}
    with ExitStack() as stack:
        for name in names:
            if name == "dask_array":
                steps[name] = ways.dask_array(client, data, rows)
            elif name == "dask_chunks":
                steps[name] = ways.dask_chunks(client, data, rows)
            elif name == "read_ahead":
                steps[name] = stack.enter_context(ways.read_ahead(data, rows, slots))
            else:
                steps[name] = stack.enter_context(ways.in_memory(data, slots))
        yield steps


def turned(names: Sequence[str], k: int) -> list[str]:
    """The order of round k: each way comes first in turn, and every other round goes backwards."""
    shift = k // 2 % len(names)
    order = [*names[shift:], *names[:shift]]
    return order[::-1] if k % 2 else order


def point(way: str, data: Data, rows: int, seconds: list[float], where: tuple[int, int], cold: bool = False) -> Point:
    """A place of the grid; `where`: workers, and threads of each."""
    rows = min(rows, data.m)
    return Point(way, data.store, data.m, data.nbytes, rows, rows * data.row_bytes, *where, cold, seconds)


def reference(session: Session, data: Data, client: Any) -> tuple[Data, Expected]:
    """The reference and its bounds on data, or on as many first examples as it can take in some seconds."""
    speed = REFERENCE_ROWS_SECOND * min(1.0, 8.0 / data.n_x) * session.slots
    most = int(REFERENCE_SECONDS * speed)
    compared = data if data.m <= most else data.head(most)
    chunks = compared.chunks(max(1, REFERENCE_BYTES // data.row_bytes))
    futures = client.map(_expect, *zip(*[(session.w, session.b, data, *span) for span in chunks], strict=True))
    parts = client.gather(futures)
    return compared, together(parts)


def _expect(w: Array, b: float, data: Data, start: int, stop: int) -> tuple[int, Expected]:
    with data.rows(start, stop) as (X, Y):
        return stop - start, expect(Problem(w, b, X, Y, "F"))


def require_same(answers: dict[str, Answer], expected: Expected, compared: int, m: int) -> None:
    """Make sure that the ways agree with each other on all of the data, where the reference saw only its head.

    Each may be off by the bound, which grows with the number of examples: twice that, and m / compared of it.
    """
    if compared == m:
        return
    first = next(iter(answers))
    allowed = 2.0 * m / compared
    for name, (J, dw, db) in answers.items():
        one = answers[first]
        off = [abs(J - one[0]) / expected.J_bound["z"], abs(db - one[2]) / expected.db_bound]
        off.append(float(np.max(np.abs(dw - one[1]) / expected.dw_bound)))
        if not max(off) <= allowed:
            raise Disagreement(f"{name} and {first} differ on all {m:,} examples: J = {J!r} and {one[0]!r}")
