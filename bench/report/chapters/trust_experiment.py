"""How far a comparison can be trusted: false alarms, power and coverage, of this suite and of pytest-benchmark."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bench import words
from bench.report.charts import Plot, titled
from bench.report.section import Section
from bench.report.style import NARROW, WIDTH
from bench.report.tables import Column, Table
from bench.results import Run
from bench.trust import Experiment, Share, Verdicts, find, verdicts
from bench.trust.verdicts import RULES

LEAD = [
    "A benchmark is useful only if two runs of the same code agree, and if a run of slower code differs. Both were "
    "tried on this machine, with this suite and with pytest-benchmark, on the same kernels and cells and for the same "
    "total time: runs of the same work, and runs with 1, 2, 5 and 10% more examples.",
    "pytest-benchmark calls a change where the median (or the mean, or the minimum) is more than 5% above that of the "
    "run before, as --benchmark-compare-fail does. unloop compares the estimates of its processes: it calls a change "
    "where the ratio is above 1.05 and all of its 95% interval is above 1.",
]
MARKS = (("#0072b2", "o", "-"), ("#d55e00", "s", "--"), ("#b8860b", "^", ":"), ("#7f7f7f", "v", "-."))
STYLES = dict(zip(RULES, MARKS, strict=True))
NEIGHBOURS = {"quiet": "as the machine is", "disturbed": "with a bad neighbour"}


def section(run: Run) -> Section | None:
    """The section of the page; None where nobody measured it for this run."""
    experiment = find(run.folder) if run.folder is not None else None
    return None if experiment is None else of(experiment)


def of(experiment: Experiment) -> Section:
    """The section of an experiment."""
    shown = verdicts(experiment)
    narrow = figure(shown, NARROW)
    plot = Plot("trust", caption(shown), figure(shown), finding(shown), table(shown), narrow=narrow)
    return Section("trust-experiment", "Can two runs be compared?", LEAD, [plot], items=sentences(experiment, shown))


def figure(shown: Sequence[Verdicts], width: float = WIDTH) -> Figure:
    """How often each way calls the second run slower, against how much more work it does."""
    wide = width > NARROW
    rows, columns = (1, len(shown)) if wide else (len(shown), 1)
    drawn = Figure(figsize=(width, 3.4 if wide else 2.6 * rows + 1.0), layout="constrained")
    axes = drawn.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for ax, verdict in zip(axes, shown, strict=True):
        for rule, (color, marker, line) in STYLES.items():
            by_more = verdict.slower[rule]
            places = range(len(by_more))
            ax.plot(
                places,
                [share.share for share in by_more.values()],
                color=color,
                marker=marker,
                linestyle=line,
                label=rule,
                linewidth=2.2 if rule == "unloop" else 1.3,
            )
            for place, share in zip(places, by_more.values(), strict=True):
                ax.vlines(place, *share.bounds, color=color, linewidth=0.8, alpha=0.6)
            ax.set_xticks(places, ["none" if more == 0 else f"{more}%" for more in by_more])
        ax.set_title(NEIGHBOURS[verdict.neighbour])
        ax.set(xlabel="more work in the second run", ylim=(-0.03, 1.03))
        ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    for ax in axes[: 1 if wide else None]:
        ax.set_ylabel("called slower")
    handles, labels = axes[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=len(RULES) if wide else 2, frameon=False)
    titled(drawn, "How often a comparison calls the second run slower" if wide else "How often called slower")
    return drawn


def table(shown: Sequence[Verdicts]) -> Table:
    """The figures behind the figure."""
    amounts = sorted({more for verdict in shown for by_more in verdict.slower.values() for more in by_more})
    columns = [Column("machine"), Column("rule")]
    columns += [Column("false alarms" if more == 0 else f"{more}% more work", share_words) for more in amounts]
    columns += [Column("spread between runs", words.percent), Column("seconds of a run", words.seconds)]
    rows = [
        [
            NEIGHBOURS[verdict.neighbour],
            rule,
            *(verdict.slower[rule].get(more) for more in amounts),
            verdict.spread[rule],
            verdict.seconds.get(way),
        ]
        for verdict in shown
        for rule, way in RULES.items()
    ]
    return Table("How often the second of two runs is called slower", columns, rows, keys=2)


def share_words(share: Share) -> str:
    """A share with what it counts: 3% (6 of 200)."""
    return f"{words.percent(share.share)} ({share.count} of {share.of})"


def caption(shown: Sequence[Verdicts]) -> str:
    """What the figure shows."""
    return (
        "How often each way calls the second of two runs slower, against how much more work it does: "
        f"{' and '.join(NEIGHBOURS[verdict.neighbour] for verdict in shown)}."
    )


def finding(shown: Sequence[Verdicts]) -> str:
    """False alarms, and what is seen of 10 % more work, of unloop and of the best of the others."""
    parts = []
    for verdict in shown:
        own, others = verdict.slower["unloop"], [verdict.slower[rule] for rule in RULES if rule != "unloop"]
        alarms, theirs = (_percent(own.get(0))), [by_more[0].share for by_more in others if 0 in by_more]
        part = f"{NEIGHBOURS[verdict.neighbour]}, unloop raises a false alarm in {alarms} of the comparisons"
        if theirs:
            part += f" (pytest-benchmark: {words.percent(min(theirs))} to {words.percent(max(theirs))})"
        if 10 in own:
            part += f" and sees 10% more work in {_percent(own[10])}"
        parts.append(part)
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _percent(share: Share | None) -> str:
    return words.NONE if share is None else words.percent(share.share)


def sentences(experiment: Experiment, shown: Sequence[Verdicts]) -> list[str]:
    """How often the intervals are right, and what was measured."""
    lines = [
        f"{NEIGHBOURS[verdict.neighbour][0].upper()}{NEIGHBOURS[verdict.neighbour][1:]}: the 95% interval of one run "
        f"contains the estimate of all the others in {share_words(verdict.coverage['seconds'])} of the times and "
        f"{share_words(verdict.coverage['speed-ups'])} of the speed-ups."
        for verdict in shown
    ]
    runs = len(experiment.runs)
    names = {name for run in experiment.runs for name in run.figures}
    return [
        *lines,
        f"Measured on {experiment.date} ({experiment.machine.cpu}): {runs} runs of "
        f"{words.plural(len(names), 'benchmark')}, each of this suite's in "
        f"{words.plural(experiment.processes, 'process', 'processes')}. The thin lines are 95% intervals of the "
        "shares, as if the comparisons were independent.",
    ]
