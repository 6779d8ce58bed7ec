"""What is measured: settings, cells (m, n_x, setting), how long to measure each, and the plan of a run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Annotated, Any, Literal

from msgspec import Meta

Order = Literal["F", "C"]
AtLeastOne = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0.0, lt=1e9)]

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


def axis(part: str, words: str, always: bool = True) -> dict[str, Any]:
    """How ids and sentences show a field of `Setting`: its metadata.

    Args:
        part: Its part of an id, such as "{}t".
        words: The same in words; "{s}" is a plural s where the value is not 1.
        always: Show it where it is the default too.
    """
    return {"part": part, "words": words, "always": always}


@dataclass(frozen=True)
class Setting:
    """How a cell is measured, apart from its size. Ids, columns, JSON and titles derive from these fields.

    Attributes:
        order: Layout of X: "F", the features of one example side by side; "C", the examples of one feature.
        threads: How many threads a kernel may use.
        dtype: Floating-point format of X, Y and w.
    """

    order: Order = field(default="F", metadata=axis("{}", "order {}"))
    threads: AtLeastOne = field(default=1, metadata=axis("{}t", "{} thread{s}"))
    dtype: Literal["float64"] = field(default="float64", metadata=axis("{}", "{}", always=False))

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
        min_rounds: The fewest rounds that a kernel takes part in, in each process, whatever the budget.
        max_rounds: The most rounds of a process.
        sample_seconds: How long a sample lasts at least; a kernel that is faster is called in a loop.
        settle_seconds: How long a kernel runs unrecorded before each sample.
        processes: How many fresh processes measure each cell, one after another, with a share of the rounds each.
        causes: Measure what explains: the price of compiling, and in a few cells the variants of controlled pairs.
        ceilings: Measure this machine's ceilings first, and a linear read beside the kernels where X is in memory.
    """

    name: str
    cells: tuple[Cell, ...]
    cap: Positive
    budget: Positive
    min_rounds: int
    max_rounds: int
    sample_seconds: float = 5e-4
    settle_seconds: float = 1e-4
    processes: AtLeastOne = 1
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
