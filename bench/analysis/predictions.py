"""What counted work and measured ceilings predict of one change, and the verdict of what was measured.

A predictor takes a run, a cell of it and the two that are compared, and returns a `Prediction`, or says in a few words
why nothing follows. It uses what the run counted (`bench.counts`) and what it measured of the machine
(`bench.ceilings`), nothing else; where counting tells no number, but between which it lies, the prediction is a range.

Only the memory traffic of compiled kernels is not counted but declared, in WORK: the passes over X from memory and the
arrays of m numbers, as the docstrings of these kernels say them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from bench.machine.ceilings import Ceiling
from bench.report.tables import digits, percent
from bench.results.run import LOOP, CellResult, Run
from bench.stats import Interval

# Passes over X from memory, as the docstrings say them; of all others one.
PASSES = dict.fromkeys(("numpy_textbook", "numpy_vectorized", "numpy_buffers", "numba_passes"), 2)
ARRAYS = {"numba_passes": 3, "numba_fused": 0}  # of m numbers
WORK = {name: (PASSES.get(name, 1), arrays) for name, arrays in ARRAYS.items()}
EQUAL = 1.01  # off by no more is no difference that a reader would see
CLOSE = 1.25  # off by no more is called near
MORE = "Something that was not counted is saved as well."
LESS = "Something that was not counted takes the rest of the time."


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


def off(predicted: Prediction, measured: Interval) -> float:
    """How many times more (above 1) or less (below 1) was measured than predicted; 1 where they agree."""
    if measured.low <= predicted.high and measured.high >= predicted.low:
        return 1.0
    return measured.estimate / (predicted.high if measured.low > predicted.high else predicted.low)


def verdict(predicted: Prediction, measured: Interval, more: str = MORE, less: str = LESS) -> str:
    """Whether the measured interval meets the predicted range, and what it says if it does not come near."""
    if measured.low <= 0.0 or not math.isfinite(measured.high):
        return "too few rounds to tell"
    wrong = off(predicted, measured)
    if 1.0 / EQUAL <= wrong <= EQUAL:
        return "as predicted" if predicted.low == predicted.high else "within"
    if 1.0 / CLOSE <= wrong <= CLOSE:
        return f"near: {percent(abs(wrong - 1.0))} {'more' if wrong > 1.0 else 'less'}"
    return f"differs: {digits(wrong)} times as much. {more if wrong > 1.0 else less}"


def nothing(reason: str) -> Predictor:
    """A predictor of what does not follow from anything that is counted."""
    return lambda _run, _result, _before, _after: reason


def same_work(_run: Run, _result: CellResult, _before: str, _after: str) -> Prediction | str:
    """The same function on as many numbers."""
    return Prediction(1.0, 1.0, "the same function on as many numbers")


def instructions(run: Run, result: CellResult, before: str, after: str) -> Prediction | str:
    """Interpreted instructions of an example before, by those after."""
    was, now = (_interpreted(run, result, name) for name in (before, after))
    if not was or not now:
        return _uncounted(run, before, after, "instructions_per_example")
    return Prediction(was / now, was / now, "interpreted instructions an example, before by after")


def moved(run: Run, result: CellResult, before: str, after: str) -> Prediction | str:
    """Bytes that whole-array operations read and write, before by after."""
    was, now = (_moved(run, result, name) for name in (before, after))
    if not was or not now:
        return _uncounted(run, before, after, "moved_per_example")
    return Prediction(was / now, was / now, "bytes read and written an example, before by after")


def fresh(run: Run, result: CellResult, before: str, after: str) -> Prediction | str:
    """The same; at most, every array that is made lies on new pages, which the system must fill with zeros first."""
    was, now = (_moved(run, result, name) for name in (before, after))
    made = [run.counts.get(name, {}).get("made_per_example") for name in (before, after)]
    if not was or not now or made[0] is None or made[1] is None:
        return _uncounted(run, before, after, "made_per_example")
    why = "bytes moved, before by after; at most with one more write of each new array, by the system, of zeros"
    return Prediction(was / now, (was + made[0]) / (now + made[1]), why)


def reordered(run: Run, result: CellResult, _before: str, after: str) -> Prediction | str:
    """From nothing gained to as many numbers at once as a register holds, but no more than there are features."""
    lanes = run.counts.get(after, {}).get("lanes")
    if not lanes:
        return _uncounted(run, after, after, "lanes")
    why = "the sum over features in as many lanes as the code has, or n_x; all else is as it was"
    return Prediction(1.0, min(lanes, float(result.cell.n_x)), why)


def same_code(run: Run, _result: CellResult, before: str, after: str) -> Prediction | str:
    """Nothing where the loops hold the same arithmetic; up to the lanes where more of it is packed."""
    was, now = (run.counts.get(name, {}) for name in (before, after))
    if not {"packed", "scalar", "lanes"} <= was.keys() & now.keys():
        return _uncounted(run, before, after, "lanes")
    if all(was[key] == now[key] for key in ("packed", "scalar", "lanes")):
        return Prediction(1.0, 1.0, "as much packed and scalar arithmetic in the innermost loops before as after")
    return Prediction(1.0, now["lanes"], "other arithmetic in the innermost loops: from nothing to all of their lanes")


def exp_lanes(run: Run, result: CellResult, before: str, after: str) -> Prediction | str:
    """Where the code calls exp no longer, exp in lanes."""
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


def _in_lanes(run: Run, result: CellResult, after: str, lanes: float) -> Prediction:
    """From nothing, to exponentials that take all of the lanes less time, among all that a step takes at least."""
    ceiling = run.ceilings.get(result.cell.threads)
    if ceiling is None or after not in WORK:
        return Prediction(1.0, lanes, "from nothing to all lanes of the code")
    exps = ceiling.limits(result.cell.m, result.cell.n_x)["exponentials"]
    most = 1.0 + (lanes - 1.0) * exps / _apart(ceiling, result, *WORK[after])
    return Prediction(1.0, most, "from nothing to exp in all lanes of the code, and the rest as the ceilings allow")


def _apart(ceiling: Ceiling, result: CellResult, passes: int, arrays: int) -> float:
    """Seconds of a step in passes over all examples, one after another: the products, then the activation."""
    limits = ceiling.limits(result.cell.m, result.cell.n_x)
    vectors = 16.0 * arrays * result.cell.m / ceiling.bandwidth(result.cell.nbytes)
    return passes * max(limits["reading X"], limits["arithmetic"] / 2.0) + max(vectors, limits["exponentials"])


def interpreter_gone(run: Run, result: CellResult, before: str, after: str) -> Prediction | str:
    """At most the time of the interpreted instructions, by that of the bytes that array operations move."""
    was, now, loop = _interpreted(run, result, before), _moved(run, result, after), _interpreted(run, result, LOOP)
    if not was or not now or not loop:
        return _uncounted(run, before, after, "instructions_per_example", "moved_per_example")
    ceiling = run.ceilings.get(result.cell.threads)
    if ceiling is None or LOOP not in result.seconds:
        return "what it follows from was not measured in this cell"
    slow = result.median(LOOP).estimate * was / loop
    fast = result.cell.m * now / ceiling.bandwidth(result.cell.nbytes)
    why = f"instructions, each as long as one of {LOOP} takes, by bytes moved as fast as this machine reads"
    return Prediction(0.0, slow / fast, why)


def read_once(run: Run, result: CellResult, before: str, after: str) -> Prediction | str:
    """Two reads of X and the arrays between, by one read and a second from the nearest cache."""
    ceiling = run.ceilings.get(result.cell.threads)
    if ceiling is None or before not in WORK or after not in WORK:
        return "the ceilings were not measured in this run"
    limits = ceiling.limits(result.cell.m, result.cell.n_x)
    half, again = limits["arithmetic"] / 2.0, result.cell.nbytes / ceiling.bandwidth(ceiling.read[0][0])
    slow = _apart(ceiling, result, *WORK[before])
    apart, together = _apart(ceiling, result, 1, 0) + max(again, half), max(limits.values())
    why = "the times to read X, of the arrays between, of arithmetic and of exp; in one pass apart, or all at once"
    return Prediction(slow / apart, slow / together, why)


def threads(run: Run, result: CellResult, _before: str, _after: str) -> Prediction | str:
    """The limit of one thread by that of all."""
    one, all_of_them = run.ceilings.get(1), run.ceilings.get(result.cell.threads)
    if one is None or all_of_them is None:
        return "the ceilings were not measured in this run"
    ratio = one.bound(result.cell.m, result.cell.n_x) / all_of_them.bound(result.cell.m, result.cell.n_x)
    return Prediction(ratio, ratio, "the limit of this cell with one thread, by that with all: see the limits")


def _interpreted(run: Run, result: CellResult, kernel: str) -> float | None:
    """Interpreted instructions for an example."""
    counts = run.counts.get(kernel, {})
    if "instructions_per_example" not in counts:
        return None
    return counts["instructions_per_element"] * result.cell.n_x + counts["instructions_per_example"]


def _moved(run: Run, result: CellResult, kernel: str) -> float | None:
    """Bytes read and written for an example: counted, or by the passes and arrays of WORK and a read of Y."""
    counts = run.counts.get(kernel, {})
    if "moved_per_example" in counts:
        return counts["moved_per_element"] * result.cell.n_x + counts["moved_per_example"]
    if kernel not in WORK:
        return None
    passes, arrays = WORK[kernel]
    return 8.0 * passes * result.cell.n_x + 16.0 * arrays + 8.0


def _uncounted(run: Run, before: str, after: str, *keys: str) -> str:
    lacking = [n for n in (before, after) if n not in WORK and not any(key in run.counts.get(n, {}) for key in keys)]
    return f"not counted in this run of {' and '.join(dict.fromkeys(lacking)) or 'one of the two'}"
