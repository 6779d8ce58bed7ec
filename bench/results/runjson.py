"""`run.json`: a run in pytest-benchmark's own schema, readable by `pytest-benchmark compare`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
from pytest_benchmark import __version__ as schema_version
from pytest_benchmark.stats import Stats
from pytest_benchmark.utils import get_commit_info

from bench.files import replaced
from bench.results.cell import BASELINES, CellResult
from bench.results.records import OUTPUTS
from bench.results.run import Run

FILE = "run.json"
TEST = "bench/bench_gradient.py::test_gradient"


def params(result: CellResult, kernel: str) -> dict[str, Any]:
    """The parameters of the benchmark of a kernel in a cell."""
    return {**result.cell.params, "kernel": kernel}


def extra_info(run: Run, result: CellResult, kernel: str) -> dict[str, Any]:
    """What pytest-benchmark's schema has no field for."""
    info: dict[str, Any] = {key: value for key, value in params(result, kernel).items() if key != "kernel"}
    for baseline in BASELINES:
        ratio = result.speedup(baseline, kernel)
        if ratio is not None:
            info[f"speedup_over_{baseline}"] = {"estimate": ratio.estimate, "low": ratio.low, "high": ratio.high}
    info["noise_floor"] = result.noise_floor
    agreed = result.agreement.get(kernel)
    info["agreement"] = {output: getattr(agreed, output) for output in OUTPUTS} if agreed else None
    info["first_call_seconds"] = result.first_call.get(kernel)
    info["compile_seconds"] = run.compile_seconds.get(kernel)
    info["cpu_seconds_per_wall_second"] = result.used_threads(kernel)
    return info


def document(run: Run) -> dict[str, Any]:
    """The run as pytest-benchmark would write it, with all the data; no infinity, which JSON has no word for."""
    commit = get_commit_info()
    preset = {key: value for key, value in asdict(run.plan.preset).items() if key not in ("name", "cells")}
    options = preset | run.header.environment
    benchmarks = []
    for result in run.cells:
        for kernel in result.kernels:
            stats = Stats()
            for seconds in result.seconds[kernel].tolist():
                stats.update(seconds)
            param = f"{result.cell.id}-{kernel}"
            benchmarks.append(
                {
                    "group": result.cell.label,
                    "name": f"{TEST.split('::')[1]}[{param}]",
                    "fullname": f"{TEST}[{param}]",
                    "params": params(result, kernel),
                    "param": param,
                    "extra_info": extra_info(run, result, kernel),
                    "options": options,
                    "stats": {**stats.as_dict(), "data": stats.data, "iterations": result.samples[kernel].loops},
                }
            )
    finite: dict[str, Any] = _finite(
        {
            "machine_info": msgspec.to_builtins(run.header.machine),
            "commit_info": {key: commit[key] for key in ("id", "time", "dirty", "branch") if key in commit},
            "benchmarks": benchmarks,
            "datetime": run.header.before.date,
            "version": schema_version,
        }
    )
    return finite


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if (isinstance(value, float) and value in (float("inf"), float("-inf"))) or value != value else value


def write(run: Run, folder: Path) -> Path:
    """Write run.json into a run folder; a file that stood there is replaced whole or not at all."""
    path = folder / FILE
    with replaced(path) as new:
        new.write_text(json.dumps(document(run), allow_nan=False) + "\n", encoding="utf-8")
    return path
