"""The presets smoke, quick and full: which cells, and how long to measure each."""

import os
from dataclasses import replace
from itertools import product

from bench.grid import Cell, Order, Preset, Setting

PROBLEMS = ("synthetic", "breast_cancer")
MAX_ELEMENTS = 100_000_000


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
            min_rounds=3,
            max_rounds=200,
            processes=2,
        ),
        "quick": Preset(
            "quick",
            _cells((10, 100, 1_000, 10_000, 100_000), (2, 32, 512), ("F",)),
            cap=0.1,
            budget=0.13,
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
