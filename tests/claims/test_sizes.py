"""Sizes: predicted from smaller ones, checked against memory, read from a command line."""

from collections.abc import Callable

import numpy as np
import pytest

from bench.claims import sizes


def trend(cost: Callable[[int], float], n: int, limit: float) -> tuple[sizes.Trend, list[int]]:
    called: list[int] = []

    def seconds(size: int) -> float:
        called.append(size)
        return cost(size)

    return sizes.climb(n, seconds, limit), called


def test_a_quick_way_is_climbed_to_the_size_itself() -> None:
    known, called = trend(lambda n: 1e-9 * n, 1_000_000, 1.0)
    assert known.size == 1_000_000 and called[-1] == 1_000_000
    assert sizes.by_time(1_000_000, [known], 1.0) == (1_000_000, "")


@pytest.mark.parametrize(("power", "expected"), [(1, 100_000), (2, 200_000)])
def test_a_slow_way_is_predicted_and_never_called_for_longer_than_needed(power: int, expected: int) -> None:
    n = 1_000_000
    known, called = trend(lambda size: 20.0 * (size / n) ** power, n, 2.0)
    assert known.power == power and known.at(n) == pytest.approx(20.0)
    assert sum(20.0 * (size / n) ** power for size in called) < 2.0
    chosen = sizes.by_time(n, [known], 2.0)
    assert chosen.n == expected
    assert chosen.why == "the setup and a call of each way would take about 20 s (est.), over 2 s"


def test_a_constant_way_is_no_reason_to_shrink() -> None:
    constant, _ = trend(lambda _: 0.3, 1_000_000, 2.0)
    linear, _ = trend(lambda n: 1e-6 * n, 1_000_000, 2.0)
    assert constant.power == 0.0
    assert sizes.by_time(1_000_000, [constant, linear], 2.0).n == 1_000_000


def test_a_jump_where_a_cache_ends_is_no_power() -> None:
    def cost(n: int) -> float:
        return 1e-8 * n * (3.0 if n > 3_000_000 else 1.0)

    known, _ = trend(cost, 1_000_000_000, 1.6)
    assert known.power == 1.0


def test_noise_does_not_change_the_power() -> None:
    rng = np.random.default_rng(7)
    powers = {trend(lambda n: 2e-5 * n * rng.uniform(1.0, 1.7), 1_000_000, 2.0)[0].power for _ in range(200)}
    assert powers == {1.0}


def test_candidates_fall_by_halves_fifths_and_tenths() -> None:
    assert list(sizes.candidates(1000))[:5] == [1000, 500, 200, 100, 50]
    assert list(sizes.candidates(7)) == [7, 3, 1]
    assert list(sizes.candidates(1)) == [1]


def test_memory_is_checked_before_anything_is_made() -> None:
    assert sizes.by_memory(1000, lambda n: 8.0 * n, 1e6) == (1000, "")
    chosen = sizes.by_memory(1_000_000, lambda n: 8.0 * n, 2e6)
    assert chosen.n == 100_000 and "7.63 MiB of memory (est.)" in chosen.why


def test_bytes_of_arguments() -> None:
    assert sizes.bytes_of((np.zeros(10), 3)) == 80 + sizes.LIST_ITEM
    assert sizes.bytes_of([1.0] * 10) == 10 * sizes.LIST_ITEM
    assert sizes.bytes_of([[1.0] * 10] * 5) == 50 * sizes.LIST_ITEM
    square = sizes.bytes_needed(lambda n: 8.0 * n * n, 40_960)
    assert square(1000) == pytest.approx(8e6 * (1.0 + sizes.TEMPORARIES))


def test_the_sizes_of_a_sweep() -> None:
    assert sizes.sweep("10:1e4") == (10, 32, 100, 320, 1000, 3200, 10_000)
    assert sizes.sweep("100,10,1000,10") == (10, 100, 1000)
    assert sizes.sweep("5:6") == (5, 6)


@pytest.mark.parametrize("text", ["", "ten", "10:", "0:10", "1.5", "10:10", "100:10", "10:1e99", "-1,3"])
def test_what_is_no_range_of_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="--sizes"):
        sizes.sweep(text)
