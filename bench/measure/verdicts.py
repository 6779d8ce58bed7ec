"""What is held against a kernel besides a wrong answer, and makes it fail.

An event that no run can contain, a sample that no machine can have taken, memory that leaks, calls that never return.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from bench import words
from bench.grid import Cell
from bench.measure.ledger import Progress
from bench.measure.worker import Died, Worker
from bench.results import journal
from bench.results.records import Ceiling, EventRecord, Failed, Round, Skipped, is_kernel
from kernels import KERNELS

CEILING_ERROR = 1.5  # by how much a measured ceiling may lie below what the machine can do
RUNG_ERROR = 10.0  # the same on a very busy machine


class Unreadable(Exception):
    """An event that no reader takes, and that is of no kernel."""


def judged(cell: Cell, event: EventRecord, progress: Progress, ceiling: Ceiling | None) -> Iterator[EventRecord]:
    """The event as it is written, after what it proves of its kernels: that they failed.

    Args:
        cell: The cell.
        event: What the engine sent.
        progress: How far the cell is: what has failed leaves no more samples.
        ceiling: What the machine can do at most, if that was measured.

    Raises:
        Unreadable: If no kernel can be named for an event that can't be written.
    """
    if isinstance(event, Failed | Skipped):
        if event.kernel in progress.out:
            return  # the worker has not heard of it
        event = msgspec.structs.replace(event, reason=words.one_line(event.reason))
    if isinstance(event, Round):
        yield from _of_samples(event, progress)
        yield from refuted(cell, event, progress, ceiling)
        event = msgspec.structs.replace(event, samples=[s for s in event.samples if s.label not in progress.out])
        yield event if journal.readable(event) else msgspec.structs.replace(event, ruler=None)
    elif journal.readable(event):
        yield event
    else:
        kernel = getattr(event, "kernel", None)
        if kernel is None:
            raise Unreadable(f"sent a record that no run can contain: {words.one_line(repr(event), 200)}")
        yield _unreadable(event.cell, kernel, type(event).__name__)


def watched(events: Iterator[EventRecord], worker: Worker, before: int, most: int) -> Iterator[EventRecord]:
    """The events, until the worker has more than `most` bytes of memory, of `before` in the beginning.

    Raises:
        Died: If one contestant took most of what was added.
    """
    for event in events:
        yield event
        if worker.rss > most:
            growth = worker.greediest()
            if growth.nbytes > (worker.rss - before) / 2:
                size = words.human_bytes(worker.rss)
                raise Died(growth.cell, growth.label, f"leaks memory: the process had {size} after its calls")


def not_called(cell: Cell, labels: Iterable[str], hung: Mapping[str | None, int], patience: int) -> Iterator[Failed]:
    """The contestants that did not return in `patience` other cells: each takes minutes to find out."""
    for label in labels:
        if hung[label] >= patience:
            reason = f"{label}: not called: it did not return in {hung[label]} other cells"
            yield Failed(cell=cell.id, kernel=label, reason=reason)


def _of_samples(event: Round, progress: Progress) -> Iterator[Failed]:
    """The kernels whose sample no reader takes: zero, negative, no number."""
    if not journal.readable(event):
        for sample in event.samples:
            one = msgspec.structs.replace(event, samples=[sample])
            if sample.label not in progress.out and not journal.readable(one):
                yield _unreadable(event.cell, sample.label, f"a sample of {sample.seconds:g} s")


def _unreadable(cell: str, kernel: str, what: str) -> Failed:
    reason = f"{kernel}: {what} can't be: no clock shows that; does the kernel change the clock?"
    return Failed(cell=cell, kernel=kernel, reason=reason)


def refuted(cell: Cell, event: Round, progress: Progress, ceiling: Ceiling | None) -> Iterator[Failed]:
    """The kernels with a sample that is shorter than a step can be: such a kernel remembers its answer.

    A ceiling that was measured beside a busy neighbour is too low. So a kernel is refused only if it is also far ahead
    of every rung of the ladder in the same round; and a rung itself, which nobody has reason to make remember, only
    if no error of a ceiling explains it.
    """
    calibrated, out = progress.calibrated, progress.out
    ceiling = ceiling and ceiling.of(cell.dtype)
    if ceiling is None or calibrated is None or cell.iterations:
        return
    bound = ceiling.bound(cell.m, cell.n_x)
    calls = {sample.label: sample.seconds / calibrated.loops[sample.label] for sample in event.samples}
    least = min([bound, *(call for label, call in calls.items() if label in KERNELS)])
    for label, call in calls.items():
        too_short = call * RUNG_ERROR < bound if label in KERNELS else call * CEILING_ERROR < least
        if is_kernel(label) and label not in out and too_short:
            reason = (
                f"{label}: impossible: a call took {words.seconds(call)}, but this machine needs "
                f"{words.seconds(bound)} at least to read X, multiply, add and take exponentials; does it remember its "
                "answer?"
            )
            yield Failed(cell=cell.id, kernel=label, reason=reason)
