"""The change of a kernel in a cell: its verdict, whether it is slower by more, and what it would take to decide."""

import math
from typing import Any

import numpy as np
import pytest

from bench.analysis.differences import Change, Verdict, effort_of
from bench.stats import Interval
from tests import factories


def change(single: Interval, ratio: Interval | None = None, **facts: Any) -> Change:
    """A change whose ratio has this interval by itself, and this one (or the same) corrected for all comparisons."""
    return Change("k", factories.cell(1, 1), None, 1.0, 1.0, ratio or single, single, **facts)


def about(estimate: float, half: float) -> Interval:
    """An interval that reaches as far to both sides, in logarithms."""
    return Interval(estimate, estimate * math.exp(-half), estimate * math.exp(half))


@pytest.mark.parametrize(
    ("low", "high", "floor", "verdict"),
    [
        (1.02, 1.04, 0.01, "slower"),
        (1.005, 1.04, 0.01, "same"),
        (0.9, 0.98, 0.01, "faster"),
        (0.96, 0.995, 0.01, "same"),
        # All beyond 1, by less than noise; and the interval is not all within the tolerance.
        (1.02, 1.06, 0.03, "unknown"),
        (0.94, 0.98, 0.03, "unknown"),
        # The interval of a ratio that nobody has measured well holds 1 and 20%, too.
        (0.9, 1.2, 0.01, "unknown"),
        (0.96, 1.06, 0.01, "unknown"),
        (0.94, 1.04, 0.01, "unknown"),
        (0.0, np.inf, 0.01, "unknown"),
        # A kernel that differs from itself by more than the tolerance, or by nobody knows how much.
        (0.99, 1.01, 0.06, "unknown"),
        (1.02, 1.04, np.inf, "unknown"),
        (2.0, 2.1, np.inf, "unknown"),
    ],
)
def test_verdicts_of_a_change(low: float, high: float, floor: float, verdict: Verdict) -> None:
    assert change(Interval(math.sqrt(low * min(high, 9.0)), low, high), floor=floor).verdict == verdict


def test_no_change_is_what_lies_within_the_tolerance_asked_for() -> None:
    assert change(about(1.0, 0.04), tolerance=0.05).verdict == "same"
    assert change(about(1.0, 0.04), tolerance=0.03).verdict == "unknown"


def test_no_change_is_a_conclusion_each_and_a_change_one_of_many() -> None:
    wide, narrow = about(1.0, 0.06), about(1.0, 0.04)
    assert change(narrow, wide).verdict == "same"
    assert change(about(1.1, 0.05), about(1.1, 0.12)).verdict == "unknown"


def test_what_it_would_take_to_decide() -> None:
    tolerance = math.log(1.05)
    # Twice as wide as allowed; off the middle by half of what is allowed; too far off to be the same.
    assert change(about(1.0, 2 * tolerance)).needed == pytest.approx(4.0)
    assert change(about(math.exp(tolerance / 2), 3 * tolerance)).needed == pytest.approx(36.0)
    assert change(about(1.1, 3 * math.log(1.1))).needed == pytest.approx(9.0)
    assert change(about(1 / 1.1, 3 * math.log(1.1))).needed == pytest.approx(9.0)
    # Noise shrinks, too: to show a way, both together; to show that nothing changed, noise by itself.
    noise = math.expm1(2 * math.log(1.1))
    assert change(about(1.1, 3 * math.log(1.1)), floor=noise).needed == pytest.approx(25.0)
    assert change(about(1.0, tolerance / 2), floor=math.expm1(3 * tolerance)).needed == pytest.approx(9.0)
    assert change(Interval(1.0, 0.0, np.inf)).needed == math.inf
    assert change(about(1.0, 0.01)).needed is change(about(1.2, 0.01)).needed is None


def test_the_effort_of_all_is_the_median() -> None:
    changes = [change(about(1.0, 0.1), processes=n) for n in (6, 6, 2)]
    effort = effort_of([*zip(changes, (2.0, 3.0, 5.0), strict=True), (change(about(1.0, 0.01)), None)])
    # 6 (2 - 1), 6 (3 - 1) and 2 (5 - 1) processes more.
    assert effort is not None and (effort.undecided, effort.times, effort.processes) == (3, 3.0, 8)
    mixed = effort_of([(changes[0], 2.0), (change(about(1.0, 0.1)), 4.0)])
    assert mixed is not None and (mixed.times, mixed.processes) == (3.0, None)
    assert effort_of([(changes[0], None)]) is None


def test_slower_by_more_than_allowed_or_not_or_unknown() -> None:
    assert change(Interval(1.1, 1.06, 1.2)).slower_than(0.05) is True
    assert change(Interval(1.1, 1.04, 1.2)).slower_than(0.05) is None
    assert change(Interval(1.02, 1.01, 1.04)).slower_than(0.05) is False
    assert change(Interval(0.5, 0.4, 0.6)).slower_than(0.05) is False
    assert change(Interval(1.0, 0.7, 1.3)).slower_than(0.05) is None
    # Noise: of more than is allowed, unless it is faster beyond it.
    assert change(Interval(1.1, 1.06, 1.2), floor=0.07).slower_than(0.05) is None
    assert change(Interval(1.0, 0.99, 1.01), floor=0.07).slower_than(0.05) is None
    assert change(Interval(0.5, 0.4, 0.6), floor=0.07).slower_than(0.05) is False
    # The tolerance has no part in it.
    assert change(Interval(1.02, 1.01, 1.04), tolerance=0.01).slower_than(0.05) is False
    assert change(about(1.0, 3 * math.log(1.1))).needed_for(0.1) == pytest.approx(9.0)
    assert change(about(1.05 * 1.1, 3 * math.log(1.1))).needed_for(0.05) == pytest.approx(9.0)
    assert change(Interval(1.1, 1.06, 1.2)).needed_for(0.05) is None
