"""What counted work and measured ceilings predict of one change, and the verdict on what was measured.

A predictor takes a run, a cell of it and the two that are compared, and returns a `Prediction`, or a few words on why
nothing follows. It uses what the run counted and what it measured of the machine, and nothing else. Where counting
gives no single number, the prediction is a range.

The memory traffic of compiled kernels can't be counted; `Kernel.passes` and `Kernel.vectors` declare it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import kernels
from bench.results import LOOP, CellResult, Run
from bench.results.records import Ceiling
from bench.stats import Interval
from bench.words import digits

EQUAL = 1.01  # a reader would not see a smaller difference
CLOSE = 1.25  # no farther off than this is near
MORE = "Something that was not counted is saved as well."
LESS = "Something that was not counted takes the rest of the time."

Kind = Literal["unknown", "as predicted", "within", "near", "differs"]


@dataclass(frozen=True)
class Prediction:
    """The factor of a change, from low to high; low is 0 where only the most is known. `why`: what it follows from."""

    low: float
    high: float
    why: str

    @property
    def text(self) -> str:
        """As a table shows it."""
        if self.low == 0.0:
            return f"at most {digits(self.high)}"
        low, high = digits(self.low), digits(self.high)
        return low if low == high else f"{low} to {high}"


Predictor = Callable[[Run, CellResult, str, str], Prediction | str]


class Work(NamedTuple):
    """The memory traffic of a kernel: passes over X from memory, and arrays of m numbers that go through memory."""

    passes: int
    vectors: int


@dataclass(frozen=True)
class Verdict:
    """Whether the measured interval meets the predicted range.

    Attributes:
        predicted: What was predicted.
        measured: What was measured.
        off: How many times more (above 1) or less (below 1) was measured than predicted; 1 where they agree.
        kind: "unknown" with too few rounds; "as predicted" for a number, "within" for a range; "near"; or "differs".
        lesson: What the difference shows; "" where they agree or come near.
    """

    predicted: Prediction
    measured: Interval
    off: float
    kind: Kind
    lesson: str = ""


def off(predicted: Prediction, measured: Interval) -> float:
    """How many times more (above 1) or less (below 1) was measured than predicted; 1 where they agree."""
    if measured.low <= predicted.high and measured.high >= predicted.low:
        return 1.0
    return measured.estimate / (predicted.high if measured.low > predicted.high else predicted.low)


def judge(predicted: Prediction, measured: Interval, more: str = MORE, less: str = LESS) -> Verdict:
    """The verdict on a measurement; `more` and `less` are what it shows if it is far above or below the prediction."""
    if measured.low <= 0.0 or not math.isfinite(measured.high):
        return Verdict(predicted, measured, math.nan, "unknown")
    wrong = off(predicted, measured)
    if 1.0 / EQUAL <= wrong <= EQUAL:
        return Verdict(predicted, measured, wrong, "as predicted" if predicted.low == predicted.high else "within")
    if 1.0 / CLOSE <= wrong <= CLOSE:
        return Verdict(predicted, measured, wrong, "near")
    return Verdict(predicted, measured, wrong, "differs", more if wrong > 1.0 else less)


def same_work(_run: Run, _result: CellResult, _before: str, _after: str) -> Prediction | str:
    """The same function on as many numbers."""
    return Prediction(1.0, 1.0, "the same function on as many numbers")


def instructions(run: Run, result: CellResult, before: str, after: str) -> Prediction | str:
    """Bytecodes per example before, by those after."""
    was, now = (_interpreted(run, result, name) for name in (before, after))
    if not was or not now:
        return _uncounted(run, before, after, "instructions_per_example")
    return Prediction(was / now, was / now, "bytecodes per example, before ÷ after")


def moved(run: Run, result: CellResult, before: str, after: str) -> Prediction | str:
    """Bytes that whole-array operations read and write, before by after."""
    was, now = (_moved(run, result, name) for name in (before, after))
    if not was or not now:
        return _uncounted(run, before, after, "moved_per_example")
    return Prediction(was / now, was / now, "bytes read and written per example, before ÷ after")


def fresh(run: Run, result: CellResult, before: str, after: str) -> Prediction | str:
    """The same; at most, every new array lies on new pages, which the system must first fill with zeros."""
    was, now = (_moved(run, result, name) for name in (before, after))
    made = [run.counts.get(name, {}).get("made_per_example") for name in (before, after)]
    if not was or not now or made[0] is None or made[1] is None:
        return _uncounted(run, before, after, "made_per_example")
    why = "bytes moved, before ÷ after; at most, the system also fills each new array with zeros"
    return Prediction(was / now, (was + made[0]) / (now + made[1]), why)


def reordered(run: Run, result: CellResult, _before: str, after: str) -> Prediction | str:
    """From nothing gained to as many numbers at once as fit in a register, but no more than there are features."""
    lanes = run.counts.get(after, {}).get("lanes")
    if not lanes:
        return _uncounted(run, after, after, "lanes")
    why = "the sum over features in as many lanes as the code has, or n_x if that is less; the rest stays as it was"
    return Prediction(1.0, min(lanes, float(result.cell.n_x)), why)


def same_code(run: Run, _result: CellResult, before: str, after: str) -> Prediction | str:
    """Nothing where the loops do the same arithmetic; up to the lanes where more of it is packed."""
    was, now = (run.counts.get(name, {}) for name in (before, after))
    if not {"packed", "scalar", "lanes"} <= was.keys() & now.keys():
        return _uncounted(run, before, after, "lanes")
    if all(was[key] == now[key] for key in ("packed", "scalar", "lanes")):
        return Prediction(1.0, 1.0, "the innermost loops have as much packed and scalar arithmetic as before")
    return Prediction(1.0, now["lanes"], "other arithmetic in the innermost loops: from no gain to all of their lanes")


def exp_lanes(run: Run, result: CellResult, before: str, after: str) -> Prediction | str:
    """Where the code no longer calls exp, exp in lanes."""
    was, now = (run.counts.get(name, {}) for name in (before, after))
    if "calls_exp" not in was or "calls_exp" not in now:
        return _uncounted(run, before, after, "calls_exp")
    return _in_lanes(run, result, after, now["lanes"] if was["calls_exp"] > now["calls_exp"] else 1.0)


def division_lanes(run: Run, result: CellResult, before: str, after: str) -> Prediction | str:
    """The loop that divides, which takes exp as well, in more lanes."""
    was, now = (run.counts.get(name, {}).get("division_lanes") for name in (before, after))
    if not was or not now:
        return _uncounted(run, before, after, "division_lanes")
    return _in_lanes(run, result, after, max(now / was, 1.0))


def interpreter_gone(run: Run, result: CellResult, before: str, after: str) -> Prediction | str:
    """At most the time of the bytecodes, by that of the bytes that array operations move."""
    was, now, loop = _interpreted(run, result, before), _moved(run, result, after), _interpreted(run, result, LOOP)
    if not was or not now or not loop:
        return _uncounted(run, before, after, "instructions_per_example", "moved_per_example")
    ceiling = run.ceiling(result.cell)
    if ceiling is None or LOOP not in result.samples:
        return "this cell lacks a measurement that the prediction needs"
    slow = result.median(LOOP).estimate * was / loop
    fast = result.cell.m * now / ceiling.bandwidth(result.cell.nbytes)
    why = f"bytecodes, each as long as one of {LOOP} takes, ÷ bytes moved as fast as this machine reads"
    return Prediction(0.0, slow / fast, why)


def read_once(run: Run, result: CellResult, before: str, after: str) -> Prediction | str:
    """Two reads of X and the arrays between, by one read and a second from the nearest cache."""
    ceiling, work = run.ceiling(result.cell), _work(before)
    if ceiling is None or work is None or _work(after) is None:
        return "this run did not measure the machine's ceilings"
    limits = ceiling.limits(result.cell.m, result.cell.n_x)
    half, again = limits["arithmetic"] / 2.0, result.cell.nbytes / ceiling.bandwidth(ceiling.read[0].nbytes)
    slow = _apart(ceiling, result, work)
    apart, together = _apart(ceiling, result, Work(1, 0)) + max(again, half), max(limits.values())
    why = "the times of reading X, of the arrays between, of arithmetic and of exp; in one pass, apart or all at once"
    return Prediction(slow / apart, slow / together, why)


def threads(run: Run, result: CellResult, _before: str, _after: str) -> Prediction | str:
    """The limit of one thread by that of all."""
    one, every = run.ceiling(result.cell.with_setting(threads=1)), run.ceiling(result.cell)
    if one is None or every is None:
        return "this run did not measure the machine's ceilings"
    ratio = one.bound(result.cell.m, result.cell.n_x) / every.bound(result.cell.m, result.cell.n_x)
    return Prediction(ratio, ratio, "the limit of this cell with one thread ÷ that with all: see the limits")


THREADS = threads.__name__
PREDICTORS: dict[str, Predictor] = {
    predict.__name__: predict
    for predict in (
        *(same_work, instructions, moved, fresh, reordered, same_code, exp_lanes, division_lanes),
        *(interpreter_gone, read_once, threads),
    )
}


def predictor(name: str) -> Predictor:
    """The predictor that a kernel or pair names in `predicted_by`.

    Raises:
        KeyError: For a name that is none of PREDICTORS.
    """
    return PREDICTORS[name]


def _work(name: str) -> Work | None:
    """The memory traffic that a kernel declares; None where it declares none."""
    kernel = kernels.find(name)
    return Work(kernel.passes, kernel.vectors) if kernel is not None and kernel.vectors is not None else None


def _in_lanes(run: Run, result: CellResult, after: str, lanes: float) -> Prediction:
    """From nothing, to exponentials that take all of the lanes less time, among all that a step takes at least."""
    ceiling, work = run.ceiling(result.cell), _work(after)
    if ceiling is None or work is None:
        return Prediction(1.0, lanes, "from no gain to all lanes of the code")
    exps = ceiling.limits(result.cell.m, result.cell.n_x)["exponentials"]
    most = 1.0 + (lanes - 1.0) * exps / _apart(ceiling, result, work)
    return Prediction(1.0, most, "from no gain to exp in all lanes of the code, the rest as fast as the ceilings allow")


def _apart(ceiling: Ceiling, result: CellResult, work: Work) -> float:
    """Seconds of a step in passes over all examples, one after another: the products, then the activation."""
    limits = ceiling.limits(result.cell.m, result.cell.n_x)
    # Each array is written once and read once.
    vectors = 2.0 * work.vectors * result.cell.vector_bytes / ceiling.bandwidth(result.cell.nbytes)
    products = work.passes * max(limits["reading X"], limits["arithmetic"] / 2.0)
    return products + max(vectors, limits["exponentials"])


def _interpreted(run: Run, result: CellResult, kernel: str) -> float | None:
    """Bytecodes for an example."""
    counts = run.counts.get(kernel, {})
    if "instructions_per_example" not in counts:
        return None
    return counts["instructions_per_element"] * result.cell.n_x + counts["instructions_per_example"]


def _moved(run: Run, result: CellResult, kernel: str) -> float | None:
    """Bytes read and written for an example: counted, or by the declared passes and arrays and a read of Y."""
    counts = run.counts.get(kernel, {})
    if "moved_per_example" in counts:
        return counts["moved_per_element"] * result.cell.n_x + counts["moved_per_example"]
    work = _work(kernel)
    if work is None:
        return None
    return float(result.cell.setting.precision.nbytes * (work.passes * result.cell.n_x + 2 * work.vectors + 1))


def _uncounted(run: Run, before: str, after: str, *keys: str) -> str:
    """Why nothing follows: which of the two lacks all of these counts, and declares no memory traffic instead."""
    lacking = [name for name in (before, after) if not any(key in run.counts.get(name, {}) for key in keys)]
    if "moved_per_example" in keys:
        lacking = [name for name in lacking if _work(name) is None]
    return f"this run did not count {' and '.join(dict.fromkeys(lacking)) or 'one of the two'}"
