"""How pytest-benchmark's options reach the engine, and how its tests reach what the engine measured."""

import os
import shlex
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pytest

from bench import grid
from bench.grid import Cell, Preset
from bench.measure import contestants as roster
from bench.measure import own_kernel as own
from bench.measure import session
from bench.measure.progress import Watch
from bench.measure.session import Session
from bench.problem import PROBLEMS
from bench.results.run import CellResult, Run
from kernels.peers import PEERS

REFUSED = {
    "--benchmark-timer": "the engine has one clock, time.perf_counter, for all kernels",
    "--benchmark-warmup": "the engine warms every kernel up before each sample, always",
    "--benchmark-warmup-iterations": "the engine warms every kernel up for a fixed time before each sample",
    "--benchmark-calibration-precision": "samples are made to last 500 times longer than a clock reading, or more",
    "--benchmark-precision": "rounds are fixed before the first sample; to stop when the result looks good biases it",
    "--benchmark-confidence": "it belongs to --benchmark-precision, which is refused; intervals are of 95%",
    "--benchmark-cprofile": "what pytest-benchmark runs is a replay; profile a kernel with python -m cProfile",
    "--benchmark-cprofile-loops": "it belongs to --benchmark-cprofile, which is refused",
    "--benchmark-cprofile-top": "it belongs to --benchmark-cprofile, which is refused",
    "--benchmark-cprofile-dump": "it belongs to --benchmark-cprofile, which is refused",
}


class WrongUse(Exception):
    """Wrong use, told in one line that names what was wrong and the nearest right thing."""


def nearest(kind: str, name: str, valid: Iterable[str]) -> WrongUse:
    """The error for an unknown name."""
    names = list(valid)
    close = get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]}?" if close else f"one of: {', '.join(names)}"
    return WrongUse(f"unknown {kind} {name!r}; {hint}")


@dataclass(frozen=True)
class Choice:
    """What a command line asks for.

    Attributes:
        preset: The grid.
        names: The kernels and peers that can run, and the own kernels.
        peers: The peers asked for, those that are not installed among them.
        owned: Name -> text of the own kernels, see `own.load`.
    """

    preset: Preset
    names: list[str]
    peers: list[str]
    owned: dict[str, str]

    def of(self, cell: Cell) -> list[str]:
        """The names that a cell holds."""
        return [name for name in roster.names_for(cell, self.peers) if name in self.names] + list(self.owned)


def choose(
    grid_name: str, problem: str, kernels: str | None, peers: bool = False, own_texts: Collection[str] = ()
) -> Choice:
    """The preset and the kernels of a command line; a peer named among the kernels is asked for too.

    Raises:
        WrongUse: For an unknown grid, problem or kernel, or a kernel that lacks its package here; or an own kernel
            that can't be loaded.
    """
    if grid_name not in grid.PRESET_NAMES:
        raise nearest("grid", grid_name, grid.PRESET_NAMES)
    if problem not in PROBLEMS:
        raise nearest("problem", problem, PROBLEMS)
    preset = grid.preset(grid_name, problem)
    try:
        owned = own.load_all(own_texts)
    except own.NotAKernel as error:
        raise WrongUse(str(error)) from None
    known = roster.describe_kernels(PEERS, owned)
    names = None if kernels is None else [name.strip() for name in kernels.split(",") if name.strip()] or [""]
    asked = [name for name in PEERS if peers or name in (names or ())]
    available = list(dict.fromkeys(name for cell in preset.cells for name in roster.names_for(cell, asked)))
    available += owned
    if names is None:
        return Choice(preset, available, asked, owned)
    for name in names:
        if name not in known:
            raise nearest("kernel", name, known)
        if name not in available:
            missing = known[name]["missing"]
            why = f"{missing} is not installed" if missing else f"it belongs to training runs, not to {problem}"
            raise WrongUse(f"kernel {name} can't run: {why}")
    added = [name for name in (*asked, *owned) if name in available and name not in names]
    return Choice(preset, names + added, asked, owned)


def given(config: pytest.Config, option: str) -> bool:
    """Whether an option stands on the command line, in PYTEST_ADDOPTS or in the configuration file."""
    words = [*config.invocation_params.args, *shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))]
    words += config.getini("addopts")
    return any(word == option or str(word).startswith(f"{option}=") for word in words)


def with_options(preset: Preset, config: pytest.Config) -> Preset:
    """The preset with pytest-benchmark's own options mapped onto it.

    --benchmark-disable-gc asks for what the engine does in any case.

    Raises:
        WrongUse: For an option that the engine can't follow.
    """
    for option, reason in REFUSED.items():
        if given(config, option):
            raise WrongUse(f"{option} does not apply: {reason}")
    if given(config, "--benchmark-min-rounds"):
        rounds = int(config.getoption("benchmark_min_rounds"))
        preset = replace(preset, min_rounds=rounds, max_rounds=max(rounds, preset.max_rounds))
    if given(config, "--benchmark-max-time"):
        preset = replace(preset, budget=float(config.getoption("benchmark_max_time")))
    if given(config, "--benchmark-min-time"):
        preset = replace(preset, sample_seconds=float(config.getoption("benchmark_min_time")))
    return preset


class Measured:
    """What is measured of the selected benchmarks: a batch of cells when a test first asks for one of them."""

    def __init__(self, root: Path, choice: Choice, seed: int, problem: str, out: Path | None) -> None:
        preset = choice.preset
        self._open: Callable[[], Session] = lambda: Session(
            session.run_folder(root, preset.name, out), preset, seed, problem, choice.peers, owned=choice.owned
        )
        self.owned = choice.owned
        self._session: Session | None = None
        self._cells: dict[Cell, CellResult] = {}
        self._run: Run | None = None
        self._watch: Watch | None = None
        self.wanted: dict[Cell, list[str]] = {}
        self.tell: Callable[[str], None] = lambda _: None

    def result(self, cell: Cell) -> tuple[Run, CellResult]:
        """The run so far and a cell of it, measured now if it was not yet."""
        if self._run is None or cell not in self._cells:
            try:
                self._run = self._measure(cell)
            except OSError as error:  # the folder is not empty, or can't be written to (any more)
                if self._session is not None:
                    self._session.abandon()
                    self._session = None
                pytest.exit(f"unloop: {error}", returncode=pytest.ExitCode.USAGE_ERROR)
            self._cells = {result.cell: result for result in self._run.cells}
        return self._run, self._cells[cell]

    def _measure(self, cell: Cell) -> Run:
        if self._session is None:
            self._session = self._open()
            for warning in self._session.warnings:
                self.tell(f"warning: {warning}")
        batch = next(batch for batch in grid.batches(list(self.wanted)) if cell in batch)
        self._watch = self._watch or Watch(list(self.wanted), self._session.preset, self.tell)
        self._session.measure({other: self.wanted[other] for other in batch}, self._watch)
        return self._session.run()

    def close(self, interrupted: bool) -> tuple[Path, Run] | None:
        """End the session; its folder and run, or None where nothing was measured."""
        if self._session is None:
            return None
        return self._session.folder, self._session.close(interrupted)


def cell_of(params: dict[str, Any]) -> Cell:
    """The cell of a test's parameters."""
    return Cell(**{key: value for key, value in params.items() if key != "kernel"})
