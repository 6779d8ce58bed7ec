"""The thread pools of this process: limited to a cell's threads, and described.

Each library brings its own: NumPy its BLAS, scikit-learn an OpenMP, PyTorch another and an MKL within, numexpr and
Numba one each. XLA's can't be changed once it is made; the peer that uses it has one for each number of threads.
"""

import importlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path

import numba
from threadpoolctl import ThreadpoolController

from bench.results.place import Pool
from kernels import Kernel


@lru_cache(maxsize=1)
def _pools(_modules: int) -> ThreadpoolController:
    """The BLAS and OpenMP pools of the libraries that are loaded; finding them takes milliseconds."""
    return ThreadpoolController()


def _controller() -> ThreadpoolController:
    # A library that was loaded since has brought modules along.
    return _pools(len(sys.modules))


@contextmanager
def limited_to(threads: int) -> Iterator[None]:
    """Limit every pool of the libraries that are loaded to a number of threads, or to as many as it has if fewer."""
    numba_before = numba.get_num_threads()  # the first time, this makes Numba's pool
    with ExitStack() as stack:
        stack.enter_context(_controller().limit(limits=threads))
        stack.callback(numba.set_num_threads, numba_before)
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
        torch, numexpr = sys.modules.get("torch"), sys.modules.get("numexpr")
        if torch is not None:
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(threads)
        if numexpr is not None:
            stack.callback(numexpr.set_num_threads, numexpr.set_num_threads(min(threads, numexpr.MAX_THREADS)))
        yield


def counts() -> dict[str, int]:
    """Pool -> how many threads it may use now, such as {"numpy openblas": 1, "numba": 1, "torch": 1}."""
    threads = {f"{pool.package} {pool.library}": pool.threads for pool in described()}
    threads["numba"] = numba.get_num_threads()
    torch, numexpr = sys.modules.get("torch"), sys.modules.get("numexpr")
    if torch is not None:
        threads["torch"] = torch.get_num_threads()
    if numexpr is not None:
        threads["numexpr"] = numexpr.get_num_threads()
    return threads


def described() -> list[Pool]:
    """The BLAS and OpenMP pools that are loaded: whose, which library and version, how many threads; no path."""
    return [
        Pool(
            package=_package(Path(pool["filepath"])),
            library=pool["internal_api"] if pool["user_api"] == "blas" else pool["prefix"],
            file=Path(pool["filepath"]).name,
            version=pool["version"],
            user_api=pool["user_api"],
            threads=pool["num_threads"],
        )
        for pool in _controller().info()
    ]


def _package(file: Path) -> str:
    """The package that brought a library: numpy of .../site-packages/numpy.libs/libopenblas.so."""
    parts = file.parts
    if "site-packages" not in parts[:-1]:
        return "system"
    return parts[parts.index("site-packages") + 1].removesuffix(".libs")


def load(kernels: Iterable[Kernel]) -> dict[str, str]:
    """Import what kernels require, so that its pools are there before they are limited; module -> version."""
    modules = dict.fromkeys(module for kernel in kernels if kernel.missing is None for module in kernel.requires)
    return {module: str(importlib.import_module(module).__version__) for module in modules}
