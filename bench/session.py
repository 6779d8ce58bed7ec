"""A measuring session: the engine over the cells of a grid, its events in a run folder's journal."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bench import agreement, engine, machine, own, quiet, threads
from bench.engine import CONTROL, Calibrated, Contestant, Event, Round, Skipped
from bench.grid import ALPHA, Cell, Preset
from bench.journal import FORMAT, Journal, event_record
from bench.problem import Problem, load_breast_cancer, make_problem
from bench.results import BASELINES, VECTORIZED, Run, from_records
from kernels import KERNELS, Kernel
from kernels.peers import PEERS

DESCENT = "numba_descent"  # numba_loop with its iterations compiled too; a contestant of training runs
SPARE_BYTES = 400 * 2**20
BATCH_BYTES = 200 * 2**20
VISIT_ROUNDS = 6  # of a cell, before the next cell's turn

NONE: Mapping[str, str] = MappingProxyType({})
OnEvent = Callable[[Cell, Event], None]


def names_for(cell: Cell, peers: Collection[str] = ()) -> list[str]:
    """The kernels that a cell holds, and the peers asked for: all with one thread, else those that can use more."""
    asked = [*KERNELS.values(), *(PEERS[name] for name in PEERS if name in peers)]
    names = [k.name for k in asked if k.missing is None and (cell.threads == 1 or k.threads == "all")]
    if cell.iterations and cell.threads == 1:
        names.insert(names.index("numba_loop") + 1, DESCENT)
    return names


def contestant(name: str, owned: Mapping[str, str] = NONE) -> Contestant:
    """The contestant of a name that `names_for` gives, or of an own kernel: `owned` holds name -> text, see own."""
    if name in owned:
        return Contestant(own.load(owned[name]))
    if name == DESCENT:
        return Contestant(KERNELS["numba_loop"], compiled_descent=True)
    return Contestant(PEERS[name] if name in PEERS else KERNELS[name])


def problem_of(cell: Cell, seed: int) -> Problem:
    """The problem of a cell."""
    if cell.problem == "breast_cancer":
        return load_breast_cancer(cell.order)
    return make_problem(cell.m, cell.n_x, seed, cell.order)


def describe_kernels(peers: Collection[str] = (), owned: Mapping[str, str] = NONE) -> dict[str, dict[str, Any]]:
    """What a run says of every kernel, and of the peers asked for: title, change, threads, compiled, missing.

    And of the own kernels, `owned` (name -> text): they have "own" too, which names the file.
    """

    def describe(kernel: Kernel) -> dict[str, Any]:
        return {key: getattr(kernel, key) for key in ("title", "change", "threads", "compiled", "missing")}

    told = {name: describe(kernel) for name, kernel in KERNELS.items()}
    descent = {**told["numba_loop"], "title": "Numba loop, iterations compiled"}
    descent["change"] = "numba_loop with the loop over the iterations compiled too."
    ordered = {}
    for name, fields_of in told.items():
        ordered[name] = fields_of
        if name == "numba_loop":
            ordered[DESCENT] = descent
    ordered |= {name: describe(PEERS[name]) for name in PEERS if name in peers}
    return ordered | {name: describe(own.load(text)) | {"own": own.source(text)} for name, text in owned.items()}


def batches(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    """Cells that are measured together: neighbours, whose problems fit into BATCH_BYTES, or one problem alone."""
    batch: list[Cell] = []
    problems: dict[Cell, int] = {}
    for cell in cells:
        key = replace(cell, threads=1)
        if key not in problems and sum(problems.values()) + cell.nbytes > BATCH_BYTES and batch:
            yield batch
            batch, problems = [], {}
        problems[key] = cell.nbytes
        batch.append(cell)
    if batch:
        yield batch


def run_folder(root: Path, grid: str, out: Path | None = None) -> Path:
    """A new, empty run folder: `out`, or results/<date>-<grid> below root.

    Raises:
        FileExistsError: If `out` holds a run already.
    """
    if out is None:
        out = root / "results" / f"{datetime.now():%Y%m%d-%H%M%S}-{grid}"
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty; name a new folder")
    return out


class Session:
    """Measures cells one by one into a run folder.

    Args:
        folder: An empty folder.
        preset: The grid, and how long to measure.
        seed: Seed of the problems and of the order of samples.
        problem: The problem's name.
        peers: The peers asked for; those installed are imported here, the others listed as missing.
        owned: Name -> text of the own kernels, see `own.load`.
    """

    def __init__(
        self,
        folder: Path,
        preset: Preset,
        seed: int,
        problem: str = "synthetic",
        peers: Collection[str] = (),
        owned: Mapping[str, str] = NONE,
    ) -> None:
        self.folder = folder
        self.preset = preset
        self.seed = seed
        self._start = time.perf_counter()
        quiet.keep_freed_memory()
        self.peers = peers
        self.owned = owned
        libraries = threads.load(PEERS[name] for name in peers)
        self._prepared: tuple[Cell, Problem, Any] | None = None
        self._journal = Journal(folder)
        settings = {key: value for key, value in asdict(preset).items() if key not in ("name", "cells")}
        self._journal.write(
            {
                "type": "run",
                "format": FORMAT,
                "grid": preset.name,
                "problem": problem,
                "seed": seed,
                "settings": settings | quiet.settings(),
                "machine": machine.card(),
                "before": machine.moment(),
                "libraries": libraries,
                "pools": threads.described(),
                "kernels": describe_kernels(peers, owned),
                "planned": [asdict(cell) for cell in preset.cells],
            }
        )

    def measure(self, wanted: Mapping[Cell, Sequence[str]], on_event: OnEvent = lambda *_: None) -> None:
        """Measure kernels on cells, with their baselines and the A/A control.

        The cells of a batch are interleaved too: each takes some rounds, then the next does. A machine that is slow
        for some seconds is so for some rounds of every cell, and not for all the rounds of one.

        Args:
            wanted: Cell -> kernels; the baselines that the cell can hold are added.
            on_event: Told each event, with its cell, after it is on disk.
        """
        for batch in batches(list(wanted)):
            running = []
            for cell in batch:
                events = self._events(cell, wanted[cell])
                running.append((cell, events))
                self._advance(cell, events, Calibrated, on_event)
            while running:
                running = [
                    (cell, events)
                    for cell, events in running
                    if all(self._advance(cell, events, Round, on_event) for _ in range(VISIT_ROUNDS))
                ]

    def _advance(self, cell: Cell, events: Iterator[Event], until: type[Event], on_event: OnEvent) -> bool:
        """Journal the events of a cell up to one of type `until`; False if there are no more."""
        for event in events:
            self._journal.write(event_record(cell.id, event))
            on_event(cell, event)
            if isinstance(event, until):
                return True
        return False

    def _events(self, cell: Cell, names: Sequence[str]) -> Iterator[Event]:
        held = [name for name in names_for(cell, self.peers) if name in names or name in BASELINES]
        held += [name for name in names if name in self.owned]
        with threads.held_to(cell.threads):
            self._journal.write({"type": "cell", "cell": asdict(cell), "pools": threads.counts()})
        need, limit = 3 * cell.nbytes + SPARE_BYTES, machine.memory_limit()
        # Each peer has its own copy of X, converted.
        if need + cell.nbytes * len(PEERS.keys() & held) > limit:
            many = [name for name in held if name in PEERS or need > limit]
            need += cell.nbytes * len(PEERS.keys() & held)
            reason = f"needs {machine.human_bytes(need)} of memory, of which {machine.human_bytes(limit)} are free"
            yield from (Skipped(name, reason, float("nan")) for name in many)
            held = [name for name in held if name not in many]
        if not held:
            return
        contestants = {name: contestant(name, self.owned) for name in held}
        contestants[CONTROL] = contestant(VECTORIZED)
        problem, expected = self._prepare(cell)
        yield from engine.measure(cell, problem, expected, contestants, self.preset, self.seed)

    def _prepare(self, cell: Cell) -> tuple[Problem, Any]:
        """The cell's problem and what is expected of it; kept for the next, which often differs in threads only."""
        key = replace(cell, threads=1)
        if self._prepared is None or self._prepared[0] != key:
            self._prepared = None  # frees the last problem before the next is made
            problem = problem_of(cell, self.seed)
            expected = (
                agreement.expect_descent(problem, ALPHA, cell.iterations)
                if cell.iterations
                else agreement.expect(problem)
            )
            self._prepared = key, problem, expected
        return self._prepared[1], self._prepared[2]

    def run(self) -> Run:
        """What has been measured so far."""
        return from_records(self._journal.records)

    def close(self, interrupted: bool = False) -> Run:
        """End the run and its journal."""
        wall = time.perf_counter() - self._start
        self._journal.write({"type": "end", "wall": wall, "after": machine.moment(), "interrupted": interrupted})
        self._journal.close()
        return self.run()
