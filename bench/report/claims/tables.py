"""The tables of a run of claims."""

from bench import words
from bench.claims import verdicts
from bench.claims.results import ClaimResult, Claims, RatioResult, Size
from bench.report.tables import Column, Table
from bench.stats import Interval


def published(claims: Claims) -> list[ClaimResult]:
    """The claims that were measured at one size."""
    return [result for result in claims.claims if not result.sweep]


def table(claims: Claims) -> Table:
    """Each claim: what was claimed, what was measured, the verdict."""
    rows = []
    for result in published(claims):
        head = result.ratios[0]
        rows.append(
            [
                result.card.id,
                size(result),
                claimed(head),
                None if head.measured is None else head.measured.interval,
                None if head.against is None else head.against.estimate,
                result.verdict,
            ]
        )
    columns = [
        Column("claim"),
        Column("size"),
        Column("claimed"),
        Column("measured", _ratio),
        Column("÷ claimed", lambda value: words.digits(value, 2)),
        Column("verdict"),
    ]
    return Table("Claims, and what was measured", columns, rows, keys=1)


def _ratio(value: Interval) -> str:
    if not words.bounded(value):
        return words.times(value.estimate, 3)
    return f"{words.times(value.estimate, 3)} [{words.digits(value.low)}, {words.digits(value.high)}]"


def claimed(ratio: RatioResult) -> str | None:
    """The claimed ratio, with what the text says where the two differ."""
    if ratio.claimed is None:
        return None
    values = dict.fromkeys(ratio.claimed)
    text = " to ".join(words.times(value, 3) for value in values)
    return f"{text} ({verdicts.stated(ratio.stated)})" if verdicts.contradiction(ratio) else text


def size(result: ClaimResult) -> str | None:
    """The size measured, and the published one where the two differ."""
    if not result.n:
        return None
    return f"{result.n:,}" if result.n == result.card.n else f"{result.n:,} of {result.card.n:,}"


def ways(result: ClaimResult) -> Table:
    """Each way of a claim: printed and measured seconds, the first call, and how close it is to the tolerance."""
    rows = [
        [
            result.card.way(way.name).title,
            way.printed,
            None if way.seconds is None else way.seconds.interval,
            None if way.first is None else way.first.estimate,
            way.failed or ("" if way.error is None else f"{way.error:.1g}"),
        ]
        for way in result.ways
    ]
    columns = [
        Column("way"),
        Column("printed", words.seconds),
        Column("measured", _seconds),
        Column("first call", lambda value: words.seconds(value, 2)),
        Column("error, of the tolerance"),
    ]
    return Table(f"{result.card.id}: its ways", columns, rows)


def _seconds(value: Interval) -> str:
    return words.bounds(value, words.seconds) if words.bounded(value) else words.seconds(value.estimate)


def sweep(result: ClaimResult) -> Table:
    """Each size of a sweep: seconds of each way, and the speed-up."""
    head = result.card.ratios[0]
    rows = [
        [size.n, *(_cell(size, way.name) for way in result.card.ways), _speedup(size, head.slow, head.fast)]
        for size in result.sweep
    ]
    ratio = f"{result.card.way(head.slow).title} ÷ {result.card.way(head.fast).title}"
    columns = [Column("n"), *(Column(way.title) for way in result.card.ways), Column(ratio)]
    return Table(f"{result.card.id}: times and speed-up by size", columns, rows)


def _cell(size: Size, name: str) -> str | None:
    way = size.way(name)
    if way.failed is not None:
        return "FAIL"
    if way.predicted is not None:
        return f"{words.seconds(way.predicted, 2)} est."
    return None if way.seconds is None else _seconds(way.seconds.interval)


def _speedup(size: Size, slow: str, fast: str) -> str | None:
    speedup = size.speedup(slow, fast)
    if speedup is None:
        return None
    return _ratio(speedup.interval) if fast in size.speedups else f"{words.times(speedup.estimate)} est."
