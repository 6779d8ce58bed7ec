"""What is measured of the benchmarks that pytest selected: all of them when a test first needs one."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from bench.cli.live import Watch
from bench.grid import Cell, Plan
from bench.measure.ledger import run_folder
from bench.measure.session import Session
from bench.measure.worker import Died
from bench.results import CellResult, Run

Show = Callable[[str], None]


class Measured:
    """A session that opens with the first cell that a test needs.

    Args:
        root: The folder that contains `results`.
        plan: What may be measured.
        out: The run's folder, if it was named.
        wanted: Cell -> kernels; pytest's selection replaces it.
    """

    def __init__(self, root: Path, plan: Plan, out: Path | None, wanted: dict[Cell, list[str]]) -> None:
        # What -k selects is known to this process only, so a run of pytest names no kernels and can't be resumed.
        self.plan = replace(plan, names=None)
        self.wanted = wanted
        self.show: Show = lambda _: None
        self._root, self._out = root, out
        self._stack = ExitStack()
        self._session: Session | None = None
        self._watch: Watch | None = None
        self._run: Run | None = None
        self._cells: dict[Cell, CellResult] = {}

    def result(self, cell: Cell) -> tuple[Run, CellResult]:
        """The run so far and a cell of it, measured now if it was not yet."""
        if self._run is None or cell not in self._cells:
            try:
                self._run = self._measure()
            except (OSError, Died) as error:  # the folder can't be written to, or no process can measure
                if self._session is not None:
                    self._session.abandon()
                    self._session = None
                pytest.exit(f"unloop: {error}", returncode=pytest.ExitCode.USAGE_ERROR)
            self._cells = {result.cell: result for result in self._run.cells}
        return self._run, self._cells[cell]

    def _measure(self) -> Run:
        if self._session is None:
            folder = run_folder(self._root, self.plan.preset.name, self._out)
            self._session = self._stack.enter_context(Session.open(self.plan, folder))
            for warning in self._session.warnings:
                self.show(f"warning: {warning}")
            self._watch = Watch(list(self.wanted), self.plan.preset, self.show)
        assert self._watch is not None
        self._session.measure(self.wanted, self._watch)
        return self._session.run()

    def close(self, interrupted: bool) -> tuple[Path, Run] | None:
        """End the session; its folder and run, or None where nothing was measured."""
        if self._session is None:
            return None
        with self._stack:
            return self._session.folder, self._session.close(interrupted)
