"""`unloop scale run`: check the data, agree with the reference, measure the ways side by side, say what binds."""

import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.grid import ALPHA
from bench.scale import cluster, faults, limit, model, training, ways
from bench.scale.cluster import Memory
from bench.scale.data import Damaged, Data
from bench.scale.records import Scale, Way
from bench.scale.session import Asked, Progress, Session, opened, point, turned
from bench.words import WrongUse, human_bytes
from kernels._kernel import Array

PARTS = ("limit", "grid", "store", "training", "scheduler", "faults")
DEFAULT_PARTS = ("limit", "grid", "store", "training")
VERSIONED = ("dask", "distributed", "zarr", "numpy", "numba")


def run(asked: Asked, w: Array, b: float, folder: Path, progress: Progress = lambda _: None) -> Scale:
    """Measure all that was asked for into scale.json of a folder, which is written anew after each part.

    Raises:
        Disagreement: If a way does not agree with the reference.
        WrongUse: If the data change or the cluster is lost meanwhile.
    """
    data = asked.data
    rows = max(1, asked.chunk_bytes // data.row_bytes)
    with Memory() as memory, ExitStack() as stack:
        before = asked.state or data.state()
        progress("starting Dask")
        if asked.scheduler:
            client = stack.enter_context(cluster.existing(asked.scheduler))
            cluster.require_same_files(client, data)
            workers, threads = cluster.shape(client)
        else:
            client = stack.enter_context(cluster.embedded(asked.workers, asked.threads))
            workers, threads = asked.workers, asked.threads
        scale = asked.begun or Scale(
            m=data.m,
            n_x=data.n_x,
            seed=asked.seed,
            w=w.tolist(),
            b=b,
            store=data.store,
            dtype=data.dtype,
            nbytes=data.nbytes,
            memory_bytes=asked.memory,
            workers=workers,
            threads=threads,
            scheduler="existing" if asked.scheduler else "embedded",
            chunk_rows=min(rows, data.m),
            chunk_bytes=min(rows, data.m) * data.row_bytes,
            alpha=ALPHA,
            checked=asked.checked,
            reference_m=0,
            versions={name: version(name) for name in VERSIONED},
        )
        session = Session(asked, folder, progress, memory, scale, w, b)
        if asked.begun is None:
            whole(session, client)
            require_unchanged(data, before)
            session.save()
        for part in PARTS:
            if part in asked.parts:
                _measure(part, session, client)
                require_unchanged(data, before)
                session.save()
    session.save()
    return scale


def _measure(part: str, session: Session, client: Any) -> None:
    embedded = session.asked.scheduler is None
    match part:
        case "limit":
            session.progress("the limit: page cache, disk, empty tasks")
            session.scale.limit = limit.measure(client, session.asked.data, session.slots)
        case "grid":
            model.measure(session, client)
        case "store":
            model.other_store(session, client)
        case "training":
            session.scale.training = training.train(session, client)
        case "scheduler":
            model.scheduler(session)
        case "faults" if embedded:
            session.scale.kills = faults.measure(session, client)
        case "faults":
            session.scale.skipped["faults"] = "only workers of an embedded cluster are killed"


def require_unchanged(data: Data, before: Any) -> None:
    """Make sure that nobody wrote to the data since they were checked.

    Raises:
        Damaged: If somebody did.
    """
    try:
        same = data.state() == before
    except OSError as error:
        raise Damaged(f"{data.X} is gone: {error.strerror}") from None
    if not same:
        raise Damaged(f"{data.X} or {data.Y} changed while it was measured; nothing of this run counts, run it again")


def whole(session: Session, client: Any) -> None:
    """The ways over all of the data: agreement first, then gradient descent, a step of each way in turn."""
    asked, scale, data = session.asked, session.scale, session.asked.data
    names = list(asked.ways)
    reason = ways.too_large(data, asked.memory)
    if reason and "in_memory" in names:
        names.remove("in_memory")
        scale.skipped["in_memory"] = reason
    if not names:
        raise WrongUse(f"no way is left to measure: in_memory is skipped, {reason}")
    slots = session.slots
    limit.warm(data.head(scale.chunk_rows), scale.chunk_rows)  # compiles, if no process has yet
    with opened(names, data, scale.chunk_rows, client, slots) as steps:
        answers, peaks, errors = {}, {}, {}
        for name, step in steps.items():
            session.progress(f"{name} against the reference")
            session.memory.lap()
            answers[name] = step(session.w, session.b)
            peaks[name] = session.memory.lap()
            agreed = session.check(name, data, answers[name], client)
            if agreed is None:  # so many examples that the reference takes the first of them
                compared = session.expected[data.m][0]
                with opened([name], compared, scale.chunk_rows, client, slots) as few:
                    agreed = session.check(name, compared, few[name](session.w, session.b), client)
            assert agreed is not None
            errors[name] = {"J": agreed.J, "dw": agreed.dw, "db": agreed.db}
        scale.reference_m = session.expected[data.m][0].m
        at = dict.fromkeys(steps, (session.w, session.b))
        seconds: dict[str, list[float]] = {name: [] for name in steps}
        costs: dict[str, list[float]] = {name: [] for name in steps}
        for k in range(asked.iterations):
            for name in turned(names, k):
                session.progress(f"step {k + 1} of {asked.iterations}: {name}")
                session.memory.lap()
                start = time.perf_counter()
                answer = steps[name](*at[name])
                seconds[name].append(time.perf_counter() - start)
                peaks[name] = max(peaks[name], session.memory.lap())
                costs[name].append(answer[0])
                at[name] = training.after(answer, *at[name], ALPHA)
    for name in names:
        J, dw, db = answers[name]
        scale.ways[name] = Way(J, dw.tolist(), db, seconds[name], costs[name], errors[name], peaks[name])
        scale.grid.append(point(name, data, scale.chunk_rows, seconds[name], (scale.workers, scale.threads)))


def over(scale: Scale) -> str | None:
    """A warning where the peak was above the memory allowed."""
    if scale.peak_bytes <= scale.memory_bytes:
        return None
    return f"peak memory {human_bytes(scale.peak_bytes)} is above --memory {human_bytes(scale.memory_bytes)}"
