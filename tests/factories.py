"""Runs that are made and not measured, for tests of what only reads one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import msgspec
import numpy as np

from bench.grid import Cell, Plan, Preset, Setting
from bench.results.cell import VECTORIZED, CellResult, Samples
from bench.results.place import Card, Moment
from bench.results.records import CONTROL, Header, KernelCard
from bench.results.run import Run

ROUNDS = 9
CARD = Card(
    cpu="a CPU",
    os="Linux 1",
    machine="x86_64",
    python="CPython 3.11.7",
    numpy="2.4.6",
    numpy_blas="openblas 1 (Any)",
    numpy_simd="AVX2",
    numba="0.68.1",
    llvm="20.1.8",
    numba_cpu="any",
    threads_available=2,
    caches={"L2": 2**20, "L3": 2**25},
    memory_bytes=2**34,
    cores=2,
    logical_cpus=2,
)
COMPILED = ("numba_", "torch_compile", "jax_")


def cell(m: int, n_x: int, order: Any = "F", threads: int = 1, **more: Any) -> Cell:
    """A cell, its setting named in a few characters."""
    return Cell(m, n_x, Setting(order, threads), **more)


def preset(cells: Iterable[Cell] = (), **changes: Any) -> Preset:
    """A preset that takes little time."""
    brief: dict[str, Any] = {"cap": 0.1, "budget": 2e-2, "min_rounds": 8, "max_rounds": 12, "sample_seconds": 2e-4}
    return Preset("tiny", tuple(cells), **(brief | {"settle_seconds": 2e-5} | changes))


def result(where: Cell, seconds: Mapping[str, float | Sequence[float]], **facts: Any) -> CellResult:
    """A cell in which each label took these seconds, one sample a round; a number stands for ROUNDS equal samples."""
    each = {name: [value] * ROUNDS if isinstance(value, float | int) else value for name, value in seconds.items()}
    return CellResult(where, {name: Samples.of_calls(values) for name, values in each.items()}, **facts)


def kernel_card(name: str, **changes: Any) -> KernelCard:
    """What a run records of a kernel."""
    compiles = "once" if name.startswith(COMPILED) else "never"
    facts = {"title": name, "change": f"What {name} changes.", "threads": "all", "compiles": compiles}
    return msgspec.convert(facts | changes, KernelCard)


def header(
    cells: Iterable[Cell] = (),
    kernels: Collection[str] | Mapping[str, KernelCard] = (),
    problem: str = "synthetic",
    **changes: Any,
) -> Header:
    """The header of a run that holds these cells and kernels."""
    cards = kernels if isinstance(kernels, Mapping) else {name: kernel_card(name) for name in kernels}
    plan = Plan(preset(cells), problem=problem)
    before = Moment("2026-01-01T00:00:00+00:00", 0.1)
    facts: dict[str, Any] = {"plan": plan, "machine": CARD, "before": before, "kernels": dict(cards)}
    return Header(**(facts | changes))


def run(
    results: Sequence[CellResult],
    kernels: Collection[str] | Mapping[str, KernelCard] | None = None,
    machine: Card = CARD,
    problem: str = "synthetic",
    **facts: Any,
) -> Run:
    """A run of these cells; its kernels are all that were timed, skipped or failed, unless they are named."""
    if kernels is None:
        kernels = list(dict.fromkeys(n for each in results for n in (*each.kernels, *each.skipped, *each.failed)))
    return Run(header([each.cell for each in results], kernels, problem, machine=machine), results, **facts)


# Runs whose costs are known: seconds of a call, of an example, of an element.
COSTS = {
    "numba_fused": (1e-6, 2e-9, 1e-10),
    "numpy_vectorized": (1e-5, 8e-9, 2e-10),
    "numba_loop": (8e-7, 1.5e-8, 9e-10),
}
COST_MS, COST_N_XS = (10, 100, 1_000, 10_000, 100_000, 1_000_000), (1, 8, 64, 512)


def run_of_costs(
    costs: Mapping[str, tuple[float, float, float]] = COSTS,
    *,
    noise: float = 0.0,
    seed: int = 0,
    far: float = 1.0,
    compiling: float = 1.0,
    ms: Sequence[int] = COST_MS,
    more: Iterable[CellResult] = (),
    cards: Mapping[str, KernelCard] | None = None,
) -> Run:
    """A run made of known costs, with an A/A control beside numpy_vectorized.

    Args:
        costs: Kernel -> seconds per call, per example, per element.
        noise: Standard deviation of ln(seconds) from cell to cell.
        seed: Of the noise.
        far: How many times as much an element costs outside the L2.
        compiling: Seconds of the first call.
        ms: Numbers of examples.
        more: Further cells.
        cards: What the run records of the kernels, if it matters.
    """
    rng = np.random.default_rng(seed)
    results = []
    for n_x, m in product(COST_N_XS, ms):
        beyond = far if 8 * m * (n_x + 4) > 0.75 * 2**20 else 1.0
        seconds = {
            name: (a + c * m + d * beyond * m * n_x) * float(np.exp(noise * rng.standard_normal()))
            for name, (a, c, d) in costs.items()
        }
        control = {CONTROL: seconds[VECTORIZED]} if VECTORIZED in seconds else {}
        results.append(result(cell(m, n_x), seconds | control, first_call=dict.fromkeys(costs, compiling)))
    return run([*results, *more], cards)
