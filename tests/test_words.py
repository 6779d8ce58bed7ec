"""How numbers are shown: each rule of the project's voice, by hand."""

import math

import pytest

from bench import words
from bench.stats import Interval
from bench.words import WrongUse


@pytest.mark.parametrize(
    ("value", "text"), [(0.001128, "0.00113"), (4.781, "4.78"), (1768.0, "1,770"), (1e6, "1,000,000"), (0.0, "0")]
)
def test_digits(value: float, text: str) -> None:
    assert words.digits(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0 s"),
        (3.14e-12, "3.14 ps"),
        (9.996e-7, "1 µs"),
        (1.342e-5, "13.4 µs"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1234.0, "1,230 s"),
    ],
)
def test_seconds(value: float, text: str) -> None:
    assert words.seconds(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.71, "71%"), (0.0994, "10%"), (0.034, "3%"), (0.0004, "0.04%")])
def test_percent(value: float, text: str) -> None:
    assert words.percent(value) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (3.14, "3.1× faster"),
        (1 / 505, "500× slower"),
        (1.03, "3% faster"),
        (0.97, "3% slower"),
        (1.001, "about the same"),
        (0.999, "about the same"),
        (1.6, "1.6× faster"),
    ],
)
def test_faster_and_slower(ratio: float, text: str) -> None:
    assert words.faster(ratio) == text


def test_intervals_are_printed_once_and_an_unstable_one_says_so() -> None:
    assert words.with_interval(Interval(475.0, 455.0, 496.0)) == "480× (95% interval 460 to 500)"
    assert words.with_interval(Interval(4.0, 2.0, 6.0)) == "4× (95% interval 2 to 6: unstable)"
    assert words.with_interval(Interval(4.0, 0.0, math.inf)) == "4× (too few rounds for an interval)"
    assert words.bounds(Interval(475.0, 455.0, 496.0)) == "475 [455, 496]" and words.bounds(None) == "–"
    assert words.faster_with_interval(Interval(0.2, 0.18, 0.21)) == "5× slower (95% interval 4.8 to 5.6)"
    assert words.faster_with_interval(Interval(1.03, 1.01, 1.05)) == "3% faster (95% interval 1.0% to 5.0%)"
    assert words.faster_with_interval(Interval(2.0, 0.0, math.inf)) == "2× faster (too few rounds for an interval)"


@pytest.mark.parametrize(
    ("value", "text"), [(13.2, "13×"), (1.42, "1.4×"), (1.0, "1×"), (0.238, "↓4.2×"), (0.01, "↓100×")]
)
def test_short(value: float, text: str) -> None:
    assert words.short(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "–"), (math.inf, "never"), (12.0, "12"), (3400.0, "3.4k"), (99_600.0, "99.6k"), (5e6, "5M"), (7e9, "7G")],
)
def test_calls(count: float | None, text: str) -> None:
    assert words.calls(count) == text


def test_plural_and_bytes() -> None:
    assert words.plural(1, "cell") == "1 cell" and words.plural(1_200, "cell") == "1,200 cells"
    assert words.human_bytes(32 * 2**20) == "32 MiB" and words.human_bytes(100) == "100 B"


def test_the_nearest_right_thing() -> None:
    assert str(words.nearest("grid", "quik", ["smoke", "quick"])) == "unknown grid 'quik'; did you mean quick?"
    assert str(words.nearest("grid", "x", ["smoke", "quick"])) == "unknown grid 'x'; one of: smoke, quick"
    assert isinstance(words.nearest("a", "b", []), WrongUse)
