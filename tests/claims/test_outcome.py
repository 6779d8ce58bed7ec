"""From samples to ratios, intervals and verdicts, by hand."""

import math

import pytest

from bench import stats
from bench.claims import outcome
from bench.claims.records import Ended, Failed, Share
from tests.claims.made import card, claims, records

SLOW, FAST = (0.30, 0.33, 0.27), (1e-3, 1.1e-3, 0.9e-3)


def test_a_ratio_is_that_of_each_process_and_its_interval_their_spread() -> None:
    done = outcome.of(records(card(), {"slow": SLOW, "fast": (1e-3, 1e-3, 1e-3)}, loops=4))
    (result,) = done.claims
    head = result.ratios[0]
    wanted = stats.of_processes([math.log(seconds / 1e-3) for seconds in SLOW])
    assert head.measured is not None and head.against is not None
    for end in ("estimate", "low", "high"):
        assert getattr(head.measured.interval, end) == pytest.approx(getattr(wanted, end))
    assert head.printed == pytest.approx(300.0) and head.against.estimate == pytest.approx(1.0)
    assert result.verdict == "reproduced" and result.n == 1_000_000 and done.complete and done.wall == 12.0
    slow = result.way("slow")
    assert slow.printed == 0.3 and slow.seconds is not None and slow.seconds.estimate == pytest.approx(0.30)
    assert slow.error == 0.5


def test_what_all_processes_share_is_no_uncertainty() -> None:
    # Both ways vary together, by 10%; their ratio does not.
    (result,) = claims((card(), {"slow": SLOW, "fast": FAST})).claims
    measured = result.ratios[0].measured
    assert measured is not None
    assert measured.estimate == pytest.approx(300.0) and measured.low == pytest.approx(300.0)


def test_causes_compare_ways_or_the_first_call() -> None:
    (result,) = claims((card(), {"slow": SLOW, "fast": FAST})).claims
    pair, once = result.causes
    assert pair.faster.estimate == pytest.approx(300.0) and not pair.first
    assert once.faster.estimate == pytest.approx(3.0) and once.first


def test_one_process_gives_no_interval_and_no_verdict() -> None:
    (result,) = outcome.of(records(card(), {"slow": (0.3,), "fast": (1e-3,)})).claims
    measured = result.ratios[0].measured
    assert measured is not None and measured.low == 0.0 and measured.high is None
    assert math.isinf(measured.interval.high) and result.verdict == "undecided"


def test_a_way_that_failed_has_no_time_and_its_claim_no_verdict() -> None:
    made = records(card(), {"slow": SLOW, "fast": FAST})
    made.insert(-1, Failed("made", 1_000_000, "fast", "fast crashed with SIGSEGV at size 9"))
    done = outcome.of(made)
    (result,) = done.claims
    assert result.verdict == "not measured" and result.way("fast").seconds is None
    assert outcome.failures(done) == ["made: fast crashed with SIGSEGV at size 9"]


def test_a_library_that_is_missing_is_no_failure() -> None:
    of = card()
    of.ways[1] = type(of.ways[1])("fast", "the fast way", 1e-3, missing="numexpr")
    done = outcome.of(records(of, {"slow": SLOW}))
    assert done.claims[0].verdict == "not measured" and outcome.failures(done) == []
    assert done.claims[0].way("fast").failed == "numexpr is not installed"


def test_an_interrupted_session_is_not_complete() -> None:
    made = records(card(), {"slow": SLOW, "fast": FAST})
    last = max(k for k, record in enumerate(made) if isinstance(record, Share))
    del made[last]
    assert not outcome.of(made).complete


def test_a_resumed_session_took_as_long_as_its_parts() -> None:
    assert outcome.of([*records(card(), {"slow": SLOW, "fast": FAST}), Ended(3.0)]).wall == 15.0


def test_a_sweep_crosses_between_two_sizes() -> None:
    # The slow way is twice as fast at 10, and half as fast at 1000: equal at 100.
    at = {10: {"slow": (1.0, 1.0), "fast": (2.0, 2.0)}, 1000: {"slow": (4.0, 4.0), "fast": (2.0, 2.0)}}
    (result,) = outcome.of(records(card(), {}, sizes=(10, 1000), at=at)).claims
    assert [size.n for size in result.sweep] == [10, 1000]
    assert result.sweep[0].speedups["fast"].estimate == pytest.approx(0.5)
    assert outcome.crossovers(result.sweep, "fast") == pytest.approx([100.0])


def test_a_predicted_time_gives_a_ratio_without_an_interval() -> None:
    at = {10: {"slow": (1.0, 1.0), "fast": (0.5, 0.5)}, 1000: {"fast": (2.0, 2.0)}}
    (result,) = outcome.of(records(card(), {}, sizes=(10, 1000), at=at, skipped={"slow": 50.0})).claims
    large = result.sweep[1]
    assert large.way("slow").predicted == 50.0 and large.way("slow").seconds is None and not large.speedups
    speedup = large.speedup("slow", "fast")
    assert speedup is not None and speedup.estimate == pytest.approx(25.0) and speedup.high is None
    assert outcome.crossovers(result.sweep, "fast") == []


def test_samples_are_those_of_all_processes() -> None:
    samples = outcome.samples(records(card(), {"slow": SLOW, "fast": FAST}, loops=2))
    assert samples["made", "slow"] == ([0.6, 0.66, 0.54], 2)
