"""A run in memory: its cells, and how it was made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import pandas as pd

from bench.grid import Cell, Plan, Setting
from bench.results.cell import LOOP, CellResult
from bench.results.records import Ceiling, End, Header, KernelCard, Price, Resumed
from bench.stats import Interval

K = TypeVar("K")
V = TypeVar("V")


def _empty() -> Mapping[K, V]:
    return MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Run:
    """A run: its header, its cells in the order measured, and how it ended.

    Attributes:
        header: The plan, the machine, the kernels.
        cells: What was measured, cell by cell.
        end: How it ended; None if it was interrupted.
        resumed: Each time that it was resumed.
        warnings: What was wrong with the machine before it.
        wall: Seconds until its last record.
        peak_bytes: The most memory that the measuring process used; NaN if not known.
        ceilings: What the machine can do at most, by the number of threads.
        prices: What compiling costs, by kernel.
        counts: What a call does, by kernel.
        folder: Where it was read from, and where what was measured beside it stands; None for a run in memory.
    """

    header: Header
    cells: Sequence[CellResult]
    end: End | None = None
    resumed: Sequence[Resumed] = ()
    warnings: Sequence[str] = ()
    wall: float = float("nan")
    peak_bytes: float = float("nan")
    ceilings: Mapping[int, Ceiling] = field(default_factory=_empty)
    prices: Mapping[str, Price] = field(default_factory=_empty)
    counts: Mapping[str, Mapping[str, float]] = field(default_factory=_empty)
    folder: Path | None = None

    @property
    def plan(self) -> Plan:
        """What the run was to measure."""
        return self.header.plan

    @property
    def kernels(self) -> dict[str, KernelCard]:
        """Name -> what is recorded of each kernel that the run could have, in ladder order."""
        return self.header.kernels

    @cached_property
    def measured(self) -> list[str]:
        """The kernels that the run timed, skipped or failed anywhere, in ladder order."""
        seen = {name for result in self.cells for name in (*result.samples, *result.skipped, *result.failed)}
        return [name for name in self.kernels if name in seen]

    @property
    def own(self) -> list[str]:
        """The user's own kernels (`--kernel`), in the order of the command line."""
        return [name for name, kernel in self.kernels.items() if kernel.own]

    @property
    def begun(self) -> bool:
        """Whether anything came of a kernel yet: it was timed, or skipped, or it failed."""
        return any(result.samples or result.skipped or result.failed for result in self.cells)

    @property
    def problem(self) -> str:
        """The problem's name."""
        return self.plan.problem

    @property
    def settings(self) -> list[Setting]:
        """The settings of its cells, in the order measured."""
        return list(dict.fromkeys(result.cell.setting for result in self.cells))

    def of(self, setting: Setting) -> list[CellResult]:
        """The cells of a setting."""
        return [result for result in self.cells if result.cell.setting == setting]

    def ceiling(self, cell: Cell) -> Ceiling | None:
        """What the machine can do at most in a cell's threads and dtype; None where it was not measured."""
        ceiling = self.ceilings.get(cell.threads)
        return ceiling and ceiling.of(cell.dtype)

    def bound(self, cell: Cell) -> float:
        """Seconds that a cell's step takes at least on this machine; NaN where its ceilings were not measured."""
        ceiling = self.ceiling(cell)
        return ceiling.bound(cell.m, cell.n_x) if ceiling and not cell.iterations else float("nan")

    def limit(self, result: CellResult) -> float | None:
        """`bound` of a result's cell; None where it is not known."""
        seconds = self.bound(result.cell)
        return None if np.isnan(seconds) else seconds

    @cached_property
    def compile_seconds(self) -> dict[str, float]:
        """Seconds of the very first call of each compiled kernel in this run: compilation and one small step."""
        seconds: dict[str, float] = {}
        for result in self.cells:
            for name, first in result.first_call.items():
                if name in self.kernels and self.kernels[name].compiles != "never":
                    seconds.setdefault(name, first)
        return seconds

    def table(self, baseline: str = LOOP, confidence: float = 0.95) -> pd.DataFrame:
        """One row for each kernel and cell that was timed; times in seconds, speed-ups over the baseline.

        The speed-up is NaN where the baseline was not timed: too slow there, or not a kernel for all threads. The last
        column is the share of this machine's limit: the least seconds that the step can take, by those it took.
        """
        rows = []
        for result in self.cells:
            cell = result.cell
            for name in result.kernels:
                time = result.median(name, confidence)
                ratio = result.speedup(baseline, name, confidence) or Interval(np.nan, np.nan, np.nan)
                params = {key: value for key, value in cell.params.items() if key not in ("problem", "iterations")}
                rows.append(
                    {
                        "kernel": name,
                        **params,
                        "seconds": time.estimate,
                        "low": time.low,
                        "high": time.high,
                        "speedup": ratio.estimate,
                        "speedup_low": ratio.low,
                        "speedup_high": ratio.high,
                        "of_limit": self.bound(cell) / time.estimate,
                    }
                )
        return pd.DataFrame(rows)
