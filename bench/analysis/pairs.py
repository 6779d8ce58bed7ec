"""What one change is worth: pairs of kernels that differ in one thing, measured beside what counting predicts.

A pair is compared in a cell of one thread, from the rounds that the two share; threads themselves in the cell of all
threads. Where the kernel of a single thread was not measured there, it is taken from its own cell, and the two are not
paired.

The steps of the ladder are such pairs as well, branch by branch. Branches follow `grew_from`, not the ladder's order:
numba_loop compiles python_loop, whatever stands between the two. Rungs that spread their work over threads are left out
of the branches, since a cell of the ladder has one thread.
"""

from collections.abc import Callable
from dataclasses import dataclass

import kernels
from bench import stats
from bench.analysis import predictions
from bench.analysis.predictions import THREADS, Prediction, Verdict, judge, predictor
from bench.results import BASELINES, LOOP, PAIR, VECTORIZED, CellResult, Run
from bench.stats import Interval
from kernels import Kernel, Pair
from kernels.controlled import CONTROLLED, PAIRS

UNPREDICTED = "nothing that is counted shows how much it is worth"
Shape = tuple[int, int]  # m, n_x
LIMIT = "hardware's limit"

Limit = Callable[[CellResult], float | None]  # the least seconds that the hardware allows a step in a cell
Branch = list[Kernel]


@dataclass(frozen=True)
class Factor:
    """How many times faster the one change of a pair makes a cell, and what was predicted, or why nothing was."""

    pair: Pair
    result: CellResult
    ratio: Interval
    predicted: Prediction | str


@dataclass(frozen=True)
class Measured:
    """The factor of a change, the cell that it was measured in, and whether it is from the same rounds."""

    ratio: Interval
    result: CellResult
    paired: bool


@dataclass(frozen=True)
class Outcome:
    """Prediction beside measurement, of a pair at one shape.

    Attributes:
        pair: The pair.
        measured: What was measured.
        verdict: Whether the two agree; None where nothing was predicted.
        why: What the prediction follows from; where there is none, why.
    """

    pair: Pair
    measured: Measured
    verdict: Verdict | None
    why: str


@dataclass(frozen=True)
class Step:
    """One step of a branch.

    Attributes:
        branch: The rung that the branch leads to.
        before: The rung that the step starts from.
        kernel: The rung that it reaches, or LIMIT.
        cause: What is new, in a few words; joined by " + " where rungs between were not measured.
        ratio: The speed-up of `kernel` over `before`.
        reached: The speed-up of `before` over the loop.
    """

    branch: str
    before: str
    kernel: str
    cause: str
    ratio: Interval
    reached: float


def rung_steps() -> list[Pair]:
    """Each rung after the one that it grew from, in ladder order."""
    return [Pair.of(kernel) for kernel in kernels.KERNELS.values() if kernel.grew_from]


def isolated() -> list[Pair]:
    """The pairs that isolate one cause: rungs that change one thing only and controlled pairs, in ladder order."""
    rungs = [pair for pair in rung_steps() if kernels.KERNELS[pair.after].isolates]
    order = list(kernels.KERNELS)
    # A controlled pair follows the rung that it explains.
    return sorted((*rungs, *PAIRS), key=lambda pair: order.index(_rung(pair)))


def chosen(run: Run) -> list[CellResult]:
    """The cells that hold most of the pairs: those with controlled variants, or else the last with both baselines."""
    # What a call does is counted in float64.
    of_float64 = (result for result in run.cells if result.cell.dtype == "float64")
    timed = [result for result in of_float64 if result.samples and not result.cell.iterations]
    explained = [result for result in timed if any(label.startswith(PAIR) for label in result.samples)]
    if explained:
        return explained
    return [r for r in timed if r.cell.threads == 1 and all(name in r.samples for name in BASELINES)][-1:]


def shapes(run: Run) -> list[Shape]:
    """(m, n_x) of the chosen cells."""
    return list(dict.fromkeys((result.cell.m, result.cell.n_x) for result in chosen(run)))


def factors(run: Run) -> list[Factor]:
    """Every isolated pair in every chosen cell that holds both of it; pair by pair."""
    measured = [
        (pair, result, result.speedup(pair.before, pair.after)) for pair in isolated() for result in chosen(run)
    ]
    return [
        Factor(pair, result, ratio, predict(run, result, pair)) for pair, result, ratio in measured if ratio is not None
    ]


def predict(run: Run, result: CellResult, pair: Pair) -> Prediction | str:
    """What counting predicts of a pair in a cell, or in a few words why nothing follows."""
    if not pair.predicted_by:
        return pair.unpredicted or UNPREDICTED
    return predictor(pair.predicted_by)(run, result, pair.before, pair.after)


def measured(run: Run, pair: Pair, m: int, n_x: int) -> Measured | None:
    """The factor of a pair at m and n_x; None where it was not measured."""
    results = [result for result in chosen(run) if (result.cell.m, result.cell.n_x) == (m, n_x)]
    one = next((result for result in results if result.cell.threads == 1), None)
    if pair.predicted_by != THREADS:
        ratio = one.speedup(pair.before, pair.after) if one else None
        return Measured(ratio, one, True) if one and ratio else None
    for result in results:
        if result.cell.threads > 1 and pair.after in result.samples:
            ratio = result.speedup(_measured_as(pair.before, result), pair.after)
            if ratio is not None:
                return Measured(ratio, result, True)
            if one is not None and pair.before in one.samples:
                return Measured(stats.ratio(one.seconds[pair.before], result.seconds[pair.after]), result, False)
    return None


def outcome(run: Run, pair: Pair, m: int, n_x: int) -> Outcome | None:
    """Prediction beside measurement of a pair at m and n_x; None where it was not measured."""
    factor = measured(run, pair, m, n_x)
    if factor is None:
        return None
    predicted = predict(run, factor.result, pair)
    if isinstance(predicted, str):
        return Outcome(pair, factor, None, predicted)
    verdict = judge(predicted, factor.ratio, pair.more or predictions.MORE, pair.less or predictions.LESS)
    return Outcome(pair, factor, verdict, predicted.why)


def outcomes(run: Run, pair: Pair) -> dict[Shape, Outcome | None]:
    """The outcome of a pair at each shape of the chosen cells."""
    return {(m, n_x): outcome(run, pair, m, n_x) for m, n_x in shapes(run)}


def branches() -> list[Branch]:
    """The rungs with one thread, from the one after the loop to the end of each branch, in ladder order."""
    rungs = {name: kernel for name, kernel in kernels.KERNELS.items() if kernel.predicted_by != THREADS}
    inner = {kernel.grew_from for kernel in rungs.values()}
    whole = [_to_the_loop(kernel, rungs) for name, kernel in rungs.items() if name not in inner]
    return [branch for branch in whole if branch and branch[0].grew_from == LOOP]


def main_branch() -> str:
    """The rung at the end of the branch that leads to the hardware's limit: the last with one thread."""
    ends = [branch[-1].name for branch in branches()]
    return max(ends, key=list(kernels.KERNELS).index)


def compiled_loop() -> str:
    """The loop itself, compiled: the first rung that changes nothing but that."""
    return next((k.name for k in kernels.KERNELS.values() if k.grew_from == LOOP and k.work == "compiled"), LOOP)


def cast() -> list[str]:
    """The few rungs that tell the story, in ladder order; the ends of branches, and the one before the last."""
    lists = [k.name for k in kernels.KERNELS.values() if k.grew_from == LOOP and k.work == "interpreted" and k.isolates]
    last = main_branch()
    chosen = {LOOP, *lists[:1], compiled_loop(), VECTORIZED, kernels.KERNELS[last].grew_from, last}
    return [name for name in kernels.KERNELS if name in chosen]


def steps(result: CellResult, limit: Limit | None = None) -> list[Step]:
    """The steps that were measured in a cell; where a rung between was not, its cause is joined to the next one's.

    What two branches share is a step of the first.
    """
    by_pair: dict[tuple[str, str], Step] = {}
    last = main_branch()
    for branch in branches():
        end = branch[-1].name
        before, reached, causes = LOOP, 1.0, list[str]()
        for kernel in branch:
            causes.append(kernel.cause)
            ratio = result.speedup(before, kernel.name)
            if ratio is not None:
                step = Step(end, before, kernel.name, " + ".join(causes), ratio, reached)
                by_pair.setdefault((before, kernel.name), step)
                before, reached, causes = kernel.name, reached * ratio.estimate, []
        seconds = limit(result) if limit else None
        if seconds and end == last and before != LOOP:
            time = result.median(before)
            ratio = Interval(time.estimate / seconds, time.low / seconds, time.high / seconds)
            by_pair[before, LIMIT] = Step(end, before, LIMIT, "what is left", ratio, reached)
    return list(by_pair.values())


def _measured_as(name: str, result: CellResult) -> str:
    """The label under which a kernel is measured in a cell: its own, or that of a variant that stands for it there."""
    return next((n for n, variant in CONTROLLED.items() if variant.stands_for == name and n in result.samples), name)


def _rung(pair: Pair) -> str:
    """The rung that a pair belongs to: the later of its two that is on the ladder."""
    order = list(kernels.KERNELS)
    return max((name for name in (pair.before, pair.after) if name in kernels.KERNELS), key=order.index)


def _to_the_loop(kernel: Kernel, rungs: dict[str, Kernel]) -> Branch:
    """The chain of rungs that a kernel grew from, the loop left out, and the kernel itself."""
    branch: Branch = []
    while kernel.name != LOOP and kernel not in branch:
        branch.insert(0, kernel)
        if kernel.grew_from not in rungs:
            break
        kernel = rungs[kernel.grew_from]
    return branch
