"""Which kernel to use at an m, n_x and number of calls: the answer of `unloop advise`, from a run."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bench.analysis.costmodel import Costs, fit_all
from bench.cli.options import WrongUse
from bench.report.chapters.compiling import cold_seconds
from bench.report.tables import bounds_text
from bench.report.terminal import seconds_text
from bench.results.run import Run
from bench.stats import Interval
from bench.variant import Variant, of_variant, variant_words
from kernels import KERNELS

LEAD = 1.05  # a change of answer is told where another kernel leads by more
STEPS_PER_DECADE = 24


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
    """The offers, best first, those left out, and all that is needed to say when they change."""

    run: Run
    m: int
    n_x: int
    calls: int
    variant: Variant
    offers: list[Offer]
    unfit: list[Offer]
    costs: dict[str, Costs]
    outside: bool

    def best_at(self, m: float, n_x: float, calls: float, lead: float = LEAD) -> str:
        """The kernel to use elsewhere, by the model, made to agree with what was measured here.

        It is the same as here unless another leads by more than `lead`.
        """

        def total(offer: Offer) -> float:
            costs = self.costs[offer.kernel]
            scale = offer.seconds.estimate / costs.seconds(self.m, self.n_x).estimate if offer.measured else 1.0
            return offer.compiling + calls * scale * costs.seconds(m, n_x).estimate

        totals = {offer.label: total(offer) for offer in self.offers if offer.kernel in self.costs}
        best, own = min(totals, key=lambda name: totals[name]), self.offers[0].label
        return own if own in totals and totals[own] <= lead * totals[best] else best


def advise(
    run: Run, m: int, n_x: int, calls: int = 1, order: str = "F", threads: str = "1", peers: bool = False
) -> Advice:
    """The kernels of a run for a problem, the fastest for all calls first.

    Raises:
        WrongUse: For sizes below 1, an unknown order or threads, or a run that can't answer.
    """
    for what, value in (("--m", m), ("--n-x", n_x), ("--calls", calls)):
        if value < 1:
            raise WrongUse(f"{what} must be at least 1; got {value}")
    if order not in ("F", "C"):
        raise WrongUse(f"--order must be F or C; got {order!r}")
    if threads not in ("1", "all"):
        raise WrongUse(f"--threads must be 1 or all; got {threads!r}")
    count = 1 if threads == "1" else max((result.cell.threads for result in run.cells), default=1)
    variant = (order, count)
    offers, costs = _offers(run, m, n_x, variant)
    if count > 1:
        # A kernel of one thread was measured where only one was allowed; it may be used where all are.
        alone, costs_alone = _offers(run, m, n_x, (order, 1))
        offers += [replace(each, one_thread=True) for each in alone if run.kernels[each.kernel]["threads"] == "one"]
        costs = costs_alone | costs
    offers = [each for each in offers if peers or each.kernel in KERNELS]
    unfit = [each for each in offers if each.kernel in KERNELS and KERNELS[each.kernel].cost_from == "a"]
    offers = [each for each in offers if each not in unfit]
    if run.problem != "synthetic" or not offers:
        raise WrongUse(
            f"this run can't answer for {variant_words(variant)}: too few cells; measure with: unloop run --grid quick"
        )
    offers.sort(key=lambda offer: offer.total(calls))
    ms, n_xs = ([getattr(r.cell, what) for r in of_variant(run, variant)] for what in ("m", "n_x"))
    most = max(r.cell.m * r.cell.n_x for r in of_variant(run, variant))
    outside = not (min(ms) <= m <= max(ms) and min(n_xs) <= n_x <= max(n_xs) and m * n_x <= most)
    return Advice(run, m, n_x, calls, variant, offers, unfit, costs, outside)


def _offers(run: Run, m: int, n_x: int, variant: Variant) -> tuple[list[Offer], dict[str, Costs]]:
    """What every kernel of a variant takes, and the costs that predict it."""
    fitted, _ = fit_all(run, variant)
    here = next((r for r in of_variant(run, variant) if (r.cell.m, r.cell.n_x) == (m, n_x)), None)
    compiling = run.compile_seconds | cold_seconds(run)
    offers = []
    for name in dict.fromkeys([*fitted, *(here.kernels if here else ())]):
        measured = here is not None and name in here.seconds
        seconds = here.median(name) if here is not None and measured else fitted[name].seconds(m, n_x)
        offers.append(Offer(name, seconds, compiling.get(name, 0.0), measured))
    return offers, fitted


def lines(advice: Advice, folder: str) -> Iterator[str]:
    """The advice for a person, from the run in a folder; the first line is the answer."""
    best, calls = advice.offers[0], advice.calls
    yield f"Use {best.label} for m = {advice.m:,}, n_x = {advice.n_x:,} ({variant_words(advice.variant)})."
    how = "measured" if best.measured else "predicted; of cells left out of the prediction, 95% came within such bounds"
    yield f"A call takes {bounds_text(best.seconds, seconds_text)} ({how})."
    compiled = f", {seconds_text(best.compiling)} of it compiling" if best.compiling else ""
    yield f"{_calls(calls)} {'takes' if calls == 1 else 'take'} {seconds_text(best.total(calls))}{compiled}."
    if len(advice.offers) > 1:
        second = advice.offers[1]
        ratio = second.total(calls) / best.total(calls)
        yield f"Next: {second.label}, {ratio:.3g} times as long ({seconds_text(second.total(calls))})."
    yield from _left_out(advice)
    yield from _for_many(advice)
    yield from _paid_back(advice)
    if best.kernel in advice.costs:
        yield from _changes(advice)
    if advice.outside:
        yield "Outside of what this run measured: the answer is an extrapolation, and its bounds are too narrow."
    header = advice.run.header
    yield f"From {folder}, a run on {header['machine']['cpu']}, {header['before']['date'][:10]}."


def _left_out(advice: Advice) -> Iterator[str]:
    """Why a kernel that would have been the fastest was left out."""
    best = advice.offers[0].total(advice.calls)
    for each in advice.unfit:
        if each.total(advice.calls) < best:
            yield (
                f"Left out: {each.label}, which would take {each.total(advice.calls) / best:.2f} of that: its cost is "
                "wrong once an activation saturates (|z| above about 36)."
            )


def _for_many(advice: Advice) -> Iterator[str]:
    """What is the fastest where compiling no longer counts, if it is another kernel."""
    fastest = min(advice.offers, key=lambda offer: offer.seconds.estimate)
    if fastest.kernel != advice.offers[0].kernel:
        yield f"For many calls: {fastest.label}, {bounds_text(fastest.seconds, seconds_text)} a call once compiled."


def _paid_back(advice: Advice) -> Iterator[str]:
    """After how many calls the best compiled kernel has made up for its compile time."""
    ready = [offer for offer in advice.offers if not offer.compiling]
    compiled = [offer for offer in advice.offers if offer.compiling]
    if not ready or not compiled:
        return
    plain = min(ready, key=lambda offer: offer.seconds.estimate)
    paid = [
        (math.ceil(offer.compiling / (plain.seconds.estimate - offer.seconds.estimate)), offer.label)
        for offer in compiled
        if offer.seconds.estimate < plain.seconds.estimate
    ]
    if not paid:
        yield f"Compiling is never paid back here: no compiled kernel is faster than {plain.label}."
        return
    calls, name = min(paid)
    verdict = "so it is paid back" if advice.calls >= calls else "so it is not paid back"
    yield f"Compiling {name} is paid back against {plain.label} after {_calls(calls)}, {verdict} by {advice.calls:,}."


def _calls(count: int) -> str:
    return f"{count:,} call{'' if count == 1 else 's'}"


def _changes(advice: Advice) -> Iterator[str]:
    """Where the answer changes along m, n_x and calls, the others kept."""
    cells = of_variant(advice.run, advice.variant)
    spans = {
        "m": (advice.m, min(r.cell.m for r in cells), max(r.cell.m for r in cells)),
        "n_x": (advice.n_x, min(r.cell.n_x for r in cells), max(r.cell.n_x for r in cells)),
        "calls": (advice.calls, 1, 10**9),
    }
    here = {"m": float(advice.m), "n_x": float(advice.n_x), "calls": float(advice.calls)}
    for what, (start, low, high) in spans.items():
        found = []
        for end, word in ((low, "below"), (high, "above")):
            steps = max(1, round(abs(math.log10(end / start)) * STEPS_PER_DECADE))
            for value in np.geomspace(start, end, steps + 1)[1:]:
                # The totals are lines in the number of calls, and cross once: no lead is asked there.
                name = advice.best_at(**{**here, what: float(value)}, lead=1.0 if what == "calls" else LEAD)
                if name != advice.offers[0].label:
                    at = f"{float(f'{value:.2g}'):,.0f}"
                    found.append(f"at {at} {name}" if at == f"{end:,}" else f"{word} about {at} {name}")
                    break
        another = "other numbers of calls" if what == "calls" else f"another {what}"
        yield f"With {another}: {', '.join(found) if found else 'the same'}."
