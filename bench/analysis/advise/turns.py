"""Where the answer changes: along m, along n_x and along the number of calls, the others kept."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.analysis.advise.answer import Advice, Offer
from bench.analysis.advise.local import Array

LEAD = 1.05  # the answer changes where another kernel leads by more
STEPS_PER_DECADE = 24
MOST_CALLS = 10**9

Axis = Literal["m", "n_x", "calls"]


@dataclass(frozen=True)
class Turn:
    """Where the answer changes along one axis, the others kept.

    Attributes:
        axis: What is changed.
        above: Whether it lies above the question, or below.
        at: The value from which the answer changes.
        end: The last value that was looked at on this side.
        label: The other answer.
    """

    axis: Axis
    above: bool
    at: float
    end: int
    label: str


def turns(advice: Advice) -> dict[Axis, list[Turn]]:
    """Axis -> where the answer changes, below then above; none where the answer can't be estimated elsewhere."""
    if advice.best.label not in advice.local:
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
    steps = max(1, round(abs(math.log10(end / start)) * STEPS_PER_DECADE))
    values = np.geomspace(start, end, steps + 1)[1:]
    offers = [offer for offer in advice.offers if offer.label in advice.local]
    totals = np.array([_totals(advice, offer, axis, values) for offer in offers])
    own = offers.index(advice.best)
    # The totals are lines in the number of calls and cross once, so no lead is asked for there.
    ahead = totals[own] > (1.0 if axis == "calls" else LEAD) * totals.min(axis=0)
    if not ahead.any():
        return None
    first = int(np.flatnonzero(ahead)[0])
    return Turn(axis, above, float(values[first]), end, offers[int(totals[:, first].argmin())].label)


def _totals(advice: Advice, offer: Offer, axis: Axis, values: Array) -> Array:
    """Seconds of all calls of a kernel along an axis, made to agree with what was measured or estimated here."""
    if axis == "calls":
        return offer.start + values * offer.seconds.estimate
    local = advice.local[offer.label]
    where = np.column_stack(
        [values if axis == name else np.full(values.size, float(here)) for name, here in _here(advice)]
    )
    scale = offer.seconds.estimate / local.seconds(advice.m, advice.n_x).estimate
    return offer.start + advice.calls * scale * local.estimates(where)


def _here(advice: Advice) -> tuple[tuple[str, int], tuple[str, int]]:
    return ("m", advice.m), ("n_x", advice.n_x)
