"""What became of each claim, in sentences made of its data."""

from collections import Counter
from collections.abc import Sequence

from bench import words
from bench.claims import outcome, verdicts
from bench.claims.results import CauseResult, ClaimResult, Claims, RatioResult, Size, Verdict, WayResult
from bench.stats import Interval

NEAR = 1.05  # a ratio that differs by less is called the same
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
MANY = {"contradicts itself": "contradict themselves"}
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
    parts = [
        f"{counts[verdict]} {MANY.get(verdict, verdict) if counts[verdict] > 1 else verdict}"
        for verdict in ORDER
        if counts[verdict]
    ]
    some = "1 published speed-up" if len(published) == 1 else f"{len(published)} published speed-ups"
    return f"{some}, measured again on this machine: {', '.join(parts)}."


def farthest(results: Sequence[ClaimResult]) -> str:
    """The claim whose measured ratio is farthest from the claimed one."""
    known = [(result, against.estimate) for result in results if (against := result.ratios[0].against) is not None]
    if not known:
        return ""
    result, times = max(known, key=lambda pair: max(pair[1], 1.0 / pair[1]))
    head = result.ratios[0]
    assert head.claimed is not None and head.measured is not None
    factor = words.times(max(times, 1.0 / times))
    return (
        f"Farthest apart: {result.card.id}, {_range(head.claimed)} claimed and {words.times(head.measured.estimate)} "
        f"measured, {factor} {'larger' if times > 1.0 else 'smaller'}."
    )


def rules() -> list[str]:
    """What each verdict means."""
    return [f"{verdict[0].upper()}{verdict[1:]}: {MEANING[verdict]}." for verdict in ORDER]


def paragraph(result: ClaimResult) -> list[str]:
    """The verdict and what it rests on; the causes; then what was claimed, and what was measured."""
    sentences = [_verdict(result), *(f"{reason}." for reason in result.reasons), *_text(result)]
    sentences += [_cause(result, cause) for cause in result.causes]
    sentences += [line for ratio in result.ratios[1:] if (line := _other(result, ratio))]
    sentences += [_claimed(result), result.card.story, _measured(result)]
    sentences += [f"Left out: {way.failed}." for way in result.ways if way.failed is not None]
    return [sentence for sentence in sentences if sentence]


def _verdict(result: ClaimResult) -> str:
    """The verdict, with the claimed and the measured ratio, and how far they are apart."""
    head = result.ratios[0]
    pair = f"{_name(result, head.fast)} over {_name(result, head.slow)}"
    parts = [] if head.claimed is None else [f"{_range(head.claimed)} claimed"]
    if head.measured is not None:
        parts.append(f"{words.with_interval(head.measured.interval)} measured")
    line = f"{result.verdict[0].upper()}{result.verdict[1:]}: {pair}, {', '.join(parts) or 'nothing measured'}"
    if head.against is None:
        return f"{line}."
    times = head.against.estimate
    factor = max(times, 1.0 / times)
    if factor < NEAR:
        return f"{line}: the same."
    return f"{line}: {words.times(factor)} {'larger' if times > 1.0 else 'smaller'}."


def _range(ends: tuple[float, float]) -> str:
    return " to ".join(words.times(end) for end in dict.fromkeys(ends))


def _text(result: ClaimResult) -> list[str]:
    """Where times and text differ: how the measurement compares with the text."""
    head = result.ratios[0]
    if head.measured is None or verdicts.contradiction(head) is None:
        return []
    verdict = verdicts.measurement((head.stated[0], head.stated[-1]), head.measured.interval)
    return [f"Beside the {verdicts.stated(head.stated)} of the text, the measured ratio is {verdict}."]


def _claimed(result: ClaimResult) -> str:
    card, head = result.card, result.ratios[0]
    where = "" if card.source is None else " ({}, “{}”, {}, {})".format(*card.source)
    times = [f"{way.title} {words.seconds(way.printed)}" for way in card.ways if way.printed is not None]
    parts = [", ".join(times)] if times else []
    if head.stated:
        parts.append(f"{verdicts.stated(head.stated)} in its own words")
    return f"Claimed{where}: {'; '.join(parts) or 'no figure'}." if parts or where else ""


def _measured(result: ClaimResult) -> str:
    card = result.card
    if not result.n:
        return ""
    times = [f"{card.way(way.name).title} {_time(way)}" for way in result.ways if way.seconds is not None]
    size = f"{card.sized(result.n)}, {words.plural(card.threads, 'thread')}"
    if result.why:
        size += f"; published with {card.n:,}, for which {result.why}"
    return f"Measured here ({size}): {', '.join(times)}."


def _time(way: WayResult) -> str:
    return words.seconds(way.seconds.estimate) if way.seconds is not None else words.NONE


def _other(result: ClaimResult, ratio: RatioResult) -> str:
    if ratio.measured is None:
        return ""
    pair = f"{_name(result, ratio.fast)} over {_name(result, ratio.slow)}"
    if ratio.claimed is None:
        return f"{pair}: {words.with_interval(ratio.measured.interval)} here."
    here = words.with_interval(ratio.measured.interval)
    return f"{pair}: {_range(ratio.claimed)} claimed, {here} here: {ratio.verdict}."


def _cause(result: ClaimResult, cause: CauseResult) -> str:
    faster = cause.faster.interval
    if cause.first:
        slower = words.faster_with_interval(words.inverse(faster))
        return f"{cause.words}: the first call of {_name(result, cause.before)} is {slower}."
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
    sentences += [f"Size {size.n:,} is not run: {size.why}." for size in result.sweep if size.why]
    return sentences + [f"{line}." for line in dict.fromkeys(_failed(result.sweep))]


def _failed(sizes: Sequence[Size]) -> list[str]:
    return [way.failed for size in sizes for way in size.ways if way.failed is not None]
