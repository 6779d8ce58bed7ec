"""Counting verdicts: on made-up runs, each figure worked out by hand."""

import math

import pytest
from msgspec.structs import replace

from bench.trust import Experiment, Share, verdicts
from bench.trust.records import Bounds, Figures, Measured
from bench.trust.verdicts import called_slower
from tests import factories

PROCESSES = 6


def own(seconds: float, spread: float = 0.01, half: float = 0.01) -> Figures:
    """What this suite makes of a benchmark: processes that differ by `spread`, an interval of half-width `half`."""
    logs = [math.log(seconds) + spread * k for k in (-1.0, -0.5, 0.0, 0.0, 0.5, 1.0)]
    bounds = Bounds(seconds, seconds * (1.0 - half), seconds * (1.0 + half))
    return Figures(logs=logs, seconds=bounds, speedup=bounds)


def other(median: float, mean: float | None = None, least: float | None = None) -> Figures:
    return Figures(median=median, mean=mean or median, min=least or median)


def experiment(*runs: Measured) -> Experiment:
    return Experiment(version="1", date="2026-01-01", machine=factories.CARD, processes=PROCESSES, runs=list(runs))


def run(way: str, more: int, index: int, figures: Figures, neighbour: str = "quiet") -> Measured:
    return Measured(neighbour, way, more, index, 10.0, {"numba_loop at 10 x 2": figures})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("after", "slower"),
    [
        (own(1.0), False),
        (own(1.04), False),  # beyond doubt, but less than 5 %
        (own(1.08), True),
        (own(1.08, spread=0.2), False),  # more than 5 %, but in doubt
        (own(0.9), False),
    ],
)
def test_this_suite_calls_a_change_where_it_is_large_and_beyond_doubt(after: Figures, slower: bool) -> None:
    assert called_slower("unloop", own(1.0), after) is slower


@pytest.mark.parametrize("figure", ["median", "mean", "min"])
def test_the_other_calls_one_where_its_figure_is_larger_by_five_percent(figure: str) -> None:
    rule = f"pytest-benchmark, {figure}"
    same = other(1.0)
    for value, slower in ((1.0, False), (1.049, False), (1.051, True), (0.5, False)):
        assert called_slower(rule, same, replace(same, **{figure: value})) is slower


def test_runs_of_the_same_work_are_compared_with_the_one_before() -> None:
    times = (1.0, 1.2, 1.2, 1.0)
    made = experiment(*(run("pytest-benchmark", 0, k, other(t, least=1.0)) for k, t in enumerate(times)))
    (shown,) = verdicts(made)
    assert shown.slower["pytest-benchmark, median"] == {0: Share(1, 3)}
    assert shown.slower["pytest-benchmark, min"] == {0: Share(0, 3)}
    assert shown.slower["unloop"] == {}


def test_runs_of_more_work_are_compared_with_those_of_the_same() -> None:
    made = experiment(
        *(run("unloop", 0, k, own(1.0)) for k in range(3)),
        run("unloop", 10, 0, own(1.1)),
        run("unloop", 10, 1, own(1.0)),
    )
    (shown,) = verdicts(made)
    assert shown.slower["unloop"] == {0: Share(0, 2), 10: Share(1, 2)}


def test_coverage_asks_for_the_median_of_all_other_runs() -> None:
    # The others' median is 1.0 for the run at 1.1, and 1.0 or 1.05 for the rest.
    made = experiment(*(run("unloop", 0, k, own(t, half=0.06)) for k, t in enumerate((1.0, 1.0, 1.1))))
    (shown,) = verdicts(made)
    assert shown.coverage["seconds"] == Share(2, 3) and shown.coverage["speed-ups"] == Share(2, 3)
    assert shown.seconds == {"unloop": 10.0}


def test_quiet_and_disturbed_are_counted_apart() -> None:
    made = experiment(
        *(run("pytest-benchmark", 0, k, other(1.0)) for k in range(2)),
        *(run("pytest-benchmark", 0, k, other(1.0 + k), "disturbed") for k in range(2)),
    )
    quiet, disturbed = verdicts(made)
    assert quiet.slower["pytest-benchmark, mean"][0] == Share(0, 1)
    assert disturbed.slower["pytest-benchmark, mean"][0] == Share(1, 1)
    assert disturbed.spread["pytest-benchmark, mean"] == pytest.approx(math.log(2.0) / math.sqrt(2.0))


def test_wilsons_interval_of_a_share() -> None:
    # 5 of 100: R's prop.test(5, 100, correct = FALSE) prints 0.02154 to 0.11175.
    assert Share(5, 100).bounds == pytest.approx((0.02154368, 0.11175047), abs=1e-6)
    assert Share(0, 0).bounds == (0.0, 1.0)
