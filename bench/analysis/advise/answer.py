"""Which kernel to use at an m, n_x and number of calls: the answer of `unloop advise`, from a run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

import numpy as np

import kernels
from bench.analysis.costmodel import Costs, fit_all
from bench.analysis.payback import cold_seconds
from bench.grid import Order, Setting
from bench.results import CellResult, Run
from bench.stats import Interval
from bench.words import WrongUse

LEAD = 1.05  # the answer changes where another kernel leads by more
STEPS_PER_DECADE = 24
MOST_CALLS = 10**9


class CantAnswer(WrongUse):
    """A question that makes no sense, or that this run can't answer."""


@dataclass(frozen=True)
class Offer:
    """A kernel and what it takes: seconds a call, and to compile; measured in this very cell, or predicted.

    `one_thread`: it uses one thread, though all were allowed.
    """

    kernel: str
    seconds: Interval
    compiling: float
    measured: bool
    one_thread: bool = False

    @property
    def label(self) -> str:
        """The kernel's name, and that it uses one thread of all."""
        return f"{self.kernel} (one thread)" if self.one_thread else self.kernel

    def total(self, calls: float) -> float:
        """Seconds of all calls, compiling included."""
        return self.compiling + calls * self.seconds.estimate


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
        unfit: Those left out because their cost is wrong once an activation saturates.
        costs: The cost models that predict them.
        outside: Whether the problem lies outside the sizes that the run measured.
    """

    run: Run
    m: int
    n_x: int
    calls: int
    setting: Setting
    offers: list[Offer]
    unfit: list[Offer]
    costs: dict[str, Costs]
    outside: bool

    @property
    def best(self) -> Offer:
        """The answer."""
        return self.offers[0]

    def best_at(self, m: float, n_x: float, calls: float, lead: float = LEAD) -> str:
        """The kernel to use elsewhere, by the model, made to agree with what was measured here.

        It is the same as here unless another leads by more than `lead`.
        """

        def total(offer: Offer) -> float:
            costs = self.costs[offer.kernel]
            scale = offer.seconds.estimate / costs.seconds(self.m, self.n_x).estimate if offer.measured else 1.0
            return offer.compiling + calls * scale * costs.seconds(m, n_x).estimate

        totals = {offer.label: total(offer) for offer in self.offers if offer.kernel in self.costs}
        best, own = min(totals, key=lambda name: totals[name]), self.best.label
        return own if own in totals and totals[own] <= lead * totals[best] else best


def advise(
    run: Run, m: int, n_x: int, calls: int = 1, order: str = "F", threads: str = "1", peers: bool = False
) -> Advice:
    """The kernels of a run for a problem, the fastest for all calls first.

    Raises:
        CantAnswer: For sizes below 1, an unknown order or threads, or a run that can't answer.
    """
    for what, value in (("--m", m), ("--n-x", n_x), ("--calls", calls)):
        if value < 1:
            raise CantAnswer(f"{what} must be at least 1; got {value}")
    if order not in get_args(Order):
        raise CantAnswer(f"--order must be F or C; got {order!r}")
    if threads not in ("1", "all"):
        raise CantAnswer(f"--threads must be 1 or all; got {threads!r}")
    count = 1 if threads == "1" else max((result.cell.threads for result in run.cells), default=1)
    setting = Setting(cast(Order, order), count)
    offers, costs = _offers(run, m, n_x, setting)
    if count > 1:
        # A kernel of one thread was measured where only one was allowed; it may be used where all are.
        alone, costs_alone = _offers(run, m, n_x, replace(setting, threads=1))
        offers += [replace(offer, one_thread=True) for offer in alone if run.kernels[offer.kernel].threads == "one"]
        costs = costs_alone | costs
    ladder = kernels.KERNELS
    offers = [offer for offer in offers if peers or offer.kernel in ladder]
    unfit = [offer for offer in offers if offer.kernel in ladder and ladder[offer.kernel].cost_from == "a"]
    offers = [offer for offer in offers if offer not in unfit]
    if run.problem != "synthetic" or not offers:
        raise CantAnswer(
            f"this run can't answer for {setting.label}: too few cells; measure with: unloop run --grid quick"
        )
    offers.sort(key=lambda offer: offer.total(calls))
    return Advice(run, m, n_x, calls, setting, offers, unfit, costs, _outside(run.of(setting), m, n_x))


def _outside(results: Sequence[CellResult], m: int, n_x: int) -> bool:
    cells = [result.cell for result in results]
    ms, n_xs, sizes = [c.m for c in cells], [c.n_x for c in cells], [c.m * c.n_x for c in cells]
    return not (min(ms) <= m <= max(ms) and min(n_xs) <= n_x <= max(n_xs) and m * n_x <= max(sizes))


def _offers(run: Run, m: int, n_x: int, setting: Setting) -> tuple[list[Offer], dict[str, Costs]]:
    """What every kernel of a setting takes, and the costs that predict it."""
    fitted, _ = fit_all(run, setting)
    here = next((result for result in run.of(setting) if (result.cell.m, result.cell.n_x) == (m, n_x)), None)
    compiling = cold_seconds(run)
    offers = []
    for name in dict.fromkeys([*fitted, *(here.kernels if here else ())]):
        measured = here is not None and name in here.samples
        seconds = here.median(name) if here is not None and measured else fitted[name].seconds(m, n_x)
        offers.append(Offer(name, seconds, compiling.get(name, 0.0), measured))
    return offers, fitted


def left_out(advice: Advice) -> list[Offer]:
    """The kernels that would have been faster than the answer, but whose cost is wrong once an activation saturates."""
    return [offer for offer in advice.unfit if offer.total(advice.calls) < advice.best.total(advice.calls)]


def once_compiled(advice: Advice) -> Offer | None:
    """The fastest kernel where compiling no longer counts, if it is another than the answer."""
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
    ready = [offer for offer in advice.offers if not offer.compiling]
    compiled = [offer for offer in advice.offers if offer.compiling]
    if not ready or not compiled:
        return None
    plain = min(ready, key=lambda offer: offer.seconds.estimate)
    counts = [
        (math.ceil(offer.compiling / (plain.seconds.estimate - offer.seconds.estimate)), offer)
        for offer in compiled
        if offer.seconds.estimate < plain.seconds.estimate
    ]
    if not counts:
        return PaidBack(plain)
    calls, first = min(counts, key=lambda count: (count[0], count[1].label))
    return PaidBack(plain, first, calls)


Axis = Literal["m", "n_x", "calls"]


@dataclass(frozen=True)
class Turn:
    """Where the answer changes along one axis, the others kept.

    Attributes:
        axis: What is changed.
        above: Whether it lies above the question, or below.
        at: The value from which there is another answer.
        end: The last value that was looked at on this side.
        label: The other answer.
    """

    axis: Axis
    above: bool
    at: float
    end: int
    label: str


def turns(advice: Advice) -> dict[Axis, list[Turn]]:
    """Axis -> where the answer changes, below then above; none where the cost model does not know the answer."""
    if advice.best.kernel not in advice.costs:
        return {}
    cells = [result.cell for result in advice.run.of(advice.setting)]
    spans: dict[Axis, tuple[int, int, int]] = {
        "m": (advice.m, min(cell.m for cell in cells), max(cell.m for cell in cells)),
        "n_x": (advice.n_x, min(cell.n_x for cell in cells), max(cell.n_x for cell in cells)),
        "calls": (advice.calls, 1, MOST_CALLS),
    }
    return {
        axis: [turn for end in ends if (turn := _turn(advice, axis, start, end, end == ends[1])) is not None]
        for axis, (start, *ends) in spans.items()
    }


def _turn(advice: Advice, axis: Axis, start: int, end: int, above: bool) -> Turn | None:
    """The first change of answer on the way from the question to an end of an axis."""
    here = {"m": float(advice.m), "n_x": float(advice.n_x), "calls": float(advice.calls)}
    steps = max(1, round(abs(math.log10(end / start)) * STEPS_PER_DECADE))
    for value in np.geomspace(start, end, steps + 1)[1:]:
        # The totals are lines in the number of calls and cross once, so no lead is asked for there.
        label = advice.best_at(**{**here, axis: float(value)}, lead=1.0 if axis == "calls" else LEAD)
        if label != advice.best.label:
            return Turn(axis, above, float(value), end, label)
    return None
