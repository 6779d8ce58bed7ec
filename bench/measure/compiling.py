"""The price of compiling: the first call of each compiled rung in a fresh process, cold, cached and warm.

Cold: nothing is compiled yet. Cached: Numba loads from disk what an earlier process has compiled. Warm: the next call.
The kernels themselves are not declared with `cache=True`: `kernels._cache` turns it on, in a folder that is new here.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

import bench
from bench.files import replaced
from bench.machine import quiet
from bench.problem import make_problem
from bench.results.records import Price
from kernels import KERNELS, _cache

ROOT = Path(bench.__file__).parents[1]  # processes start there: another folder may hold a "bench" of its own
PRICES = "prices.json"
PATIENCE = 300.0  # seconds, for a machine that is very busy
SHAPE = (64, 8)  # m and n_x of the step that is called: few, so that its first call is compilation


class Probe(msgspec.Struct, frozen=True):
    """Seconds of the first call and of the next in a process, and whether Numba's cache had the kernel."""

    first: float
    warm: float
    cached: bool


def known(folder: Path | None = None) -> list[Price]:
    """The prices of the rungs that compile, measured once for this source, these versions and this machine.

    Args:
        folder: Where compiled code is kept, and the prices with it; the usual one if None.
    """
    kept = (folder or _cache.cache_folder()) / _cache.key() / PRICES
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(kept.read_bytes(), type=list[Price])
    prices = measure(name for name, kernel in KERNELS.items() if kernel.compiles == "once")
    with contextlib.suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        with replaced(kept) as new:
            new.write_bytes(msgspec.json.encode(prices))
    return prices


def measure(names: Iterable[str], progress: Callable[[str], None] = lambda _: None) -> list[Price]:
    """The price of each of these kernels, in two fresh processes each; one that fails there is left out."""
    prices = []
    for name in names:
        progress(f"compiling {name} in a fresh process")
        with tempfile.TemporaryDirectory() as cache:
            cold, second = (_in_a_fresh_process(name, cache) for _ in range(2))
        if cold and second:
            prices.append(Price(name, cold.first, second.first if second.cached else None, cold.warm))
    return prices


def _in_a_fresh_process(name: str, cache: str) -> Probe | None:
    command = [sys.executable, "-m", "bench.measure.compiling", str(os.getpid()), name, cache]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return None
    return msgspec.json.decode(done.stdout, type=Probe) if done.returncode == 0 else None


def probe(name: str, folder: str) -> Probe:
    """Call a kernel twice in this process."""
    _cache.keep_on_disk(Path(folder))
    kernel = KERNELS[name]
    problem = make_problem(*SHAPE)
    start = time.perf_counter()
    step = kernel.bind(problem.w, problem.b, problem.X, problem.Y)  # some compile here
    step()
    called = time.perf_counter()
    step()
    warm = time.perf_counter() - called
    dispatcher: Any = kernel.function
    return Probe(first=called - start, warm=warm, cached=sum(dispatcher.stats.cache_hits.values()) > 0)


if __name__ == "__main__":
    quiet.die_with(int(sys.argv.pop(1)))
    print(msgspec.json.encode(probe(*sys.argv[1:])).decode())
