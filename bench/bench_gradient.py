"""The pytest-benchmark face: one benchmark for each kernel and cell, replaying what the engine measured."""

from typing import Any

import pytest

from bench import agreement
from bench.cli.measured import Measured
from bench.cli.replay import interleaved_replay, tape
from bench.grid import Cell
from bench.measure.contestants import contestant, problem_of
from bench.results.runjson import extra_info


@pytest.mark.benchmark(timer=interleaved_replay)
def test_gradient(benchmark: Any, measured: Measured, cell: Cell, kernel: str) -> None:
    benchmark.group = cell.label
    if benchmark.disabled:
        subject, problem = contestant(kernel, measured.plan.own).kernel, problem_of(cell, seed=0)
        agreement.ask(kernel, subject, agreement.questions(problem))
        agreement.check(subject, problem)
        return
    run, result = measured.result(cell)
    if kernel in result.failed:
        pytest.fail(result.failed[kernel], pytrace=False)
    if kernel in result.skipped:
        pytest.skip(result.skipped[kernel].reason)
    samples = result.samples[kernel]
    with tape(samples.wall):
        benchmark.pedantic(lambda: None, rounds=len(samples.wall), iterations=samples.loops)
    benchmark.extra_info.update(extra_info(run, result, kernel))
