"""Which size of a claim is measured: as published where it is quick and fits in memory, else the largest that is."""

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from bench import words

STEP = 4  # from one size of the climb to the next
BELIEVED = 1 / 30  # of the limit: a call that takes so long shows how time grows with n
MOST = 3.0  # the highest power of n with which time may grow
TEMPORARIES = 4.0  # of the arguments' bytes: what ways allocate beside them, if nothing better is known
MEMORY = 0.5  # of what is free
LIST_ITEM = 40.0  # bytes of a number in a list, and of its place


class Choice(NamedTuple):
    """A size, and why it is not the one that was wanted; "" where it is."""

    n: int
    why: str


def candidates(n: int) -> Iterable[int]:
    """The sizes n, n/2, n/5, n/10, n/20, ... down to 1, whole ones."""
    last = n + 1
    for exponent in range(20):
        for divisor in (1, 2, 5):
            size = n // (divisor * 10**exponent)
            if 1 <= size < last:
                yield size
                last = size


def smallest(n: int) -> int:
    """The size of the first, small problem: where ways are compiled and compared before all else."""
    return min(n, max(10, n // 4096))


def growth(before: float, after: float, ratio: float) -> float:
    """The power of n with which something grew while n grew by `ratio`: a whole one, so that noise does not matter."""
    power = math.log(after / before) / math.log(ratio) if before > 0.0 and after > 0.0 and ratio > 1.0 else 1.0
    return min(max(float(round(power)), 0.0), MOST)


class Trend(NamedTuple):
    """Seconds of a call at a size, and the power of n with which they grow."""

    size: int
    seconds: float
    power: float

    def at(self, n: int) -> float:
        """Predicted seconds at another size."""
        return float(self.seconds * (n / self.size) ** self.power)


def climb(n: int, seconds: Callable[[int], float], limit: float) -> Trend:
    """How long a way takes, from calls on ever larger problems, up to n or until a call takes long enough.

    Args:
        n: The size that is wanted.
        seconds: Seconds of one call, at a size.
        limit: What is too slow, in seconds.
    """
    known = [(smallest(n), seconds(smallest(n)))]
    while (size := known[-1][0]) < n:
        larger = min(n, size * STEP)
        known.append((larger, seconds(larger)))
        if known[-1][1] >= BELIEVED * limit:
            break
    # Over two steps: where a problem outgrows a cache, time jumps once, and then grows as before.
    (before, earlier), (size, took) = known[-3:][0], known[-1]
    return Trend(size, took, growth(earlier, took, size / before))


def by_time(n: int, trends: Iterable[Trend], limit: float) -> Choice:
    """The largest candidate at which a call of each way is predicted to take no longer than a limit, all together."""
    known = list(trends)

    def predicted(size: int) -> float:
        return sum(trend.at(size) for trend in known)

    if predicted(n) <= limit:
        return Choice(n, "")
    chosen = next((size for size in candidates(n) if predicted(size) <= limit), 1)
    whole = words.seconds(predicted(n), 2)
    return Choice(
        chosen, f"the setup and a call of each way would take about {whole} (est.), over {words.seconds(limit, 2)}"
    )


def by_memory(n: int, need: Callable[[int], float], available: float) -> Choice:
    """The largest candidate that fits in memory."""
    limit = MEMORY * available
    chosen = next((size for size in candidates(n) if need(size) <= limit), 1)
    if chosen == n:
        return Choice(n, "")
    sizes = (words.human_bytes(need(n)), words.human_bytes(limit))
    return Choice(chosen, f"it would need about {sizes[0]} of memory (est.), over {sizes[1]}, half of what is free")


def bytes_needed(nbytes: Callable[[int], float], n: int) -> Callable[[int], float]:
    """How many bytes a problem needs, from the arguments of two small ones."""
    small = smallest(n)
    large = min(n, 2 * small)
    one, two = nbytes(small), nbytes(large)
    power = min(growth(one, two, large / small), 2.0)
    return lambda size: (1.0 + TEMPORARIES) * two * (size / large) ** power


def bytes_of(value: Any) -> float:
    """Bytes of arguments: of arrays exactly, of lists about."""
    if isinstance(value, np.ndarray):
        return float(value.nbytes)
    if isinstance(value, (list, tuple)):
        inner = value[0] if value else None
        each = bytes_of(inner) if isinstance(inner, (list, tuple, np.ndarray)) else LIST_ITEM
        return len(value) * each if isinstance(value, list) else sum(map(bytes_of, value))
    return LIST_ITEM


def sweep(text: str) -> tuple[int, ...]:
    """The sizes of a range such as 10:1e6, two a decade; or a list such as 10,100,1000.

    Raises:
        ValueError: For any other text.
    """
    low, colon, high = text.partition(":")
    try:
        ends = [_whole(low), _whole(high)] if colon else [_whole(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(
            f"--sizes takes a range, such as 10:1e6, or a list, such as 10,100,1000; got {text!r}"
        ) from None
    if not colon:
        return tuple(sorted(set(ends)))
    first, last = ends
    if first >= last:
        raise ValueError(f"--sizes {text}: the first size must be smaller than the last")
    count = max(2, round(2 * math.log10(last / first)) + 1)
    rounded = (int(float(f"{size:.2g}")) for size in np.geomspace(first, last, count)[1:-1])
    return tuple(sorted({first, *rounded, last}))


def _whole(text: str) -> int:
    value = float(text)
    if not value.is_integer() or not 1 <= value <= 1e12:
        raise ValueError(text)
    return int(value)
