"""The questions that learners ask, answered from a run's own figures; what it did not measure is not answered."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from bench.report.chapters import accuracy, breakdown
from bench.report.findings import Ratio, ratios, shape_words
from bench.report.tables import digits, times_words
from bench.report.terminal import seconds_text
from bench.results.run import LOOP, VECTORIZED, CellResult, Run
from bench.stats import Interval

NOT_MEASURED = "This run did not measure it."
PAIRED_NOT = "Two cells, so these are medians and not paired."
PRODUCTS = ("numba_passes", "numba_fused")  # compiled kernels that do the two products themselves


@dataclass(frozen=True)
class Answer:
    """A question and the sentences that answer it."""

    question: str
    sentences: list[str]


def answers(run: Run) -> list[Answer]:
    """Every question, with its answer from this run."""
    return [Answer(question, answer(run) or [NOT_MEASURED]) for question, answer in QUESTIONS]


def _one_thread(run: Run, order: str = "F") -> list[CellResult]:
    return [result for result in run.cells if result.cell.threads == 1 and result.cell.order == order]


def _clear(found: Iterable[Ratio]) -> tuple[list[Ratio], list[Ratio]]:
    """Those ratios that are faster than the baseline by more than the noise, and those that are slower."""
    told = list(found)
    faster = [each for each in told if each[0].low > 1.0 + each[2].noise_floor]
    slower = [each for each in told if each[0].high < 1.0 / (1.0 + each[2].noise_floor)]
    key: Callable[[Ratio], float] = lambda each: each[0].estimate  # noqa: E731
    return sorted(faster, key=key, reverse=True), sorted(slower, key=key)


def _inverse(ratio: Interval) -> Interval:
    return Interval(1.0 / ratio.estimate, 1.0 / ratio.high, 1.0 / ratio.low if ratio.low > 0.0 else float("inf"))


def _both_ways(found: list[Ratio], contender: str, baseline: str) -> list[str]:
    """Where the contender is faster than the baseline, and where slower; the strongest cell of each."""
    faster, slower = _clear(found)
    said = [
        f"{contender} is faster than {baseline} in {len(faster)} of {len(found)} cells and slower in "
        f"{len(slower)}, by more than the noise, with one thread."
    ]
    if faster:
        ratio, name, result = faster[0]
        said.append(f"Furthest ahead: {name} is {times_words(ratio)} as fast at {shape_words(result)}.")
    if slower:
        ratio, name, result = slower[0]
        said.append(f"Furthest behind: {name} takes {times_words(_inverse(ratio))} as long at {shape_words(result)}.")
    return said


def why_not_300(run: Run) -> list[str] | None:
    """The speed-up is a number of a cell and a baseline."""
    found = sorted(ratios(_one_thread(run), LOOP, [VECTORIZED]), key=lambda each: each[0].estimate)
    if len(found) < 2:
        return None
    least, most = found[0], found[-1]
    said = [
        f"Because there is no one number: here {VECTORIZED} is from {times_words(least[0])} as fast as {LOOP}, at "
        f"{shape_words(least[2])}, to {times_words(most[0])}, at {shape_words(most[2])}.",
        "With few examples the cost of calling NumPy at all is most of the time; with many, that cost is spread thin.",
    ]
    others = [(name, most[2].speedup(name, VECTORIZED)) for name in ("python_lists", "numba_loop")]
    told = [f"{times_words(ratio)} as fast as {name}" for name, ratio in others if ratio is not None]
    if told:
        said.append(f"And it depends on the baseline: in that last cell it is {' and '.join(told)}.")
    return said


def why_lists(run: Run) -> list[str] | None:
    """Boxing."""
    found = ratios(_one_thread(run), LOOP, ["python_lists"])
    if not found:
        return None
    ratio, _, result = max(found, key=lambda each: (each[2].cell.m * each[2].cell.n_x, each[2].cell.m))
    estimates = [each[0].estimate for each in found]
    return [
        f"The same loop over lists is {times_words(ratio)} as fast at {shape_words(result)}; over all cells between "
        f"{digits(min(estimates))} and {digits(max(estimates))} times.",
        "A list hands out the float that it holds. An ndarray holds no objects: each X[j, i] makes an index tuple and "
        "a new float64 object, and arithmetic on those is slower than on Python's floats.",
    ]


def why_numba_both_ways(run: Run) -> list[str] | None:
    """The call, the exp, and SIMD."""
    found = ratios(_one_thread(run), VECTORIZED, ["numba_loop"])
    if not found:
        return None
    return [
        *_both_ways(found, "numba_loop", VECTORIZED),
        "A compiled kernel is one call, NumPy's a dozen: that decides where m is small. In the loop each exp and each "
        "sum is scalar, where NumPy's loops use SIMD: that decides where m is large.",
    ]


def why_first_call(run: Run) -> list[str] | None:
    """Compilation."""
    compiling = run.compile_seconds
    if not compiling:
        return None
    slowest = max(compiling, key=lambda name: compiling[name])
    said = [
        "Numba compiles a kernel when it is first called with arguments of these types.",
        f"In this run that first call took from {seconds_text(min(compiling.values()))} to "
        f"{seconds_text(compiling[slowest])} ({slowest}).",
    ]
    timed = [result for result in _one_thread(run) if slowest in result.seconds]
    if timed:
        usual = min(timed, key=lambda result: result.median(slowest).estimate)
        said.append(
            f"A later call of {slowest} takes {seconds_text(usual.median(slowest).estimate)} at {shape_words(usual)}."
        )
    return said


def why_parallel_slower(run: Run) -> list[str] | None:
    """Waking threads; a comparison of two cells, for a cell has one number of threads."""
    many = [result for result in run.cells if result.cell.threads > 1 and result.cell.order == "F"]
    one = {result.cell: result for result in _one_thread(run)}
    found = []
    for result in many:
        alone = one.get(replace(result.cell, threads=1))
        if alone is not None:
            found += [
                (alone.median(name).estimate / result.median(name).estimate, name, result)
                for name in ("numba_parallel", "numba_fused_parallel")
                if name in alone.seconds and name in result.seconds
            ]
    if not found:
        return None
    least, most = (choose(found, key=lambda each: each[0]) for choose in (min, max))
    threads = most[2].cell.threads
    said = [
        f"Threads have to be woken and waited for, which takes the same time however little there is to do: with "
        f"{threads} threads {least[1]} runs at {digits(least[0])} times its speed with one at {shape_words(least[2])}, "
        f"and {most[1]} at {digits(most[0])} times at {shape_words(most[2])}. {PAIRED_NOT}"
    ]
    gains = [each for each in found if each[1] == most[1] and each[0] > 1.0]
    if gains:
        smallest = min(gains, key=lambda each: each[2].cell.m * each[2].cell.n_x)
        said.append(f"The smallest cell in which {most[1]} gains at all is {shape_words(smallest[2])}.")
    return said


def can_numba_beat_dot(run: Run) -> list[str] | None:
    """Compiled products against BLAS, where n_x is large enough for the products to be most of the work."""
    cells = [r for r in _one_thread(run) if r.cell.n_x >= 128 and r.cell.m * r.cell.n_x >= 100_000]
    names = [name for name in PRODUCTS if ratios(cells, VECTORIZED, [name])]
    if not names:
        return None
    said = [
        "Judged where n_x is 128 or more and X has 100,000 elements or more, so that the two products with X are "
        "nearly all the arithmetic; NumPy leaves them to BLAS."
    ]
    for name in names:
        said += _both_ways(ratios(cells, VECTORIZED, [name]), name, VECTORIZED)
    return said


def is_vectorize_vectorization(run: Run) -> list[str] | None:
    """The controlled pair with np.vectorize, where the run holds it."""
    labels = {label for result in run.cells for label in result.seconds if "np.vectorize" in label}
    for label in sorted(labels):
        found = [(result.speedup(VECTORIZED, label), label, result) for result in run.cells if label in result.seconds]
        told = [(ratio, result) for ratio, _, result in found if ratio is not None]
        if told:
            ratio, result = max(told, key=lambda each: each[1].cell.m * each[1].cell.n_x)
            return [
                f"No: it calls the Python function once for each element. At {shape_words(result)}, the step with "
                f"np.vectorize takes {times_words(_inverse(ratio))} as long as {VECTORIZED}."
            ]
    return None


def what_fastmath_changes(run: Run) -> list[str] | None:
    """Leave to reorder sums: speed with n_x, and errors."""
    found = ratios(_one_thread(run), accuracy.STRICT, [accuracy.RELAXED])
    if not found:
        return None
    few = min(found, key=lambda each: (each[2].cell.n_x, -each[2].cell.m))
    many = max(found, key=lambda each: (each[2].cell.n_x, each[2].cell.m))
    said = [
        "It lets the compiler reorder sums, so that the sum over the features can use SIMD.",
        f"At {shape_words(few[2])}, the relaxed loop is {times_words(few[0])} as fast as the strict one; at "
        f"{shape_words(many[2])}, {times_words(many[0])}.",
    ]
    errors = many[2].agreement
    if {accuracy.STRICT, accuracy.RELAXED} <= set(errors):
        strict, relaxed = (errors[name]["dw"] for name in (accuracy.STRICT, accuracy.RELAXED))
        said.append(
            f"There dw is off by {digits(strict)} units of rounding with strict arithmetic and by {digits(relaxed)} "
            "with relaxed: another order of summation, not a wrong result."
        )
    return said


def why_nan(run: Run) -> list[str] | None:
    """Saturation: arithmetic, computed now; and the price of the cure, from the run."""
    if breakdown.TEXTBOOK not in run.measured:
        return None
    broken = next((z for z in breakdown.Z if not abs(breakdown.costs(z, 1.0)[1]) < float("inf")), None)
    said = [
        "The textbook formula takes log(a) and log(1 - a). Once a rounds to exactly 0 or 1, one of them is -inf, and "
        "0 times -inf is NaN.",
    ]
    if broken is not None:
        said.append(
            f"Of the z tried here, {broken:g} is the first at which {breakdown.TEXTBOOK} gives NaN for label 1; "
            f"computed from z, the cost is {breakdown.costs(broken, 1.0)[2]:.3g}."
        )
    found = ratios(_one_thread(run), breakdown.TEXTBOOK, [breakdown.STABLE])
    if found:
        ratio, _, result = max(found, key=lambda each: (each[2].cell.m * each[2].cell.n_x, each[2].cell.m))
        said.append(
            f"What the right formula costs: {breakdown.STABLE} is {times_words(ratio)} as fast as {breakdown.TEXTBOOK} "
            f"at {shape_words(result)}."
        )
    return said


def does_layout_matter(run: Run) -> list[str] | None:
    """The same kernel on both orders of X: two cells."""
    by_feature = {result.cell: result for result in _one_thread(run, "C")}
    found = []
    for result in _one_thread(run):
        other = by_feature.get(replace(result.cell, order="C"))
        if other is not None:
            found += [
                (other.median(name).estimate / result.median(name).estimate, name, result)
                for name in result.kernels
                if name in other.seconds
            ]
    if not found:
        return None
    for_f, for_c = (choose(found, key=lambda each: each[0]) for choose in (max, min))
    said = []
    for (share, name, result), order, other_order in ((for_f, "F", "C"), (for_c, "C", "F")):
        share = share if order == "F" else 1.0 / share
        if share > 1.0:
            said.append(
                f"Most in favour of order {order}: {name} takes {digits(share)} times as long with order {other_order} "
                f"at {shape_words(result)}."
            )
    vectorized = [each[0] for each in found if each[1] == VECTORIZED]
    if vectorized:
        said.append(
            f"{VECTORIZED} takes between {digits(min(vectorized))} and {digits(max(vectorized))} times as long with "
            "order C as with order F."
        )
    return [*said, PAIRED_NOT]


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
