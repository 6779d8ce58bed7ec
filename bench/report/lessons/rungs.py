"""Each rung as a lesson: question, guess, what changes, what is predicted and measured, and what binds now."""

import math
from collections.abc import Iterator, Sequence

import kernels
from bench import stats, words
from bench.analysis import estimates, limits, pairs, predictions, ratios
from bench.analysis.costmodel import fit_all
from bench.analysis.pairs import Measured
from bench.analysis.predictions import THREADS, Prediction, Verdict, judge
from bench.report.lessons.listing import alone, listing, side_by_side
from bench.report.section import Bar, Lesson
from bench.report.tables import Column, Table
from bench.results import LOOP, CellResult, Run
from kernels import Kernel, Pair
from kernels.controlled import PAIRS

NARROW_RANGE = 1.5  # from low to high: a prediction that is wider predicts nothing


def lessons(run: Run) -> list[Lesson]:
    """A lesson for each rung that the run holds, in ladder order."""
    shown = [name for name in kernels.KERNELS if name in run.measured]
    cells = _cells(run)
    reached = {name: value for name in shown if (value := _reached(run, cells[0], name)) is not None} if cells else {}
    return [_lesson(run, name, number, cells, reached) for number, name in enumerate(shown, 1)]


def _cells(run: Run) -> list[CellResult]:
    """The cells that the lessons compare in: the one that stands for the run, and the largest of its n_x."""
    fixed = ratios.fixed_cell(run, [LOOP]) or ratios.fixed_cell(run, [])
    if fixed is None:
        return []
    row = [r for r in run.of(fixed.cell.setting) if r.cell.n_x == fixed.cell.n_x and r.samples]
    largest = max(row, key=lambda result: result.cell.m)
    return [fixed] if largest is fixed else [fixed, largest]


def _lesson(run: Run, name: str, number: int, cells: Sequence[CellResult], reached: dict[str, float]) -> Lesson:
    kernel = kernels.KERNELS[name]
    before = kernels.KERNELS.get(kernel.grew_from or "")
    code = listing(kernel)
    outcomes, sentences = _outcomes(run, kernel, cells) if before else (None, [])
    return Lesson(
        kernel=name,
        title=f"Lesson {number}: {kernel.title}",
        branch=_branch(kernel),
        question=kernel.question or f"What does this change: {kernel.cause}?",
        change=kernel.change,
        before=before.name if before else "",
        diff=side_by_side(listing(before), code) if before else alone(code),
        outcomes=outcomes,
        sentences=sentences,
        bars=_bars(kernel, reached),
        bars_at=cells[0].cell.shape if cells else "",
        binds=[*_binds(run, kernel, cells), *_next(kernel)],
    )


# Where a rung stands


def _main_line() -> list[str]:
    """The rungs from the loop to the end of the main branch, and what spreads that end over threads."""
    line = next(branch for branch in pairs.branches() if branch[-1].name == pairs.main_branch())
    names = [LOOP, *(kernel.name for kernel in line)]
    return names + [k.name for k in kernels.KERNELS.values() if k.grew_from == names[-1]]


def _branch(kernel: Kernel) -> str:
    """Where a rung leaves the main line; "" for a rung on it."""
    line = _main_line()
    if kernel.name in line:
        return ""
    start = kernel
    while start.grew_from and start.grew_from not in line:
        start = kernels.KERNELS[start.grew_from]
    return f"Side branch from {start.grew_from}"


def _next(kernel: Kernel) -> Iterator[str]:
    """The questions of the rungs that grew from it."""
    for other in kernels.KERNELS.values():
        if other.grew_from == kernel.name:
            aside = " (side branch)" if _branch(other) and not _branch(kernel) else ""
            yield f"Next{aside}: {other.question or other.cause}"


# Predicted and measured


def _outcomes(run: Run, kernel: Kernel, cells: Sequence[CellResult]) -> tuple[Table | None, list[str]]:
    """A row for each cell; and what the differences show, or why nothing could be predicted."""
    rows, sentences = [], list[str]()
    for cell in cells:
        factor = _measured(run, kernel, cell)
        if factor is None:
            continue
        predicted = pairs.predict(run, factor.result, Pair.of(kernel))
        number, why = _number(predicted)
        verdict = None
        if number and isinstance(predicted, Prediction):
            more, less = kernel.more or predictions.MORE, kernel.less or predictions.LESS
            verdict = judge(predicted, factor.ratio, more, less)
        where = factor.result.cell.shape + ("" if factor.result.cell.threads == 1 else ", all threads")
        rows.append([where, number, words.faster_with_interval(factor.ratio), _verdict(verdict)])
        sentences.append(f"Predicted from {why}." if number else f"No prediction: {why}.")
        sentences += [verdict.lesson] if verdict and verdict.lesson else []
    sentences += _explained(run, kernel)
    columns = list(map(Column, ("at", "predicted", "measured", "difference")))
    title = f"{kernel.name} over {kernel.grew_from}: predicted and measured"
    return (Table(title, columns, rows) if rows else None), list(dict.fromkeys(sentences))


def _measured(run: Run, kernel: Kernel, cell: CellResult) -> Measured | None:
    """The factor over the rung before in a cell; of what uses all threads, in the cell of all threads."""
    if kernel.predicted_by != THREADS:
        ratio = cell.speedup(str(kernel.grew_from), kernel.name)
        return Measured(ratio, cell, True) if ratio else None
    for other in run.cells:
        same = (other.cell.m, other.cell.n_x, other.cell.order) == (cell.cell.m, cell.cell.n_x, cell.cell.order)
        if same and other.cell.threads > 1 and kernel.name in other.samples and kernel.grew_from in cell.samples:
            ratio = stats.ratio(cell.seconds[str(kernel.grew_from)], other.seconds[kernel.name])
            return Measured(ratio, other, False)
    return None


def _number(predicted: Prediction | str) -> tuple[str | None, str]:
    """A prediction in words, and what it follows from; None where it predicts nothing, and why."""
    if isinstance(predicted, str):
        return None, predicted
    if predicted.low == 0.0:
        return f"at most {words.times(predicted.high)}", predicted.why
    if predicted.high > NARROW_RANGE * predicted.low:
        return None, f"counting leaves it open ({predicted.why})"
    low, high = words.times(predicted.low), words.times(predicted.high)
    return low if low == high else f"{low.removesuffix('×')} to {high}", predicted.why


def _verdict(verdict: Verdict | None) -> str | None:
    """How far off a prediction is, in a few words; None where there was none."""
    if verdict is None:
        return None
    if verdict.kind == "unknown":
        return "too few rounds to tell"
    if verdict.kind in ("as predicted", "within"):
        return "as predicted"
    way, side = ("more", verdict.off) if verdict.off > 1.0 else ("less", 1.0 / verdict.off)
    return f"{words.percent(side - 1.0)} {way}" if side < words.IN_PERCENT else f"{words.times(side)} {way}"


def _explained(run: Run, kernel: Kernel) -> Iterator[str]:
    """What the count leaves out, by a pair of kernels that shows it."""
    for pair in PAIRS:
        outcome = next(filter(None, pairs.outcomes(run, pair).values()), None) if pair.explains == kernel.name else None
        if outcome is not None:
            where, ratio = outcome.measured.result.cell.shape, outcome.measured.ratio
            counted = f"Counting predicts {outcome.verdict.predicted.text}×. " if outcome.verdict else ""
            yield (
                f"A pair shows what the count leaves out ({pair.cause}): the same loop over the same arrays, of "
                f"Python's own floats, is {words.faster_with_interval(ratio)} at {where}. {counted}{pair.more}"
            )


# How far the ladder has come


def _reached(run: Run, fixed: CellResult, name: str) -> float | None:
    """The speed-up of a rung over the loop in the cell that stands for the run; one number of two cells for threads."""
    kernel = kernels.KERNELS[name]
    if kernel.predicted_by == THREADS:
        factor, before = _measured(run, kernel, fixed), str(kernel.grew_from)
        ratio = fixed.speedup(LOOP, before)
        return factor.ratio.estimate * ratio.estimate if factor and ratio else None
    if name == LOOP:
        return 1.0
    ratio = estimates.speedup(run, fixed, LOOP, name)
    return ratio.estimate if ratio else None


def _bars(kernel: Kernel, reached: dict[str, float]) -> list[Bar]:
    """A bar for each rung from the loop to this one; the lengths are logarithms."""
    chain = [kernel.name]
    while (before := kernels.KERNELS[chain[0]].grew_from) in kernels.KERNELS:
        chain.insert(0, str(before))
    longest = math.log(max([2.0, *reached.values()]))
    return [
        Bar(name, words.times(reached[name]), max(0.0, math.log(reached[name])) / longest, name == kernel.name)
        for name in chain
        if name in reached
    ]


# What binds


def _binds(run: Run, kernel: Kernel, cells: Sequence[CellResult]) -> Iterator[str]:
    """What takes the time of a rung now."""
    timed = [cell for cell in cells if kernel.name in cell.samples]
    if not timed:
        return
    counts = run.counts.get(kernel.name, {})
    costs = fit_all(run, timed[0].cell.setting)[0].get(kernel.name)
    time = timed[0].median(kernel.name).estimate
    where = timed[0].cell.shape
    if kernel.work == "interpreted":
        if "instructions_per_element" in counts:
            element, example = (counts[f"instructions_per_{what}"] for what in ("element", "example"))
            number = f"{words.digits(element, 2)} bytecodes for each number of X and " if element else ""
            yield f"The interpreter binds: {number}{words.digits(example, 2)} bytecodes for each example."
        if costs is not None and costs.per_element.low > 0.0:
            yield (
                f"A number of X costs {words.seconds(costs.per_element.estimate, 2)}, and an example "
                f"{words.seconds(costs.per_example.estimate, 2)} besides."
            )
    elif costs is not None and costs.per_call.estimate > 0.3 * time:
        call = words.seconds(costs.per_call.estimate, 2)
        yield f"At {where} the call itself binds: {call} of {words.seconds(time, 2)}, however few the examples."
    if kernel.work == "arrays" and "moved_per_example" in counts:
        moved = words.digits(counts["moved_per_example"])
        yield f"Besides X, {moved} bytes go through memory or a cache for each example."
    if kernel.work in ("arrays", "compiled"):
        shares = [
            f"{words.of_limit(limits.share(run, cell, kernel.name))} at {cell.cell.shape}, set by "
            f"{limits.limiting(run, cell)}"
            for cell in timed
            if run.limit(cell)
        ]
        if shares:
            yield f"Share of the hardware's limit: {'; '.join(shares)}."
