"""Cells (m, n_x, order, threads) and the presets smoke, quick and full."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from bench.problem import Order

MAX_ELEMENTS = 100_000_000
ALPHA = 0.1  # of the training runs
# Where causes are isolated: X small and in a cache, few features, and X in memory.
EXPLAINED = ((1_000, 32), (10_000, 2), (1_000_000, 32))
BATCH_BYTES = 200 * 2**20
KEPT_VECTORS = 4  # numpy_buffers keeps as many


@dataclass(frozen=True)
class Cell:
    """One point of the grid; its kernels are measured together.

    Attributes:
        m: Number of examples.
        n_x: Number of features.
        order: Layout of X, "F" or "C".
        threads: How many threads a kernel may use.
        problem: "synthetic" or "breast_cancer".
        iterations: 0 for one gradient step; else the length of a training run of gradient descent.
    """

    m: int
    n_x: int
    order: Order = "F"
    threads: int = 1
    problem: str = "synthetic"
    iterations: int = 0

    @property
    def id(self) -> str:
        """The cell's name in test ids and files; made of characters that `pytest -k` takes."""
        shape = f"m{self.m}-n_x{self.n_x}-{self.order}-{self.threads}t"
        return shape if self.problem == "synthetic" else f"{self.problem}-{shape}-{self.iterations}it"

    @property
    def label(self) -> str:
        """The cell in words."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        words = f"m = {self.m:,}, n_x = {self.n_x:,}, order {self.order}, {threads}"
        return words if self.problem == "synthetic" else f"{self.problem}, {self.iterations} iterations: {words}"

    @property
    def explained(self) -> bool:
        """Whether the variants of controlled pairs are measured here, where the preset wants them."""
        return (self.m, self.n_x) in EXPLAINED and self.order == "F" and not self.iterations

    @property
    def nbytes(self) -> int:
        """Bytes of X."""
        return 8 * self.m * self.n_x


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
    cap: float
    budget: float
    min_rounds: int
    max_rounds: int
    sample_seconds: float = 5e-3
    settle_seconds: float = 5e-4
    ceilings: bool = False
    causes: bool = False


def available_threads() -> int:
    """How many threads this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_counts() -> list[int]:
    """One thread, and all: the same on a machine that has one."""
    return sorted({1, available_threads()})


def _cells(ms: tuple[int, ...], n_xs: tuple[int, ...], orders: tuple[Order, ...]) -> tuple[Cell, ...]:
    return tuple(
        Cell(m, n_x, order, count)
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
    cells = tuple(Cell(569, 30, "F", count, problem, iterations) for count in thread_counts())
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
        key = replace(cell, threads=1)
        together = sum((problems | {key: cell.nbytes}).values()) + sum(KEPT_VECTORS * 8 * c.m for c in (*batch, cell))
        if batch and together > BATCH_BYTES:
            yield batch
            batch, problems = [], {}
        problems[key] = cell.nbytes
        batch.append(cell)
    if batch:
        yield batch
