"""Runs that are made and not measured, for tests of what only reads one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from bench.grid import Cell, Plan, Preset, Setting
from bench.results.records import Card, Header, KernelCard, Moment
from bench.results.run import CellResult, Run, Samples

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
    brief = {"cap": 0.1, "budget": 2e-2, "min_rounds": 8, "max_rounds": 12, "sample_seconds": 2e-4}
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
    facts = {"plan": plan, "machine": CARD, "before": Moment("2026-01-01T00:00:00+00:00", 0.1), "kernels": dict(cards)}
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
        kernels = dict.fromkeys(name for each in results for name in (*each.kernels, *each.skipped, *each.failed))
    return Run(header([each.cell for each in results], kernels, problem, machine=machine), results, **facts)
