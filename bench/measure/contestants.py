"""Who takes part: the kernels that a cell holds, what stands behind each name, and what a run says of them."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from bench.grid import Cell
from bench.machine.ceilings import READ, RULER
from bench.measure import own_kernel as own
from bench.measure.engine import CONTROL, Contestant
from bench.problem import Problem, load_breast_cancer, make_problem
from bench.results.run import VECTORIZED
from kernels import KERNELS
from kernels.peers import PEERS
from kernels.variants import VARIANTS

DESCENT = "numba_descent"  # numba_loop with its iterations compiled too; a contestant of training runs
NONE: Mapping[str, str] = MappingProxyType({})


def names_for(cell: Cell, peers: Collection[str] = ()) -> list[str]:
    """The kernels that a cell holds, and the peers asked for: all with one thread, else those that can use more."""
    asked = [*KERNELS.values(), *(PEERS[name] for name in PEERS if name in peers)]
    names = [k.name for k in asked if k.missing is None and (cell.threads == 1 or k.threads == "all")]
    if cell.iterations and cell.threads == 1:
        names.insert(names.index("numba_loop") + 1, DESCENT)
    return names


def contestant(name: str, owned: Mapping[str, str] = NONE) -> Contestant:
    """The contestant of a name: one that `names_for` gives, the control, the ruler, a variant, an own kernel."""
    if name == CONTROL:
        name = VECTORIZED
    if name == READ:
        return Contestant(RULER, judged=False)
    if name in owned:
        return Contestant(own.load(owned[name]))
    if name == DESCENT:
        return Contestant(KERNELS["numba_loop"], compiled_descent=True)
    return Contestant(({**KERNELS, **PEERS, **VARIANTS})[name])


def problem_of(cell: Cell, seed: int) -> Problem:
    """The problem of a cell."""
    if cell.problem == "breast_cancer":
        return load_breast_cancer(cell.order)
    return make_problem(cell.m, cell.n_x, seed, cell.order)


def describe_kernels(peers: Collection[str] = (), owned: Mapping[str, str] = NONE) -> dict[str, dict[str, Any]]:
    """What a run says of every kernel, and of the peers asked for: title, change, threads, compiled, missing.

    And of the own kernels, `owned` (name -> text): they have "own" too, which names the file.
    """
    told = {name: own.told(kernel) for name, kernel in KERNELS.items()}
    descent = {**told["numba_loop"], "title": "Numba loop, iterations compiled"}
    descent["change"] = "numba_loop with the loop over the iterations compiled too."
    ordered = {}
    for name, fields_of in told.items():
        ordered[name] = fields_of
        if name == "numba_loop":
            ordered[DESCENT] = descent
    ordered |= {name: own.told(PEERS[name]) for name in PEERS if name in peers}
    mine = own.describe(owned.values())
    return ordered | {name: mine[text] | {"own": own.source(text)} for name, text in owned.items()}
