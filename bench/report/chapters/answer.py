"""The first screen: the question, both forms side by side, the headline, three numbers, and what the word means."""

from bench import words
from bench.analysis import pairs, ratios
from bench.analysis.costmodel import fit_all
from bench.analysis.ratios import Ratio, neighbours
from bench.report.chapters import headline as drawn
from bench.report.chapters.accuracy import RELAXED, STRICT
from bench.report.section import Code, Number, Section
from bench.report.tables import Column, Table
from bench.results import LOOP, VECTORIZED, CellResult, Run
from kernels.controlled import NP_VECTORIZE

QUESTION = "Why vectorize, and what can beat it?"
NOTATION = (
    "m counts the examples and n_x the features; X has the shape (n_x, m). Order F: the features of one example lie "
    "side by side in memory (what scikit-learn calls C-ordered (m, n_x)). Order C: the examples of one feature do. A "
    "95% interval comes from the spread between fresh processes, where a run has several."
)
# The step of the notes in six lines each; a test runs both.
LOOP_CODE = """\
for i in range(m):
    a = sigmoid(sum(w[j] * X[j, i] for j in range(n_x)) + b)
    J -= log(a if Y[i] else 1 - a) / m
    for j in range(n_x):
        dw[j] += (a - Y[i]) * X[j, i] / m
    db += (a - Y[i]) / m
"""
NUMPY_CODE = """\
Z = np.dot(w, X) + b
A = sigmoid(Z)
J = -np.mean(np.log(np.where(Y, A, 1 - A)))
dZ = A - Y
dw = np.dot(X, dZ) / m
db = np.mean(dZ)
"""


def section(run: Run) -> Section:
    """The section of the page: there in every run."""
    plot = drawn.figure(run) if run.cells and run.problem == "synthetic" else None
    plots = [plot] if plot else []
    return Section(
        "answer",
        QUESTION,
        answer(run),
        plots,
        [meanings(run)],
        warnings=alarms(run),
        codes=[Code("The loop: one number at a time", LOOP_CODE), Code("Vectorized: whole arrays", NUMPY_CODE)],
        numbers=numbers(run),
        notes=[NOTATION],
    )


def answer(run: Run) -> list[str]:
    """The headline, and the place of the user's own kernels."""
    return [headline(run), *placements(run)]


def headline(run: Run) -> str:
    """The answer in one sentence: the vectorized form over the loop, in a cell that is always the same."""
    ratio = ratios.headline(run)
    if ratio is None:
        return "The Python loop and the vectorized form were not both timed in any cell of this run."
    cell = ratio.result.cell
    where = f"training on {cell.label}" if cell.iterations else f"at {cell.shape}, {_threads(cell.threads)}"
    sentence = f"Vectorized NumPy is {words.faster_than(ratio.interval, 'the Python loop')}, {where}."
    ends = ratios.over_grid(run)
    if ends is None or ends[0].result is ends[1].result:
        return sentence
    least, most = (words.faster(end.estimate) for end in ends)
    return f"{sentence} Over the grid it is between {least} and {most}."


def _threads(count: int) -> str:
    return "one thread" if count == 1 else f"{count} threads"


def numbers(run: Run) -> list[Number]:
    """The three numbers to remember; those that the run has."""
    ratio = ratios.headline(run)
    if ratio is None or run.problem != "synthetic":
        return []
    result, fused = ratio.result, pairs.main_branch()
    chosen = [Number(words.times(ratio.estimate), f"NumPy over the Python loop at {result.cell.shape}")]
    ahead, ends = result.speedup(VECTORIZED, fused), ratios.over_grid(run, VECTORIZED, fused)
    if ahead is not None and ends is not None:
        least, most = (words.faster(end.estimate) for end in ends)
        grid = "" if least == most else f"; over the grid {least} to {most}"
        chosen.append(Number(words.times(ahead.estimate), f"compiled, fused code over NumPy at the same size{grid}"))
    costs = fit_all(run, result.cell.setting)[0]
    if {LOOP, VECTORIZED} <= set(costs) and costs[VECTORIZED].per_call.low > 0.0:
        call = words.seconds(costs[VECTORIZED].per_call.estimate, 2)
        element = words.seconds(costs[LOOP].per_element.estimate, 2)
        chosen.append(Number(call, f"for calling NumPy, whatever m; Python pays {element} for every number of X"))
    return chosen


def meanings(run: Run) -> Table:
    """Three things that go by the name of vectorization, and what each is worth here."""
    result = ratios.fixed_cell(run, [VECTORIZED])

    def worth(before: str, after: str, than: str) -> str:
        measured = [r for r in run.cells if r.cell.threads == 1 and r.speedup(before, after)]
        if not measured:
            return "not measured in this run"
        at = result if result in measured else min(measured, key=ratios.distance)
        ratio = at.speedup(before, after)
        assert ratio is not None
        return f"{words.faster_than(ratio, than)}, at {at.cell.shape}"

    rows = [
        [
            "Array operations",
            "One call works on whole arrays. The loop over the numbers runs in compiled code that ships with NumPy.",
            worth(LOOP, VECTORIZED, "the Python loop"),
        ],
        [
            "SIMD",
            "One machine instruction works on several numbers at once: 4 or 8 in float64. NumPy uses it inside, and "
            "compilers do where they may reorder sums.",
            worth(STRICT, RELAXED, "the same compiled loop without reordering"),
        ],
        [
            "np.vectorize",
            "A convenience: it calls a Python function once for each element, so nothing is compiled.",
            worth(LOOP, NP_VECTORIZE.name, "the Python loop"),
        ],
    ]
    columns = [Column("“vectorization”"), Column("what it is"), Column("what it is worth here")]
    return Table("Three meanings of vectorization", columns, rows, prose=True)


def alarms(run: Run) -> list[str]:
    """What a reader must know before believing any of it."""
    failed = sum(len(result.failed) for result in run.cells)
    sentences = []
    if run.end is None or run.end.interrupted:
        sentences.append("The run was interrupted: only what was measured before is shown.")
    if failed:
        times = "Once" if failed == 1 else f"{failed} times"
        sentences.append(f"{times}, a kernel disagreed with the reference or failed: see “How far to trust it”.")
    return sentences


def placements(run: Run) -> list[str]:
    """A sentence for each of the user's own kernels: its place at the cell nearest to m = 1,000, n_x = 32.

    A kernel that failed has no place; the section on trust says why.
    """
    failed = {name for result in run.cells for name in result.failed}
    return [_placement(run, name) for name in run.own if name not in failed]


def _placement(run: Run, name: str) -> str:
    timed = [result for result in run.cells if name in result.samples]
    if not timed:
        return f"{name} was not timed in any cell of this run."
    result = min(timed, key=lambda result: (result.cell.threads, ratios.distance(result)))
    where = result.cell.label
    limit = run.limit(result)
    if limit is not None:
        where += f" ({words.of_limit(limit / result.median(name).estimate)} of this machine's limit)"
    slower, faster = neighbours(result, name, run.own)
    if slower and faster:
        return (
            f"{name} lies between {slower} and {faster} at {where}: {_compared(result, name, slower)}, and "
            f"{_compared(result, name, faster)}."
        )
    if slower or faster:
        place, other = ("fastest", slower) if slower else ("slowest", faster)
        return f"{name} is the {place} kernel at {where}: {_compared(result, name, str(other))}, the next."
    return f"{name} is the only kernel at {where}."


def _compared(result: CellResult, name: str, other: str) -> str:
    speedup = result.speedup(other, name)
    if speedup is None:
        return f"not timed in the same rounds as {other}"
    ratio = Ratio(speedup, name, result)
    if not (ratio.faster or ratio.slower):
        return f"a tie with {other} ({words.bounds(speedup)}, within the noise)"
    return words.faster_than(speedup, other)
