"""Past memory and past one machine: what `scale.json` in the run's folder holds."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from bench import words
from bench.report.chapters.scale_tables import dask_sentence, first, held_out, places, sentences, trained
from bench.report.charts import Plot, titled
from bench.report.section import Section
from bench.report.style import WIDTH
from bench.report.tables import Column, Table
from bench.results import Run
from bench.scale.records import Scale, load

LEAD = [
    "X and Y lie on disk, and the step is a sum over chunks of examples. The ways below differ in who hands out the "
    "chunks; each was checked against the reference before it was timed, and they were timed in turn."
]
# Of Okabe and Ito, as the kernels' colours; these ways are no kernels.
COLORS = {"dask_array": "#7f7f7f", "dask_chunks": "#d55e00", "read_ahead": "#0072b2", "in_memory": "#009e73"}
MARKERS = {"dask_array": "s", "dask_chunks": "o", "read_ahead": "^", "in_memory": "D"}


def section(run: Run) -> Section | None:
    """The section of the page; None for a run with no scale.json beside it."""
    scale = load(run.folder) if run.folder else None
    if scale is None:
        return None
    plots = [plot for plot in (rates(scale), chunks(scale), simulated(scale)) if plot]
    tables = [table for table in (*first(scale), held_out(scale), trained(scale)) if table]
    return Section("scale", "Past memory and past one machine", LEAD, plots, tables, sentences(scale)).or_none()


def rates(scale: Scale) -> Plot | None:
    """How fast each way reads, from the page cache and cold, beside the ceilings."""
    whole = [p for p in scale.grid if p.m == scale.m and p.chunk_rows == scale.chunk_rows and p.store == scale.store]
    whole = [p for p in whole if (p.workers, p.threads) == (scale.workers, scale.threads)]
    memory = scale.point("in_memory", cold=False)
    shown = [*whole, *([memory] if memory and memory not in whole else [])]
    names = [name for name in COLORS if any(p.way == name for p in shown)][::-1]
    if not names:
        return None
    height = 0.52 * len(names) + 1.4
    figure = Figure(figsize=(WIDTH, height))
    ax = figure.subplots()
    figure.subplots_adjust(left=1.15 / WIDTH, right=1 - 1.0 / WIDTH, bottom=0.52 / height, top=1 - 0.75 / height)
    for point in shown:
        y = names.index(point.way) + (0.2 if point.cold else -0.12)
        color = COLORS[point.way]
        ax.plot([point.rate / 1e9], [y], marker="v" if point.cold else MARKERS[point.way], color=color, markersize=7)
        words_beside = f"{words.digits(point.rate / 1e9, 2)}{' cold' if point.cold else ''}"
        ax.annotate(words_beside, (point.rate / 1e9, y), xytext=(8, 0), textcoords="offset points", va="center",
                    fontsize=8, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4})  # fmt: skip
    if scale.limit is not None:
        for rate, what in ((scale.limit.page_cache, "page cache"), (scale.limit.disk, "disk, cold")):
            if rate:
                ax.axvline(rate / 1e9, color="#555555", linewidth=1.0, linestyle="--", zorder=1)
                ax.annotate(what, (rate / 1e9, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3), ha="center",
                            textcoords="offset points", fontsize=8, color="#555555")  # fmt: skip
    ax.set_yticks(range(len(names)), names)
    ax.set(xscale="log", ylim=(-0.5, len(names) - 0.35), xlabel="data read, GB/s (dashed: the ceilings of this run)")
    _plain(ax, "x")
    titled(figure, f"How fast each way reads {words.human_bytes(scale.nbytes)} on {scale.workers} workers")
    note = f"; in_memory on the {memory.m:,} examples that fit" if memory and memory not in whole else ""
    caption = f"Rate at which each way reads the data, from the page cache and cold (triangles), in GB/s{note}."
    return Plot("scale-rates", caption, figure, finding_rates(scale), places(scale))


def finding_rates(scale: Scale) -> str:
    """What the first figure shows."""
    return dask_sentence(scale) or "Only one way was measured on all of the data."


def chunks(scale: Scale) -> Plot | None:
    """The rate against the size of a chunk."""
    ms = sorted({p.m for p in scale.grid if len({q.chunk_rows for q in scale.grid if q.m == p.m and not q.cold}) > 1})
    panels = [m for m in ms if scale.points("dask_chunks", m=m, cold=False)][-2:]
    if not panels:
        return None
    figure = Figure(figsize=(WIDTH, 2.9))
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    figure.subplots_adjust(left=0.085, right=0.985, bottom=0.175, top=0.77, wspace=0.08)
    for ax, m in zip(axes, panels, strict=True):
        for name in ("read_ahead", "dask_chunks"):
            best: dict[int, float] = {}
            for p in scale.points(
                name, m=m, cold=False, workers=scale.workers, threads=scale.threads, store=scale.store
            ):
                best[p.chunk_bytes] = max(best.get(p.chunk_bytes, 0.0), p.rate / 1e9)
            sizes = sorted(best)
            ax.plot([s / 2**20 for s in sizes], [best[s] for s in sizes], color=COLORS[name], marker=MARKERS[name],
                    label=name)  # fmt: skip
        ax.set(xscale="log", xlabel="chunk, MiB", ylim=(0.0, None))
        ax.set_title(f"m = {m:,}", fontsize=9, fontweight="normal")
        ticks = sorted({round(p.chunk_bytes / 2**20, 1) for p in scale.points("dask_chunks", m=m, cold=False)})
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.xaxis.set_minor_locator(NullLocator())
    axes[0].set_ylabel("data read, GB/s")
    axes[-1].legend(frameon=False, fontsize=8, loc="lower right")
    titled(figure, "The larger the chunk, the less its task costs")
    caption = "Rate of dask_chunks and of the plain loop against the size of a chunk, from the page cache."
    return Plot("scale-chunks", caption, figure, finding_chunks(scale, panels[-1]))


def finding_chunks(scale: Scale, m: int) -> str:
    """How near Dask comes to the plain loop, by chunk."""
    parts = []
    for p in sorted(scale.points("dask_chunks", m=m, cold=False, workers=scale.workers), key=lambda p: p.chunk_bytes):
        rival = scale.point("read_ahead", m=m, cold=False, chunk_rows=p.chunk_rows)
        if rival is not None and p.threads == scale.threads:
            parts.append(f"{words.percent(rival.best / p.best)} at {words.human_bytes(p.chunk_bytes)}")
    return f"dask_chunks reaches {', '.join(dict.fromkeys(parts))} of the plain loop's rate." if parts else ""


def simulated(scale: Scale) -> Plot | None:
    """What the scheduler takes, against the number of tasks."""
    if not scale.simulated:
        return None
    figure = Figure(figsize=(WIDTH, 3.1))
    ax = figure.subplots()
    figure.subplots_adjust(left=0.09, right=0.80, bottom=0.165, top=0.86)
    colors = ("#56b4e9", "#0072b2", "#d55e00", "#000000")
    for color, workers in zip(colors, sorted({s.workers for s in scale.simulated}), strict=False):
        steps = sorted((s for s in scale.simulated if s.workers == workers), key=lambda s: s.tasks)
        label = words.plural(workers, "worker")
        ax.plot([s.tasks for s in steps], [s.seconds for s in steps], color=color, marker="o", label=label)
        ax.plot([s.tasks for s in steps], [s.asleep for s in steps], color=color, linestyle=":", linewidth=1.0)
    ax.set(xscale="log", yscale="log", xlabel="tasks of a step", ylabel="seconds of a step")
    ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    ax.annotate("dotted: if handing out\ntasks cost nothing", (1.02, 0.12), xycoords="axes fraction", fontsize=8)
    sleep = words.seconds(scale.simulated[0].sleep, 2)
    titled(figure, f"The scheduler with tasks that sleep {sleep}, as long as a chunk takes")
    caption = "Seconds of a step of sleeping tasks through a real scheduler, against the number of tasks, by workers."
    columns = [
        Column("workers"),
        Column("tasks"),
        *(Column(n, words.seconds) for n in ("asleep", "one step", "a task")),
    ]
    rows = [[s.workers, s.tasks, s.asleep, s.seconds, s.seconds / s.tasks] for s in scale.simulated]
    most = max(scale.simulated, key=lambda s: (s.tasks, s.workers))
    finding = (
        f"{most.tasks:,} tasks on {words.plural(most.workers, 'worker')} take {words.seconds(most.seconds, 2)}, "
        f"{words.seconds(most.seconds / most.tasks, 2)} each; the workers sleep {words.seconds(most.asleep, 2)} of it."
    )
    return Plot("scale-simulated", caption, figure, finding, Table("Simulated tasks", columns, rows, keys=2))


def _plain(ax: Axes, axis: str) -> None:
    """Numbers, and no powers, on a logarithmic axis."""
    low, high = ax.get_xlim()
    ticks: Sequence[float] = [t for t in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if low <= t <= high]
    chosen = ax.xaxis if axis == "x" else ax.yaxis
    ax.set_xticks(ticks)
    chosen.set_minor_locator(NullLocator())
    chosen.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
