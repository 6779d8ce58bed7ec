"""What was typed, as a plan: which grid, which kernels, how long to measure."""

import os
import shlex
from collections.abc import Collection
from dataclasses import dataclass, replace

import pytest

import kernels
from bench import presets
from bench.grid import Cell, Plan, Preset
from bench.measure import contestants, own_kernel
from bench.words import WrongUse, nearest, short_number
from kernels.peers import PEERS

REFUSED = {
    "--benchmark-timer": "the engine has one clock, time.perf_counter, for all kernels",
    "--benchmark-warmup": "the engine warms every kernel up before each sample, always",
    "--benchmark-warmup-iterations": "the engine warms every kernel up for a fixed time before each sample",
    "--benchmark-calibration-precision": "samples are made to last 500 times longer than a clock reading, or more",
    "--benchmark-precision": "rounds are fixed before the first sample; to stop when the result looks good biases it",
    "--benchmark-confidence": "it belongs to --benchmark-precision, which is refused; intervals are of 95%",
    "--benchmark-cprofile": "what pytest-benchmark runs is a replay; profile a kernel with python -m cProfile",
    "--benchmark-cprofile-loops": "it belongs to --benchmark-cprofile, which is refused",
    "--benchmark-cprofile-top": "it belongs to --benchmark-cprofile, which is refused",
    "--benchmark-cprofile-dump": "it belongs to --benchmark-cprofile, which is refused",
}


MOST_ROUNDS = 1_000_000
LEAST_SECONDS, MOST_SECONDS = 1e-6, 1e5


@dataclass(frozen=True)
class Typed:
    """What stands on a command line, as it was typed."""

    grid: str
    problem: str = "synthetic"
    kernels: str | None = None
    peers: bool = False
    own: Collection[str] = ()
    seed: int = 0
    dtype: str | None = None


def plan(typed: Typed) -> Plan:
    """The plan of a command line; a peer named among the kernels is measured too.

    Raises:
        WrongUse: For an unknown grid, problem, dtype or kernel, a seed out of range, a kernel whose package is not
            installed here, or a kernel of the user's own that can't be loaded.
    """
    if typed.grid not in presets.PRESET_NAMES:
        raise nearest("grid", typed.grid, presets.PRESET_NAMES)
    if typed.problem not in presets.PROBLEMS:
        raise nearest("problem", typed.problem, presets.PROBLEMS)
    if typed.dtype not in (None, *presets.DTYPES):
        raise nearest("dtype", str(typed.dtype), presets.DTYPES)
    if not 0 <= typed.seed < presets.SEEDS:
        raise WrongUse(f"--seed must be from 0 to {presets.SEEDS - 1}; got {short_number(typed.seed)}")
    preset = presets.preset(typed.grid, typed.problem, typed.dtype)
    try:
        own = own_kernel.load_all(typed.own)
    except own_kernel.NotAKernel as error:
        raise WrongUse(str(error)) from None
    names = None if typed.kernels is None else [n.strip() for n in typed.kernels.split(",") if n.strip()] or [""]
    peers = tuple(name for name in PEERS if typed.peers or name in (names or ()))
    available = list(dict.fromkeys(n for cell in preset.cells for n in contestants.names_for(cell, peers))) + list(own)
    if names is None:
        names = available
    else:
        _require_available(names, available, own, typed)
        names += [name for name in (*peers, *own) if name in available and name not in names]
    return Plan(preset, typed.seed, typed.problem, peers, tuple(names), own)


def _require_available(names: list[str], available: list[str], own: dict[str, str], typed: Typed) -> None:
    known = contestants.describe_kernels(PEERS, own)
    for name in names:
        if name not in known:
            raise nearest("kernel", name, known)
        if name not in available:
            kernel, missing = kernels.find(name), known[name].missing
            why = f"{missing} is not installed" if missing else f"it belongs to training runs, not to {typed.problem}"
            if not missing and kernel is not None and typed.dtype not in (None, "both", *kernel.dtypes):
                why = f"it computes in {' and '.join(kernel.dtypes)} only"
            raise WrongUse(f"kernel {name} can't run: {why}")


def names_of(plan: Plan, cell: Cell) -> list[str]:
    """The kernels of a plan that a cell can have."""
    return [n for n in contestants.names_for(cell, plan.peers) if plan.names is None or n in plan.names] + list(
        plan.own
    )


def given(config: pytest.Config, option: str) -> bool:
    """Whether an option stands on the command line, in PYTEST_ADDOPTS or in the configuration file."""
    words = [*config.invocation_params.args, *shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))]
    words += config.getini("addopts")
    return any(word == option or str(word).startswith(f"{option}=") for word in words)


def with_benchmark_options(preset: Preset, config: pytest.Config) -> Preset:
    """The preset with pytest-benchmark's own options mapped onto it.

    The engine does what --benchmark-disable-gc wants in any case.

    Raises:
        WrongUse: For an option that the engine can't follow.
    """
    for option, reason in REFUSED.items():
        if given(config, option):
            raise WrongUse(f"{option} does not apply: {reason}")
    if given(config, "--benchmark-min-rounds"):
        rounds = int(config.getoption("benchmark_min_rounds"))
        if not 1 <= rounds <= MOST_ROUNDS:
            raise WrongUse(f"--benchmark-min-rounds must be from 1 to {MOST_ROUNDS:,}; got {short_number(rounds)}")
        preset = replace(preset, min_rounds=rounds, max_rounds=max(rounds, preset.max_rounds))
    if given(config, "--benchmark-max-time"):
        preset = replace(preset, budget=_seconds(config, "--benchmark-max-time"))
    if given(config, "--benchmark-min-time"):
        preset = replace(preset, sample_seconds=_seconds(config, "--benchmark-min-time"))
    return preset


def _seconds(config: pytest.Config, option: str) -> float:
    """The seconds that an option of pytest-benchmark gives."""
    seconds = float(config.getoption(option.removeprefix("--").replace("-", "_")))
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:  # NaN is neither
        raise WrongUse(f"{option} must be from {LEAST_SECONDS:g} to {MOST_SECONDS:g} seconds; got {seconds:g}")
    return seconds
