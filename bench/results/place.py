"""Where and when a run is made: the machine, its moment, its thread pools."""

from msgspec import Struct

from bench.grid import AtLeastOne


class Card(Struct, frozen=True):
    """The machine, and the versions of what runs on it. No host name, no user name, no path."""

    cpu: str
    os: str
    machine: str
    python: str
    numpy: str
    numpy_blas: str
    numpy_simd: str
    numba: str
    llvm: str
    numba_cpu: str
    threads_available: AtLeastOne
    caches: dict[str, AtLeastOne]
    memory_bytes: AtLeastOne
    cores: int | None = None
    logical_cpus: int | None = None

    @property
    def last_cache(self) -> int:
        """Bytes of the largest cache; 0 if none is known."""
        return max(self.caches.values(), default=0)


class Moment(Struct, frozen=True):
    """What changes from one moment to the next: date, load, free memory."""

    date: str
    load_1min: float
    memory_available_bytes: int = 0


class Pool(Struct, frozen=True):
    """A thread pool of the measuring process: whose, which library, how many threads."""

    package: str
    library: str
    file: str
    version: str | None
    user_api: str = ""
    threads: int = 0
