"""What may have disturbed a measurement: other load, a coarse clock, a CPU that changed its frequency."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.grid import Cell

BUSY = 0.25  # of a core, by others: above it a run warns
LOOK_SECONDS = 0.1
READINGS = 500  # of the clock in a sample, at the least
MOST_CHANGE = 1.1  # highest over lowest frequency in a cell
# Settings of Numba with which its code is not what it is for others, and the values that change nothing.
USUAL = {"NUMBA_OPT": ("3", "max"), "NUMBA_DISABLE_JIT": ("0",), "NUMBA_BOUNDSCHECK": ("0",)}
CPU_STAT = (Path("/sys/fs/cgroup/cpu.stat"), Path("/sys/fs/cgroup/cpu/cpu.stat"))  # cgroup 2, cgroup 1


def before(sample_seconds: float) -> list[str]:
    """What is wrong with the machine before a run, in words."""
    words = []
    busy, start = _busy_seconds() - _own_seconds(), time.perf_counter()
    time.sleep(LOOK_SECONDS)
    others = (_busy_seconds() - _own_seconds() - busy) / (time.perf_counter() - start)
    if others > BUSY:
        words.append(f"before the run, other processes kept {others:.1f} cores busy")
    return words + compiler_words(os.environ) + clock_words(clock_resolution(), sample_seconds)


def compiler_words(environment: Mapping[str, str]) -> list[str]:
    """What in an environment makes compiled kernels slower than they would be."""
    unusual = [
        f"{name}={environment[name]}" for name, usual in USUAL.items() if environment.get(name, "") not in ("", *usual)
    ]
    return [f"{setting} is set: compiled kernels are slower than without it" for setting in unusual]


def clock_resolution() -> float:
    """Seconds between two readings of the clock that differ: the smallest step that it can show, measured."""
    steps = []
    for _ in range(200):
        start = now = time.perf_counter()
        while now == start:
            now = time.perf_counter()
        steps.append(now - start)
    return max(min(steps), time.get_clock_info("perf_counter").resolution)


def clock_words(resolution: float, sample_seconds: float) -> list[str]:
    """What is wrong with a clock, for samples of a length."""
    if sample_seconds >= READINGS * resolution:
        return []
    return [f"the clock's resolution of {resolution:.2g} s is coarse for samples of {sample_seconds:.2g} s"]


@dataclass
class _Visits:
    wall: float = 0.0
    others: float = 0.0
    stolen: float = 0.0
    throttled: int = 0
    frequencies: list[float] = field(default_factory=list)


class Disturbances:
    """Adds up, over the visits of each cell, what else the machine did. Read between visits, never within."""

    def __init__(self) -> None:
        self._cells: dict[Cell, _Visits] = {}

    @contextmanager
    def during_visit(self, cell: Cell, worker: int) -> Iterator[None]:
        """A visit of a cell, measured by the process `worker`."""
        visits = self._cells.setdefault(cell, _Visits())
        start, others, throttled = time.perf_counter(), _busy_seconds() - _own_seconds(worker), _throttled()
        stolen = _stolen_seconds()
        yield
        visits.wall += time.perf_counter() - start
        visits.others += _busy_seconds() - _own_seconds(worker) - others
        visits.stolen += _stolen_seconds() - stolen
        visits.throttled += _throttled() - throttled
        visits.frequencies += _frequency()

    def words(self, cell: Cell) -> list[str]:
        """What was wrong in a cell."""
        visits = self._cells.get(cell, _Visits())
        words = []
        if visits.others > BUSY * visits.wall > 0.0:
            words.append(f"other processes kept {visits.others / visits.wall:.1f} cores busy")
        if visits.stolen > BUSY * visits.wall > 0.0:
            words.append(f"the host gave {visits.stolen / visits.wall:.1f} cores to other machines")
        if visits.frequencies and max(visits.frequencies) > MOST_CHANGE * min(visits.frequencies):
            low, high = min(visits.frequencies), max(visits.frequencies)
            words.append(f"the CPU's frequency went from {low:,.0f} to {high:,.0f} MHz")
        if visits.throttled:
            words.append(f"the container was throttled {visits.throttled} times")
        return words


def _busy_seconds() -> float:
    """CPU seconds of the whole machine that were not idle; on a virtual machine, not those that it was denied."""
    times = psutil.cpu_times()
    idle = times.idle + sum(getattr(times, name, 0.0) for name in ("iowait", "guest", "guest_nice", "steal"))
    return float(sum(times) - idle)


def _stolen_seconds() -> float:
    """CPU seconds that a virtual machine was ready to use, and that its host gave to others."""
    return float(getattr(psutil.cpu_times(), "steal", 0.0))


def _own_seconds(worker: int | None = None) -> float:
    own = os.times()
    seconds = own.user + own.system
    if worker is not None:
        try:
            theirs = psutil.Process(worker).cpu_times()
            seconds += theirs.user + theirs.system
        except psutil.Error:
            pass  # it has ended; the visit ends too
    return seconds


def _throttled() -> int:
    for path in CPU_STAT:
        try:
            lines = path.read_text().splitlines()
        except OSError:
            continue
        return next((int(line.split()[1]) for line in lines if line.startswith("nr_throttled")), 0)
    return 0


def _frequency() -> list[float]:
    """The frequency of the fastest CPU in MHz, where the system knows it: the one that has just measured."""
    try:
        cpus = psutil.cpu_freq(percpu=True) if hasattr(psutil, "cpu_freq") else []
    except (OSError, NotImplementedError):
        return []
    return [max(cpu.current for cpu in cpus)] if cpus else []
