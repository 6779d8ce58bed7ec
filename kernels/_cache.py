"""Compiled code on disk, so that a fresh process does not compile again.

Numba's own key for code on disk holds neither the options that a function was compiled with nor the meaning
of its names: `numba_fastmath` would silently load the strict code of `numba_loop`, which is the same function on the
same line, and a variant with one name changed would load the original. So each compiled function has a folder of its
own, named after the module and name that it stands under, below a folder for this very source and these versions.
"""

import hashlib
import importlib.metadata
import os
import platform
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import llvmlite.binding
import numba
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaWarning

from kernels._kernel import Kernel

FOLDER = "UNLOOP_CACHE"  # an environment variable
VERSIONED = ("numba", "llvmlite", "numpy")
SETTINGS = "NUMBA_"  # environment variables that begin so may change the code


def key() -> str:
    """A hash of all that compiled code depends on: the kernels' source, versions, CPU, and Numba's settings."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    facts = [f"{name} {importlib.metadata.version(name)}" for name in VERSIONED]
    facts += [platform.python_version(), llvmlite.binding.get_host_cpu_name()]
    facts += [str(sorted(llvmlite.binding.get_host_cpu_features().items()))]
    facts += [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith(SETTINGS)]
    digest.update("\n".join(facts).encode())
    return digest.hexdigest()[:16]


def compiled_functions(packages: tuple[str, ...] = ("kernels", "bench")) -> Iterator[tuple[str, Dispatcher]]:
    """Where each compiled function of the modules that are loaded stands, such as kernels.numba_loop.descend."""
    seen: set[int] = set()
    for module_name, module in sorted(sys.modules.items()):
        if module_name.split(".")[0] in packages:
            for name, value in sorted(vars(module).items()):
                function = value.function if isinstance(value, Kernel) else value
                if isinstance(function, Dispatcher) and id(function) not in seen:
                    seen.add(id(function))
                    yield f"{module_name}.{name}", function


def cache_folder() -> Path:
    """Where compiled code is kept for all processes of this user: UNLOOP_CACHE, or the system's folder for caches."""
    if named := os.environ.get(FOLDER):
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "unloop"


def keep_on_disk(folder: Path) -> None:
    """Let every compiled function that is loaded look for its code in a folder, and keep it there once compiled.

    A function whose code holds an address of its process can't be kept; it compiles in each, without Numba's warning.
    """
    root = folder / key()
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError:  # a home that can't be written to: each process compiles for itself
        return
    warnings.filterwarnings("ignore", "Cannot cache compiled function", NumbaWarning)
    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    try:
        for place, function in compiled_functions():
            numba.config.CACHE_DIR = str(root / place)  # type: ignore[attr-defined]
            function.enable_caching()
    finally:
        numba.config.CACHE_DIR = before  # type: ignore[attr-defined]
