"""The clock: a generator of samples, all kernels of a cell interleaved, in one process.

It knows kernels and a problem, and nothing of pytest, files, progress or plots. For a cell, in this order:

1. The first call of each kernel, on a few examples, is timed on its own: it is the one that compiles.
2. Calls on fewer examples predict whether a kernel is too slow for the cell; if it is, it is not run.
3. The first whole call passes the agreement gate, after three small ones (bench.agreement.probe). A kernel that fails
   is never timed; and what the last sample of each kernel returned passes the gate again.
4. The loops of a sample are calibrated, so that it lasts at least the preset's `sample_seconds`, and fixed.
5. Rounds: each takes one sample of every kernel, in the order of a row of a Williams square (bench.measure.rounds).
   A kernel whose samples are long takes part in every second, fourth, ... round only, so that a slow kernel does not
   leave the fast ones with few rounds. Speed-ups pair the rounds that two kernels share.
6. Before each sample the kernel runs unrecorded for a moment, so that it finds the machine as it leaves it itself;
   and in each round a block of random size shifts what the kernels allocate, since the place of temporaries makes some
   kernels faster or slower (caches are indexed by address).
"""

import gc
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bench import agreement, words
from bench.agreement import Disagreement
from bench.grid import ALPHA, Cell, Preset
from bench.machine.threads import limited_to
from bench.measure.rounds import Step, Turn, calibrate, plan_rounds, schedule, timed
from bench.problem import Problem
from bench.results.records import (
    Agreed,
    Calibrated,
    EventRecord,
    Failed,
    FirstCall,
    Round,
    Sample,
    Skipped,
)
from kernels import Kernel, gradient_descent

FEW = 8  # examples of the first call
THREADS_FACTOR = 4.0  # of a sample and its settling, in cells of several threads

Announce = Callable[[str | None], None]


@dataclass(frozen=True)
class Contestant:
    """A kernel in a cell.

    Attributes:
        kernel: What is bound and called.
        judged: Its outputs must pass the agreement gate; not those of a ruler, which computes something else.
    """

    kernel: Kernel
    judged: bool = True


@dataclass(frozen=True)
class Frozen:
    """What an earlier process fixed in a cell, and how many rounds it finished."""

    calibrated: Calibrated
    done: int


@dataclass(frozen=True)
class Trial:
    """One cell, measured in this process.

    Attributes:
        cell: The cell; its number of threads is the limit for all.
        problem: The cell's problem.
        expected: `agreement.expect(problem)`, or `agreement.expect_descent(...)` for a training cell.
        preset: Cap, budget and rounds.
        seed: Seed of the order within rounds.
        contestants: Label -> contestant.
        frozen: What an earlier process fixed and measured; the rest is measured as that process would have done it.
        process: Which of the preset's processes this is, from 0; it ends with the last of its rounds.
        announce: Called, outside all timing, with the label of the contestant that is called next; with None after it.
    """

    cell: Cell
    problem: Problem
    expected: Any
    preset: Preset
    seed: int
    contestants: Mapping[str, Contestant]
    frozen: Frozen | None = None
    process: int = 0
    announce: Announce = lambda _: None

    def events(self) -> Iterator[EventRecord]:
        """Admit the contestants, calibrate them, and take the rounds; each event is yielded once it has happened."""
        steps = yield from self._admit_all()
        if steps:
            frozen = self.frozen or Frozen(self._calibrate(steps), 0)
            yield frozen.calibrated
            yield from self._rounds(steps, frozen)

    def _admit_all(self) -> Generator[EventRecord, None, dict[str, Step]]:
        """Label -> step, of the contestants that may be timed."""
        questions = agreement.questions(self.problem)
        steps: dict[str, Step] = {}
        for label, contestant in self.contestants.items():
            try:
                with limited_to(self.cell.threads):
                    step = yield from self._admit(label, contestant, questions)
                if step is not None:
                    steps[label] = step
            except Disagreement as error:
                yield Failed(cell=self.cell.id, kernel=label, reason=str(error))
            except Exception as error:  # a kernel may raise anything; the run continues without it
                place = agreement.line(error, contestant.kernel)
                reason = f"{label}: raised {place}{words.of_error(error)}"
                yield Failed(cell=self.cell.id, kernel=label, reason=reason)
            self.announce(None)
        return steps

    def _admit(
        self, label: str, contestant: Contestant, questions: tuple[agreement.Question, agreement.Question]
    ) -> Generator[EventRecord, None, Step | None]:
        """The step of a contestant that is right and not too slow."""
        kernel = contestant.kernel
        self.announce(label)
        first = timed(self._bind_head(kernel, FEW)).wall
        yield FirstCall(cell=self.cell.id, kernel=label, seconds=first)
        if contestant.judged and not kernel.trains_only:
            agreement.ask(label, kernel, questions)
        # What was measured before was not too slow: only the gate is passed again.
        predicted = self._predict(label, kernel) if self.frozen is None else 0.0
        if predicted > self.preset.cap:
            grid, cap = self.preset.name, self.preset.cap
            reason = f"a call would take about {predicted:.2g} s, over the {grid} grid's cap of {cap:g} s"
            yield Skipped(cell=self.cell.id, kernel=label, reason=reason, predicted=predicted)
            return None
        self.announce(label)
        step = self._bind(kernel, self.problem, self.cell.iterations)
        start = time.perf_counter()
        outputs = step()
        if kernel.compiles == "per shape":
            yield FirstCall(cell=self.cell.id, kernel=label, seconds=first + time.perf_counter() - start)
        if contestant.judged:
            yield self._judge(label, outputs)
        return step

    def _judge(self, label: str, outputs: Any) -> Agreed:
        """The errors of a contestant's outputs.

        Raises:
            Disagreement: If one is outside its bound.
        """
        judge = agreement.judge_descent if self.cell.iterations else agreement.judge
        errors = judge(label, outputs, self.expected, self.contestants[label].kernel.cost_from)
        return Agreed(cell=self.cell.id, kernel=label, J=errors.J, dw=errors.dw, db=errors.db)

    def _bind(self, kernel: Kernel, problem: Problem, iterations: int) -> Step:
        if self.cell.iterations:
            compiled = kernel.trains_only
            return partial(gradient_descent, kernel, problem.X, problem.Y, ALPHA, iterations, compiled=compiled)
        # A kernel that wants order C would make a copy of its own.
        X = problem.by_feature if kernel.layout == "C" else problem.X
        return kernel.step(problem.w, problem.b, X, problem.Y)  # a problem is made as a kernel wants it

    def _bind_head(self, kernel: Kernel, m: int) -> Step:
        """The step on the first m examples; of a training run, its first iteration."""
        return self._bind(kernel, self.problem.head(m), iterations=min(1, self.cell.iterations))

    def _predict(self, label: str, kernel: Kernel) -> float:
        """Seconds of a whole call, from calls on 8, 64, 512 ... examples; the last of them is long enough to tell."""
        m, cap = FEW, self.preset.cap
        while m < self.problem.m:
            self.announce(label)
            step = self._bind_head(kernel, m)
            if kernel.compiles == "per shape":
                step()
            seconds = timed(step).wall
            predicted = seconds * self.problem.m / m * max(1, self.cell.iterations)
            # On few examples the cost of a call itself counts too often: believe a "too slow" only from a longer call.
            if predicted <= cap or seconds > cap / 32:
                return predicted
            m *= 8
        return 0.0

    def _calibrate(self, steps: Mapping[str, Step]) -> Calibrated:
        loops, seconds = {}, {}
        with limited_to(self.cell.threads):
            for label, step in steps.items():
                self.announce(label)
                loops[label], seconds[label] = calibrate(step, self._in_proportion(self.preset.sample_seconds))
        self.announce(None)
        processes = self.preset.processes
        rounds, every = plan_rounds(seconds, self.preset)
        planned = processes * sum(seconds[label] * math.ceil(rounds / every[label]) for label in steps)
        return Calibrated(
            cell=self.cell.id,
            loops=loops,
            every=every,
            rounds=rounds * processes,
            seconds=planned,
            processes=processes,
        )

    def _in_proportion(self, seconds: float) -> float:
        """A sample and its settling take longer with several threads, which have to fall asleep before the next."""
        return seconds if self.cell.threads == 1 else THREADS_FACTOR * seconds

    def _rounds(self, steps: Mapping[str, Step], frozen: Frozen) -> Iterator[EventRecord]:
        """The rounds; what the last sample of a kernel returned is judged before its round is yielded."""
        calibrated = frozen.calibrated
        end = (self.process + 1) * calibrated.per_process
        for turn in schedule(calibrated, self.seed):
            if turn.index < frozen.done:
                continue
            if turn.index >= end:
                return
            samples, last = self._round(steps, calibrated, turn)
            for label, outputs in last.items():
                yield from self._judge_again(label, outputs)
            yield Round(cell=self.cell.id, index=turn.index, samples=samples)

    def _round(
        self, steps: Mapping[str, Step], calibrated: Calibrated, turn: Turn
    ) -> tuple[list[Sample], dict[str, Any]]:
        """The samples of a round, and what the last sample of a kernel returned where this is its last round."""
        # The schedule is that of all contestants, so that it stays the same where one has failed since.
        labels = [label for label in turn.labels if label in steps]
        settle = self._in_proportion(self.preset.settle_seconds)
        of_process = turn.index % calibrated.per_process
        # Kept for the round: what kernels allocate lies elsewhere in each, so the median is over many placements.
        shift = np.empty(turn.shift_bytes, dtype=np.uint8)
        with limited_to(self.cell.threads), gc_off():
            samples, last = [], {}
            for label in labels:
                step, loops = steps[label], calibrated.loops[label]
                self.announce(label)
                if loops > 1:
                    _settle(step, settle)
                wall, cpu, outputs = timed(step, loops)
                samples.append(Sample.of(label, wall, cpu))
                if of_process + calibrated.every[label] >= calibrated.per_process:
                    last[label] = outputs
                del outputs
        self.announce(None)
        del shift
        return samples, last

    def _judge_again(self, label: str, outputs: Any) -> Iterator[EventRecord]:
        try:
            if self.contestants[label].judged:
                self._judge(label, outputs)
        except Disagreement as error:
            reason = f"{error}; in the last round, after a right answer before the first"
            yield Failed(cell=self.cell.id, kernel=label, reason=reason)


@contextmanager
def gc_off() -> Iterator[None]:
    """No garbage collection inside."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _settle(step: Step, seconds: float) -> None:
    """Run a kernel unrecorded, until the threads of the one before are asleep and its own caches are warm."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        step()
