"""The gate of a claim: number by number, within its tolerance."""

from typing import Any

import numpy as np
import pytest

from bench.claims import Claim, Way, elementwise, gamma, summed
from bench.claims.agreement import Disagreement, error


def claim(**changes: Any) -> Claim:
    return Claim(lambda n: n, [Way(abs, name="a"), Way(abs, name="b")], **changes)


def check(output: Any, expected: Any, of: Claim | None = None) -> float:
    return error(of or claim(), 10, output, expected, (10,))


def test_gamma_is_highams() -> None:
    assert gamma(1) == 2.0**-53 / (1.0 - 2.0**-53)
    assert summed()(1000) == 2.0 * gamma(1000)
    assert summed(lambda n: n + 5)(10) == 2.0 * gamma(15)
    assert elementwise(2)(99) == 2.0**-51


def test_results_within_the_tolerance_agree_and_say_how_near_they_are() -> None:
    assert check(1.0, 1.0) == 0.0
    assert check(1.0 + 5e-10, 1.0) == pytest.approx(0.5, rel=1e-3)
    assert check([1.0, 2.0], np.array([1.0, 2.0])) == 0.0
    assert check((1.0, np.arange(3)), (1.0, [0, 1, 2])) == 0.0
    assert check(np.array([np.nan, np.inf]), np.array([np.nan, np.inf])) == 0.0
    assert check(np.zeros(0), np.zeros(0)) == 0.0


@pytest.mark.parametrize(
    ("output", "expected", "message"),
    [
        (1.1, 1.0, r"the result is 1.1, expected 1.0: off by 0.1, allowed 1e-09"),
        (np.array([1.0, 3.0]), np.array([1.0, 2.0]), r"the result\[1\] is 3.0, expected 2.0"),
        (np.eye(2), np.ones((2, 2)), r"the result\[0, 1\] is 0.0"),
        (np.ones(3), np.ones((3, 1)), r"has shape \(3,\), expected \(3, 1\)"),
        (np.ones((3, 3)), np.ones(3), r"has shape \(3, 3\), expected \(3,\)"),
        ((1.0,), (1.0, 2.0), "returns 1 results, expected 2"),
        ((1.0, 2.5), (1.0, 2.0), "result 2 is 2.5"),
        (np.nan, 1.0, "is nan, expected 1.0"),
        (1.0, np.nan, "is 1.0, expected nan"),
        (np.inf, 1.0, "is inf"),
        (-np.inf, np.inf, "is -inf, expected inf"),
        ("text", 1.0, "is no number or array of numbers: returned 'text'"),
        (1e-300, 0.0, "expected 0.0"),
    ],
)
def test_what_differs_is_named(output: Any, expected: Any, message: str) -> None:
    with pytest.raises(Disagreement, match=message):
        check(output, expected)


def test_one_wrong_number_in_a_million_is_found() -> None:
    right = np.ones(1_000_000)
    wrong = right.copy()
    wrong[654_321] += 2e-9
    with pytest.raises(Disagreement, match=r"the result\[654321\]"):
        check(wrong, right)


def test_a_scale_allows_for_cancellation_and_no_more() -> None:
    scaled = claim(scale=lambda n: float(n))
    assert check(9e-9, 0.0, scaled) == pytest.approx(0.9)
    with pytest.raises(Disagreement, match="allowed 1e-08"):
        check(1.1e-8, 0.0, scaled)


def test_what_is_compared_may_be_a_summary() -> None:
    lengths = claim(compared=len, tolerance=0.0)
    assert check([1, 2, 3], [7, 8, 9], lengths) == 0.0
    with pytest.raises(Disagreement, match="is 2, expected 3"):
        check([1, 2], [7, 8, 9], lengths)


def test_a_tolerance_of_none_wants_equality() -> None:
    exact = claim(tolerance=0.0)
    assert check(np.arange(5), np.arange(5), exact) == 0.0
    with pytest.raises(Disagreement, match="allowed 0"):
        check(np.nextafter(1.0, 2.0), 1.0, exact)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"ways": [abs]}, ValueError, "needs two ways"),
        ({"ways": [abs, abs]}, ValueError, "two ways have one name"),
        ({"ways": [abs, 3]}, TypeError, "a way is a function"),
        ({"ways": [abs, lambda n: n]}, ValueError, "a way needs a name"),
        ({"ways": [abs, len], "n": 0}, TypeError, "n must be a whole number"),
        ({"ways": [abs, len], "n": 1e6}, TypeError, "n must be a whole number"),
    ],
)
def test_a_claim_that_is_none(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        Claim(lambda n: n, **arguments)


def test_a_setup_may_take_a_generator_or_not() -> None:
    plain = Claim(lambda n: n, [abs, len])
    assert plain.arguments(7, seed=1) == (7,)
    random = Claim(lambda n, rng: (rng.random(n), n), [abs, len])
    (x, n), (again, _), (other, _) = (random.arguments(5, seed=seed) for seed in (1, 1, 2))
    assert n == 5 and np.array_equal(x, again) and not np.array_equal(x, other)
