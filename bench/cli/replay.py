"""A timer that replays samples to pytest-benchmark, which then reports what the engine measured."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_readings: Iterator[float] = iter(())


def interleaved_replay() -> float:
    """The next reading of the tape: pedantic reads the timer twice a round, at 0 and at the sample's seconds."""
    return next(_readings)


@contextmanager
def tape(seconds: Iterable[float]) -> Iterator[None]:
    """Replay these samples inside; each must be read, exactly once.

    Raises:
        RuntimeError: If readings are left over or missing: pytest-benchmark read its timer another number of times.
    """
    global _readings
    _readings = (reading for sample in seconds for reading in (0.0, sample))
    try:
        yield
        if next(_readings, None) is not None:
            raise RuntimeError("pytest-benchmark read fewer samples than were measured")
    finally:
        _readings = iter(())
