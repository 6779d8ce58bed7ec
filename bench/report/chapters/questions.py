"""The questions that learners ask, answered from a run's own figures; what it did not measure is not answered."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import kernels
from bench import words
from bench.analysis import payback
from bench.analysis.ratios import Ratio, clearly_faster, clearly_slower, largest, ratios
from bench.report.chapters import accuracy
from bench.report.section import Answer, Section
from bench.results import LOOP, VECTORIZED, CellResult, Run
from kernels import Kernel
from kernels.controlled import NP_VECTORIZE

NOT_MEASURED = "This run did not measure it."
NOT_PAIRED = "These are medians of two cells, so they are not paired."
FEW_FEATURES = 128  # from which on the products are most of the work, if X also has MANY_ELEMENTS
MANY_ELEMENTS = 100_000


@dataclass(frozen=True)
class Change:
    """The time of a kernel in a cell by its time in another setting of the same size."""

    times: float
    kernel: str
    result: CellResult


def detail(run: Run) -> Section | None:
    """The section of the appendix; None for training runs."""
    return Section("questions", "Questions", answers=answers(run)) if run.problem == "synthetic" else None


def answers(run: Run) -> list[Answer]:
    """Every question, with its answer from this run."""
    return [Answer(question, answer(run) or [NOT_MEASURED]) for question, answer in QUESTIONS]


def _rungs(wanted: Callable[[Kernel], bool]) -> list[str]:
    return [name for name, kernel in kernels.KERNELS.items() if wanted(kernel)]


def _grew(kernel: Kernel, ancestor: str) -> bool:
    """Whether a rung's arithmetic grew from another's, in however many steps."""
    while kernel.grew_from:
        if kernel.grew_from == ancestor:
            return True
        kernel = kernels.KERNELS[kernel.grew_from]
    return False


# The loop with one thing changed: over other objects, or compiled.
UNBOXED = _rungs(lambda kernel: kernel.grew_from == LOOP and kernel.work == "interpreted" and kernel.isolates)
COMPILED = _rungs(lambda kernel: kernel.grew_from == LOOP and kernel.work == "compiled")
# Compiled kernels that do the two products with X themselves.
PRODUCTS = _rungs(lambda kernel: kernel.work == "compiled" and kernel.threads == "one" and _grew(kernel, VECTORIZED))
PARALLEL = _rungs(lambda kernel: kernel.compiles == "once" and kernel.threads == "all")


def _one_thread(run: Run, order: str = "F") -> list[CellResult]:
    return [result for result in run.cells if result.cell.threads == 1 and result.cell.order == order]


def _in_setting(run: Run, names: Sequence[str] | None, **setting: object) -> list[Change]:
    """How many times as long each kernel takes in another setting, wherever both cells were measured."""
    others = {result.cell: result for result in run.cells}
    changes = []
    for result in _one_thread(run):
        other = others.get(result.cell.with_setting(**setting))
        if other is not None:
            changes += [
                Change(other.median(name).estimate / result.median(name).estimate, name, result)
                for name in (result.kernels if names is None else names)
                if name in result.samples and name in other.samples
            ]
    return changes


def _both_ways(speedups: Sequence[Ratio], contender: str, baseline: str) -> list[str]:
    """Where the contender is faster than the baseline, and where slower; the strongest cell of each."""
    faster, slower = clearly_faster(speedups), clearly_slower(speedups)
    sentences = [
        f"With one thread, {contender} is faster than {baseline} in {len(faster)} of "
        f"{words.plural(len(speedups), 'cell')} and slower in {len(slower)}, by more than the noise."
    ]
    sentences += [f"At {r.result.cell.shape} it is {words.faster_with_interval(r.interval)}." for r in faster[:1]]
    sentences += [f"At {r.result.cell.shape} it is {words.faster_with_interval(r.interval)}." for r in slower[:1]]
    return sentences


def why_not_300(run: Run) -> list[str] | None:
    """The speed-up is a number of a cell and a baseline."""
    speedups = ratios(_one_thread(run), LOOP, [VECTORIZED])
    if len(speedups) < 2:
        return None
    least, most = (choose(speedups, key=lambda ratio: ratio.estimate) for choose in (min, max))
    sentences = [
        f"There is no single number. Over {LOOP}, {VECTORIZED} is between {words.faster_with_interval(least.interval)} "
        f"at {least.result.cell.shape} and {words.faster_with_interval(most.interval)} at {most.result.cell.shape}.",
        "With few examples, most of the time goes into calling NumPy at all; with many, that cost is spread thin.",
    ]
    others = [words.faster_than(r.interval, name) for name in (*UNBOXED, *COMPILED) for r in _over(most.result, name)]
    if others:
        sentences.append(f"It also depends on the baseline: in that last cell it is {' and '.join(others)}.")
    return sentences


def _over(result: CellResult, baseline: str) -> list[Ratio]:
    return ratios([result], baseline, [VECTORIZED])


def why_lists(run: Run) -> list[str] | None:
    """Boxing."""
    speedups = ratios(_one_thread(run), LOOP, UNBOXED)
    if not speedups:
        return None
    last = largest(speedups)
    least, most = (choose(ratio.estimate for ratio in speedups) for choose in (min, max))
    return [
        f"The same loop over lists is {words.faster_with_interval(last.interval)} at {last.result.cell.shape}; over "
        f"all cells it is between {words.faster(least)} and {words.faster(most)}.",
        "A list hands out the float that it contains. An ndarray contains no objects: each X[j, i] makes an index "
        "tuple and a new float64 object, and arithmetic on those is slower than on Python's floats.",
    ]


def why_numba_both_ways(run: Run) -> list[str] | None:
    """The call, the exp, and SIMD."""
    for name in COMPILED:
        speedups = ratios(_one_thread(run), VECTORIZED, [name])
        if speedups:
            return [
                *_both_ways(speedups, name, VECTORIZED),
                "A compiled kernel is one call, where NumPy makes a dozen: that decides where m is small. In the "
                "compiled loop every exp and every sum is scalar, where NumPy's loops use SIMD: that decides where m "
                "is large.",
            ]
    return None


def why_first_call(run: Run) -> list[str] | None:
    """Compilation."""
    compiling = payback.cold_seconds(run)
    if not compiling:
        return None
    slowest = max(compiling, key=lambda name: compiling[name])
    sentences = [
        "Numba compiles a kernel when it is first called with arguments of these types.",
        f"That first call takes between {words.seconds(min(compiling.values()), 2)} and "
        f"{words.seconds(compiling[slowest], 2)} ({slowest}), with nothing kept on disk.",
    ]
    timed = [result for result in _one_thread(run) if slowest in result.samples]
    if timed:
        fastest = min(timed, key=lambda result: result.median(slowest).estimate)
        later = words.seconds(fastest.median(slowest).estimate, 2)
        sentences.append(f"A later call of {slowest} takes {later} at {fastest.cell.shape}.")
    return sentences


def why_parallel_slower(run: Run) -> list[str] | None:
    """Waking threads; a comparison of two cells, since a cell has one number of threads."""
    most_threads = max((result.cell.threads for result in run.cells), default=1)
    changes = _in_setting(run, PARALLEL, threads=most_threads) if most_threads > 1 else []
    if not changes:
        return None
    worst, best = (choose(changes, key=lambda change: change.times) for choose in (max, min))
    sentences = [
        "Threads have to be woken and waited for, which takes the same time however little there is to do.",
        f"With {most_threads} threads, {worst.kernel} is {words.faster(1.0 / worst.times)} than with one at "
        f"{worst.result.cell.shape}, and {best.kernel} is {words.faster(1.0 / best.times)} at "
        f"{best.result.cell.shape}. {NOT_PAIRED}",
    ]
    gains = [change for change in changes if change.kernel == best.kernel and change.times < 1.0]
    if gains:
        smallest = min(gains, key=lambda change: change.result.cell.m * change.result.cell.n_x)
        sentences.append(f"The smallest cell in which {best.kernel} gains at all is {smallest.result.cell.shape}.")
    return sentences


def can_numba_beat_dot(run: Run) -> list[str] | None:
    """Compiled products against BLAS, where n_x is large enough for the products to be most of the work."""
    cells = [r for r in _one_thread(run) if r.cell.n_x >= FEW_FEATURES and r.cell.m * r.cell.n_x >= MANY_ELEMENTS]
    speedups = {name: ratios(cells, VECTORIZED, [name]) for name in PRODUCTS}
    compared = {name: of_kernel for name, of_kernel in speedups.items() if of_kernel}
    if not compared:
        return None
    sentences = [
        f"Judged where n_x is {FEW_FEATURES} or more and X has {MANY_ELEMENTS:,} elements or more, so that the two "
        "products with X are nearly all of the arithmetic; NumPy leaves them to BLAS."
    ]
    for name, of_kernel in compared.items():
        sentences += _both_ways(of_kernel, name, VECTORIZED)
    return sentences


def is_vectorize_vectorization(run: Run) -> list[str] | None:
    """The controlled pair with np.vectorize, where the run measured it."""
    speedups = ratios(run.cells, VECTORIZED, [NP_VECTORIZE.name])
    if not speedups:
        return None
    last = largest(speedups)
    return [
        "No: it calls the Python function once for each element.",
        f"At {last.result.cell.shape}, the step with np.vectorize is {words.faster_than(last.interval, VECTORIZED)}.",
    ]


def what_fastmath_changes(run: Run) -> list[str] | None:
    """Sums that may be reordered: speed with n_x, and errors."""
    speedups = ratios(_one_thread(run), accuracy.STRICT, [accuracy.RELAXED])
    if not speedups:
        return None
    few = min(speedups, key=lambda ratio: (ratio.result.cell.n_x, -ratio.result.cell.m))
    many = max(speedups, key=lambda ratio: (ratio.result.cell.n_x, ratio.result.cell.m))
    sentences = [
        "The compiler may then reorder sums, so that the sum over the features can use SIMD.",
        f"Compared with the strict loop, the relaxed loop is {words.faster_with_interval(few.interval)} at "
        f"{few.result.cell.shape}, and {words.faster_with_interval(many.interval)} at {many.result.cell.shape}.",
    ]
    errors = many.result.agreement
    if {accuracy.STRICT, accuracy.RELAXED} <= set(errors):
        strict, relaxed = (errors[name].dw for name in (accuracy.STRICT, accuracy.RELAXED))
        sentences.append(
            f"There dw is off by {words.digits(strict, 2)} units of rounding with strict arithmetic and by "
            f"{words.digits(relaxed, 2)} with relaxed: another order of summation, not a wrong result."
        )
    return sentences


def why_nan(run: Run) -> list[str] | None:
    """Saturation, computed now; and the price of the cure, from the run."""
    if accuracy.TEXTBOOK not in run.measured:
        return None
    broken = next((z for z in accuracy.Z if not math.isfinite(accuracy.costs(z, 1.0).textbook)), None)
    sentences = [
        "The textbook formula takes log(a) and log(1 - a). Once a rounds to exactly 0 or 1, one of them is -inf, and "
        "0 times -inf is NaN.",
    ]
    if broken is not None:
        sentences.append(
            f"Of the z tried here, {broken:g} is the first at which {accuracy.TEXTBOOK} gives NaN for label 1; "
            f"computed from z, the cost there is {words.digits(accuracy.costs(broken, 1.0).stable, 2)}."
        )
    speedups = ratios(_one_thread(run), accuracy.TEXTBOOK, [accuracy.STABLE])
    if speedups:
        last = largest(speedups)
        sentences.append(
            f"As for speed: at {last.result.cell.shape}, {accuracy.STABLE} is "
            f"{words.faster_than(last.interval, accuracy.TEXTBOOK)}."
        )
    return sentences


def does_layout_matter(run: Run) -> list[str] | None:
    """The same kernel on both orders of X: two cells."""
    changes = _in_setting(run, None, order="C")
    if not changes:
        return None
    for_f, for_c = (choose(changes, key=lambda change: change.times) for choose in (max, min))
    sentences = []
    for change, order, times in ((for_f, "F", for_f.times), (for_c, "C", 1.0 / for_c.times)):
        if times > 1.0:
            sentences.append(
                f"Order {order} helps {change.kernel} most: at {change.result.cell.shape} it is {words.faster(times)} "
                f"with it than with order {'C' if order == 'F' else 'F'}."
            )
    vectorized = [change.times for change in changes if change.kernel == VECTORIZED]
    if vectorized:
        sentences.append(f"With order C, {VECTORIZED} is {_range(vectorized)}, compared with order F.")
    return [*sentences, NOT_PAIRED]


def _range(times: Iterable[float]) -> str:
    """From the slowest to the fastest: between 1.2× slower and 3% faster."""
    ordered = sorted(times, reverse=True)
    least, most = words.faster(1.0 / ordered[0]), words.faster(1.0 / ordered[-1])
    return least if least == most else f"between {least} and {most}"


QUESTIONS: tuple[tuple[str, Callable[[Run], list[str] | None]], ...] = (
    ("Why is my speed-up not 300?", why_not_300),
    ("Why is looping over an ndarray slower than over a list?", why_lists),
    ("Why is Numba slower than NumPy here, and faster there?", why_numba_both_ways),
    ("Why did the first call take a second?", why_first_call),
    ("Why is parallel slower?", why_parallel_slower),
    ("Can Numba beat np.dot?", can_numba_beat_dot),
    ("Is np.vectorize vectorization?", is_vectorize_vectorization),
    ("What does fastmath change?", what_fastmath_changes),
    ("Why is the cost NaN?", why_nan),
    ("Does the layout of X matter?", does_layout_matter),
)
