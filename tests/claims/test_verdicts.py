"""Every rule of the verdicts, with claims made up to pass and to fail it."""

import pytest

from bench.claims import verdicts
from bench.claims.results import Measured, RatioResult
from bench.stats import Interval
from tests.claims.made import SOURCE, card


def ratio(printed: float | None = 300.0, stated: tuple[float, ...] = (), verdict: str = "reproduced") -> RatioResult:
    return RatioResult("slow", "fast", stated, printed, Measured(300.0, 290.0, 310.0), None, verdict)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [
        (Interval(100.0, 95.0, 105.0), "reproduced"),
        (Interval(149.0, 140.0, 160.0), "reproduced"),  # within 1.5, and its interval only reaches beyond
        (Interval(67.0, 60.0, 70.0), "reproduced"),
        (Interval(160.0, 151.0, 170.0), "larger"),
        (Interval(160.0, 149.0, 170.0), "undecided"),  # beyond, but its interval is not
        (Interval(60.0, 50.0, 66.0), "smaller"),
        (Interval(60.0, 50.0, 67.0), "undecided"),
        (Interval(100.0, 60.0, 160.0), "undecided"),  # beyond on both sides
        (Interval(100.0, 0.0, float("inf")), "undecided"),  # a single process
    ],
)
def test_a_measurement_beside_a_claim_of_100(measured: Interval, verdict: str) -> None:
    assert verdicts.measurement((100.0, 100.0), measured) == verdict


def test_a_claimed_range_is_wider() -> None:
    assert verdicts.measurement((6.0, 12.0), Interval(17.0, 16.5, 17.5)) == "reproduced"
    assert verdicts.measurement((6.0, 12.0), Interval(19.0, 18.5, 19.5)) == "larger"
    assert verdicts.measurement((6.0, 12.0), Interval(3.5, 3.0, 3.9)) == "smaller"


def test_nothing_printed_and_nothing_measured() -> None:
    assert verdicts.measurement(None, Interval(2.0, 1.9, 2.1)) == "nothing printed"
    assert verdicts.measurement((2.0, 2.0), None) == "not measured"


def test_a_ratio_is_computed_from_the_printed_times() -> None:
    assert verdicts.printed_ratio(card(printed=(11.34, 0.0756)), "slow", "fast") == pytest.approx(150.0)
    assert verdicts.printed_ratio(card(printed=(11.34, None)), "slow", "fast") is None


@pytest.mark.parametrize(
    ("printed", "stated", "contradicts"),
    [
        (149.4, (1000.0,), True),
        (1121.0, (500.0,), True),
        (316.0, (300.0,), False),
        (5.03, (6.0,), False),
        (449.0, (300.0,), False),
        (451.0, (300.0,), True),
        (199.0, (300.0,), True),
        (None, (300.0,), False),
        (300.0, (), False),
        (8.0, (5.9, 11.8), False),
        (18.0, (5.9, 11.8), True),
    ],
)
def test_times_that_do_not_give_the_ratio(printed: float | None, stated: tuple[float, ...], contradicts: bool) -> None:
    assert (verdicts.contradiction(ratio(printed, stated)) is not None) == contradicts


def test_a_contradiction_says_what_both_give() -> None:
    assert verdicts.contradiction(ratio(149.4, (1000.0,))) == "The text says 1,000×, but the printed times give 150×"


def test_bytes_that_no_memory_moves_in_that_time() -> None:
    # 2.4 GB in 1 ms are 2400 GB/s; ten times the 230.4 GB/s of any socket of 2017 are 2304.
    made = card(printed=(1.0, 1e-3), nbytes=2.4e9)
    why = verdicts.impossible(made)
    assert why is not None and "2.4 GB" in why and "2,400 GB/s" in why and "230 GB/s" in why and "2017" in why
    assert verdicts.claim(made, [ratio()])[0] == "impossible as printed"


@pytest.mark.parametrize(
    "made",
    [
        card(printed=(1.0, 1.05e-3), nbytes=2.4e9),  # 2286 GB/s, just possible by this rule
        card(printed=(1.0, 1e-3), nbytes=2.4e9, source=(*SOURCE[:3], 2024)),  # machines of 2024 had more
        card(printed=(1.0, 1e-7), nbytes=16e6),  # fits in a cache
        card(printed=(None, None), nbytes=2.4e9),
        card(printed=(1.0, 1e-3), nbytes=2.4e9, source=None),
        card(printed=(1.0, 1e-3), nbytes=None),
    ],
)
def test_what_is_not_impossible(made: object) -> None:
    assert verdicts.impossible(made) is None  # type: ignore[arg-type]


def test_a_way_that_does_the_work_twice_moves_twice_the_bytes() -> None:
    assert verdicts.impossible(card(printed=(1.0, 1.5e-3), nbytes=2.4e9)) is None
    assert verdicts.impossible(card(printed=(1.0, 1.5e-3), nbytes=2.4e9, passes=2)) is not None


def test_the_order_of_the_rules() -> None:
    both = card(printed=(1.0, 1e-3), nbytes=2.4e9)
    contradicting = [ratio(1000.0, (100.0,), "smaller")]
    verdict, reasons = verdicts.claim(both, contradicting)
    assert verdict == "impossible as printed" and len(reasons) == 2
    assert verdicts.claim(card(), contradicting) == ("contradicts itself", reasons[1:])
    assert verdicts.claim(card(), [ratio(300.0, (300.0,), "smaller")]) == ("smaller", [])
    # Only the claim's own ratio decides; another that contradicts itself is a reason all the same.
    verdict, reasons = verdicts.claim(card(), [ratio(), *contradicting])
    assert verdict == "reproduced" and len(reasons) == 1
