"""The price of compiling, in fresh processes."""

from bench.measure import compiling


def test_the_price_of_compiling_in_fresh_processes() -> None:
    lines: list[str] = []
    (price,) = compiling.measure(["numba_loop"], lines.append)
    assert price.kernel == "numba_loop" and lines == ["compiling numba_loop in a fresh process"]
    # The second process found it on disk: that it took less time is for a benchmark to say.
    assert price.cached is not None and min(price.cold, price.cached, price.warm) > 0.0
    assert compiling.measure(["no_such_kernel"]) == []
