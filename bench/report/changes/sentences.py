"""A comparison in sentences."""

from collections import Counter
from collections.abc import Iterator

from bench import words
from bench.analysis.compare import CONFIDENCE, WAYS, Common, Comparison, NothingDecided, rounds_needed
from bench.analysis.differences import CellsAlone, KernelAlone
from bench.stats import Interval


def in_words(ratio: Interval) -> str:
    """A ratio second ÷ first in words: "1.8× slower (95% interval 1.7 to 1.9)"."""
    return words.faster_with_interval(words.inverse(ratio))


def verdict(comparison: Comparison) -> str:
    """The answer in plain sentences."""
    slower, faster, same, unknown = (len(comparison.of(v)) for v in ("slower", "faster", "same", "unknown"))
    counts = [f"{slower:,} {_are(slower)} slower beyond noise", f"{faster:,} faster"]
    if unknown:
        counts.append(f"{unknown:,} can't be decided (too few rounds)")
    total = words.plural(len(comparison.changes), "comparison")
    sentence = f"Of {total}, {', '.join(counts)}; {same:,} {'shows' if same == 1 else 'show'} no change."
    return " ".join([sentence, *_in_common(comparison), *_most_changed(comparison)])


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _in_common(comparison: Comparison) -> Iterator[str]:
    """What all kernels did, where it is beyond noise, and how many did more or less."""
    for baseline, common in comparison.drift.items():
        slower, faster = (sum(c.baseline == baseline for c in comparison.apart(way)) for way in WAYS)
        beyond = f"Beyond that, {slower:,} {_are(slower)} slower and {faster:,} faster."
        if baseline is None:
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
    text = (
        f"{what}. The intervals of all {total} hold at once with {words.percent(CONFIDENCE)} confidence (Bonferroni), "
        "given independent rounds."
    )
    common: Common | None = comparison.common.get(None)
    if common is None or common.verdict in WAYS:
        return text
    why = "no more than noise" if common.verdict == "same" else "too few cells to tell"
    return f"{text} All kernels together are {in_words(common.ratio)}: {why}."


def regressed(comparison: Comparison, allowed: float) -> tuple[bool, str]:
    """Whether the second run is to be refused, where a kernel may be slower by `allowed`; and that in words.

    Seconds are judged as they are (or speed-ups, on machines that differ); what all kernels have in common is named
    beside it.

    Raises:
        NothingDecided: If no comparison could be decided.
    """
    worse, apart = comparison.regressions(allowed), comparison.regressions_apart(allowed)
    total, unknown = len(comparison.changes), len(comparison.of("unknown"))
    than = f"slower by more than {100 * allowed:g}%"
    if unknown == total and not comparison.lost:
        rounds = rounds_needed(total)
        raise NothingDecided(
            f"can't tell whether a kernel is {than}: none of {words.plural(total, 'comparison')} can be decided; "
            f"measure both runs with at least {rounds} rounds: pytest --benchmark-only "
            f"--benchmark-min-rounds={rounds}"
        )
    refused = bool(worse or comparison.lost)
    parts = [f"REGRESSED: {len(worse):,} {than}" if refused else f"Nothing is surely {than}"]
    if comparison.lost:
        parts.append(f"{len(comparison.lost)} failed")
    if unknown:
        parts.append(f"{unknown:,} of {total:,} can't be decided (too few rounds)")
    if comparison.drift and (worse or apart):
        parts.append(f"beyond what all kernels have in common, {len(apart):,} {_are(len(apart))} {than}")
    again = " If the machine was slower as a whole, measure again." if len(worse) > 2 * len(apart) else ""
    return refused, f"{'; '.join(parts)}.{again}"


def alone_words(alone: CellsAlone | KernelAlone) -> str:
    """What only one of the runs holds."""
    match alone:
        case CellsAlone(run, cells):
            named = cells[0].label if len(cells) == 1 else f"{cells[0].label}; …; {cells[-1].label}"
            return f"{words.plural(len(cells), 'cell')} only in the {run} run: {named}."
        case KernelAlone(run, kernel, count, why):
            other = "second" if run == "first" else "first"
            reasons = {"failed": "it failed", "skipped": "it was skipped (too slow, or too large)"}
            reason = reasons.get(why, "it was not measured")
            return f"{kernel} in {words.plural(count, 'cell')} only in the {run} run; {reason} in the {other}."
