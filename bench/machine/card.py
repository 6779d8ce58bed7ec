"""What machine this is: the card in the header of every run. No host name, no user name, no path."""

import platform
from datetime import UTC, datetime
from functools import cache
from typing import Any

import cpuinfo
import llvmlite.binding
import numba
import numpy as np
import psutil
from threadpoolctl import threadpool_info

from bench.presets import available_threads
from bench.results.place import Card, Moment
from bench.words import human_bytes
from kernels._caches import cache_bytes


@cache
def _cpu() -> dict[str, Any]:
    return dict(cpuinfo.get_cpu_info())


def card() -> Card:
    """The machine and the versions of what runs on it: what stays the same during a run."""
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas" and "numpy" in pool["filepath"]]
    return Card(
        cpu=_cpu().get("brand_raw", platform.processor() or "unknown"),
        cores=psutil.cpu_count(logical=False),
        logical_cpus=psutil.cpu_count(),
        threads_available=available_threads(),
        caches=_caches(),
        memory_bytes=psutil.virtual_memory().total,
        os=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        numpy=np.__version__,
        numpy_blas=", ".join(f"{b['internal_api']} {b['version']} ({b['architecture']})" for b in blas) or "unknown",
        numpy_simd=_numpy_simd(),
        numba=numba.__version__,
        llvm=".".join(str(part) for part in llvmlite.binding.llvm_version_info),
        numba_cpu=llvmlite.binding.get_host_cpu_name(),
    )


def moment() -> Moment:
    """What changes during a run: the date, the load, the free memory."""
    return Moment(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        load_1min=round(psutil.getloadavg()[0], 2),
        memory_available_bytes=psutil.virtual_memory().available,
    )


def _numpy_simd() -> str:
    """The widest SIMD level that this NumPy uses on this CPU."""
    levels = np.show_config(mode="dicts")["SIMD Extensions"]  # type: ignore[call-overload, index, unused-ignore]
    return str((levels["found"] or levels["baseline"])[-1])


def _caches() -> dict[str, int]:
    """Cache level -> bytes, for one core: from Linux where it knows them, else from the CPU's own description."""
    reported = {"L1d": "l1_data_cache_size", "L2": "l2_cache_size", "L3": "l3_cache_size"}
    return cache_bytes() or {
        level: int(_cpu()[key]) for level, key in reported.items() if isinstance(_cpu().get(key), int)
    }


def describe(machine: Card) -> list[tuple[str, str]]:
    """The card as rows (what, value) for a table."""
    caches = ", ".join(f"{level} {human_bytes(size)}" for level, size in machine.caches.items())
    return [
        ("CPU", machine.cpu),
        ("Cores", f"{machine.cores} ({machine.threads_available} threads available)"),
        ("Caches of a core", caches or "unknown"),
        ("Memory", human_bytes(machine.memory_bytes)),
        ("System", f"{machine.os}, {machine.machine}"),
        ("Python", machine.python),
        ("NumPy", f"{machine.numpy}, BLAS {machine.numpy_blas}, SIMD {machine.numpy_simd}"),
        ("Numba", f"{machine.numba}, LLVM {machine.llvm}, for {machine.numba_cpu}"),
    ]
