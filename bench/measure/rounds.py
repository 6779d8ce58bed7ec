"""Samples and rounds: how a step is timed, how often a sample calls it, how many rounds there are, and in which order.

The orders are E. J. Williams's (1949): in a block of rounds every kernel follows every other equally often, so that
what one leaves behind for the next (caches, spinning threads) falls on all alike.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, NamedTuple

import numpy as np

from bench.grid import Preset
from bench.results.records import Calibrated

SHIFT_BYTES = 2**22  # below the size for which NumPy asks the system for huge pages
MOST_GROWTH = 10.0  # of the loops, from one try of calibration to the next

Step = Callable[[], Any]
Steps = Sequence[Step]


@dataclass(frozen=True)
class Turn:
    """One round: its index, who takes part in which order, and the bytes that shift what kernels allocate."""

    index: int
    labels: list[str]
    shift_bytes: int


class Timed(NamedTuple):
    """Wall and CPU seconds of some calls, and what the last of them returned."""

    wall: float
    cpu: float
    outputs: Any


def timed(steps: Steps, loops: int = 1, first: int = 0) -> Timed:
    """Time `loops` calls together: of the steps in turn, from step `first` on."""
    calls = list(islice(cycle(steps), first, first + loops))
    last = calls.pop()
    cpu = time.process_time()
    start = time.perf_counter()
    for step in calls:
        step()
    outputs = last()
    wall = time.perf_counter() - start
    return Timed(wall, time.process_time() - cpu, outputs)


def calibrate(steps: Steps, target: float) -> tuple[int, float]:
    """Loops for a sample that lasts `target` seconds twice in a row; and the seconds of such a sample."""
    loops, passed = 1, 0
    while True:
        seconds = timed(steps, loops).wall
        if seconds >= target:
            passed += 1
            if passed == 2:
                return loops, seconds
        else:
            passed = 0
            loops = math.ceil(loops * min(MOST_GROWTH, 1.2 * target / max(seconds, 1e-9)))


def plan_rounds(seconds: Mapping[str, float], preset: Preset) -> tuple[int, dict[str, int]]:
    """How many rounds a process takes, and every how many of them each kernel takes part in.

    Args:
        seconds: Seconds of a sample of each kernel.
        preset: Its budget is that of all processes together.
    """
    budget = preset.budget / preset.processes
    wanted = {
        label: min(max(int(budget / sample), preset.min_rounds), preset.max_rounds) for label, sample in seconds.items()
    }
    rounds = max(wanted.values())
    # Powers of two, so that the rounds of any two kernels are nested and pair up.
    return rounds, {label: 1 << ((rounds // count).bit_length() - 1) for label, count in wanted.items()}


def schedule(calibrated: Calibrated, seed: int) -> Iterator[Turn]:
    """The rounds of a cell, the same for the same seed, whoever takes them and wherever they begin."""
    rng = np.random.default_rng([seed, 3])
    orders = williams_orders(list(calibrated.loops), rng)
    for index in range(calibrated.rounds):
        of_process = index % calibrated.per_process
        labels = [label for label in next(orders) if of_process % calibrated.every[label] == 0]
        yield Turn(index, labels, int(rng.integers(SHIFT_BYTES)))


def williams_orders(labels: list[str], rng: np.random.Generator) -> Iterator[list[str]]:
    """The order within each round, without end: one Williams design after another, shuffled anew every time."""
    n = len(labels)
    zigzag = [k // 2 if k % 2 == 0 else n - 1 - k // 2 for k in range(n)]
    # With an odd number it takes the square and its mirror image for every pair to occur equally often.
    first_rows = [zigzag] if n % 2 == 0 else [zigzag, zigzag[::-1]]
    while True:
        shuffled = [labels[k] for k in rng.permutation(n)]
        for first_row in first_rows:
            for row in range(n):
                yield [shuffled[(k + row) % n] for k in first_row]
