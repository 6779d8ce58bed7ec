"""The kernels of a run weighed for one problem: how long each takes, which one to use, and what ties with it."""

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast, get_args

import numpy as np

import kernels
from bench.analysis.advise.local import CONFIDENCE, Local, Timed, TooFewCells, quantile
from bench.analysis.payback import cold_seconds
from bench.grid import Order, Setting
from bench.results import CellResult, Run
from bench.stats import Interval
from bench.words import WrongUse, short_number

MOST = {"--m": 10**12, "--n-x": 10**9, "--calls": 10**15}  # beyond them nothing is extrapolated


class CantAnswer(WrongUse):
    """A question that makes no sense, or that this run can't answer."""


@dataclass(frozen=True)
class Offer:
    """A kernel and what it takes.

    Attributes:
        kernel: Its name.
        seconds: Of a call, with a 90% interval; measured in this very cell, or estimated.
        measured: Which of the two.
        start: Seconds that its first call costs in every process: loading its code from disk, or else compiling it.
        compiling: Seconds of the very first call on a machine; 0 where nothing is compiled.
        one_thread: It uses one thread, though all were allowed.
    """

    kernel: str
    seconds: Interval
    measured: bool
    start: float = 0.0
    compiling: float = 0.0
    one_thread: bool = False

    @property
    def label(self) -> str:
        """The kernel's name, and that it uses one thread of all."""
        return f"{self.kernel} (one thread)" if self.one_thread else self.kernel

    def total(self, calls: float) -> float:
        """Seconds of all calls in a process, its start included."""
        return self.start + calls * self.seconds.estimate


@dataclass(frozen=True)
class Advice:
    """The answer for one problem, and what is needed to see when it changes.

    Attributes:
        run: The run that it comes from.
        m: Number of examples.
        n_x: Number of features.
        calls: How many calls there will be.
        setting: Order of X, threads and dtype.
        offers: The kernels, the fastest for all calls first.
        ties: Those that may be as fast as the first: what it leads by is within the error of the estimates.
        unfit: Those left out because their cost is wrong once an activation saturates.
        local: What estimates each at other sizes, by label.
        outside: Whether the problem lies outside the sizes that the run measured.
    """

    run: Run
    m: int
    n_x: int
    calls: int
    setting: Setting
    offers: list[Offer]
    ties: list[Offer]
    unfit: list[Offer]
    local: Mapping[str, Local]
    outside: bool

    @property
    def best(self) -> Offer:
        """The answer."""
        return self.offers[0]


def advise(
    run: Run,
    m: int,
    n_x: int,
    calls: int = 1,
    order: str = "F",
    threads: str = "1",
    peers: bool = False,
    sizes: Run | None = None,
) -> Advice:
    """The kernels of a run for a problem, the fastest for all calls first.

    Args:
        run: The run.
        m: Number of examples.
        n_x: Number of features.
        calls: How many calls there will be.
        order: Layout of X: "F" or "C".
        threads: "1" or "all".
        peers: Whether to offer other libraries too.
        sizes: A run of the grid "sizes" on the same machine: more cells to estimate from, and such as users have.

    Raises:
        CantAnswer: For sizes below 1, an unknown order or threads, or runs that can't answer.
    """
    for what, value in (("--m", m), ("--n-x", n_x), ("--calls", calls)):
        if value < 1:
            raise CantAnswer(f"{what} must be at least 1; got {short_number(value)}")
        if value > MOST[what]:
            raise CantAnswer(f"{what} must be at most {MOST[what]:,}; got {short_number(value)}")
    if order not in get_args(Order):
        raise CantAnswer(f"--order must be F or C; got {order!r}")
    if threads not in ("1", "all"):
        raise CantAnswer(f"--threads must be 1 or all; got {threads!r}")
    if sizes is not None and sizes.header.machine.cpu != run.header.machine.cpu:
        raise CantAnswer("the run of random sizes beside this one is of another machine; measure it again or remove it")
    count = 1 if threads == "1" else max((result.cell.threads for result in run.cells), default=1)
    setting = Setting(cast(Order, order), count)
    offers, local = _offers(run, sizes, m, n_x, setting)
    if count > 1:
        # A kernel of one thread was measured where only one was allowed; it may be used where all are.
        alone, local_alone = _offers(run, sizes, m, n_x, replace(setting, threads=1))
        alone = [replace(offer, one_thread=True) for offer in alone if run.kernels[offer.kernel].threads == "one"]
        offers += alone
        local |= {offer.label: local_alone[offer.kernel] for offer in alone if offer.kernel in local_alone}
    ladder = kernels.KERNELS
    offers = [offer for offer in offers if peers or offer.kernel in ladder]
    unfit = [offer for offer in offers if offer.kernel in ladder and ladder[offer.kernel].cost_from == "a"]
    offers = sorted((offer for offer in offers if offer not in unfit), key=lambda offer: offer.total(calls))
    if run.problem != "synthetic" or not offers or not run.of(setting):
        raise CantAnswer(
            f"this run can't answer for {setting.label}: too few cells; measure with: unloop run --grid quick"
        )
    ties = [offer for offer in offers[1:] if _tie(offers[0], offer, calls, local)]
    return Advice(run, m, n_x, calls, setting, offers, ties, unfit, local, _outside(run.of(setting), m, n_x))


def _tie(best: Offer, other: Offer, calls: int, local: Mapping[str, Local]) -> bool:
    """Whether another kernel may be as fast as the best, as far as both were estimated where both were measured.

    Two estimates of neighbouring cells are often wrong in the same direction, so their ratio is better known than
    either: what counts is how far off the ratios of the held-out cells were. Measured here, their intervals decide.
    """
    if best.measured and other.measured:
        return other.start + calls * other.seconds.low <= best.start + calls * best.seconds.high
    if best.label not in local or other.label not in local:
        return False
    first, second = local[best.label].errors, local[other.label].errors
    apart = np.array([abs(first[size] - second[size]) for size in first if size in second])
    fastest = other.seconds.estimate * math.exp(-quantile(apart)) if apart.size else other.seconds.estimate
    return other.start + calls * fastest <= best.total(calls)


def _outside(results: Sequence[CellResult], m: int, n_x: int) -> bool:
    cells = [result.cell for result in results]
    ms, n_xs, sizes = [c.m for c in cells], [c.n_x for c in cells], [c.m * c.n_x for c in cells]
    return not (min(ms) <= m <= max(ms) and min(n_xs) <= n_x <= max(n_xs) and m * n_x <= max(sizes))


def _offers(run: Run, sizes: Run | None, m: int, n_x: int, setting: Setting) -> tuple[list[Offer], dict[str, Local]]:
    """What every kernel of a setting takes, and what estimates it elsewhere."""
    here = next((result for result in run.of(setting) if (result.cell.m, result.cell.n_x) == (m, n_x)), None)
    cold, cached = cold_seconds(run), {name: price.cached for name, price in run.prices.items()}
    offers, local = [], {}
    for name, cells in _timed(run, sizes, setting).items():
        with contextlib.suppress(TooFewCells):  # it may have been measured in this very cell
            local[name] = Local(cells)
        compiling = cold.get(name, 0.0)
        start = cached.get(name) or compiling
        if here is not None and name in here.samples:
            offers.append(Offer(name, here.median(name, CONFIDENCE), True, start, compiling))
        elif name in local:
            offers.append(Offer(name, local[name].seconds(m, n_x), False, start, compiling))
    return offers, local


def _timed(run: Run, sizes: Run | None, setting: Setting) -> dict[str, list[Timed]]:
    """Kernel -> where it was timed in a setting: in the run, and at the random sizes."""
    results = [*run.of(setting), *(sizes.of(setting) if sizes is not None else [])]
    timed: dict[str, dict[tuple[int, int], Timed]] = {}
    for result in results:
        m, n_x = result.cell.m, result.cell.n_x
        for name in result.kernels:
            timed.setdefault(name, {}).setdefault((m, n_x), Timed(m, n_x, result.median(name).estimate))
    return {name: list(timed[name].values()) for name in run.measured if name in timed}


def left_out(advice: Advice) -> list[Offer]:
    """The kernels that would have been faster than the answer, but whose cost is wrong once an activation saturates."""
    return [offer for offer in advice.unfit if offer.total(advice.calls) < advice.best.total(advice.calls)]


def once_compiled(advice: Advice) -> Offer | None:
    """The fastest kernel where compiling no longer counts, unless it is the answer."""
    fastest = min(advice.offers, key=lambda offer: offer.seconds.estimate)
    return fastest if fastest.kernel != advice.best.kernel else None


@dataclass(frozen=True)
class PaidBack:
    """After how many calls the best compiled kernel has made up for compiling, against the best of the others.

    `compiled` and `calls` are None where no compiled kernel is faster.
    """

    plain: Offer
    compiled: Offer | None = None
    calls: int | None = None


def paid_back(advice: Advice) -> PaidBack | None:
    """When compiling has paid for itself; None where nothing is compiled, or everything."""
    ready = [offer for offer in advice.offers if not offer.start]
    compiled = [offer for offer in advice.offers if offer.start]
    if not ready or not compiled:
        return None
    plain = min(ready, key=lambda offer: offer.seconds.estimate)
    counts = [
        (math.ceil(offer.start / (plain.seconds.estimate - offer.seconds.estimate)), offer)
        for offer in compiled
        if offer.seconds.estimate < plain.seconds.estimate
    ]
    if not counts:
        return PaidBack(plain)
    calls, first = min(counts, key=lambda count: (count[0], count[1].label))
    return PaidBack(plain, first, calls)
