"""The presets smoke, quick, full and sizes: which cells, and how long to measure each."""

import math
import os
import random
from dataclasses import replace
from itertools import product

from bench.grid import PRECISIONS, Cell, Order, Preset, Setting

PROBLEMS = ("synthetic", "breast_cancer")
SEEDS = 2**63  # what a run can record: seeds from 0 up to below it
MAX_ELEMENTS = 100_000_000
QUICK_ELEMENTS = 10_000_000  # a cell above it takes a quarter of such a run, for few samples


def available_threads() -> int:
    """How many threads this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_counts() -> list[int]:
    """One thread, and all: the same on a machine that has one."""
    return sorted({1, available_threads()})


def _cells(
    ms: tuple[int, ...], n_xs: tuple[int, ...], orders: tuple[Order, ...], most: int = MAX_ELEMENTS
) -> tuple[Cell, ...]:
    return tuple(
        Cell(m, n_x, Setting(order, count))
        for n_x, m, order, count in product(n_xs, ms, orders, thread_counts())
        if m * n_x <= most and (m <= 1_000_000 or n_x == 2)
    )


PRESET_NAMES = ("smoke", "quick", "full", "sizes")
DTYPES = (*PRECISIONS, "both")
# Where the full grid shows what half the bytes are worth: few features and many, in the caches and from memory; order C
# with one thread, since it is the order that peers want.
TEACHING_MS, TEACHING_N_XS = (1_000, 10_000, 100_000, 1_000_000), (2, 32, 512, 2_048)


def _random_sizes(count: int = 80) -> tuple[Cell, ...]:
    """Sizes as users have them, the same in every run: no powers of two or ten, each decade as likely as the next."""
    rng, sizes = random.Random(17), set[tuple[int, int]]()
    while len(sizes) < count:
        m, n_x = round(10 ** rng.uniform(1, 6)), round(10 ** rng.uniform(0, math.log10(12_288)))
        if m * n_x <= MAX_ELEMENTS // 2:
            sizes.add((m, n_x))
    orders: tuple[Order, ...] = ("F", "C")
    return tuple(
        Cell(m, n_x, Setting(order, threads))
        for m, n_x in sorted(sizes, key=math.prod)
        for order, threads in product(orders, thread_counts())
    )


def _teaches(cell: Cell) -> bool:
    return cell.m in TEACHING_MS and cell.n_x in TEACHING_N_XS and (cell.order == "F" or cell.threads == 1)


def _in(preset: Preset, dtype: str) -> Preset:
    """The preset with its cells in a dtype, or in both: first all in float64, then those of float32."""
    if dtype == "float64":
        return preset
    singles = tuple(cell.with_setting(dtype="float32") for cell in preset.cells)
    if dtype == "float32":
        return replace(preset, cells=singles)
    teaching = tuple(cell for cell in singles if preset.name != "full" or cell.iterations or _teaches(cell))
    return replace(preset, cells=preset.cells + teaching)


def preset(name: str, problem: str = "synthetic", dtype: str | None = None) -> Preset:
    """The preset `name`; with a real data set, its cells are training runs on that set.

    Args:
        name: One of PRESET_NAMES.
        problem: One of PROBLEMS.
        dtype: One of DTYPES; None for "both" of the full grid, which has fewer cells in float32, else for "float64".

    Raises:
        KeyError: For an unknown name.
    """
    return _in(_of_float64(name, problem), dtype or ("both" if name == "full" else "float64"))


def _of_float64(name: str, problem: str) -> Preset:
    presets = {
        "smoke": Preset(
            "smoke",
            (Cell(10, 2), *_cells((1_000,), (32,), ("F",))),
            cap=0.2,
            budget=0.06,
            min_rounds=3,
            max_rounds=200,
            processes=2,
        ),
        "quick": Preset(
            "quick",
            _cells((10, 100, 1_000, 10_000, 100_000), (2, 32, 512), ("F",), QUICK_ELEMENTS),
            cap=0.1,
            budget=0.16,
            min_rounds=2,
            max_rounds=400,
            processes=6,
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
            min_rounds=2,
            max_rounds=400,
            processes=6,
            ceilings=True,
            causes=True,
        ),
        "sizes": Preset(
            "sizes", _random_sizes(), cap=0.1, budget=0.06, min_rounds=2, max_rounds=200, processes=3, ceilings=True
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
        min_rounds=2,
        ceilings=False,
        causes=False,
    )
