"""What the experiment keeps: the estimates of every run, from which all its figures are computed."""

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from bench.grid import AtLeastOne
from bench.results.place import Card

FILE = "trust.json"

Neighbour = Literal["quiet", "disturbed"]
Way = Literal["unloop", "pytest-benchmark"]
Positive = Annotated[float, Meta(gt=0.0)]


class Bounds(NamedTuple):
    """An estimate and its 95 % interval."""

    estimate: Positive
    low: Annotated[float, Meta(ge=0.0)]
    high: Positive


class Figures(Struct, frozen=True, omit_defaults=True):
    """What one way makes of one benchmark in one run.

    Attributes:
        logs: Of unloop: ln of the seconds of a call that each of its processes estimates.
        seconds: Of unloop: seconds of a call.
        speedup: Of unloop: the speed-up over numpy_vectorized.
        median: Of pytest-benchmark, as it prints it, in seconds; and so are the other two.
        mean: See `median`.
        min: See `median`.
    """

    logs: list[float] = []
    seconds: Bounds | None = None
    speedup: Bounds | None = None
    median: Positive | None = None
    mean: Positive | None = None
    min: Positive | None = None


class Measured(Struct, frozen=True, omit_defaults=True):
    """One run of one way.

    Attributes:
        neighbour: Whether another process disturbed it on purpose.
        way: Whose way.
        more: By how many percent it does more work than the runs of 0.
        index: Its number among those of the same neighbour, way and work.
        seconds: How long it took, all in.
        max_time: Of pytest-benchmark: the seconds that it was given for each benchmark.
        figures: Benchmark (kernel at m x n_x) -> figures.
    """

    neighbour: Neighbour
    way: Way
    more: Annotated[int, Meta(ge=0)]
    index: Annotated[int, Meta(ge=0)]
    seconds: Positive
    figures: dict[str, Figures]
    max_time: Positive | None = None


class Experiment(Struct, frozen=True):
    """The whole experiment, on one machine."""

    version: str
    date: str
    machine: Card
    processes: AtLeastOne
    runs: list[Measured]
    format: Literal[1] = 1


def find(folder: Path) -> Experiment | None:
    """The experiment that stands in a folder, or None.

    Raises:
        ValueError: If the file is damaged, in one line.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Experiment)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path} can't be read: {error}; measure it again: unloop trust --out {folder}") from None
