"""What each rung predicted of itself, and what was measured: its own words, what was counted, the factor and a verdict.

A rung's words are the paragraph "So: ..." of its module's docstring. It is compared with the rung that its arithmetic
grew from, in the cells of `causes.chosen`, from the rounds that the two share; the rungs of all threads with their
like in the cell of one thread, where they have none in their own, and then the two are not paired.
"""

import inspect
import re
import sys
from dataclasses import dataclass, replace

from bench import causes, predictions, stats
from bench.causes import Pair
from bench.results import CellResult, Run
from bench.stats import Interval
from bench.tables import Table, bounds_text, digits

_CALLS = "What a call of NumPy costs was not counted: with few features it is most of an example."
_ONE_CALL = "One call instead of many, and a cheaper exp and log: neither is in the bytes."
_BY_CAUSE = {(pair.before, pair.after): pair for pair in causes.PAIRS}
_THREADS = _BY_CAUSE["pair: fused blocks, one thread", "numba_fused_parallel"]

# Each rung after the one that it grew from; `cause` is not shown.
STEPS = (
    _BY_CAUSE["python_loop", "python_lists"],
    Pair("", "python_loop", "numpy_dot_in_loop", predictions.instructions, less=_CALLS),
    _BY_CAUSE["python_loop", "numba_loop"],
    _BY_CAUSE["numba_loop", "numba_fastmath"],
    replace(_THREADS, before="numba_fastmath", after="numba_parallel"),
    Pair("", "numpy_dot_in_loop", "numpy_textbook", predictions.interpreter_gone),
    _BY_CAUSE["numpy_textbook", "numpy_vectorized"],
    _BY_CAUSE["numpy_vectorized", "numpy_buffers"],
    Pair(
        "",
        "numpy_buffers",
        "numba_passes",
        predictions.moved,
        _ONE_CALL,
        "Moving bytes is not what this cell waits for.",
    ),
    _BY_CAUSE["numba_passes", "numba_fused"],
    replace(_THREADS, before="numba_fused"),
)
# Passes over X from memory, as the docstrings say them; of all others one.
PASSES = dict.fromkeys(("numpy_textbook", "numpy_vectorized", "numpy_buffers", "numba_passes"), 2)
COUNTED = {
    "instructions_per_element": "interpreted, an element",
    "instructions_per_example": "interpreted, an example",
    "bytes_per_example": "bytes allocated, an example",
    "moved_per_example": "bytes moved besides X, an example",
}
SAME = {"numba_fused": "pair: fused blocks, one thread"}  # the same function, in the cells of all threads


@dataclass(frozen=True)
class Measured:
    """How many times faster a rung is than the one before, the cell that says so, and whether from the same rounds."""

    ratio: Interval
    result: CellResult
    paired: bool


def own_words(name: str) -> str:
    """What a rung's docstring predicts: its paragraph "So: ...", on one line; "" where it has none."""
    doc = inspect.getdoc(sys.modules[f"kernels.{name}"]) or ""
    found = re.search(r"^So: (.*?)(?:\n\n|\Z)", doc, re.DOTALL | re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def measured(run: Run, step: Pair, m: int, n_x: int) -> Measured | None:
    """The factor of a step at m and n_x; of a step to all threads, over one thread. None where it was not measured."""
    results = [each for each in causes.chosen(run) if (each.cell.m, each.cell.n_x) == (m, n_x)]
    one = next((each for each in results if each.cell.threads == 1), None)
    if step.predict is not predictions.threads:
        ratio = one.speedup(step.before, step.after) if one else None
        return Measured(ratio, one, True) if one and ratio else None
    for each in results:
        if each.cell.threads > 1 and step.after in each.seconds:
            ratio = each.speedup(SAME.get(step.before, step.before), step.after)
            if ratio is not None:
                return Measured(ratio, each, True)
            if one is not None and step.before in one.seconds:
                return Measured(stats.ratio(one.seconds[step.before], each.seconds[step.after]), each, False)
    return None


def table(run: Run) -> Table | None:
    """A row for each step: what was counted, the rung's own words, and at each shape the prediction and the factor."""
    shapes = list(dict.fromkeys((each.cell.m, each.cell.n_x) for each in causes.chosen(run)))
    rows = []
    for step in STEPS:
        found = [measured(run, step, *shape) for shape in shapes]
        if not any(found):
            continue
        said, lessons = [], dict[str, None]()
        for each in found:
            words, lesson = _said(run, step, each) if each else ("–", "")
            said.append(words)
            if lesson:
                lessons[lesson] = None
        # Where nothing follows, the reason stands instead of a lesson.
        row = [step.after, f"Over {step.before}: {own_words(step.after)}", counted_words(run, step.before, step.after)]
        rows.append([*row, *said, " ".join(lessons) or "–"])
    if not rows:
        return None
    labels = [f"m = {m:,}, n_x = {n_x:,}" for m, n_x in shapes]
    columns = ["kernel", "its own words", "counted, before → after", *labels, "where they differ"]
    return Table("What each rung predicted, and what was measured", columns, rows, prose=True)


def _said(run: Run, step: Pair, found: Measured) -> tuple[str, str]:
    """Prediction, factor and verdict in words; and what a difference says, or why nothing is predicted."""
    shown = bounds_text(found.ratio)
    if found.result.cell.threads > 1:
        shown += f" with {found.result.cell.threads} threads" + ("" if found.paired else ", not paired")
    predicted = step.predict(run, found.result, step.before, step.after)
    if isinstance(predicted, str):
        return f"measured {shown}", f"Not predicted: {predicted}."
    verdict, _, lesson = predictions.verdict(predicted, found.ratio, step.more, step.less).partition(". ")
    return f"predicted {predicted.text}, measured {shown}; {verdict}", lesson


def counted_words(run: Run, before: str, after: str) -> str:
    """What was counted of the two, and the bytes of X that each reads from memory."""
    was, now = (run.counts.get(name, {}) for name in (before, after))
    said = []
    for key, what in COUNTED.items():
        if key in was or key in now:
            said.append(f"{what}: " + " → ".join(digits(each[key]) if key in each else "–" for each in (was, now)))
    if "packed" in was or "packed" in now:
        said.append(f"packed of so many lanes, scalar: {_arithmetic(was)} → {_arithmetic(now)}")
    passes = [8 * PASSES.get(name, 1) for name in (before, after)]
    said.append(f"bytes of X from memory, an element: {passes[0]} → {passes[1]}")
    return "; ".join(said)


def _arithmetic(counts: dict[str, float]) -> str:
    return f"{counts['packed']:g} of {counts['lanes']:g}, {counts['scalar']:g}" if "packed" in counts else "–"


def counted(run: Run) -> Table | None:
    """What was counted of each rung and variant."""
    if not run.counts:
        return None
    rows = []
    for name, counts in run.counts.items():
        rows.append([name, *(f"{counts[key]:g}" if key in counts else "–" for key in COUNTED), _arithmetic(counts)])
    title = "Counted: interpreted instructions, bytes, and arithmetic instructions in the innermost loops"
    return Table(title, ["kernel", *COUNTED.values(), "packed of so many lanes, scalar"], rows)
