"""pytest-benchmark's own way: a benchmark for each kernel and cell, one after another. Run by `bench.trust.ways`.

It is measured as a user of pytest-benchmark would measure these kernels: nothing of this suite's clock takes part.
"""

import json
import os
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.machine.threads import limited_to
from bench.problem import make_problem
from kernels import KERNELS
from kernels._cache import cache_folder, keep_on_disk

CASES = "UNLOOP_TRUST_CASES"
keep_on_disk(cache_folder())
cases: dict[str, Any] = json.loads(os.environ.get(CASES, "{}"))


@pytest.mark.parametrize("name", cases)
def test_step(benchmark: BenchmarkFixture, name: str) -> None:
    """Time one kernel on one problem."""
    kernel, m, n_x = cases[name]
    problem = make_problem(m, n_x)
    with limited_to(1):
        step = KERNELS[kernel].bind(problem.w, problem.b, problem.X, problem.Y)
        step()
        benchmark(step)
