"""What came of a run of claims: the records of its journal, as times and ratios with intervals, and verdicts."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from bench import stats
from bench.claims import verdicts
from bench.claims.records import FORMAT, AnyRecord, Begun, ClaimCard, Ended, Failed, RatioCard, Share, Sized
from bench.claims.results import CauseResult, ClaimResult, Claims, Measured, RatioResult, Size, WayResult
from bench.stats import quiet

Logs = dict[int, float]  # process -> the logarithm of its estimate


class Samples(NamedTuple):
    """The samples of a way, of all processes: seconds of all their calls, and how many calls those were."""

    seconds: list[float]
    loops: int


def samples(records: Sequence[AnyRecord]) -> dict[tuple[str, str], Samples]:
    """The samples of each claim and way of a run that is no sweep."""
    gathered: dict[tuple[str, str], Samples] = {}
    loops = {record.claim: record.loops for record in records if isinstance(record, Sized)}
    for record in records:
        if isinstance(record, Share):
            for way, seconds in record.samples.items():
                known = gathered.setdefault((record.claim, way), Samples([], loops[record.claim][way]))
                known.seconds.extend(seconds)
    return gathered


class Unit:
    """The records of a claim at a size."""

    def __init__(self, records: Sequence[AnyRecord], claim: ClaimCard, n: int) -> None:
        mine = [r for r in records if getattr(r, "claim", None) == claim.id and r.wanted == n]  # type: ignore[union-attr]
        self.card = claim
        self.shares = [r for r in mine if isinstance(r, Share)]
        self.sized = next((r for r in mine if isinstance(r, Sized)), None)
        self.failed = {r.way: r.reason for r in mine if isinstance(r, Failed)}
        for way in claim.ways:
            if way.missing is not None:
                self.failed.setdefault(way.name, f"{way.missing} is not installed")

    def logs(self, way: str) -> Logs:
        """Of the seconds of a call, as on a quiet machine."""
        if self.sized is None or way in self.failed:
            return {}
        loops = self.sized.loops.get(way, 1)
        return {
            share.process: quiet(np.array(share.samples[way]) / loops)
            for share in self.shares
            if share.samples.get(way)
        }

    def first(self, way: str) -> Logs:
        """Of the seconds of the first call in a process."""
        if way in self.failed:
            return {}
        return {share.process: float(np.log(share.first[way])) for share in self.shares if way in share.first}

    def way(self, name: str) -> WayResult:
        """A way, measured, predicted or failed."""
        errors = [share.errors[name] for share in self.shares if name in share.errors]
        return WayResult(
            name=name,
            printed=self.card.way(name).printed,
            seconds=estimate(self.logs(name)),
            first=estimate(self.first(name)),
            error=max(errors, default=None),
            predicted=self.sized.skipped.get(name) if self.sized is not None else None,
            failed=self.failed.get(name, self.failed.get("")),
        )

    def ratio(self, slow: str, fast: str, of_slow: Callable[[str], Logs] | None = None) -> Measured | None:
        """How many times slower one way is; None where one was not measured."""
        before, after = (of_slow or self.logs)(slow), self.logs(fast)
        return estimate({process: before[process] - after[process] for process in before if process in after})


def estimate(logs: Logs) -> Measured | None:
    """A number from what each process found; from one process, without an interval."""
    values = list(logs.values())
    if not values:
        return None
    if len(values) == 1:
        return Measured(float(np.exp(values[0])), 0.0, None)
    return Measured.of(stats.of_processes(values))


def of(records: Sequence[AnyRecord]) -> Claims:
    """The results of a journal."""
    begun = records[0]
    assert isinstance(begun, Begun)
    results = [_claim(records, begun, card) for card in begun.cards]
    shares = sum(isinstance(r, Share) for r in records)
    dead = sum(isinstance(r, Failed) and not r.way for r in records)
    units = len(begun.cards) * max(1, len(begun.plan.sizes))
    return Claims(
        format=FORMAT,
        date=begun.date,
        version=begun.version,
        machine=begun.machine,
        plan=msgspec.structs.replace(begun.plan, claims=tuple(Path(name).name for name in begun.plan.claims)),
        wall=sum(r.wall for r in records if isinstance(r, Ended)),
        complete=shares >= (units - dead) * begun.plan.processes,
        claims=results,
    )


def _claim(records: Sequence[AnyRecord], begun: Begun, card: ClaimCard) -> ClaimResult:
    if begun.plan.sizes:
        sweep = [_size(Unit(records, card, n), n) for n in begun.plan.sizes]
        return ClaimResult(card, "nothing printed", sweep=sweep)
    unit = Unit(records, card, card.n)
    ratios = [_ratio(unit, ratio) for ratio in card.ratios]
    verdict, reasons = verdicts.claim(card, ratios)
    return ClaimResult(
        card=card,
        verdict=verdict,
        reasons=reasons,
        n=unit.sized.n if unit.sized is not None else 0,
        why=unit.sized.why if unit.sized is not None else "",
        ways=[unit.way(way.name) for way in card.ways],
        ratios=ratios,
        causes=_causes(unit),
    )


def _ratio(unit: Unit, card: RatioCard) -> RatioResult:
    measured = unit.ratio(card.slow, card.fast)
    result = RatioResult(
        slow=card.slow,
        fast=card.fast,
        stated=card.stated,
        printed=verdicts.printed_ratio(unit.card, card.slow, card.fast),
        measured=measured,
        against=None,
        verdict="nothing printed",
    )
    claimed = result.claimed
    against = None
    if claimed is not None and measured is not None:
        middle = float(np.sqrt(claimed[0] * claimed[1]))
        high = None if measured.high is None else measured.high / middle
        against = Measured(measured.estimate / middle, measured.low / middle, high)
    verdict = verdicts.measurement(claimed, None if measured is None else measured.interval)
    return RatioResult(card.slow, card.fast, card.stated, result.printed, measured, against, verdict)


def _causes(unit: Unit) -> list[CauseResult]:
    results = []
    for cause in unit.card.causes:
        faster = unit.ratio(cause.before, cause.after, unit.first if cause.first else None)
        if faster is not None:
            results.append(CauseResult(cause.before, cause.after, cause.words, cause.first, faster))
    return results


def _size(unit: Unit, n: int) -> Size:
    base = unit.card.ratios[0].slow
    speedups = {way.name: unit.ratio(base, way.name) for way in unit.card.ways if way.name != base}
    return Size(
        n=n,
        ways=[unit.way(way.name) for way in unit.card.ways],
        speedups={name: speedup for name, speedup in speedups.items() if speedup is not None},
        why=unit.sized.why if unit.sized is not None else "",
    )


def crossovers(sizes: Sequence[Size], way: str) -> list[float]:
    """The sizes at which a way's speed-up passes 1, between two that were measured: by the logarithms of both."""
    known = [(size.n, size.speedups[way].estimate) for size in sizes if way in size.speedups]
    found = []
    for (n, ratio), (larger, after) in pairwise(known):
        before, beyond = np.log(ratio), np.log(after)
        if before * beyond < 0.0:
            share = before / (before - beyond)
            found.append(float(np.exp(np.log(n) + share * np.log(larger / n))))
    return found


def failures(claims: Claims) -> list[str]:
    """What failed, a line each; not what is missing."""
    lines = []
    for result in claims.claims:
        missing = {way.name for way in result.card.ways if way.missing is not None}
        for ways in [result.ways, *(size.ways for size in result.sweep)]:
            lines += [
                f"{result.card.file or result.card.id}: {way.failed}"
                for way in ways
                if way.failed is not None and way.name not in missing
            ]
    return list(dict.fromkeys(lines))
