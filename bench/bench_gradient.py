"""The pytest-benchmark face: one benchmark for each kernel and cell, replaying what the engine measured."""

from typing import Any

import pytest

from bench.agreement import bounds as agreement
from bench.agreement import probe
from bench.cli.options import Measured
from bench.cli.replay import interleaved_replay, tape
from bench.grid import Cell
from bench.measure.contestants import contestant, problem_of
from bench.results.runjson import extra_info


@pytest.mark.benchmark(timer=interleaved_replay)
def test_gradient(benchmark: Any, measured: Measured, cell_of_params: Cell, kernel: str) -> None:
    cell = cell_of_params
    benchmark.group = cell.label
    if benchmark.disabled:
        found, problem = contestant(kernel, measured.owned).kernel, problem_of(cell, seed=0)
        probe.ask(kernel, found, probe.questions(problem))
        agreement.check(found, problem)
        return
    run, result = measured.result(cell)
    if kernel in result.failed:
        pytest.fail(result.failed[kernel], pytrace=False)
    if kernel in result.skipped:
        pytest.skip(result.skipped[kernel][0])
    loops = result.loops[kernel]
    seconds = [each * loops for each in result.seconds[kernel]]
    with tape(seconds):
        benchmark.pedantic(lambda: None, rounds=len(seconds), iterations=loops)
    benchmark.extra_info.update(extra_info(run, result, kernel))
