"""Who takes part: the kernels of a cell, what else is measured beside them, and what a run records of each."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType

import numba
import numpy as np

import kernels
from bench.grid import Cell, Plan
from bench.machine import ceilings
from bench.measure import own_kernel
from bench.measure.engine import Contestant
from bench.measure.own_kernel import card_of
from bench.problem import Problem, load_breast_cancer, make_problem
from bench.results import BASELINES, CONTROL, READ, VECTORIZED
from bench.results.records import KernelCard, Skipped
from bench.words import human_bytes
from kernels import DESCENTS, KERNELS, Kernel
from kernels._caches import LAST_BYTES
from kernels._kernel import Array, At
from kernels.controlled import CONTROLLED
from kernels.peers import PEERS

NONE: Mapping[str, str] = MappingProxyType({})
COPIES = 3  # of X, in memory at a time
PEER_VECTORS = 8  # of m numbers each, that a peer keeps or makes in a call
SPARE_BYTES = 400 * 2**20


def _read_all(X: Array, _Y: Array) -> At:
    x, threads = np.ravel(X, order="K"), numba.get_num_threads()
    return lambda _w, _b: partial(ceilings.read, x, 1, threads)


RULER = Kernel(
    name=READ,
    title="Linear read of X",
    change="No kernel: reads X once, in the order of memory, and adds it up.",
    function=ceilings.read,
    prepare=_read_all,
    threads="all",
    compiles="once",
)


def names_for(cell: Cell, peers: Collection[str] = ()) -> list[str]:
    """The kernels that compute in a cell's dtype, of the peers those given; with many threads, those that use them."""
    candidates = [*_ladder(training=cell.iterations > 0), *(PEERS[name] for name in PEERS if name in peers)]
    here = (k for k in candidates if k.missing is None and cell.dtype in k.dtypes)
    return [k.name for k in here if cell.threads == 1 or k.threads == "all"]


def kernels_in(plan: Plan, cell: Cell, names: Collection[str]) -> list[str]:
    """The kernels of a cell where `names` are wanted: those of them that it can have, and its baselines."""
    ladder = [name for name in names_for(cell, plan.peers) if name in names or name in BASELINES]
    return ladder + [name for name in names if name in plan.own]


def labels_in(plan: Plan, cell: Cell, names: Collection[str]) -> list[str]:
    """All that is measured in a cell: its kernels, variants of controlled pairs, the A/A control, and the ruler."""
    variants: list[str] = []
    if plan.preset.causes and cell.explained:
        # With all threads, only what stands for a kernel of one thread: the ladder has none there.
        variants = [name for name, k in CONTROLLED.items() if (k.stands_for is not None) == (cell.threads > 1)]
    from_memory = plan.preset.ceilings and not cell.iterations and cell.nbytes > LAST_BYTES
    return [*kernels_in(plan, cell, names), *variants, CONTROL, *([READ] if from_memory else [])]


def bytes_needed(cell: Cell, names: Iterable[str]) -> int:
    """Bytes of memory that a cell needs; peers share a copy of X in the order they want, and each has its vectors."""
    peers = [PEERS[name] for name in PEERS.keys() & set(names)]
    copies = COPIES + any(peer.layout not in ("either", cell.order) for peer in peers)
    return copies * cell.nbytes + len(peers) * PEER_VECTORS * cell.vector_bytes + SPARE_BYTES


def do_not_fit(plan: Plan, cell: Cell, names: Collection[str], limit: int) -> list[Skipped]:
    """The kernels of a cell that `limit` bytes of memory are too few for: the peers, or all."""
    need = bytes_needed(cell, names)
    if need <= limit:
        return []
    reason = f"needs {human_bytes(need)} of memory, of which {human_bytes(limit)} are free"
    others_fit = bytes_needed(cell, ()) <= limit
    return [
        Skipped(cell=cell.id, kernel=name, reason=reason)
        for name in kernels_in(plan, cell, names)
        if name in PEERS or not others_fit
    ]


def contestant(label: str, own: Mapping[str, str] = NONE) -> Contestant:
    """The contestant behind a label: a kernel, the control, the ruler, a variant, or a kernel of the user's own.

    Args:
        label: One of those that `labels_in` lists.
        own: Name -> text of the user's own kernels.
    """
    if label == READ:
        return Contestant(RULER, judged=False)
    if label in own:
        return Contestant(own_kernel.load(own[label]), own=True)
    kernel = kernels.find(VECTORIZED if label == CONTROL else label)
    if kernel is None:
        raise KeyError(label)
    return Contestant(kernel)


def problem_of(cell: Cell, seed: int) -> Problem:
    """The problem of a cell."""
    if cell.problem == "breast_cancer":
        return load_breast_cancer(cell.order).rounded(cell.dtype, cell.order)
    if cell.dtype == "float64":
        return make_problem(cell.m, cell.n_x, seed, cell.order)
    return make_problem(cell.m, cell.n_x, seed).rounded(cell.dtype, cell.order)


def describe_kernels(peers: Collection[str] = (), own: Mapping[str, str] = NONE) -> dict[str, KernelCard]:
    """What a run records of every kernel: the ladder, the peers given, and the user's own (name -> text)."""
    described = [*_ladder(training=True), *(PEERS[name] for name in PEERS if name in peers)]
    return {kernel.name: card_of(kernel) for kernel in described} | own_kernel.describe(own)


def _ladder(training: bool) -> Iterator[Kernel]:
    """The ladder; with those that only take part in training runs, each after the kernel that it grew from."""
    for kernel in KERNELS.values():
        yield kernel
        if training:
            yield from (descent for descent in DESCENTS.values() if descent.grew_from == kernel.name)
