"""Tables and sentences of the chapter on data past memory; the terminal shows some of them."""

from bench import words
from bench.report.tables import Column, Table
from bench.scale.records import Point, Scale


def first(scale: Scale) -> list[Table]:
    """The tables that the terminal shows too."""
    return [table for table in (ways_table(scale), extrapolated(scale)) if table]


def gigabytes(rate: float) -> str:
    """A rate in GB/s."""
    return f"{words.digits(rate / 1e9)} GB/s"


def share(scale: Scale, point: Point) -> float | None:
    """Which share of the limit a place reaches."""
    if scale.limit is None or (point.cold and scale.limit.disk is None):
        return None
    return scale.limit.bound(point.m, scale.n_x, point.nbytes, point.cold) / point.best


def ways_table(scale: Scale) -> Table:
    """Each way over all of the data."""
    columns = [
        Column("way"),
        Column("one step", words.seconds),
        Column("read", gigabytes),
        Column("of the limit", words.percent),
        Column("error of J, in u"),
        Column("of dw"),
        Column("peak memory", words.human_bytes),
    ]
    rows = []
    for name, way in scale.ways.items():
        point = scale.points(name, m=scale.m, chunk_rows=scale.chunk_rows, cold=False)[0]
        limit = share(scale, point)
        rows.append([name, point.best, point.rate, limit, way.errors["J"], way.errors["dw"], way.peak_bytes or None])
    title = f"All {scale.m:,} examples, {words.human_bytes(scale.nbytes)}, with {words.human_bytes(scale.memory_bytes)}"
    return Table(f"{title} of memory allowed", columns, rows)


def places(scale: Scale) -> Table | None:
    """Every place that was measured beside that."""
    columns = [
        Column("way"),
        Column("store"),
        Column("m"),
        Column("chunk", words.human_bytes),
        Column("workers"),
        Column("threads of each"),
        Column("page cache"),
        Column("one step", words.seconds),
        Column("read", gigabytes),
        Column("of the limit", words.percent),
    ]
    own = (scale.workers, scale.threads)
    rows = [
        [
            *(p.way, p.store, p.m, p.chunk_bytes, p.workers, p.threads, "cold" if p.cold else "warm", p.best, p.rate),
            share(scale, p) if (p.workers, p.threads) == own and p.store == scale.store else None,
        ]
        for p in scale.grid
    ]
    return Table("By examples, chunk, workers, threads and page cache", columns, rows, keys=7) if rows else None


def held_out(scale: Scale) -> Table | None:
    """What the model predicts of places that it was not fitted on."""
    if scale.model is None or not scale.model.held_out:
        return None
    columns = [
        Column("m"),
        Column("chunk", words.human_bytes),
        Column("workers"),
        Column("measured", words.seconds),
        Column("predicted", lambda value: f"{words.seconds(value)} est."),
        Column("predicted ÷ measured"),
    ]
    rows = [
        [h.m, h.chunk_bytes, h.workers, h.measured, h.predicted, h.predicted / h.measured] for h in scale.model.held_out
    ]
    return Table("The model on places that it was not fitted on", columns, rows, keys=3)


def extrapolated(scale: Scale) -> Table | None:
    """What more workers would do."""
    if not scale.extrapolated:
        return None

    def estimated(value: float) -> str:
        return f"{words.seconds(value, 2)} est."

    columns = [
        Column("workers"),
        Column("m", lambda m: f"{m:.0e}".replace("e+", "e")),
        Column("tasks"),
        Column("reading and computing", estimated),
        Column("scheduler", estimated),
        Column("one step", estimated),
        Column("what breaks first"),
    ]
    rows = [[e.workers, e.m, e.tasks, e.work, e.scheduling, e.seconds, e.breaks] for e in scale.extrapolated]
    chunk = words.human_bytes(scale.chunk_bytes)
    return Table(
        f"Extrapolated, not measured: more workers, each with a disk, chunks of {chunk}", columns, rows, keys=2
    )


def trained(scale: Scale) -> Table | None:
    """Whole training runs."""
    if scale.training is None:
        return None
    columns = [
        Column("method"),
        Column("way"),
        Column("m"),
        Column("steps"),
        Column("seconds", words.seconds),
        Column("cost before"),
        Column("cost after", lambda J: f"{J:.10g}"),
    ]
    rows = [[r.method, r.way, r.m, r.steps, r.seconds, r.first, r.last] for r in scale.training.runs]
    return Table("Whole training", columns, rows, keys=3)


def sentences(scale: Scale) -> list[str]:
    """What the run found, each in a sentence."""
    found = [_peak(scale), _agreed(scale)]
    if scale.limit is not None:
        limit = scale.limit
        disk = f", from the disk {gigabytes(limit.disk)} ({limit.disk_how})" if limit.disk else ""
        found.append(
            f"The limit: {gigabytes(limit.page_cache)} from the page cache{disk}; an empty Dask task costs "
            f"{words.seconds(limit.task_seconds, 2)}."
        )
    found += [
        sentence for sentence in (dask_sentence(scale), _price(scale), _model(scale), _training(scale)) if sentence
    ]
    if scale.kills is not None:
        kills = scale.kills
        slow = f", the slowest in {words.seconds(max(kills.seconds), 2)}" if kills.seconds else ""
        found.append(
            f"A worker was killed in the middle of {words.plural(kills.kills, 'step')}: {kills.right} gave the same "
            f"bits as without{slow} (undisturbed {words.seconds(kills.undisturbed, 2)}), {kills.stopped} stopped with "
            "an error, none was wrong."
        )
    return found + [f"Not measured, {part}: {reason}." for part, reason in scale.skipped.items()]


def _peak(scale: Scale) -> str:
    if scale.scheduler == "existing":
        return (
            f"Peak memory of this process {words.human_bytes(scale.peak_bytes)}; that of the cluster is not measured."
        )
    within = "within" if scale.peak_bytes <= scale.memory_bytes else "above"
    return (
        f"Peak memory of all processes {words.human_bytes(scale.peak_bytes)}, {within} the "
        f"{words.human_bytes(scale.memory_bytes)} allowed; what they share counts in each."
    )


def _agreed(scale: Scale) -> str:
    on = "all examples" if scale.reference_m == scale.m else f"the first {scale.reference_m:,} examples, and each other"
    return f"Every way agrees with the reference within the bound of the theory of rounding, on {on}."


def dask_sentence(scale: Scale) -> str | None:
    """How dask_chunks compares on all of the data."""
    own = {"m": scale.m, "chunk_rows": scale.chunk_rows, "cold": False, "workers": scale.workers}
    points = {name: scale.point(name, **own) for name in scale.ways}
    chunked = points.get("dask_chunks")
    if chunked is None:
        return None
    against = []
    for other, what in (("read_ahead", "the plain loop"), ("dask_array", "dask.array")):
        if (rival := points.get(other)) is not None:
            against.append(f"{words.faster(rival.best / chunked.best)} than {what}")
    return f"dask_chunks is {' and '.join(against)} on all of the data." if against else None


def _price(scale: Scale) -> str | None:
    zarr = [p for p in scale.grid if p.store == "zarr" and p.way == "dask_chunks"]
    npy = [p for p in scale.grid if p.store == "npy" and p.way == "dask_chunks" and zarr and p.m == zarr[-1].m]
    if not zarr or not npy:
        return None
    ratio = min(p.best for p in zarr) / min(p.best for p in npy if p.chunk_rows == zarr[-1].chunk_rows)
    return f"The same examples from Zarr (version 3, not compressed): {words.faster(1.0 / ratio)} than from .npy."


def _model(scale: Scale) -> str | None:
    if scale.model is None or not scale.model.held_out:
        return None
    off = sorted(abs(h.predicted / h.measured - 1.0) for h in scale.model.held_out)
    return (
        f"The model: {words.seconds(scale.model.byte_seconds * 2**30, 2)} a GiB on a worker, "
        f"{words.seconds(scale.model.task_seconds, 2)} a task, {words.seconds(scale.model.step_seconds, 2)} a step; it "
        f"is off by {words.percent(off[len(off) // 2])} (median) and {words.percent(off[-1])} (most) at "
        f"{words.plural(len(off), 'place')} that it was not fitted on."
    )


def _training(scale: Scale) -> str | None:
    if scale.training is None or scale.training.difference is None:
        return None
    return (
        "Gradient descent and L-BFGS in chunks and in memory have the same costs where both fit: at most "
        f"{scale.training.difference:.1g} apart, relatively."
    )
