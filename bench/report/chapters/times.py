"""Times and speed-ups of every kernel in every setting: the appendix's tables."""

from collections.abc import Sequence

from bench import words
from bench.analysis.ratios import ratios
from bench.report.runtables import speedup_table, time_table
from bench.report.section import Section
from bench.report.tables import Table
from bench.results import BASELINES, VECTORIZED, CellResult, Run

LEAD = [
    "Numbers marked est. rest on an estimated time: that kernel was too slow to run there. A cell marked (!) has a "
    "warning."
]


def detail(run: Run) -> Section | None:
    """The section of the appendix."""
    tables, items = list[Table](), list[str]()
    for setting in run.settings:
        results = run.of(setting)
        tables.append(time_table(run, results, setting.label))
        tables += [table for baseline in BASELINES if (table := speedup_table(run, setting, baseline))]
        found = extremes(run, results, VECTORIZED)
        items += [f"{setting.label[:1].upper()}{setting.label[1:]}. {found}"] if found else []
    return Section("times", "Times and speed-ups of every kernel", LEAD, tables=tables, items=items).or_none()


def extremes(run: Run, results: Sequence[CellResult], baseline: str) -> str:
    """The largest speed-up over a baseline, and the largest slow-down."""
    speedups = ratios(results, baseline, run.measured)
    if not speedups:
        return ""
    best, worst = (choose(speedups, key=lambda ratio: ratio.estimate) for choose in (max, min))
    ahead, behind = words.faster_than(best.interval, baseline), words.faster_with_interval(worst.interval)
    sentence = f"Furthest ahead: {best.kernel}, {ahead}, at {best.result.cell.shape}"
    if worst.estimate >= 1.0:
        return f"{sentence}; no kernel is slower in any cell."
    return f"{sentence}. Furthest behind: {worst.kernel}, {behind}, at {worst.result.cell.shape}."
