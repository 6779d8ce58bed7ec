"""What became of each claim, in sentences made of its data."""

from collections import Counter
from collections.abc import Sequence

from bench import words
from bench.claims import outcome, verdicts
from bench.claims.records import CauseResult, ClaimResult, Claims, RatioResult, Size, Verdict, WayResult
from bench.stats import Interval

EFFECT = 1.1  # a controlled pair that differs by less explains nothing
ORDER: tuple[Verdict, ...] = (
    "reproduced",
    "smaller",
    "larger",
    "undecided",
    "contradicts itself",
    "impossible as printed",
    "nothing printed",
    "not measured",
)
MEANING: dict[Verdict, str] = {
    "reproduced": f"the measured ratio is within a factor of {verdicts.WITHIN:g} of the claimed one",
    "smaller": "all of the interval of the measured ratio lies below that",
    "larger": "all of it lies above",
    "undecided": "its interval is too wide to tell",
    "contradicts itself": "the printed times give a ratio more than that factor from the one that the text states",
    "impossible as printed": f"the bytes that must move in the printed time exceed {verdicts.TIMES:g} times the memory "
    "bandwidth of any machine of its year",
    "nothing printed": "there is no figure to compare with",
    "not measured": "a way failed, or needs a library that is not installed",
}


def headline(claims: Claims) -> str:
    """How many claims have which verdict."""
    published = [result for result in claims.claims if not result.card.file and not result.sweep]
    if not published:
        return "Measured: " + "; ".join(result.card.title for result in claims.claims) + "."
    counts = Counter(result.verdict for result in published)
    parts = [f"{counts[verdict]} {verdict}" for verdict in ORDER if counts[verdict]]
    some = "1 published speed-up" if len(published) == 1 else f"{len(published)} published speed-ups"
    return f"{some}, measured again on this machine: {', '.join(parts)}."


def rules() -> list[str]:
    """What each verdict means."""
    return [f"{verdict[0].upper()}{verdict[1:]}: {MEANING[verdict]}." for verdict in ORDER]


def paragraph(result: ClaimResult) -> list[str]:
    """What was claimed, what was measured, the verdict and its causes."""
    sentences = [_claimed(result), result.card.story, _measured(result), *_verdict(result)]
    sentences += [f"{reason}." for reason in result.reasons]
    sentences += [line for ratio in result.ratios[1:] if (line := _other(result, ratio))]
    sentences += [_cause(result, cause) for cause in result.causes]
    sentences += [f"Left out: {way.failed}." for way in result.ways if way.failed is not None]
    return [sentence for sentence in sentences if sentence]


def _claimed(result: ClaimResult) -> str:
    card, head = result.card, result.ratios[0]
    where = "" if card.source is None else " ({}, “{}”, {}, {})".format(*card.source)
    times = [f"{way.title} {words.seconds(way.printed)}" for way in card.ways if way.printed is not None]
    parts = [", ".join(times)] if times else []
    if head.printed is not None:
        parts.append(f"{_name(result, head.fast)} {words.faster(head.printed)} than {_name(result, head.slow)}")
    if head.stated:
        parts.append(f"in its own words {verdicts.stated(head.stated)}")
    return f"Claimed{where}: {'; '.join(parts)}." if parts else (f"From{where}." if where else "")


def _measured(result: ClaimResult) -> str:
    card, head = result.card, result.ratios[0]
    if not result.n:
        return ""
    times = [f"{card.way(way.name).title} {_time(way)}" for way in result.ways if way.seconds is not None]
    size = f"{card.sized(result.n)}, {words.plural(card.threads, 'thread')}"
    if result.why:
        size += f"; {card.n:,} as published: {result.why}"
    line = f"Measured here ({size}): {', '.join(times)}"
    if head.measured is not None:
        ratio = words.faster_than(head.measured.interval, _name(result, head.slow))
        line += f"; {_name(result, head.fast)} is {ratio}"
    return f"{line}."


def _time(way: WayResult) -> str:
    return words.seconds(way.seconds.estimate) if way.seconds is not None else words.NONE


def _verdict(result: ClaimResult) -> list[str]:
    head = result.ratios[0]
    sentences = [f"Verdict: {result.verdict}."]
    if head.against is not None:
        times = head.against.estimate
        side = "larger" if times >= 1.0 else "smaller"
        factor = max(times, 1.0 / times)
        far = f"{words.times(factor)} {side} than" if factor >= 1.05 else "the same as"
        what = "what the printed times give" if head.printed is not None else "what the text says"
        sentences.append(f"The measured ratio is {far} {what}.")
    if head.measured is not None and verdicts.contradiction(head) is not None:
        verdict = verdicts.measurement((head.stated[0], head.stated[-1]), head.measured.interval)
        sentences.append(f"Beside {verdicts.stated(head.stated)}, as the text says, it is {verdict}.")
    return sentences


def _other(result: ClaimResult, ratio: RatioResult) -> str:
    if ratio.measured is None:
        return ""
    pair = f"{_name(result, ratio.fast)} over {_name(result, ratio.slow)}"
    if ratio.claimed is None:
        return f"{pair}: {words.with_interval(ratio.measured.interval)} here."
    claimed = words.times(ratio.claimed[0])
    return f"{pair}: {claimed} claimed, {words.with_interval(ratio.measured.interval)} here: {ratio.verdict}."


def _cause(result: ClaimResult, cause: CauseResult) -> str:
    faster = cause.faster.interval
    if cause.first:
        first = words.with_interval(faster)
        return f"{cause.words}: the first call of {_name(result, cause.before)} takes {first} as long as later ones."
    start = "Cause" if explains(faster) else "No cause here"
    faster_than = words.faster_than(faster, _name(result, cause.before))
    return f"{start}: {cause.words}: {_name(result, cause.after)} is {faster_than}."


def explains(faster: Interval) -> bool:
    """Whether a controlled pair shows a difference."""
    return faster.estimate >= EFFECT and faster.low > 1.0


def _name(result: ClaimResult, way: str) -> str:
    return result.card.way(way).title


# Sweeps


def sweep_sentences(result: ClaimResult) -> list[str]:
    """The speed-up at both ends of a sweep, where it passes 1, and what was not run."""
    head = result.card.ratios[0]
    slow, fast = _name(result, head.slow), _name(result, head.fast)
    known = [(size.n, size, speedup) for size in result.sweep if (speedup := size.speedup(head.slow, head.fast))]
    sentences = []
    for n, size, speedup in known[:1] + known[1:][-1:]:
        measured = head.fast in size.speedups
        far = words.faster_than(speedup.interval, slow) if measured else f"{words.faster(speedup.estimate)} (est.)"
        sentences.append(f"At size {n:,} {fast} is {far}.")
    if crossings := outcome.crossovers(result.sweep, head.fast):
        places = ", ".join(words.digits(n, 2) for n in crossings)
        sentences.append(f"The two are equally fast at a size of about {places}.")
    for way in result.card.ways:
        predicted = [size.n for size in result.sweep if size.way(way.name).predicted is not None]
        if predicted:
            sentences.append(f"{way.title} is too slow to run from size {min(predicted):,} on: predicted there (est.).")
    return sentences + [f"{line}." for line in dict.fromkeys(_failed(result.sweep))]


def _failed(sizes: Sequence[Size]) -> list[str]:
    return [way.failed for size in sizes for way in size.ways if way.failed is not None]
