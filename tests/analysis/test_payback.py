"""When compiling has paid for itself."""

import pytest

from bench.analysis import payback
from bench.results import LOOP, VECTORIZED, Run
from bench.results.records import Price
from bench.words import NEVER
from kernels import KERNELS
from tests import factories

SECONDS = {LOOP: 8e-3, "numba_loop": 1e-4, VECTORIZED: 2e-4, "numba_fused": 2e-5}


def test_calls_until_compiling_has_paid() -> None:
    result = factories.result(factories.cell(1_000, 32), SECONDS)
    # 1 s, and 0.2 ms - 0.1 ms saved with each call.
    assert payback.calls(result, "numba_loop", VECTORIZED, 1.0) == pytest.approx(10_000, rel=2e-3)
    assert payback.calls(result, VECTORIZED, "numba_loop", 1.0) == NEVER
    assert payback.calls(result, "numpy_buffers", VECTORIZED, 1.0) is None
    assert payback.calls(result, "numba_loop", LOOP, 1e-9) == 1.0
    found = payback.paybacks([result], VECTORIZED, {"numba_loop": 1.0, "numba_fused": 0.018, "numpy_buffers": 1.0})
    assert [(paid.kernel, paid.result) for paid in found] == [("numba_loop", result), ("numba_fused", result)]
    assert found[1].calls == pytest.approx(100, abs=1)
    assert payback.paybacks([result], "numba_fused", {"numba_loop": 1.0}) == []


def test_the_price_of_compiling_has_one_definition(run: Run) -> None:
    first = {"numba_loop": 0.4, "numba_fused": 1.8, "numpy_buffers": 1e-3}
    result = factories.result(factories.cell(10, 2), SECONDS, first_call=first)
    names = [*SECONDS, "numpy_buffers"]
    own = factories.run([result], names)
    assert payback.cold_seconds(own) == {"numba_loop": 0.4, "numba_fused": 1.8}
    assert payback.first_calls(own, names) == ["numba_loop", "numba_fused"]
    # What a fresh process took counts, whatever the first call in the run took.
    priced = factories.run([result], names, prices={"numba_fused": Price("numba_fused", 5.7, 0.2, 1e-5)})
    assert payback.cold_seconds(priced) == {"numba_loop": 0.4, "numba_fused": 5.7}
    assert payback.first_calls(priced, names) == ["numba_loop"]
    assert payback.first_calls(priced, ["numba_fused"]) == []
    # The map has the rungs that compile once, in ladder order.
    assert payback.rungs(priced) == ["numba_loop", "numba_fused"]
    assert payback.rungs(run) == [name for name, kernel in KERNELS.items() if kernel.compiles == "once"]
