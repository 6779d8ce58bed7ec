"""What `scale.json` holds: typed, so that the page reads what the run wrote. Imports nothing that measures."""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from bench.files import replaced
from bench.results import NotARun

FILE = "scale.json"
Seconds = Annotated[float, Meta(ge=0.0, lt=1e9)]
Rate = Annotated[float, Meta(gt=0.0)]
Count = Annotated[int, Meta(ge=0)]


class Way(Struct, frozen=True):
    """A way to take the step: its answer at the first w and b, and the seconds of every step.

    Attributes:
        J: The cost.
        dw: Gradient by w, (n_x,).
        db: Gradient by b.
        seconds: Of each step of gradient descent, in the order taken.
        costs: J of each of these steps.
        errors: Largest error of J, dw and db, in units of u times the sum of magnitudes.
        peak_bytes: The most memory of all processes while it ran.
    """

    J: float
    dw: list[float]
    db: float
    seconds: list[Seconds]
    costs: list[float]
    errors: dict[str, float]
    peak_bytes: Count = 0


class Point(Struct, frozen=True):
    """A way measured at one place of the grid.

    Attributes:
        way: Its name.
        store: "npy" or "zarr".
        m: How many examples it read.
        nbytes: How many bytes of X and Y these are.
        chunk_rows: Examples in a chunk.
        chunk_bytes: Bytes of a chunk.
        workers: Processes of Dask, or of the plain loop's place.
        threads: Threads of each.
        cold: Whether the page cache held none of the data at first.
        seconds: Of each step.
    """

    way: str
    store: Literal["npy", "zarr"]
    m: int
    nbytes: int
    chunk_rows: int
    chunk_bytes: int
    workers: int
    threads: int
    cold: bool
    seconds: list[Seconds]

    @property
    def tasks(self) -> int:
        """How many chunks a step has."""
        return -(-self.m // self.chunk_rows)

    @property
    def best(self) -> float:
        """Seconds of the fastest step: what the machine can do beside busy neighbours."""
        return min(self.seconds)

    @property
    def rate(self) -> float:
        """Bytes a second of the fastest step."""
        return self.nbytes / self.best


class Limit(Struct, frozen=True):
    """What no pass can beat, measured in the run with as many threads as the ways use.

    Attributes:
        page_cache: Bytes read a second from the page cache.
        disk: The same from the disk; None where it can't be read without the cache.
        disk_how: How the disk was read.
        flops: Floating-point operations a second.
        exps: Exponentials a second.
        task_seconds: What an empty task costs through the same scheduler.
    """

    page_cache: Rate
    disk: Rate | None
    disk_how: str
    flops: Rate
    exps: Rate
    task_seconds: Seconds

    def bound(self, m: int, n_x: int, nbytes: int, cold: bool) -> float:
        """Seconds that a pass takes at least: reading, arithmetic and exponentials may overlap."""
        read = self.disk if cold and self.disk else self.page_cache
        return max(nbytes / read, 4 * m * n_x / self.flops, m / self.exps)


class Held(Struct, frozen=True):
    """A point that the model was not fitted on: seconds measured, and predicted."""

    m: int
    chunk_bytes: int
    workers: int
    measured: Seconds
    predicted: Seconds


class Model(Struct, frozen=True):
    """Seconds of a step = bytes of the busiest worker x byte + tasks x task + step.

    Attributes:
        byte_seconds: What a worker takes for a byte, reading or computing, whichever is slower.
        task_seconds: What the scheduler takes for a task.
        step_seconds: What a step takes beside these: the sum, and the way there and back.
        fitted: How many points it was fitted on.
        held_out: Points that it was not fitted on.
    """

    byte_seconds: Seconds
    task_seconds: Seconds
    step_seconds: Seconds
    fitted: int
    held_out: list[Held]

    def seconds(self, tasks: int, chunk_bytes: float, nbytes: float, workers: int, task_seconds: float) -> float:
        """Seconds of a step in so many chunks."""
        return self.work(tasks, chunk_bytes, nbytes, workers) + tasks * task_seconds + self.step_seconds

    def work(self, tasks: int, chunk_bytes: float, nbytes: float, workers: int) -> float:
        """Seconds that the busiest worker reads and computes."""
        return min(-(-tasks // workers) * chunk_bytes, nbytes) * self.byte_seconds


class Simulated(Struct, frozen=True):
    """A step of tasks that only sleep, through a real scheduler with workers in this process.

    Attributes:
        workers: How many, of one thread each.
        tasks: How many.
        sleep: Seconds that each sleeps.
        seconds: Of the step.
        grown_bytes: By how much this process grew.
    """

    workers: int
    tasks: int
    sleep: Seconds
    seconds: Seconds
    grown_bytes: Count = 0

    @property
    def asleep(self) -> float:
        """Seconds that the busiest worker sleeps."""
        return -(-self.tasks // self.workers) * self.sleep


class Extrapolated(Struct, frozen=True):
    """What more workers would do, by the model; not measured.

    Attributes:
        workers: How many.
        m: How many examples.
        tasks: How many chunks.
        work: Seconds that the busiest worker reads and computes.
        scheduling: Seconds of the scheduler.
        seconds: Of a step.
        breaks: What breaks first, or binds.
    """

    workers: int
    m: int
    tasks: int
    work: float
    scheduling: float
    seconds: float
    breaks: str


class Trained(Struct, frozen=True):
    """A whole training run.

    Attributes:
        method: "gradient descent" or "L-BFGS".
        way: What computed the steps.
        m: On how many examples.
        steps: How many steps were computed.
        seconds: Altogether.
        first: Cost before.
        last: Cost after.
    """

    method: str
    way: str
    m: int
    steps: int
    seconds: Seconds
    first: float
    last: float


class Training(Struct, frozen=True):
    """Training runs, and the largest relative difference of costs between the ways where both fit in memory."""

    runs: list[Trained]
    difference: float | None


class Kills(Struct, frozen=True):
    """Workers killed in the middle of a step, at seeded moments.

    Attributes:
        kills: How many were.
        right: After how many the answer was the same, bit for bit.
        stopped: After how many the step ended with an error.
        undisturbed: Seconds of a step without (median).
        seconds: Of each step with a kill.
    """

    kills: int
    right: int
    stopped: int
    undisturbed: Seconds
    seconds: list[Seconds]


class Scale(Struct, kw_only=True):
    """A run of `unloop scale run`."""

    m: int
    n_x: int
    seed: int
    w: list[float]
    b: float
    store: Literal["npy", "zarr"]
    dtype: str
    nbytes: int
    memory_bytes: int
    workers: int
    threads: int
    scheduler: Literal["embedded", "existing"]
    chunk_rows: int
    chunk_bytes: int
    alpha: float
    checked: Literal["checksums", "values"]
    reference_m: int
    versions: dict[str, str]
    ways: dict[str, Way] = {}
    grid: list[Point] = []
    limit: Limit | None = None
    model: Model | None = None
    simulated: list[Simulated] = []
    extrapolated: list[Extrapolated] = []
    training: Training | None = None
    kills: Kills | None = None
    peak_bytes: int = 0
    skipped: dict[str, str] = {}
    seconds: Seconds = 0.0
    format: Literal[1] = 1

    def points(self, way: str, **where: Any) -> list[Point]:
        """The points of a way whose fields have these values."""
        return [p for p in self.grid if p.way == way and all(getattr(p, k) == v for k, v in where.items())]

    def point(self, way: str, **where: Any) -> Point | None:
        """The first of them."""
        return next(iter(self.points(way, **where)), None)


def save(scale: Scale, folder: Path) -> Path:
    """Write scale.json, whole or not at all; returns its path."""
    path = folder / FILE
    with replaced(path) as new:
        new.write_bytes(msgspec.json.format(msgspec.json.encode(scale), indent=1))
    return path


def load(folder: Path) -> Scale | None:
    """What was measured beside a run; None where its folder holds no scale.json.

    Raises:
        NotARun: For a file that is damaged, or of another format.
    """
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Scale)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise NotARun(f"{path} can't be read: {error}; measure it again, or delete it") from None
