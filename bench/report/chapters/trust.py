"""How far to trust a run: its A/A control, its noise, what was skipped, what failed, and what was wrong meanwhile."""

import math

from bench import words
from bench.analysis import estimates, limits
from bench.report import runtables
from bench.report.section import Section
from bench.results import VECTORIZED, Run
from bench.results.quality import BUSY, Trust, trust

LEAD = [
    "All kernels of a cell take turns, in rounds, so that a change of the machine's speed hits all of them. Several "
    "fresh processes measure each cell, since where code and data lie differs from process to process. Each process "
    "estimates a kernel's time on a quiet machine: the 10th percentile of its samples, since neighbours only ever "
    "slow. A speed-up is the median over the processes, with the 95% interval of Student's t. A run of one process (an "
    "older one) has the median of the ratios within a round, with the interval of the sign test.",
    "In every cell one kernel runs under two names: the A/A control. It shows how much a kernel differs from itself.",
]


def section(run: Run) -> Section | None:
    """The section of the page."""
    disturbed = [result for result in run.cells if result.warnings]
    cells = [f"{len(disturbed)} of {words.plural(len(run.cells), 'cell')} have a warning; the appendix lists them."]
    return Section(
        "method",
        "How far to trust it",
        LEAD,
        items=[*trust_lines(trust(run)), *history_lines(run), *(cells if disturbed else [])],
        warnings=[
            *(f"FAIL {line.removesuffix('.')}." for line in failed_words(run)),
            *(f"Error: {line}." for line in limits.beyond(run)),
            *(f"Warning: {line}." for line in run.warnings),
        ],
    )


def detail(run: Run) -> Section | None:
    """What was not run, every warning, and the cores that each kernel kept busy, for the appendix."""
    skipped = [f"Not run: {line}." for line in skipped_words(run)]
    warned = [f"{line}." for line in warning_lines(run)]
    return Section(
        "warnings", "Skipped cases, warnings, cores", tables=runtables.cores_tables(run), items=[*skipped, *warned]
    ).or_none()


def trust_lines(quality: Trust) -> list[str]:
    """How far to trust a run, in sentences."""
    lines = [
        f"The run took {words.seconds(quality.wall)}, {words.seconds(quality.compiling, 2)} of it to compile; "
        f"{_whole(quality.in_samples)} of the rest was spent inside samples.",
        f"A/A control: a kernel timed against itself was within 1% of 1 in {_whole(quality.control_close)} of the "
        f"cells; its 95% interval contained 1 in {_whole(quality.control_covers)}.",
        f"Noise floor: {100 * quality.noise_floor:.1f}% (median over the cells); smaller differences count as ties.",
        f"{_whole(quality.narrow)} of the speed-ups over {VECTORIZED} are precise to ± 5%.",
    ]
    if quality.processes > 1:
        lines.append(
            f"{quality.processes} processes: a speed-up varies by {words.percent(quality.between)} from process to "
            f"process, and by {words.percent(quality.within)} within one (standard deviation, median of all)."
        )
    if quality.stalled:
        took = f"{words.plural(quality.stalled, 'sample')} took {words.seconds(quality.stalled_seconds)} altogether"
        lines.append(
            f"{took} and hardly any CPU time: the process was stopped or pushed aside meanwhile. They do not count as "
            "time inside samples."
        )
    if math.isfinite(quality.busy):
        lines.append(
            f"{_whole(quality.busy)} of the rounds were busy: a fixed piece of work took at least {_whole(BUSY)} "
            "longer than usual. The measuring process lost its processor "
            f"{words.digits(quality.switches, 2)} times a second."
        )
    return lines + [f"More threads than allowed: {line}." for line in quality.threads_exceeded]


def _whole(share: float) -> str:
    return f"{100 * share:.0f}%"


def history_lines(run: Run) -> list[str]:
    """How often the run was resumed, and how much memory its measuring process used."""
    lines = []
    if run.resumed:
        times = "once" if len(run.resumed) == 1 else f"{len(run.resumed)} times"
        dates = ", ".join(record.before.date for record in run.resumed)
        lines.append(f"The run was interrupted and resumed {times} ({dates}); nothing was measured twice.")
    if math.isfinite(run.peak_bytes):
        largest = max((result.cell.nbytes for result in run.cells if result.samples), default=0)
        peak, size = (words.human_bytes(count) for count in (run.peak_bytes, largest))
        lines.append(f"Peak memory {peak}; the largest X takes {size}.")
    return lines


def failed_words(run: Run) -> list[str]:
    """What failed, a line for each kernel: the reason where it failed first, and in how many cells."""
    lines = []
    for name in run.measured:
        failures = [(result.cell.label, result.failed[name]) for result in run.cells if name in result.failed]
        if failures:
            where, reason = failures[0]
            more = f" and in {words.plural(len(failures) - 1, 'more cell')}" if len(failures) > 1 else ""
            lines.append(f"at {where}{more}: {reason}")
    return lines


def skipped_words(run: Run) -> list[str]:
    """What was not run, a line for each kernel: «python_loop in 3 cells: a call would take up to …»."""
    lines = []
    for name in run.measured:
        skipping = [result for result in run.cells if name in result.skipped]
        skipped = [result.skipped[name] for result in skipping]
        if skipped:
            estimated = [e.estimate for result in skipping if (e := estimates.estimate(run, result, name)) is not None]
            why = skipped[0].reason
            if estimated:
                cap = words.seconds(run.plan.preset.cap)
                why = f"a call would take up to {words.seconds(max(estimated), 2)} (est.); this grid's limit is {cap}"
            lines.append(f"{name} in {words.plural(len(skipped), 'cell')}: {why}")
    return lines + [
        f"{name}: {kernel.missing} is not installed" for name, kernel in run.kernels.items() if kernel.missing
    ]


def warning_lines(run: Run) -> list[str]:
    """Why to trust the run less: the machine before it, then its cells, a line for each."""
    return [*run.warnings, *(f"{r.cell.label}: {'; '.join(r.warnings)}" for r in run.cells if r.warnings)]
