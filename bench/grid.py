"""What is measured: settings, cells (m, n_x, setting), the presets smoke, quick and full, and the plan of a run."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import product
from typing import Annotated, Any, Literal

from msgspec import Meta

Order = Literal["F", "C"]
AtLeastOne = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0.0, lt=1e9)]

PROBLEMS = ("synthetic", "breast_cancer")
MAX_ELEMENTS = 100_000_000
ALPHA = 0.1  # learning rate of the training runs
# Where causes are isolated: X small and in a cache, few features, and X in memory.
EXPLAINED = ((1_000, 32), (10_000, 2), (1_000_000, 32))
BATCH_BYTES = 200 * 2**20
KEPT_VECTORS = 4  # numpy_buffers keeps as many


@dataclass(frozen=True)
class Precision:
    """A floating-point format: unit roundoff u, and bytes of a number."""

    u: float
    nbytes: int


PRECISIONS = {"float64": Precision(2.0**-53, 8)}


def axis(default: Any, part: str, words: str, always: bool = True) -> Any:
    """A field of `Setting`: its default, and how ids and sentences show it.

    Args:
        default: The value that a setting has unless another is asked for.
        part: Its part of an id, such as "{}t".
        words: The same in words; "{s}" is a plural s where the value is not 1.
        always: Show it where it is the default too.
    """
    return field(default=default, metadata={"part": part, "words": words, "always": always})


@dataclass(frozen=True)
class Setting:
    """How a cell is measured, apart from its size. Ids, columns, JSON and titles derive from these fields.

    Attributes:
        order: Layout of X: "F", the features of one example side by side; "C", the examples of one feature.
        threads: How many threads a kernel may use.
        dtype: Floating-point format of X, Y and w.
    """

    order: Order = axis("F", "{}", "order {}")
    threads: AtLeastOne = axis(1, "{}t", "{} thread{s}")
    dtype: Literal["float64"] = axis("float64", "{}", "{}", always=False)

    @property
    def id(self) -> str:
        """The setting in ids and file names, such as F-1t."""
        return "-".join(self._shown("part"))

    @property
    def label(self) -> str:
        """The setting in words, such as order F, 1 thread."""
        return ", ".join(self._shown("words"))

    @property
    def precision(self) -> Precision:
        """The floating-point format."""
        return PRECISIONS[self.dtype]

    def _shown(self, form: str) -> Iterator[str]:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.metadata["always"] or value != each.default:
                yield each.metadata[form].format(value, s="" if value == 1 else "s")


@dataclass(frozen=True)
class Cell:
    """One point of the grid; its kernels are measured together.

    Attributes:
        m: Number of examples.
        n_x: Number of features.
        setting: Order of X, threads and dtype.
        problem: "synthetic" or "breast_cancer".
        iterations: 0 for one gradient step; else the length of a training run of gradient descent.
    """

    m: AtLeastOne
    n_x: AtLeastOne
    setting: Setting = Setting()
    problem: str = "synthetic"
    iterations: Count = 0

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> "Cell":
        """The cell of flat parameters; those that name no field are left out."""
        own = {each.name for each in fields(cls)} - {"setting"}
        setting = Setting(**{each.name: params[each.name] for each in fields(Setting) if each.name in params})
        return cls(setting=setting, **{name: value for name, value in params.items() if name in own})

    @property
    def params(self) -> dict[str, Any]:
        """All fields, those of the setting among them, as one flat mapping."""
        flat = asdict(self)
        setting = flat.pop("setting")
        return {"m": flat.pop("m"), "n_x": flat.pop("n_x"), **setting, **flat}

    @property
    def order(self) -> Order:
        """Layout of X."""
        return self.setting.order

    @property
    def threads(self) -> int:
        """How many threads a kernel may use."""
        return self.setting.threads

    @property
    def id(self) -> str:
        """The cell's name in test ids and files; made of characters that `pytest -k` takes."""
        shape = f"m{self.m}-n_x{self.n_x}-{self.setting.id}"
        return shape if self.problem == "synthetic" else f"{self.problem}-{shape}-{self.iterations}it"

    @property
    def shape(self) -> str:
        """The size in words."""
        return f"m = {self.m:,}, n_x = {self.n_x:,}"

    @property
    def label(self) -> str:
        """The cell in words."""
        words = f"{self.shape}, {self.setting.label}"
        return words if self.problem == "synthetic" else f"{self.problem}, {self.iterations} iterations: {words}"

    @property
    def explained(self) -> bool:
        """Whether the variants of controlled pairs are measured here, where the preset wants them."""
        return (self.m, self.n_x) in EXPLAINED and self.order == "F" and not self.iterations

    @property
    def nbytes(self) -> int:
        """Bytes of X."""
        return self.vector_bytes * self.n_x

    @property
    def vector_bytes(self) -> int:
        """Bytes of a vector with a number for each example, such as Y."""
        return self.setting.precision.nbytes * self.m

    def with_setting(self, **changes: Any) -> "Cell":
        """The same cell in another setting."""
        return replace(self, setting=replace(self.setting, **changes))


@dataclass(frozen=True)
class Preset:
    """A grid and how long to measure each of its cells.

    Attributes:
        name: The preset's name.
        cells: In the order in which they are measured: cells of one problem stand together.
        cap: A kernel whose predicted call takes longer than this is not run, in seconds.
        budget: How long the samples of one kernel in one cell should take altogether, in seconds.
        min_rounds: The fewest rounds that a kernel takes part in, whatever the budget.
        max_rounds: The most rounds.
        sample_seconds: How long a sample lasts at least; a kernel that is faster is called in a loop.
        settle_seconds: How long a kernel runs unrecorded before each sample.
        causes: Measure what explains: the price of compiling, and in a few cells the variants of controlled pairs.
        ceilings: Measure this machine's ceilings first, and a linear read beside the kernels where X is in memory.
    """

    name: str
    cells: tuple[Cell, ...]
    cap: Positive
    budget: Positive
    min_rounds: int
    max_rounds: int
    sample_seconds: float = 5e-3
    settle_seconds: float = 5e-4
    ceilings: bool = False
    causes: bool = False


@dataclass(frozen=True)
class Plan:
    """What a run is to measure: all that a session needs to open one, or to resume it.

    Attributes:
        preset: The grid, and how long to measure each cell.
        seed: Seed of the problems and of the order of samples.
        problem: The problem's name.
        peers: The peers asked for; those installed are measured, the others listed as missing.
        names: The kernels that every cell is measured with; None if that differs by cell, and then it can't be resumed.
        own: Name -> text of the kernels of the user's own (`--kernel`).
    """

    preset: Preset
    seed: int = 0
    problem: str = "synthetic"
    peers: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None
    own: dict[str, str] = field(default_factory=dict)


def available_threads() -> int:
    """How many threads this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_counts() -> list[int]:
    """One thread, and all: the same on a machine that has one."""
    return sorted({1, available_threads()})


def _cells(ms: tuple[int, ...], n_xs: tuple[int, ...], orders: tuple[Order, ...]) -> tuple[Cell, ...]:
    return tuple(
        Cell(m, n_x, Setting(order, count))
        for n_x, m, order, count in product(n_xs, ms, orders, thread_counts())
        if m * n_x <= MAX_ELEMENTS and (m <= 1_000_000 or n_x == 2)
    )


PRESET_NAMES = ("smoke", "quick", "full")


def preset(name: str, problem: str = "synthetic") -> Preset:
    """The preset `name`; with a real data set, its cells are training runs on that set.

    Raises:
        KeyError: For an unknown name.
    """
    presets = {
        "smoke": Preset(
            "smoke",
            (Cell(10, 2), *_cells((1_000,), (32,), ("F",))),
            cap=0.2,
            budget=0.06,
            min_rounds=6,
            max_rounds=60,
        ),
        "quick": Preset(
            "quick",
            _cells((10, 100, 1_000, 10_000, 100_000), (2, 32, 512), ("F",)),
            cap=0.1,
            budget=0.09,
            min_rounds=9,
            max_rounds=200,
            ceilings=True,
        ),
        "full": Preset(
            "full",
            _cells(
                (10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000),
                (1, 2, 8, 32, 128, 512, 2_048, 12_288),
                ("F", "C"),
            ),
            cap=0.4,
            budget=0.4,
            min_rounds=9,
            max_rounds=120,
            ceilings=True,
            causes=True,
        ),
    }
    chosen = presets[name]
    if problem == "synthetic":
        return chosen
    iterations = 10 if name == "smoke" else 1_000
    cells = tuple(Cell(569, 30, Setting("F", count), problem, iterations) for count in thread_counts())
    # A training run of the Python loop takes longer than a cell of the grid: fewer rounds, more patience.
    return replace(
        chosen,
        cells=cells,
        cap=60.0,
        budget=chosen.budget * iterations / 100,
        min_rounds=6,
        ceilings=False,
        causes=False,
    )


def batches(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    """Cells that are measured together: neighbours that fit into BATCH_BYTES, or one alone.

    A problem counts once, and for each cell some vectors of m numbers, which its kernels keep from call to call.
    """
    batch: list[Cell] = []
    problems: dict[Cell, int] = {}
    for cell in cells:
        key = cell.with_setting(threads=1)
        kept = sum(KEPT_VECTORS * other.vector_bytes for other in (*batch, cell))
        if batch and sum((problems | {key: cell.nbytes}).values()) + kept > BATCH_BYTES:
            yield batch
            batch, problems = [], {}
        problems[key] = cell.nbytes
        batch.append(cell)
    if batch:
        yield batch
