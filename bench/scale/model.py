"""The model past this machine: what a step costs by its bytes and tasks; a scheduler tried with simulated tasks.

    seconds of a step = bytes of the busiest worker x byte_seconds + tasks x task_seconds + step_seconds

A worker reads or computes, whichever is slower, so one number stands for both. Fitted on two numbers of workers, judged
by chunk sizes and m that it was not fitted on. What more workers would do is an extrapolation, and is called one.
"""

import itertools
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

import numpy as np
import psutil
from msgspec.structs import replace
from scipy.optimize import nnls

from bench.scale import limit, ways
from bench.scale.cluster import embedded
from bench.scale.data import describe
from bench.scale.records import Extrapolated, Held, Model, Point, Simulated
from bench.scale.session import Session

SIM_WORKERS = (1, 4, 16, 64)
SIM_TASKS = (1_000, 10_000)
WORKERS, EXAMPLES = (10, 100, 1_000), (10**9, 10**10, 10**11, 10**12)
SMALL = 0.1  # of a step: what does not bind
STEPS, COLD_STEPS = 4, 2  # at a place of the grid
HEAD = 0.3  # of the memory, for the examples that all ways can take
COPY_BYTES = 2**28  # of the data, written to the other store
SCHEDULER_BYTES = 16 * 2**30  # of memory, for a scheduler and its client


def measure(session: Session, client: Any) -> None:
    """The ways over m, chunk size, workers and threads, from the page cache and cold; and the model of them."""
    asked, scale, data = session.asked, session.scale, session.asked.data
    rows = scale.chunk_rows
    head = data.head(max(1, int(HEAD * asked.memory) // data.row_bytes))
    pair = [name for name in ("dask_chunks", "read_ahead") if name in asked.ways]
    every = [name for name in asked.ways if name != "in_memory" or ways.too_large(head, asked.memory) is None]
    fitted: set[tuple[int, int]] = set()
    if head.m < data.m or "in_memory" not in scale.ways:
        session.time(every, head, rows, client, STEPS)
    fitted.add((head.m, min(rows, head.m)))
    sizes = [(head, rows // 4), (head.head(head.m // 4 or 1), rows // 4), (head, rows // 16), (data, rows // 4)]
    if 4 * scale.chunk_bytes * session.slots <= asked.memory // 3:
        sizes.append((data, 4 * rows))
    for part, count in sizes:
        session.time(pair, part, max(1, count), client, STEPS)
    fitted |= {(part.m, max(1, min(count, part.m))) for part, count in sizes[:2]}
    if limit.cold(data):
        _cold(session, client, [name for name in asked.ways if name != "in_memory"])
    else:
        scale.skipped["cold"] = "the page cache can't be emptied of the data here"
    if asked.scheduler is None and "dask_chunks" in pair:
        for workers, threads in {(1, 1), (1, session.slots)} - {(scale.workers, scale.threads)}:
            session.progress(f"a cluster of {workers} workers with {threads} threads")
            places = [(head, rows), *sizes[:3], (data, rows)] if threads == 1 else [(head, rows)]
            with embedded(workers, threads) as other:
                for part, count in places:
                    session.time(["dask_chunks"], part, max(1, count), other, STEPS, workers=workers, threads=threads)
    points = [p for p in scale.points("dask_chunks", cold=False, store=data.store) if p.threads == 1]
    chosen = [p for p in points if (p.m, p.chunk_rows) in fitted]
    scale.model = fit(chosen, [p for p in points if p not in chosen])


def _cold(session: Session, client: Any, names: list[str]) -> None:
    """The ways with no page cache, and in each round the disk's own ceiling: what a disk does changes by the minute."""
    data, scale = session.asked.data, session.scale
    rates: list[float] = []
    calls = itertools.count()

    def before() -> None:
        if next(calls) % len(names) == 0 and (rate := limit.directly(data, session.slots, len(rates))):
            rates.append(rate)
        limit.cold(data)

    session.time(names, data, scale.chunk_rows, client, COLD_STEPS, before=before, cold=True)
    if rates and scale.limit is not None:
        how = "all of it read directly, between the cold steps"
        scale.limit = replace(scale.limit, disk=max(rates), disk_how=how)


def other_store(session: Session, client: Any) -> None:
    """The same step over the same examples from both stores: a copy of the first, which is deleted again."""
    from bench.scale.store import copy

    data, rows = session.asked.data, session.scale.chunk_rows
    if "dask_chunks" not in session.asked.ways:
        return
    part = data.head(max(1, COPY_BYTES // data.row_bytes))
    other: Literal["npy", "zarr"] = "npy" if data.store == "zarr" else "zarr"
    with tempfile.TemporaryDirectory(dir=session.folder) if session.asked.scheduler is None else nullcontext() as made:
        if made is None:
            session.scale.skipped["store"] = "a copy of the data would have to be where the cluster sees it"
            return
        session.progress(f"a copy of {part.m:,} examples as {other}")
        # Chunks of the copy are those of the step: what Zarr does best.
        copy(part, Path(made), other, min(rows, part.m))
        copied = describe(Path(made) / f"X.{other}", Path(made) / f"Y.{other}")
        for each in (part, copied):
            session.time(["dask_chunks"], each, rows, client, STEPS)


def scheduler(session: Session) -> None:
    """Simulated tasks, as long as the model says that a chunk takes; then what more workers would do."""
    scale = session.scale
    if scale.model is None:
        scale.skipped["scheduler"] = "there is no model: the parts need grid, and more than one chunk"
        return
    sleep_seconds = scale.chunk_bytes * scale.model.byte_seconds
    scale.simulated = simulate(sleep_seconds, session.asked.most_tasks, session.progress)
    row_bytes = session.asked.data.row_bytes
    scale.extrapolated = extrapolate(scale.model, scale.simulated, row_bytes, scale.chunk_rows)


def fit(points: Sequence[Point], held_out: Sequence[Point]) -> Model | None:
    """The model that is nearest to the points, in relative terms; None where they are too few.

    Args:
        points: Steps to fit it on.
        held_out: Steps to judge it by.
    """
    if len(points) < 4 or len({p.tasks for p in points}) < 2:
        return None
    rows = [[_busiest(p), p.tasks, 1.0] for p in points]
    seconds = np.array([p.best for p in points])
    scale = np.array(rows).max(axis=0)
    solved, _ = nnls(np.array(rows) / scale / seconds[:, None], np.ones(len(points)))
    byte, task, step = (float(x) for x in solved / scale)
    model = Model(byte, task, step, len(points), [])
    judged = [
        Held(p.m, p.chunk_bytes, p.workers, p.best, model.seconds(p.tasks, p.chunk_bytes, p.nbytes, slots(p), task))
        for p in held_out
    ]
    return Model(byte, task, step, len(points), judged)


def slots(point: Point) -> int:
    """How many chunks are worked on at once."""
    return point.workers * point.threads


def _busiest(point: Point) -> float:
    return float(min(-(-point.tasks // slots(point)) * point.chunk_bytes, point.nbytes))


def sleep(seconds: float) -> int:
    """A task that only waits, as long as the model says that a chunk takes."""
    time.sleep(seconds)
    return 0


def simulate(
    sleep_seconds: float, most_tasks: int, progress: Callable[[str], None] = lambda _: None
) -> list[Simulated]:
    """Steps of sleeping tasks through a real scheduler, on 1 to 64 workers in this process, up to so many tasks.

    Few workers do not get so many tasks that they would sleep for long: what they are to show is the scheduler.
    """
    done = []
    for workers in SIM_WORKERS:
        with embedded(workers, processes=False) as client:
            client.gather(client.map(sleep, [0.0] * workers, pure=False))
            for tasks in sorted({*SIM_TASKS, most_tasks}):
                if tasks > most_tasks or (tasks * sleep_seconds / workers > 10.0) or (tasks > 10_000 and workers < 64):
                    continue
                progress(f"{tasks:,} sleeping tasks on {workers} workers")
                before = psutil.Process().memory_info().rss
                start = time.perf_counter()
                futures = client.map(sleep, [sleep_seconds] * tasks, pure=False)
                total = client.submit(sum, futures, pure=False) if tasks <= 1_000 else None
                client.gather(total) if total is not None else client.gather(futures)
                seconds = time.perf_counter() - start
                grown = max(0, psutil.Process().memory_info().rss - before)
                done.append(Simulated(workers, tasks, sleep_seconds, seconds, grown))
                del futures, total
    return done


def scheduling(simulated: Sequence[Simulated], model: Model) -> float:
    """Seconds that the scheduler takes for a task: of the simulated step with the most, or else of the model."""
    saturated = [s for s in simulated if s.seconds > 2.0 * s.asleep]
    if not saturated:
        return model.task_seconds
    most = max(saturated, key=lambda s: (s.tasks, s.workers))
    return most.seconds / most.tasks


def extrapolate(model: Model, simulated: Sequence[Simulated], row_bytes: int, chunk_rows: int) -> list[Extrapolated]:
    """What 10, 100 and 1000 workers would do with 1e9 to 1e12 examples, each with a disk of its own."""
    task = max(scheduling(simulated, model), model.task_seconds)
    most = max(simulated, key=lambda s: s.tasks, default=None)
    grown = most.grown_bytes / most.tasks if most else 0.0
    table = []
    for workers in WORKERS:
        for m in EXAMPLES:
            tasks = -(-m // chunk_rows)
            work = model.work(tasks, chunk_rows * row_bytes, m * row_bytes, workers)
            seconds = model.seconds(tasks, chunk_rows * row_bytes, m * row_bytes, workers, task)
            scheduler = tasks * task
            table.append(
                Extrapolated(
                    workers, m, tasks, work, scheduler, seconds, _breaks(workers, tasks, work, scheduler, grown)
                )
            )
    return table


def _breaks(workers: int, tasks: int, work: float, scheduler: float, grown: float) -> str:
    if tasks * grown > SCHEDULER_BYTES:
        return f"the scheduler's memory: {tasks * grown / 2**30:.0f} GiB of tasks"
    if tasks < workers:
        return f"too few chunks: {workers - tasks} of {workers} workers idle"
    if scheduler > work:
        return "the scheduler: it hands out tasks more slowly than they are worked off"
    if scheduler > SMALL * (work + scheduler):
        return f"nothing yet; the scheduler is {100 * scheduler / (work + scheduler):.0f}% of a step"
    return "nothing: reading and computing bind"
