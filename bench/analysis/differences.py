"""How two runs differ apart from their seconds: machine, versions, settings, and what only one of them holds."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bench.grid import Cell
from bench.results import CellResult, Run
from bench.words import human_bytes

HARDWARE = ("cpu", "machine", "cores", "threads_available", "caches", "numba_cpu")
VERSIONS = ("os", "python", "numpy", "numpy_blas", "numpy_simd", "numba", "llvm")
Which = Literal["first", "second"]
RUNS: tuple[Which, Which] = ("first", "second")
Kind = Literal["machine", "version", "library", "setting"]
WhyNot = Literal["failed", "skipped", "not measured"]
Both = tuple[CellResult, CellResult]  # a cell in the first run and in the second


@dataclass(frozen=True)
class Difference:
    """What differs between the two runs: kind and name of it, and its value in the first and in the second."""

    kind: Kind
    key: str
    before: str
    after: str


@dataclass(frozen=True)
class CellsAlone:
    """The cells that only one of the runs holds."""

    run: Which
    cells: list[Cell]


@dataclass(frozen=True)
class KernelAlone:
    """A kernel that only one run timed, in so many of the cells of both, and why the other did not."""

    run: Which
    kernel: str
    cells: int
    why: WhyNot


@dataclass(frozen=True)
class Lost:
    """A kernel that was timed in the first run and failed in the second, with the reason."""

    kernel: str
    cell: Cell
    reason: str


def shared_cells(a: Run, b: Run) -> list[Both]:
    """The cells that both runs hold, in the order of the second."""
    before = {result.cell: result for result in a.cells}
    return [(before[result.cell], result) for result in b.cells if result.cell in before]


def hardware(a: Run, b: Run) -> list[Difference]:
    """What differs between the machines."""
    return list(_differences("machine", *(_card(run, HARDWARE) for run in (a, b))))


def versions(a: Run, b: Run) -> list[Difference]:
    """Versions and settings that differ; not the grid and its patience, for seconds do not depend on them."""
    # A library that only one run asked for is no other version.
    both = [key for key in a.header.libraries if key in b.header.libraries]
    return [
        *_differences("version", _card(a, VERSIONS), _card(b, VERSIONS)),
        *_differences("library", *({key: run.header.libraries[key] for key in both} for run in (a, b))),
        *_differences("setting", _settings(a), _settings(b)),
    ]


def alone(a: Run, b: Run) -> list[CellsAlone | KernelAlone]:
    """What only one of the runs holds: cells, then kernels of the cells that both hold."""
    return [*_cells_alone(a, b), *_kernels_alone(shared_cells(a, b))]


def lost(a: Run, b: Run) -> list[Lost]:
    """What was timed in the first run and failed in the second."""
    return [
        Lost(kernel, two.cell, reason)
        for one, two in shared_cells(a, b)
        for kernel, reason in two.failed.items()
        if kernel in one.samples
    ]


def _differences(kind: Kind, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Difference]:
    """What differs between two mappings; what only one holds is "none" in the other."""
    for key in dict.fromkeys((*a, *b)):
        if a.get(key) != b.get(key):
            yield Difference(kind, key, _text(a.get(key)), _text(b.get(key)))


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {human_bytes(size)}" for key, size in value.items()) or "none"
    return "none" if value is None else str(value)


def _card(run: Run, keys: tuple[str, ...]) -> dict[str, Any]:
    """These attributes of the machine card of a run."""
    return {key: getattr(run.header.machine, key) for key in keys}


def _settings(run: Run) -> dict[str, Any]:
    preset = run.plan.preset
    lengths = {"sample_seconds": preset.sample_seconds, "settle_seconds": preset.settle_seconds}
    return lengths | run.header.environment | {"seed": run.plan.seed}


def _cells_alone(a: Run, b: Run) -> Iterator[CellsAlone]:
    for which, run, other in zip(RUNS, (a, b), (b, a), strict=True):
        cells = [result.cell for result in run.cells if result.cell not in {r.cell for r in other.cells}]
        if cells:
            yield CellsAlone(which, cells)


def _kernels_alone(cells: list[Both]) -> Iterator[KernelAlone]:
    """Of the cells that both runs hold: the kernels that only one timed there, and why the other did not."""
    for which, ordered in zip(RUNS, (cells, [(two, one) for one, two in cells]), strict=True):
        counts = Counter(
            (kernel, _why_not(not_timed, kernel))
            for timed, not_timed in ordered
            for kernel in timed.kernels
            if kernel not in not_timed.kernels
        )
        for (kernel, why), count in counts.items():
            yield KernelAlone(which, kernel, count, why)


def _why_not(result: CellResult, kernel: str) -> WhyNot:
    if kernel in result.failed:
        return "failed"
    return "skipped" if kernel in result.skipped else "not measured"
