"""A comparison in sentences."""

import math
from collections import Counter
from collections.abc import Iterator

from bench import words
from bench.analysis.compare import CONFIDENCE, Comparison, NothingDecided, rounds_needed
from bench.analysis.differences import WAYS, CellsAlone, Effort, KernelAlone, within
from bench.stats import Interval


def in_words(ratio: Interval) -> str:
    """A ratio second ÷ first in words: "1.8× slower (95% interval 1.7 to 1.9)"."""
    return words.faster_with_interval(words.inverse(ratio))


def verdict(comparison: Comparison) -> str:
    """The answer in plain sentences."""
    slower, faster, same = (len(comparison.of(verdict)) for verdict in ("slower", "faster", "same"))
    total = len(comparison.changes)
    counts = f"{slower:,} {_are(slower)} slower beyond noise, {faster:,} faster"
    no_change = f"{same:,} {'shows' if same == 1 else 'show'} no change (within {share(comparison.tolerance)})"
    sentence = f"Of {words.plural(total, 'comparison')}, {counts}; {no_change}."
    sentences = [sentence, *_in_common(comparison), *_most_changed(comparison)]
    if comparison.effort:
        sentences.insert(1, f"{_cant_tell(comparison.effort, total)}.")
    return " ".join(sentences)


def share(relative: float) -> str:
    """A relative difference that somebody chose: 5%, 2.5%."""
    return f"{100 * relative:g}%"


def _cant_tell(effort: Effort, total: int) -> str:
    """How many comparisons are undecided, and what would decide them."""
    return f"Can't tell for {effort.undecided:,}: {_would_decide(effort, total)}"


def _would_decide(effort: Effort, total: int) -> str:
    if math.isinf(effort.times):
        rounds = rounds_needed(total)
        needs = "it needs" if effort.undecided == 1 else "they need"
        return f"{needs} at least {rounds} rounds in each run (--benchmark-min-rounds={rounds})"
    more = f"{words.digits(effort.times, 2)} times the rounds"
    if effort.processes is not None:
        more = f"{words.plural(effort.processes, 'more process', 'more processes')} in each run"
    return f"about {more} would decide {'it' if effort.undecided == 1 else 'half of them'}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _in_common(comparison: Comparison) -> Iterator[str]:
    """What all kernels did, where it is beyond noise, and how many did more or less."""
    for baseline, common in comparison.drift.items():
        slower, faster = (sum(c.baseline == baseline for c in comparison.apart(way)) for way in WAYS)
        beyond = f"Beyond that, {slower:,} {_are(slower)} slower and {faster:,} faster."
        if within(common.ratio, comparison.tolerance):
            against = f"Against {baseline}, all" if baseline else "All"
            small = f"less than {share(comparison.tolerance)}"
            yield f"{against} kernels together are {in_words(common.ratio)}: {small}. {beyond}"
        elif baseline is None:
            why = "the machine as a whole changed, or something that all kernels share"
            yield f"All kernels together are {in_words(common.ratio)}: {why}. {beyond}"
        else:
            yield f"Against {baseline}, all kernels together are {in_words(common.ratio)}: {baseline} changed. {beyond}"


def _most_changed(comparison: Comparison) -> Iterator[str]:
    """The kernel that changed in most cells, beyond what all have in common."""
    apart = {id(c) for way in WAYS for c in comparison.apart(way)}
    changed = [c for c in comparison.changed if id(c) in apart]
    if changed:
        kernel, count = Counter(c.kernel for c in changed).most_common(1)[0]
        most = next(c for c in changed if c.kernel == kernel)
        total = sum(c.kernel == kernel for c in comparison.changes)
        over = f", against {most.baseline}" if most.baseline else ""
        yield (
            f"Most changed: {kernel}, in {count:,} of {total:,}; the most at {most.cell.label}{over}: "
            f"{in_words(most.ratio)}."
        )


def basis(comparison: Comparison) -> str:
    """What was compared, and how sure the intervals are."""
    what = "The machines differ, so speed-ups are compared" if comparison.hardware else "Seconds are compared"
    total = words.plural(len(comparison.changes), "comparison")
    units = "processes" if all(change.processes > 1 for change in comparison.changes) else "rounds"
    return (
        f"{what}. Slower and faster apply to all {total} at once with {words.percent(CONFIDENCE)} confidence "
        f"(Bonferroni), no change for each by itself (all of its interval within {share(comparison.tolerance)}); both "
        f"given independent {units}."
    )


def regressed(comparison: Comparison, allowed: float) -> tuple[bool, str]:
    """Whether the second run is to be refused, where a kernel may be slower by `allowed`; and that in words.

    Seconds are judged as they are (or speed-ups, on machines that differ); what all kernels have in common is named
    beside it, and how many comparisons are undecided.

    Raises:
        NothingDecided: If no comparison could be decided.
    """
    worse, apart = comparison.regressions(allowed), comparison.regressions_apart(allowed)
    total, effort = len(comparison.changes), comparison.effort_for(allowed)
    than = f"slower by more than {share(allowed)}"
    if effort and effort.undecided == total and not comparison.lost:
        raise NothingDecided(
            f"can't tell whether a kernel is {than}: none of {words.plural(total, 'comparison')} can be decided; "
            f"measure both runs again: {_would_decide(effort, total)}"
        )
    refused = bool(worse or comparison.lost)
    nothing = "Nothing is surely" if effort else "Nothing is"
    parts = [f"REGRESSED: {len(worse):,} {than}" if refused else f"{nothing} {than}"]
    if comparison.lost:
        parts.append(f"{len(comparison.lost)} failed")
    if effort:
        parts.append(f"can't tell for {effort.undecided:,} of {total:,} ({_would_decide(effort, total)})")
    if comparison.drift and (worse or apart):
        parts.append(f"beyond what all kernels have in common, {len(apart):,} {_are(len(apart))} {than}")
    again = " If the machine was slower as a whole, measure again." if len(worse) > 2 * len(apart) else ""
    return refused, f"{'; '.join(parts)}.{again}"


def alone_words(alone: CellsAlone | KernelAlone) -> str:
    """What only one of the runs has."""
    match alone:
        case CellsAlone(run, cells):
            named = cells[0].label if len(cells) == 1 else f"{cells[0].label}; …; {cells[-1].label}"
            return f"{words.plural(len(cells), 'cell')} only in the {run} run: {named}."
        case KernelAlone(run, kernel, count, why):
            other = "second" if run == "first" else "first"
            reasons = {"failed": "it failed", "skipped": "it was skipped (too slow, or too large)"}
            reason = reasons.get(why, "it was not measured")
            return f"{kernel} in {words.plural(count, 'cell')} only in the {run} run; {reason} in the {other}."
