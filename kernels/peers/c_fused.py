"""C: the fused blocks in 60 lines, `c_fused.c`, as a C programmer would write them and gcc compile them.

Written as: plain loops over blocks of examples, with OpenMP's `parallel for` over the blocks. gcc turns the loops into
SIMD instructions, exp and log1p too: those are glibc's libmvec. Called through cffi, with its pointers made beforehand.
Passes over X: one from memory; the second finds the block in the cache.
Allocates: nothing but two arrays of a block's length and dw for each thread, on its stack, and a copy of dw.
"""

import contextlib
import hashlib
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
import numpy as np

from kernels._cache import cache_folder
from kernels._kernel import Array, At, CostAndGradient
from kernels.peers._peer import peer

SOURCE = Path(__file__).with_suffix(".c")
COMPILER = os.environ.get("CC", "gcc")
COMPILE = ("-c", "-O3", "-march=native", "-ffast-math", "-fopenmp", "-fPIC")
# Without -ffast-math: gcc would link in code that turns off subnormal numbers in the whole process.
LINK = ("-shared", "-fopenmp", "-lm")
C_TYPES = {"float64": "double", "float32": "float"}
DECLARATION = """
double cost_and_gradient(long n_x, long m, int order_f, const real *w, real b, const real *X, const real *Y,
                         int threads, real *dw, double *db);"""
HEADERS = Path(sysconfig.get_path("include"))


@cache
def library(dtype: str) -> Any:
    """The compiled module for a dtype: `ffi` and `lib`. It is kept on disk for this source, compiler and CPU."""
    import cffi

    version = subprocess.run([COMPILER, "--version"], capture_output=True, check=True).stdout
    facts = (SOURCE.read_text(), COMPILE, LINK, version, cffi.__version__, llvmlite.binding.get_host_cpu_name())
    name = f"_c_fused_{C_TYPES[dtype]}"
    folder = cache_folder() / "c" / hashlib.sha256(repr((facts, sys.version)).encode()).hexdigest()[:16]
    built = folder / f"{name}.so"
    if not built.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _build(name, C_TYPES[dtype], built)
    spec = importlib.util.spec_from_file_location(name, built)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _build(name: str, real: str, built: Path) -> None:
    """Compile the module beside its place, and move it there whole: another process may be doing the same."""
    import cffi

    ffi = cffi.FFI()
    ffi.cdef(DECLARATION.replace("real", real))
    ffi.set_source(name, f"#define real {real}\n{SOURCE.read_text()}")
    with tempfile.TemporaryDirectory(dir=built.parent) as folder:
        source, compiled, linked = (str(Path(folder, name + suffix)) for suffix in (".c", ".o", ".so"))
        with contextlib.redirect_stdout(io.StringIO()):  # it says what it writes
            ffi.emit_c_code(source)
        for words in ((*COMPILE, f"-I{HEADERS}", source, "-o", compiled), (compiled, *LINK, "-o", linked)):
            done = subprocess.run([COMPILER, *words], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                errors = [line for line in done.stderr.splitlines() if "error" in line]
                raise OSError(f"{COMPILER} can't compile {SOURCE.name}: {(errors or [done.stderr.strip()])[0]}")
        Path(linked).replace(built)


def prepare(X: Array, Y: Array) -> At:
    """The step on X (n_x, m) in either order and Y (m,), on numba.get_num_threads() threads."""
    module = library(X.dtype.name)
    real, function, pointer = C_TYPES[X.dtype.name], module.lib.cost_and_gradient, module.ffi.from_buffer
    n_x, m = X.shape
    order_f, threads = int(X.flags.f_contiguous), numba.get_num_threads()
    x, y = (pointer(f"{real}[]", part) for part in (np.ravel(X, order="K"), np.ascontiguousarray(Y, X.dtype)))
    sums, db = np.empty(n_x, X.dtype), module.ffi.new("double *")
    dw = pointer(f"{real}[]", sums)

    def at(w: Array, b: float) -> Callable[[], CostAndGradient]:
        weights = pointer(f"{real}[]", w.astype(X.dtype))

        def step() -> CostAndGradient:
            J = function(n_x, m, order_f, weights, b, x, y, threads, dw, db)
            return J, sums.copy(), db[0]

        return step

    return at


def _lacks() -> str | None:
    """What it takes to compile C with OpenMP for Python and is not there."""
    if not sys.platform.startswith("linux"):
        return "gcc on Linux"
    return "gcc" if shutil.which(COMPILER) is None else None if (HEADERS / "Python.h").exists() else "Python.h"


KERNEL = replace(
    peer(
        name="c_fused",
        title="C, fused blocks",
        change="The fused blocks in plain C, compiled by gcc with -O3 -march=native -ffast-math.",
        prepare=prepare,
        requires=[("cffi", "cffi")],
        lacks=_lacks(),
        expects="What numba_fused is measured against: the same idea in the language that compiled code is usually "
        "written in, with every loop left to the compiler.",
    ),
    layout="either",
    passes=1,
)
