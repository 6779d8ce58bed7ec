"""How often each way calls a change where there is none, how often it sees one, and how often an interval is right.

A comparison takes two runs of one way and one benchmark, the earlier as the baseline. pytest-benchmark's way is that of
`--benchmark-compare-fail=median:5%` (or mean, or min): the second figure is more than 5 % above the first. This suite's
is that of `unloop compare`: slower by 5 % or more, and all of the interval of the ratio above 1.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Self

import numpy as np

from bench import stats
from bench.trust.records import Experiment, Figures, Measured, Neighbour, Way

TOLERANCE = 0.05
CONFIDENCE = 0.95
RULES: dict[str, Way] = {
    "unloop": "unloop",
    "pytest-benchmark, median": "pytest-benchmark",
    "pytest-benchmark, mean": "pytest-benchmark",
    "pytest-benchmark, min": "pytest-benchmark",
}


@dataclass(frozen=True)
class Share:
    """In how many of some trials something was so.

    Attributes:
        count: In how many it was.
        of: Of how many.
    """

    count: int
    of: int

    @classmethod
    def of_all(cls, holds: Iterable[bool]) -> Self:
        """The share of those that hold."""
        each = list(holds)
        return cls(sum(each), len(each))

    @property
    def share(self) -> float:
        """The share; NaN of none."""
        return self.count / self.of if self.of else float("nan")

    @property
    def bounds(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share, as if the trials were independent."""
        if not self.of:
            return 0.0, 1.0
        z, n, p = 1.959964, self.of, self.share
        middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        return float((middle - half) / (1 + z**2 / n)), float((middle + half) / (1 + z**2 / n))


@dataclass(frozen=True)
class Verdicts:
    """What the experiment shows of one neighbour.

    Attributes:
        neighbour: Quiet or disturbed.
        slower: Rule -> percent more work -> how often it calls the second run slower; of 0 those are false alarms.
        coverage: What -> how often the 95 % interval of one run holds the estimate of all the others together.
        seconds: Way -> median seconds of a run.
        spread: Rule -> median over the benchmarks of the standard deviation between runs, relative.
    """

    neighbour: Neighbour
    slower: dict[str, dict[int, Share]]
    coverage: dict[str, Share]
    seconds: dict[Way, float]
    spread: dict[str, float]


def verdicts(experiment: Experiment) -> list[Verdicts]:
    """What the experiment shows, quiet and disturbed, as far as it was measured."""
    return [
        _of_neighbour([run for run in experiment.runs if run.neighbour == neighbour], neighbour)
        for neighbour in ("quiet", "disturbed")
        if any(run.neighbour == neighbour for run in experiment.runs)
    ]


def _of_neighbour(runs: list[Measured], neighbour: Neighbour) -> Verdicts:
    slower: dict[str, dict[int, Share]] = {}
    spread = {}
    for rule, way in RULES.items():
        own = sorted((run for run in runs if run.way == way), key=lambda run: run.index)
        slower[rule] = {more: _share(rule, own, more) for more in sorted({run.more for run in own})}
        spread[rule] = _spread(rule, [run for run in own if run.more == 0])
    same = [run for run in runs if run.way == "unloop" and run.more == 0]
    return Verdicts(
        neighbour=neighbour,
        slower=slower,
        coverage={
            "seconds": Share.of_all(_covers(same, "seconds")),
            "speed-ups": Share.of_all(_covers(same, "speedup")),
        },
        seconds={
            way: float(np.median([run.seconds for run in runs if run.way == way]))
            for way in dict.fromkeys(RULES.values())
            if any(run.way == way for run in runs)
        },
        spread=spread,
    )


def _share(rule: str, runs: list[Measured], more: int) -> Share:
    """How often the second of two runs is called slower: of the same work, or of one that does more."""
    before = [run for run in runs if run.more == 0]
    after = [run for run in runs if run.more == more]
    couples = pairwise(before) if more == 0 else zip(before, after, strict=False)
    return Share.of_all(
        called_slower(rule, one.figures[name], two.figures[name])
        for one, two in couples
        for name in one.figures
        if name in two.figures
    )


def called_slower(rule: str, before: Figures, after: Figures) -> bool:
    """Whether a rule calls the second figures slower than the first."""
    if RULES[rule] == "unloop":
        ratio = stats.ratio_of_processes(after.logs, before.logs, CONFIDENCE)
        return ratio.low > 1.0 and ratio.estimate > 1.0 + TOLERANCE
    _, figure = rule.split(", ")
    one, two = getattr(before, figure), getattr(after, figure)
    return bool(two > one * (1.0 + TOLERANCE))


def _covers(runs: list[Measured], what: Literal["seconds", "speedup"]) -> Iterator[bool]:
    """Whether the interval of each run and benchmark holds the median of the estimates of all other runs."""
    for name in runs[0].figures if runs else ():
        bounds = [getattr(run.figures[name], what) for run in runs if name in run.figures]
        intervals = [stats.Interval(*each) for each in bounds if each is not None]
        for k, interval in enumerate(intervals):
            others = [other.estimate for other in intervals[:k] + intervals[k + 1 :]]
            if others:
                yield float(np.median(others)) in interval


def _spread(rule: str, runs: list[Measured]) -> float:
    """The median over the benchmarks of how much the estimate of one run varies."""
    deviations = []
    for name in runs[0].figures if runs else ():
        logs = [_estimate(rule, run.figures[name]) for run in runs if name in run.figures]
        if len(logs) > 1:
            deviations.append(float(np.std(logs, ddof=1)))
    return float(np.median(deviations)) if deviations else float("nan")


def _estimate(rule: str, figures: Figures) -> float:
    if RULES[rule] == "unloop":
        return float(np.median(figures.logs))
    return float(np.log(getattr(figures, rule.split(", ")[1])))
