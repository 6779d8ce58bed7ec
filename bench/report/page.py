"""The page's story: an explicit list of sections, each shown only where the run has something for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from inspect import getsource
from sys import modules

from bench.analysis import crossovers, verdicts
from bench.machine import card as machine
from bench.machine import ceilings
from bench.report import placing, runtables
from bench.report import terminal as summary
from bench.report.chapters import compiling as payback
from bench.report.chapters import limits, questions, rungs
from bench.report.chapters import numbers as costs
from bench.report.chapters.questions import Answer
from bench.report.charts import Plot
from bench.report.findings import ratios, shape_words
from bench.report.plots import story_cells
from bench.report.tables import Table, bounds_text, digits, times_words
from bench.results.quality import trust
from bench.results.run import LOOP, VECTORIZED, Run
from kernels import KERNELS
from kernels.peers import PEERS

QUESTION = "Why does vectorization matter, and what is left when it has been done?"


@dataclass(frozen=True)
class Source:
    """A kernel's file, and its figures at the headline's cells."""

    name: str
    title: str
    change: str
    text: str
    table: Table


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        id: What a link and `Plot.section` name it by.
        title: Its heading.
        lead: Sentences before all else.
        plots: Its figures; those with a fold stand together behind that fold.
        tables: Tables beside those of the figures.
        items: A list of sentences.
        warnings: The same, but a reader must not miss them.
        answers: Questions and their answers.
        sources: Kernels' files.
    """

    id: str
    title: str
    lead: list[str]
    plots: list[Plot] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)

    @property
    def holds_something(self) -> bool:
        """Whether there is anything to show but its lead."""
        return bool(self.plots or self.tables or self.items or self.warnings or self.answers or self.sources)

    @property
    def folds(self) -> dict[str, list[Plot]]:
        """Fold -> its figures, in order; those of the fold "" stand open."""
        folds: dict[str, list[Plot]] = {"": []}
        for plot in self.plots:
            folds.setdefault(plot.fold, []).append(plot)
        return folds


def sections(run: Run, plots: Sequence[Plot]) -> list[Section]:
    """The sections in order. A figure comes to the section that it names; a table is one line here."""

    def drawn(section: str) -> list[Plot]:
        return [plot for plot in plots if plot.section == section]

    told = [
        Section("answer", QUESTION, answer(run), drawn("answer"), warnings=alarms(run)),
        Section("training", "Training", TRAINING, drawn("training")),
        Section(
            "ladder",
            "The ladder",
            LADDER,
            drawn("ladder"),
            [runtables.kernel_table(run)],
            sources=sources(run),
        ),
        Section("numbers", "Three numbers for each kernel", NUMBERS, drawn("numbers"), number_tables(run, plots)),
        Section("causes", "Causes, one at a time", CAUSES, drawn("causes"), cause_tables(run)),
        Section("maps", "The maps: which kernel, at which size", MAPS, drawn("maps")),
        Section("limits", "The limits of the hardware", LIMITS, drawn("limits"), limits.tables(run)),
        Section("compiling", "The price of compiling", COMPILING, drawn("compiling"), compiling_tables(run)),
        Section("accuracy", "Speed against accuracy", ACCURACY, drawn("accuracy"), accuracy_tables(run)),
        Section("more", "More figures", [], drawn("more")),
        Section("questions", "Questions", [], answers=questions.answers(run) if run.problem == "synthetic" else []),
        Section(
            "method",
            "How far to trust it",
            METHOD,
            tables=runtables.cores_tables(run),
            items=summary.trust_lines(trust(run))
            + summary.history_lines(run)
            + [f"Not run: {line}." for line in summary.skipped_words(run)],
            warnings=[f"Failed {line}" for line in summary.failed_words(run)]
            + [f"Warning: {line}." for line in summary.warning_lines(run)],
        ),
        Section("machine", "The machine", [], tables=[machine_table(run)]),
    ]
    return [section for section in told if section.id == "answer" or section.holds_something]


LADDER = [
    "One algorithm, the gradient step of logistic regression, written again and again; each rung changes one thing.",
    "Below, the factor that each step alone is worth, then what each rung changes, and its source.",
]
NUMBERS = [
    "What a call costs, an example, and an element of X: three numbers that explain a kernel's time at any size."
]
CAUSES = ["Pairs that differ in one thing only, so that what is measured between them has one cause."]
MAPS = [
    "Which kernel is the fastest depends on m and n_x. A lead within the noise of the cell is called a tie.",
    "Numbers in brackets, and hollow points, rest on a predicted time: that kernel was too slow to run there.",
]
LIMITS = [
    "A gradient step must read X once, do 4 m n_x floating-point operations and take m exponentials. How fast this "
    "machine does each was measured with the run; the limit of a cell is the longest of the three times."
]
COMPILING = ["A compiled kernel pays first; after how many calls it has paid for itself depends on the size."]
ACCURACY = [
    "Every kernel agrees with one reference within the bound that the theory of rounding gives, or it is not timed. A "
    "unit of rounding is 2⁻⁵³ times the mean magnitude of the terms that are summed.",
]
TRAINING = [
    "Gradient descent on real data. The cost after each iteration is the same for every kernel, but for rounding: it "
    "was computed when this page was made, and laid over the time that each kernel took for the whole descent."
]
METHOD = [
    "All kernels of a cell are timed in turns, in rounds. A speed-up is the median of the ratios of a round, and "
    "its interval that of the sign test; above 1 is faster. In every cell one kernel runs under two names, the A/A "
    "control. A cell marked (!) in a table has a warning here.",
]


def headline(run: Run) -> str:
    """The answer in one sentence: vectorized over looped, at the largest one-thread cell where both were timed."""
    timed = ratios([result for result in run.cells if result.cell.threads == 1], LOOP, [VECTORIZED])
    if not timed:
        return "The Python loop and the vectorized form were not both timed in any cell of this run."
    ratio, _, result = max(timed, key=lambda each: (each[2].cell.m * each[2].cell.n_x, each[2].cell.m))
    what = "training" if result.cell.iterations else "the gradient step"
    where = "On" if result.cell.iterations else "At"
    return (
        f"{where} {result.cell.label}, {what} in vectorized NumPy is {digits(ratio.estimate)} times as fast as the "
        f"Python loop (95% interval {digits(ratio.low)} to {digits(ratio.high)})."
    )


def answer(run: Run) -> list[str]:
    """The headline, and what was left: the furthest that another kernel is ahead with one thread and many examples."""
    said = [headline(run), *placing.sentences(run)]
    results = [r for r in run.cells if r.cell.threads == 1 and (r.cell.m >= 1_000 or r.cell.iterations)]
    found = ratios(results, VECTORIZED, run.measured)
    if found:
        ratio, name, result = max(found, key=lambda each: each[0].low)
        if ratio.low > 1.0 + result.noise_floor:
            said.append(
                f"What is left: at {shape_words(result)}, {name} is another {times_words(ratio)} as fast, "
                "with one thread."
            )
    return said


def alarms(run: Run) -> list[str]:
    """What a reader must know before believing any of it."""
    failed = sum(len(result.failed) for result in run.cells)
    said = []
    if run.end is None or run.end["interrupted"]:
        said.append("This run was interrupted; it holds what had been measured by then.")
    if failed:
        times = "Once" if failed == 1 else f"{failed} times"
        said.append(f"{times}, a kernel disagreed with the reference or raised; see “How far to trust it”.")
    return said


def number_tables(run: Run, plots: Sequence[Plot]) -> list[Table]:
    """The numbers of every variant, and where one kernel overtakes another; those that stand with no figure yet."""
    shown = {plot.table.title for plot in plots if plot.table}
    tables = [*costs.tables(run), *crossovers.tables(run)] if run.problem == "synthetic" else []
    return [table for table in tables if table.title not in shown]


def cause_tables(run: Run) -> list[Table]:
    """Predictions beside measurements, of the pairs and of the rungs, and what was counted."""
    return [table for table in (verdicts.table(run), rungs.table(run), rungs.counted(run)) if table]


def compiling_tables(run: Run) -> list[Table]:
    """What a first call costs."""
    prices = payback.price_table(run)
    return [prices] if prices else []


def accuracy_tables(run: Run) -> list[Table]:
    """The errors over all cells."""
    return [runtables.agreement_table(run)]


def sources(run: Run) -> list[Source]:
    """The file of each kernel that was measured, as it is now, with its figures at the headline's cells."""
    found = []
    for name in run.measured:
        kernel = KERNELS.get(name) or PEERS.get(name)
        module = modules.get(f"kernels.{name}") or modules.get(f"kernels.peers.{name}")
        if kernel is not None and module is not None:
            found.append(Source(name, kernel.title, kernel.change, getsource(module), _figures_of(run, name)))
    return found


def _figures_of(run: Run, name: str) -> Table:
    rows = [
        [
            shape_words(result),
            bounds_text(result.median(name), summary.seconds_text),
            *(bounds_text(result.speedup(baseline, name)) for baseline in (LOOP, VECTORIZED)),
        ]
        for result in story_cells(run)
        if name in result.seconds
    ]
    return Table(f"Figures of {name}", ["cell", "time", f"over {LOOP}", f"over {VECTORIZED}"], rows)


def machine_table(run: Run) -> Table:
    """What the run was measured on, and when."""
    before, after = run.header["before"], (run.end or {}).get("after")
    rows = [*machine.describe(run.header["machine"]), *libraries(run), ("Date", before["date"])]
    rows += ceilings.describe(run.ceilings.values(), run.header["machine"]["caches"])
    rows.append(("Load before", f"{before['load_1min']}"))
    if after:
        rows.append(("Load after", f"{after['load_1min']}"))
    rows.append(("Seed", f"{run.header['seed']}"))
    return Table("The machine", ["what", "here"], [list(row) for row in rows], prose=True)


def libraries(run: Run) -> list[tuple[str, str]]:
    """The versions of the peers' libraries and the thread pools of the process, as rows (what, value)."""
    versions = run.header.get("libraries", {})
    pools = [
        f"{pool['library']} {pool['version'] or ''}".strip() + f" of {pool['package']} ({pool['file']})"
        for pool in run.header.get("pools", [])
    ]
    rows = [("Peers", ", ".join(f"{name} {version}" for name, version in versions.items()))] if versions else []
    return rows + ([("Thread pools", ", ".join(pools))] if pools else [])
