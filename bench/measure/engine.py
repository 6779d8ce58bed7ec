"""The clock: a generator of samples, all kernels of a cell interleaved, in one process.

It knows kernels and a problem, and nothing of pytest, files, progress or plots. For a cell, in this order:

1. The first call of each kernel, on a few examples, is timed on its own: it is the one that compiles.
2. Calls on fewer examples predict whether a kernel is too slow for the cell; if it is, it is not run.
3. The first whole call passes the agreement gate, after three small ones (bench.agreement.probe). A kernel that fails
   is never timed. In a cell that an earlier process has gated, the first sample is the first whole call.
4. The loops of a sample are calibrated, so that it lasts at least the preset's `sample_seconds`, and fixed.
   The calls of a sample go from one w and b to the next (bench.agreement.points), and the answer of the last of them
   is judged: after every sample, so no kernel gains by remembering.
5. Rounds: each takes one sample of every kernel, in the order of a row of a Williams square (bench.measure.rounds).
   Before them, the ruler shows how disturbed the machine is (bench.machine.ruler).
   A kernel whose samples are long takes part in every second, fourth, ... round only, so that a slow kernel does not
   leave the fast ones with few rounds. Speed-ups pair the rounds that two kernels share.
6. Before each sample the kernel runs unrecorded for a moment, so that it finds the machine as it leaves it itself;
   and in each round a block of random size shifts what the kernels allocate, since the place of temporaries makes some
   kernels faster or slower (caches are indexed by address).
"""

import gc
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np

from bench import agreement
from bench.agreement import Disagreement, Expected, Point
from bench.grid import ALPHA, Cell, Preset
from bench.machine.ruler import Ruler
from bench.machine.threads import limited_to
from bench.measure.rounds import Steps, Turn, calibrate, plan_rounds, schedule, timed
from bench.problem import Problem
from bench.results.records import (
    Agreed,
    Calibrated,
    EventRecord,
    Failed,
    FirstCall,
    Round,
    Ruled,
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
        points: `agreement.points(problem)`; of a training cell the one where it begins, with what is expected of it.
        preset: Cap, budget and rounds.
        seed: Seed of the order within rounds.
        contestants: Label -> contestant.
        frozen: What an earlier process fixed and measured; the rest is measured as that process would have done it.
        process: Which of the preset's processes this is, from 0; it ends with the last of its rounds.
        announce: Called, outside all timing, with the label of the contestant that is called next; with None after it.
        ruler: That of this process.
    """

    cell: Cell
    problem: Problem
    points: Sequence[Point]
    preset: Preset
    seed: int
    contestants: Mapping[str, Contestant]
    frozen: Frozen | None = None
    process: int = 0
    announce: Announce = lambda _: None
    ruler: Ruler = field(default_factory=Ruler)

    def events(self) -> Iterator[EventRecord]:
        """Admit the contestants, calibrate them, and take the rounds; each event is yielded once it has happened."""
        admitted = yield from self._admit_all()
        if admitted:
            frozen = self.frozen or Frozen(self._calibrate(admitted), 0)
            yield frozen.calibrated
            yield from self._rounds(admitted, frozen)

    def _admit_all(self) -> Generator[EventRecord, None, dict[str, Steps]]:
        """Label -> steps, one for each point, of the contestants that may be timed."""
        questions = agreement.questions(self.problem)
        admitted: dict[str, Steps] = {}
        for label, contestant in self.contestants.items():
            try:
                with limited_to(self.cell.threads):
                    steps = yield from self._admit(label, contestant, questions)
                if steps:
                    admitted[label] = steps
            except Disagreement as error:
                yield Failed(cell=self.cell.id, kernel=label, reason=str(error))
            except Exception as error:  # a kernel may raise anything; the run continues without it
                place = agreement.line(error, contestant.kernel)
                reason = f"{label}: raised {place}{type(error).__name__}: {error}"
                yield Failed(cell=self.cell.id, kernel=label, reason=reason)
            self.announce(None)
        return admitted

    def _admit(
        self, label: str, contestant: Contestant, questions: tuple[agreement.Question, agreement.Question]
    ) -> Generator[EventRecord, None, Steps]:
        """The steps of a contestant that is right and not too slow; none if it is."""
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
            return ()
        self.announce(label)
        steps = self._bind(kernel, self.problem, self.cell.iterations)
        if self.frozen is not None and kernel.compiles != "per shape":
            return steps  # an earlier process judged a whole call, and the answers of this one's samples are judged too
        start = time.perf_counter()
        outputs = steps[0]()
        if kernel.compiles == "per shape":
            yield FirstCall(cell=self.cell.id, kernel=label, seconds=first + time.perf_counter() - start)
        if contestant.judged:
            yield self._judge(label, outputs, self.points[0])
        return steps

    def _judge(self, label: str, outputs: Any, point: Point) -> Agreed:
        """The errors of a contestant's outputs at a point.

        Raises:
            Disagreement: If one is outside its bound.
        """
        expected, cost_from = point.expected, self.contestants[label].kernel.cost_from
        if isinstance(expected, Expected):
            errors = agreement.judge(label, outputs, expected, cost_from)
        else:
            errors = agreement.judge_descent(label, outputs, expected, cost_from)
        return Agreed(cell=self.cell.id, kernel=label, J=errors.J, dw=errors.dw, db=errors.db)

    def _bind(self, kernel: Kernel, problem: Problem, iterations: int) -> Steps:
        """A kernel's steps at the points; on X and Y of a problem, which is made as a kernel wants it."""
        if self.cell.iterations:
            compiled = kernel.trains_only
            return (partial(gradient_descent, kernel, problem.X, problem.Y, ALPHA, iterations, compiled=compiled),)
        # A kernel that wants order C would make a copy of its own.
        at = kernel.at(problem.by_feature if kernel.layout == "C" else problem.X, problem.Y)
        # A copy of w each: a kernel that writes to it is wrong itself, and no other.
        return tuple(at(point.w.copy(), point.b) for point in self.points)

    def _bind_head(self, kernel: Kernel, m: int) -> Steps:
        """The steps on the first m examples; of a training run, its first iteration."""
        return self._bind(kernel, self.problem.head(m), iterations=min(1, self.cell.iterations))

    def _predict(self, label: str, kernel: Kernel) -> float:
        """Seconds of a whole call, from calls on 8, 64, 512 ... examples; the last of them is long enough to tell."""
        m, cap = FEW, self.preset.cap
        while m < self.problem.m:
            self.announce(label)
            steps = self._bind_head(kernel, m)
            if kernel.compiles == "per shape":
                steps[0]()
            seconds = timed(steps).wall
            predicted = seconds * self.problem.m / m * max(1, self.cell.iterations)
            # On few examples the cost of a call itself counts too often: believe a "too slow" only from a longer call.
            if predicted <= cap or seconds > cap / 32:
                return predicted
            m *= 8
        return 0.0

    def _calibrate(self, admitted: Mapping[str, Steps]) -> Calibrated:
        loops, seconds = {}, {}
        with limited_to(self.cell.threads):
            for label, steps in admitted.items():
                self.announce(label)
                loops[label], seconds[label] = calibrate(steps, self._in_proportion(self.preset.sample_seconds))
        self.announce(None)
        processes = self.preset.processes
        rounds, every = plan_rounds(seconds, self.preset)
        planned = processes * sum(seconds[label] * math.ceil(rounds / every[label]) for label in admitted)
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

    def _rounds(self, admitted: dict[str, Steps], frozen: Frozen) -> Iterator[EventRecord]:
        """The rounds of this process; a contestant with a wrong answer in one takes part in no other."""
        calibrated = frozen.calibrated
        end = (self.process + 1) * calibrated.per_process
        for turn in schedule(calibrated, self.seed):
            if turn.index < frozen.done:
                continue
            if turn.index >= end:
                return
            taken, wrong = self._round(admitted, calibrated, turn)
            for failed in wrong:
                del admitted[failed.kernel]
                yield failed
            yield taken
            if not admitted:
                return

    def _round(self, admitted: Mapping[str, Steps], calibrated: Calibrated, turn: Turn) -> tuple[Round, list[Failed]]:
        """A round, and whose answer in it was wrong."""
        # The schedule is that of all contestants, so that it stays the same where one has failed since.
        labels = [label for label in turn.labels if label in admitted]
        settle = self._in_proportion(self.preset.settle_seconds)
        # Kept for the round: what kernels allocate lies elsewhere in each, so the median is over many placements.
        shift = np.empty(turn.shift_bytes, dtype=np.uint8)
        samples: list[Sample] = []
        wrong: list[Failed] = []
        with limited_to(self.cell.threads), gc_off():
            ruler = Ruled(*self.ruler.take())
            for label in labels:
                steps, loops = admitted[label], calibrated.loops[label]
                self.announce(label)
                if loops > 1:
                    _settle(steps, settle)
                first = turn.shift_bytes % len(steps)
                wall, cpu, outputs = timed(steps, loops, first)
                samples.append(Sample.of(label, wall, cpu))
                wrong += self._judge_again(label, outputs, self.points[(first + loops - 1) % len(steps)])
                del outputs
        self.announce(None)
        del shift
        return Round(cell=self.cell.id, index=turn.index, samples=samples, ruler=ruler), wrong

    def _judge_again(self, label: str, outputs: Any, point: Point) -> Iterator[Failed]:
        """What is wrong with the answer of a timed call, if anything."""
        contestant, expected = self.contestants[label], point.expected
        if not contestant.judged or (
            isinstance(expected, Expected) and agreement.agrees(outputs, expected, contestant.kernel.cost_from)
        ):
            return
        try:
            self._judge(label, outputs, point)
        except Disagreement as error:
            reason = f"{error}; in a timed call, after right answers before: does it keep something between calls?"
            yield Failed(cell=self.cell.id, kernel=label, reason=reason)


@contextmanager
def gc_off() -> Iterator[None]:
    """No garbage collection inside."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _settle(steps: Steps, seconds: float) -> None:
    """Run a kernel unrecorded, until the threads of the one before are asleep and its own caches are warm."""
    end = time.perf_counter() + seconds
    for step in cycle(steps):
        step()
        if time.perf_counter() >= end:
            return
