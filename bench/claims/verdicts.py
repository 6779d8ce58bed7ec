"""The verdict of a claim, by rule. None looks at which claim it is.

One factor, `WITHIN`, decides all: a figure and the text beside it, a figure and the measurement. Rules in order:

1. impossible as printed: the bytes that must move, in the time that is printed, exceed ten times the memory bandwidth
   of any machine of the year.
2. contradicts itself: the printed times give a ratio more than the factor away from the one stated.
3. larger, smaller: all of the interval of the measured ratio lies more than the factor from the claimed one.
   reproduced: the ratio is within the factor, and its interval does not reach beyond on both sides. undecided: neither.
"""

from bench import words
from bench.claims.records import ClaimCard
from bench.claims.results import RatioResult, Verdict
from bench.stats import Interval

WITHIN = 1.5
TIMES = 10.0
CACHE_BYTES = 2**29  # what is larger does not stay in any cache, so it has to come from memory
# From which year on: bytes a second between a socket and its main memory, at most, and whose it is. Memory on the
# package (Xeon Phi, A64FX) is left out: it has up to 1 TB/s, of which one thread gets a fiftieth.
BANDWIDTH = (
    (0, 102.4e9, "IBM POWER7"),
    (2014, 230.4e9, "IBM POWER8"),
    (2022, 460.8e9, "AMD EPYC 9004, 12 channels of DDR5-4800"),
    (2024, 844.8e9, "Intel Xeon 6900P, 12 channels of MRDIMM-8800"),
)


def printed_ratio(card: ClaimCard, slow: str, fast: str) -> float | None:
    """The ratio that the printed times give."""
    before, after = card.way(slow).printed, card.way(fast).printed
    return before / after if before is not None and after is not None else None


def measurement(claimed: tuple[float, float] | None, measured: Interval | None) -> Verdict:
    """The verdict of a measured ratio beside the claimed one, from `claimed[0]` to `claimed[1]`."""
    if claimed is None:
        return "nothing printed"
    if measured is None:
        return "not measured"
    low, high = claimed[0] / WITHIN, claimed[1] * WITHIN
    if measured.low > high:
        return "larger"
    if measured.high < low:
        return "smaller"
    within = low <= measured.estimate <= high and (measured.low >= low or measured.high <= high)
    return "reproduced" if within else "undecided"


def contradiction(ratio: RatioResult) -> str | None:
    """Why the printed times do not give the stated ratio; None if they do, or if one is missing."""
    if ratio.printed is None or not ratio.stated:
        return None
    low, high = ratio.stated[0] / WITHIN, ratio.stated[-1] * WITHIN
    if low <= ratio.printed <= high:
        return None
    return f"The text says {stated(ratio.stated)}, but the printed times give {words.times(ratio.printed)}"


def stated(values: tuple[float, ...]) -> str:
    """A stated ratio in words: 300×, or 5.9× to 11.8×."""
    return " to ".join(words.times(value, 3) for value in dict.fromkeys(values))


def impossible(card: ClaimCard) -> str | None:
    """Why a printed time is impossible, with the arithmetic; None if none is."""
    if card.source is None or card.nbytes is None or card.nbytes <= CACHE_BYTES:
        return None
    year = card.source[3]
    bandwidth, whose = next((rate, name) for since, rate, name in reversed(BANDWIDTH) if year >= since)
    rates = [(way.passes * card.nbytes / way.printed, way) for way in card.ways if way.printed is not None]
    rate, way = max(rates, key=lambda pair: pair[0], default=(0.0, None))
    if way is None or rate <= TIMES * bandwidth:
        return None
    return (
        f"{way.title} has to move {words.digits(way.passes * card.nbytes / 1e9)} GB; in the "
        f"{words.seconds(way.printed or 0.0)} printed that is {words.digits(rate / 1e9)} GB/s. No socket of {year} had "
        f"more than {words.digits(bandwidth / 1e9)} GB/s to its memory ({whose})"
    )


def claim(card: ClaimCard, ratios: list[RatioResult]) -> tuple[Verdict, list[str]]:
    """The verdict of a claim, by all rules, and the sentences that it rests on."""
    reasons = []
    if (why := impossible(card)) is not None:
        reasons.append(why)
    contradictions = [why for ratio in ratios if (why := contradiction(ratio)) is not None]
    reasons += contradictions
    head = ratios[0]
    if impossible(card) is not None:
        return "impossible as printed", reasons
    if contradiction(head) is not None:
        return "contradicts itself", reasons
    return head.verdict, reasons
