"""What each rung predicted of itself, and what was measured: its own words, what was counted, the factor and a verdict.

A rung's words are the paragraph "So: ..." of its module's docstring. It is compared with the rung that its arithmetic
grew from, as `bench.verdicts` compares pairs.
"""

import inspect
import re
import sys
from dataclasses import replace

from bench.analysis import predictions, verdicts
from bench.report.chapters import causes
from bench.report.chapters.causes import Pair
from bench.report.tables import Table, digits
from bench.results.run import Run

_CALLS = "What a call of NumPy itself costs was not counted."
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
COUNTED = {
    "instructions_per_element": "interpreted, an element",
    "instructions_per_example": "interpreted, an example",
    "bytes_per_example": "bytes allocated, an example",
    "moved_per_example": "bytes moved besides X, an example",
}


def own_words(name: str) -> str:
    """What a rung's docstring predicts: its paragraph "So: ...", on one line; "" where it has none."""
    doc = inspect.getdoc(sys.modules[f"kernels.{name}"]) or ""
    found = re.search(r"^So: (.*?)(?:\n\n|\Z)", doc, re.DOTALL | re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def table(run: Run) -> Table | None:
    """A row for each step: the rung's own words, what was counted, and at each shape prediction and measurement."""
    rows = []
    for step in STEPS:
        found = verdicts.told(run, step)
        if found is not None:
            said, lessons, why = found
            words = f"Over {step.before}: {own_words(step.after)}"
            counted_of = counted_words(run, step.before, step.after)
            # Where nothing follows, the reason stands in the place of what differences say.
            rows.append([step.after, words, counted_of, *said, why if why.startswith("not predicted") else lessons])
    columns = [
        "kernel",
        "its own words",
        "counted, before → after",
        *verdicts.shapes(run).values(),
        "where they differ",
    ]
    title = "What each rung predicted, and what was measured"
    return Table(title, columns, rows, prose=True, stacked=True) if rows else None


def counted_words(run: Run, before: str, after: str) -> str:
    """What was counted of the two, and the bytes of X that each reads from memory."""
    was, now = (run.counts.get(name, {}) for name in (before, after))
    said = []
    for key, what in COUNTED.items():
        if key in was or key in now:
            said.append(f"{what}: " + " → ".join(digits(each[key]) if key in each else "–" for each in (was, now)))
    if "packed" in was or "packed" in now:
        said.append(f"packed of so many lanes, scalar: {_arithmetic(was)} → {_arithmetic(now)}")
    passes = [8 * predictions.PASSES.get(name, 1) for name in (before, after)]
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
