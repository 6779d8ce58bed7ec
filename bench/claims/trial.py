"""One claim at one size in this process: the gate, the loops of a sample, the rounds, the gate again.

The clock is the suite's own: `timed`, `calibrate`, and the rounds and orders of `bench.measure.rounds`. In the first
process ways are called on small problems first, which shows how large a problem is quick enough; the others measure
what it fixed. A way whose call is short makes its first call of a process at full size, timed apart; a slow one is
checked on a small problem first, and what its last sample returned is checked too.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bench.claims import sizes
from bench.claims.agreement import Disagreement, copied, error
from bench.claims.claim import Claim, Way
from bench.claims.records import Failed, Share, Sized
from bench.grid import Preset
from bench.machine import memory
from bench.machine.threads import limited_to
from bench.measure.rounds import Step, calibrate, gc_off, plan_rounds, schedule, timed
from bench.results.records import Calibrated

WHOLE = 10.0  # seconds: one call of each way, in all processes together
BUDGET = 0.12  # seconds of the samples of a way, in a process
SLOW = 0.05  # seconds of a call; it is no colder in a fresh process
SWEEP_CAP = 0.2  # seconds of a call, above which a sweep predicts it
PRESET = Preset("claims", (), cap=1e6, budget=BUDGET, min_rounds=1, max_rounds=200)

Record = Sized | Share | Failed


@dataclass
class Trial:
    """A claim at a size.

    Attributes:
        id: The claim's id.
        claim: The claim.
        wanted: The size wanted.
        sweep: It is one size of several: what is too slow for it is predicted, and the size stays.
        full: Take the size as it is, however long that takes.
        threads: How many threads the ways may use.
        process: Which process this is, of `processes`.
        seed: Seed of the inputs and of the order.
        left_out: Ways that failed in an earlier process.
        sized: What the first process fixed; None in the first.
        announce: Called with the number of a way before it is called, and with None after it.
    """

    id: str
    claim: Claim
    wanted: int
    sweep: bool
    full: bool
    threads: int
    process: int
    processes: int
    seed: int
    left_out: frozenset[str]
    sized: Sized | None
    announce: Callable[[str | None], None]

    def __post_init__(self) -> None:
        """Begin with all ways that can run."""
        usable = {name: way for name, way in self.claim.named.items() if way.missing is None}
        self._ways = {name: way for name, way in usable.items() if name not in self.left_out}
        self._first: dict[str, float] = {}
        self._errors: dict[str, float] = {}
        self._failed: list[Failed] = []
        self._made: tuple[int, tuple[Any, ...]] | None = None

    def records(self) -> Iterator[Record]:
        """What the first process fixes, what fails, and the share of this process."""
        with limited_to(self.threads):
            sized = self.sized or self._size()
            if self.sized is None:
                yield from self._drain()
                yield sized
            yield from self._measure(sized)

    def _drain(self) -> Iterator[Failed]:
        yield from self._failed
        self._failed.clear()

    # What the first process finds out

    def _size(self) -> Sized:
        """Choose the size, and how many calls make a sample."""
        seconds, skipped, why = {}, {}, ""
        small = sizes.smallest(self.wanted)
        self._check(small, list(self._ways))
        n = self.wanted
        if not self.full:
            n, why = self._fitting()
            if self.sweep and n < self.wanted:
                return Sized(self.id, self.wanted, n, {}, {}, 1, {}, why)
            limit = SWEEP_CAP if self.sweep else WHOLE / self.processes
            trends = {name: sizes.climb(n, partial(self._seconds, name), limit) for name in list(self._ways)}
            if self.sweep:
                slow = {name: trend.at(n) for name, trend in trends.items() if trend.size < n}
                skipped = {name: took for name, took in slow.items() if took > limit and name in self._ways}
            else:
                making = sizes.climb(n, self._seconds_of_setup, limit)
                n, reason = sizes.by_time(n, [making, *trends.values()], limit)
                why = reason or why
        loops = {}
        arguments = self._arguments(n)
        for name in [name for name in self._ways if name not in skipped]:
            calibrated = self._guarded(name, partial(_calibrated, self._step(name, arguments)))
            if calibrated is not None:
                loops[name], seconds[name] = calibrated
        samples = {name: loops[name] * seconds[name] for name in loops}
        rounds, every = plan_rounds(samples, PRESET) if samples else (1, {})
        return Sized(self.id, self.wanted, n, loops, every, rounds, seconds, why, skipped)

    def _fitting(self) -> sizes.Choice:
        """The largest size whose problem fits in memory."""
        needed = self.claim.memory or sizes.bytes_needed(
            lambda n: sizes.bytes_of(self.claim.arguments(n, self.seed)), self.wanted
        )
        return sizes.by_memory(self.wanted, needed, memory.memory_limit())

    def _seconds_of_setup(self, n: int) -> float:
        return _seconds(lambda: self._arguments(n, fresh=True))

    def _seconds(self, name: str, n: int) -> float:
        """Seconds of a call at a size; 0 for a way that fails there, which is then out."""
        took = self._guarded(name, partial(_seconds, self._step(name, self._arguments(n))))
        return took if took is not None else 0.0

    # What every process does

    def _measure(self, sized: Sized) -> Iterator[Record]:
        taking_part = [name for name in sized.loops if name in self._ways]
        slow = [name for name in taking_part if sized.seconds[name] > SLOW]
        quick = [name for name in taking_part if name not in slow]
        if self.sized is not None and slow:
            self._check(sizes.smallest(self.wanted), [*slow, *quick][: len(slow) + 1])
        arguments = self._arguments(sized.n)
        steps = {name: self._step(name, arguments) for name in taking_part}
        expected: tuple[str, Any] | None = None
        for name in [name for name in quick if name in self._ways]:
            outputs = self._first_call(name, steps[name], self.process > 0 or self.processes == 1)
            expected = self._judge(name, sized.n, outputs, expected, arguments)
        del arguments
        yield from self._drain()
        samples, last = self._rounds(sized, {name: steps[name] for name in taking_part if name in self._ways})
        for name in [name for name in samples if name in self._ways]:
            outputs = last[name]
            if self.claim.named[name].in_place:  # the last of many changes of its arguments
                outputs = self._guarded(name, self._step(name, self._arguments(sized.n, fresh=True)))
            expected = self._judge(name, sized.n, outputs, expected, self._arguments(sized.n))
        yield from self._drain()
        kept = {name: seconds for name, seconds in samples.items() if name in self._ways}
        yield Share(self.id, self.wanted, self.process, kept, self._first, self._errors)

    def _rounds(self, sized: Sized, steps: dict[str, Step]) -> tuple[dict[str, list[float]], dict[str, Any]]:
        """The samples of this process, and what the last of each way returned."""
        samples: dict[str, list[float]] = {name: [] for name in steps}
        last: dict[str, Any] = {}
        calibrated = Calibrated(
            cell=self.id,
            loops=sized.loops,
            every=sized.every,
            rounds=sized.rounds * self.processes,
            seconds=1.0,
            processes=self.processes,
        )
        with gc_off():
            for turn in schedule(calibrated, self.seed):
                if not self.process * sized.rounds <= turn.index < (self.process + 1) * sized.rounds:
                    continue
                # Kept for the round: what the ways allocate lies elsewhere in each.
                shift = np.empty(turn.shift_bytes, dtype=np.uint8)
                for name in [name for name in turn.labels if name in steps]:
                    self.announce(name)
                    try:
                        if sized.loops[name] > 1:
                            _settle(steps[name])
                        took = timed([steps[name]], sized.loops[name])
                    except Exception as raised:
                        self._fail(name, _raised(raised))
                        del steps[name]
                        continue
                    samples[name].append(took.wall)
                    if turn.index % sized.rounds + sized.every[name] >= sized.rounds:  # its last round here
                        last[name] = took.outputs
                    del took
                self.announce(None)
                del shift
        return samples, last

    def _first_call(self, name: str, step: Step, counts: bool) -> Any:
        """What a call returns; its time is recorded where it counts as the first of this process."""
        first = self._guarded(name, partial(timed, [step]))
        if first is None:
            return None
        if counts and name not in self._first:
            self._first[name] = first.wall
        return first.outputs

    # The gate

    def _check(self, n: int, names: list[str]) -> None:
        """Call ways on a small problem, compare what they return, and that they leave their arguments alone."""
        expected: tuple[str, Any] | None = None
        for name in [name for name in names if name in self._ways]:
            arguments = self._arguments(n, fresh=True)
            step = self._step(name, arguments)
            outputs = self._first_call(name, step, self.processes == 1)
            way = self.claim.named[name]
            if name in self._ways and not way.in_place and way.prepare is None and self._changed(n, arguments):
                self._fail(name, "changes its arguments: write Way(function, in_place=True)")
            expected = self._judge(name, n, outputs, expected, self._arguments(n, fresh=True))

    def _judge(
        self, name: str, n: int, outputs: Any, expected: tuple[str, Any] | None, arguments: tuple[Any, ...]
    ) -> tuple[str, Any] | None:
        """Compare outputs with those of an earlier way; a way that differs is out. Returns what to compare with."""
        if name not in self._ways or not self.claim.named[name].judged:
            return expected
        try:
            if outputs is None:
                raise Disagreement("returns None")
            wrong = error(self.claim, n, outputs, outputs if expected is None else expected[1], arguments)
        except Disagreement as differs:
            other = f" beside {expected[0]}" if expected is not None else ""
            self._fail(name, f"disagrees{other} at size {n:,}: {differs}")
            return expected
        except Exception as raised:
            self._fail(name, f"can't be compared at size {n:,}: {type(raised).__name__}: {raised}")
            return expected
        self._errors[name] = max(wrong, self._errors.get(name, 0.0))
        return expected if expected is not None else (name, copied(outputs))

    def _changed(self, n: int, arguments: tuple[Any, ...]) -> bool:
        fresh = self._arguments(n, fresh=True)
        arrays = [(a, b) for a, b in zip(arguments, fresh, strict=True) if isinstance(a, np.ndarray)]
        return any(not np.array_equal(a, b, equal_nan=a.dtype.kind in "fc") for a, b in arrays)

    # Calls

    def _arguments(self, n: int, fresh: bool = False) -> tuple[Any, ...]:
        """The arguments of a problem; the last ones made are kept, unless fresh ones are needed."""
        if fresh:
            return self.claim.arguments(n, self.seed)
        if self._made is None or self._made[0] != n:
            self._made = None  # frees the last ones first
            self._made = (n, self.claim.arguments(n, self.seed))
        return self._made[1]

    def _step(self, name: str, arguments: tuple[Any, ...]) -> Step:
        way: Way = self.claim.named[name]
        if way.in_place:
            arguments = tuple(copied(value) for value in arguments)
        return way.bound(arguments)

    def _guarded(self, name: str, call: Callable[[], Any]) -> Any:
        """What a call returns; None if it raised, and then the way is out."""
        self.announce(name)
        try:
            return call()
        except Exception as raised:
            self._fail(name, _raised(raised))
            return None
        finally:
            self.announce(None)

    def _fail(self, name: str, reason: str) -> None:
        self._ways.pop(name, None)
        self._failed.append(Failed(self.id, self.wanted, name, f"{name} {reason}"))


def _raised(error: Exception) -> str:
    return f"raised {type(error).__name__}: {' '.join(str(error).split())}"


def _calibrated(step: Step) -> tuple[int, float]:
    """The calls in a sample, and the seconds of a call."""
    took = timed([step]).wall
    loops, sample = (1, took) if took > SLOW else calibrate([step], PRESET.sample_seconds)
    return loops, sample / loops


def _seconds(step: Step) -> float:
    """Seconds of a call; the shorter of two, since memory that is new to a process is slow."""
    return min(timed([step]).wall for _ in range(2))


def _settle(step: Step) -> None:
    """Run a way unrecorded, until its own caches are warm and the threads of the one before are asleep."""
    end = time.perf_counter() + PRESET.settle_seconds
    while time.perf_counter() < end:
        step()
