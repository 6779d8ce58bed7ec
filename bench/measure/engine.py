"""The clock: a generator of samples, all kernels of a cell interleaved.

It knows kernels and a problem, and nothing of pytest, files, progress or plots. In this order, for a cell:

1. The first call of each kernel, on a few examples, is timed on its own: it is the one that compiles.
2. A kernel too slow for the cell is found by prediction from calls on fewer examples, and not run.
3. The first whole call goes through the agreement gate, after three small ones (bench.probe). What fails is never
   timed; and what the last sample of each kernel returned goes through the gate again.
4. Loops per sample are calibrated, so that a sample lasts at least the preset's `sample_seconds`, and frozen.
5. Rounds: each takes one sample of every kernel, in the order of a row of a cyclic Latin square, shuffled anew for
   every block of rounds. The square is E. J. Williams's (1949): in a block, every kernel follows every other equally
   often, so that what one leaves behind for the next (caches, spinning threads) falls on all alike.
   A kernel whose samples are long takes part in every second, fourth, ... round only, so that a slow kernel does not
   leave the fast ones with few rounds. Speed-ups pair the rounds that two kernels share.
6. Before each sample the kernel runs unrecorded for a moment, so that it finds the machine as it leaves it itself;
   and in each round a block of random size shifts what the kernels allocate, for where temporaries come to lie makes
   some of them faster or slower (caches are indexed by address).
"""

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np

from bench.agreement import bounds as agreement
from bench.agreement import probe
from bench.agreement.bounds import Agreement, Disagreement
from bench.grid import ALPHA, Cell, Preset
from bench.machine.threads import held_to
from bench.problem import Problem
from bench.results.events import Calibrated, Event, Failed, FirstCall, Frozen, Round, Skipped
from kernels import Kernel, gradient_descent

__all__ = ["CONTROL", "Calibrated", "Contestant", "Event", "Failed", "FirstCall", "Round", "Skipped", "measure"]

CONTROL = "A/A control"
SPIN_SECONDS = 2e-3  # for so long the threads of the kernel before may still spin, with bench.quiet's settings
SHIFT_BYTES = 2**22  # below the size for which NumPy asks the system for huge pages


def is_kernel(label: str) -> bool:
    """Whether a contestant is a kernel: those are named as files are; what else a cell measures is named in words."""
    return label.isidentifier()


@dataclass(frozen=True)
class Contestant:
    """A kernel in a cell.

    Attributes:
        kernel: What is bound and called.
        compiled_descent: Its training runs iterate in compiled code.
        judged: Its outputs go through the agreement gate; not those of a ruler, which computes something else.
    """

    kernel: Kernel
    compiled_descent: bool = False
    judged: bool = True


Announce = Callable[[str | None], None]


def measure(
    cell: Cell,
    problem: Problem,
    expected: Any,
    contestants: Mapping[str, Contestant],
    preset: Preset,
    seed: int,
    frozen: Frozen | None = None,
    announce: Announce = lambda _: None,
) -> Iterator[Event]:
    """Measure the contestants on a cell.

    Args:
        cell: The cell; its threads hold for all.
        problem: The cell's problem.
        expected: `agreement.expect(problem)`, or `agreement.expect_descent(...)` for a training cell.
        contestants: Label -> contestant.
        preset: Cap, budget and rounds.
        seed: Seed of the order within rounds.
        frozen: What an earlier process fixed and measured; what is left is measured as that would have gone on.
        announce: Told the label of the contestant that is about to be called, outside all timing; and None after it.
    """
    calls: dict[str, Callable[[], Any]] = {}
    asked = probe.questions(problem)
    for label, contestant in contestants.items():
        try:
            with held_to(cell.threads):
                # What was measured before was not too slow: only the gate is passed again.
                cap = preset.cap if frozen is None else math.inf
                yield from _admit(
                    label, contestant, cell, problem, expected, replace(preset, cap=cap), calls, asked, announce
                )
        except Disagreement as error:
            yield Failed(label, str(error))
        except Exception as error:  # a kernel may raise anything; the run goes on without it
            at = probe.line(error, contestant.kernel)
            yield Failed(label, f"{label}: raised {at}{type(error).__name__}: {error}")
        announce(None)
    if calls:

        def judge_again(label: str, outputs: Any) -> Iterator[Event]:
            try:
                if contestants[label].judged:
                    _judge(label, contestants[label], cell, outputs, expected)
            except Disagreement as error:
                yield Failed(label, f"{error}; in the last round, after a right answer before the first")

        yield from _rounds(calls, cell.threads, preset, seed, judge_again, frozen, announce)


def _admit(
    label: str,
    contestant: Contestant,
    cell: Cell,
    problem: Problem,
    expected: Any,
    preset: Preset,
    calls: dict[str, Callable[[], Any]],
    asked: tuple[probe.Question, probe.Question],
    announce: Announce,
) -> Iterator[Event]:
    announce(label)
    few = _bind(contestant, cell, problem.head(8), iterations=min(1, cell.iterations))
    first = _seconds(few)[0]
    yield FirstCall(label, first)
    if contestant.judged and not contestant.compiled_descent:
        probe.ask(label, contestant.kernel, asked)
    predicted = 0.0 if preset.cap == math.inf else _predict(contestant, cell, problem, preset.cap, announce, label)
    if predicted > preset.cap:
        reason = f"a call would take about {predicted:.2g} s, over the {preset.name} grid's cap of {preset.cap:g} s"
        yield Skipped(label, reason, predicted)
        return
    announce(label)
    call = _bind(contestant, cell, problem, cell.iterations)
    start = time.perf_counter()
    outputs = call()
    if _compiles_for_every_shape(contestant.kernel):
        yield FirstCall(label, first + time.perf_counter() - start)
    if contestant.judged:
        yield _judge(label, contestant, cell, outputs, expected)
    calls[label] = call


def _judge(label: str, contestant: Contestant, cell: Cell, outputs: Any, expected: Any) -> Agreement:
    judge = agreement.judge_descent if cell.iterations else agreement.judge
    return judge(label, outputs, expected, contestant.kernel.cost_from)


def _compiles_for_every_shape(kernel: Kernel) -> bool:
    return kernel.compiled and kernel.prepare is not None


def _bind(contestant: Contestant, cell: Cell, problem: Problem, iterations: int) -> Callable[[], Any]:
    kernel = contestant.kernel
    if cell.iterations:
        compiled = contestant.compiled_descent
        return partial(gradient_descent, kernel, problem.X, problem.Y, ALPHA, iterations, compiled=compiled)
    X = problem.by_feature if kernel.requires else problem.X  # a peer wants it so, and would make a copy of its own
    return kernel.bind(problem.w, problem.b, X, problem.Y)


def _predict(contestant: Contestant, cell: Cell, problem: Problem, cap: float, announce: Announce, label: str) -> float:
    """Seconds of a whole call, from calls on 8, 64, 512 ... examples; the last of them is long enough to tell."""
    m = 8
    while m < problem.m:
        announce(label)
        call = _bind(contestant, cell, problem.head(m), iterations=min(1, cell.iterations))
        if _compiles_for_every_shape(contestant.kernel):
            call()
        seconds = _seconds(call)[0]
        predicted = seconds * problem.m / m * max(1, cell.iterations)
        # On few examples the cost of a call itself counts too often: believe a "too slow" only from a longer call.
        if predicted <= cap or seconds > cap / 32:
            return predicted
        m *= 8
    return 0.0


def _seconds(call: Callable[[], Any], loops: int = 1) -> tuple[float, float, Any]:
    """Wall and CPU seconds of `loops` calls, and what the last of them returned."""
    calls = repeat(None, loops - 1)
    cpu = time.process_time()
    start = time.perf_counter()
    for _ in calls:
        call()
    outputs = call()
    wall = time.perf_counter() - start
    return wall, time.process_time() - cpu, outputs


def _rounds(
    calls: Mapping[str, Callable[[], Any]],
    threads: int,
    preset: Preset,
    seed: int,
    judge_again: Callable[[str, Any], Iterator[Event]],
    frozen: Frozen | None,
    announce: Announce,
) -> Iterator[Event]:
    """The rounds; what the last sample of a kernel returned is judged before its round is told, and so never after."""
    if frozen is None:
        loops, seconds = {}, {}
        with held_to(threads):
            for label, call in calls.items():
                announce(label)
                loops[label], seconds[label] = _calibrate(call, preset.sample_seconds)
        announce(None)
        rounds, every = _plan(seconds, preset)
        planned = sum(seconds[label] * rounds / every[label] for label in calls)
        frozen = Frozen(Calibrated(loops, every, rounds, planned), 0)
    calibrated = frozen.calibrated
    yield calibrated
    settle = preset.settle_seconds if threads == 1 else max(preset.settle_seconds, SPIN_SECONDS)
    rng = np.random.default_rng([seed, 3])
    orders = _orders(list(calibrated.loops), rng)
    for index in range(calibrated.rounds):
        # Drawn for the rounds that were done before too, and with the kernels that have failed since: the same orders.
        order = [label for label in next(orders) if index % calibrated.every[label] == 0 and label in calls]
        shift_bytes = int(rng.integers(SHIFT_BYTES))
        if index < frozen.done:
            continue
        # Held for the round: what kernels allocate lies elsewhere in each, so that the median is over many placements.
        shift = np.empty(shift_bytes, dtype=np.uint8)
        with held_to(threads), gc_off():
            samples, last = [], {}
            for label in order:
                call, loops_of = calls[label], calibrated.loops[label]
                announce(label)
                if loops_of > 1:
                    _settle(call, settle)
                wall, cpu, outputs = _seconds(call, loops_of)
                samples.append((label, wall, cpu))
                if index + calibrated.every[label] >= calibrated.rounds:
                    last[label] = outputs
                del outputs
        announce(None)
        del shift
        for label, outputs in last.items():
            yield from judge_again(label, outputs)
        yield Round(index, samples)


@contextmanager
def gc_off() -> Iterator[None]:
    """No garbage collection inside."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _orders(labels: list[str], rng: np.random.Generator) -> Iterator[list[str]]:
    """The order within each round, without end: Williams designs, shuffled anew for each."""
    n = len(labels)
    zigzag = [k // 2 if k % 2 == 0 else n - 1 - k // 2 for k in range(n)]
    # With an odd number it takes the square and its mirror image for every pair to occur equally often.
    first_rows = [zigzag] if n % 2 == 0 else [zigzag, zigzag[::-1]]
    while True:
        shuffled = [labels[k] for k in rng.permutation(n)]
        for first_row in first_rows:
            for row in range(n):
                yield [shuffled[(k + row) % n] for k in first_row]


def _settle(call: Callable[[], Any], seconds: float) -> None:
    """Run a kernel unrecorded, until the threads of the one before are asleep and its own caches are warm."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        call()


def _calibrate(call: Callable[[], Any], target: float) -> tuple[int, float]:
    """Loops per sample: the target passed twice in a row; and the seconds of such a sample."""
    loops, passed = 1, 0
    while True:
        seconds = _seconds(call, loops)[0]
        if seconds >= target:
            passed += 1
            if passed == 2:
                return loops, seconds
        else:
            passed = 0
            loops = math.ceil(loops * min(10.0, 1.2 * target / max(seconds, 1e-9)))


def _plan(seconds: Mapping[str, float], preset: Preset) -> tuple[int, dict[str, int]]:
    """How many rounds, and every how many of them each kernel takes part in."""
    wanted = {
        label: min(max(int(preset.budget / sample), preset.min_rounds), preset.max_rounds)
        for label, sample in seconds.items()
    }
    rounds = max(wanted.values())
    # Powers of two, so that the rounds of any two kernels are nested and pair up.
    return rounds, {label: 1 << ((rounds // count).bit_length() - 1) for label, count in wanted.items()}
