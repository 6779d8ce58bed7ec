"""The price of compiling: the first call of each compiled rung in a fresh process, cold, cached and warm.

Cold: nothing is compiled yet. Cached: Numba finds on disk what an earlier process has compiled. Warm: the next call.
The kernels themselves are not declared with `cache=True`, for then a run could not tell what compiling costs; a probe
turns the cache on for all compiled functions before the first call. What calls `numba.get_num_threads` can't be cached:
its code holds the address of the function that tells, which another process has elsewhere.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from bench.problem import make_problem

PATIENCE = 300.0  # seconds, for a machine that is very busy
SHAPE = (64, 8)  # m and n_x of the step that is called: few, so that its first call is compilation


@dataclass(frozen=True)
class Price:
    """What the first call of a kernel takes, in seconds; `cached` is None where the cache can't hold the kernel."""

    kernel: str
    cold: float
    cached: float | None
    warm: float


def measure(names: Iterable[str], tell: Callable[[str], None] = lambda _: None) -> list[Price]:
    """The price of each of these kernels; two fresh processes each. One that fails there is left out."""
    prices = []
    for name in names:
        tell(f"compiling {name} in a fresh process")
        with tempfile.TemporaryDirectory() as cache:
            cold, cached = (_in_a_fresh_process(name, cache) for _ in range(2))
        if cold and cached:
            prices.append(Price(name, cold["first"], cached["first"] if cached["found"] else None, cold["next"]))
    return prices


def _in_a_fresh_process(name: str, cache: str) -> dict[str, Any] | None:
    probe = [sys.executable, "-m", "bench.measure.compiling", name]
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    try:
        done = subprocess.run(probe, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return None
    return dict(json.loads(done.stdout)) if done.returncode == 0 else None


def probe(name: str) -> dict[str, Any]:
    """Seconds of the first call and of the next in this process, and whether the cache held the kernel."""
    from numba.core.dispatcher import Dispatcher

    import kernels

    for module in [module for key, module in sys.modules.items() if key.split(".")[0] == "kernels"]:
        for function in vars(module).values():
            if isinstance(function, Dispatcher):
                function.enable_caching()
    kernel = kernels.KERNELS[name]
    problem = make_problem(*SHAPE)
    step = kernel.bind(problem.w, problem.b, problem.X, problem.Y)
    times = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a function can't be cached
        for _ in range(2):
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
    stats: Any = kernel.function
    return {"first": times[0], "next": times[1], "found": sum(stats.stats.cache_hits.values()) > 0}


def record(prices: Iterable[Price]) -> dict[str, Any]:
    """The prices as a record of a journal."""
    return {"type": "compiling", "prices": [asdict(price) for price in prices]}


def from_record(found: dict[str, Any]) -> dict[str, Price]:
    """Kernel -> price, from a record of a journal."""
    return {price["kernel"]: Price(**price) for price in found["prices"]}


if __name__ == "__main__":
    print(json.dumps(probe(sys.argv[1])))
