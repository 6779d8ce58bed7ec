"""Paired speed-ups, medians and ratios, with exact intervals that assume nothing about the shape of the noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, stdtrit  # the distributions of the binomial and of t; scipy.stats loads slowly

QUIET = 0.1  # the quantile of a process's samples that stands for a quiet machine


@dataclass(frozen=True)
class Interval:
    """An estimate and its confidence interval. With too few samples the interval is unbounded: (0, inf)."""

    estimate: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the width of the interval, relative to the estimate."""
        return (self.high - self.low) / (2.0 * self.estimate)

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def speedup(
    baseline: Sequence[float] | npt.NDArray[np.float64],
    contender: Sequence[float] | npt.NDArray[np.float64],
    confidence: float = 0.95,
) -> Interval:
    """How many times faster the contender is: exp of the median of ln(baseline_i / contender_i), paired by round.

    The interval is that of the sign test: from the k-th smallest to the k-th largest ratio, k the largest for which
    P(Bin(n, 1/2) < k) <= (1 - confidence) / 2. It is valid for any distribution of the ratios.

    Args:
        baseline: Seconds, one a round.
        contender: Seconds in the same rounds.
        confidence: Probability with which the interval covers the true median ratio.

    Raises:
        ValueError: For unequal lengths, no rounds, or times that are not positive and finite.
    """
    before, after = np.asarray(baseline, dtype=np.float64), np.asarray(contender, dtype=np.float64)
    if before.shape != after.shape or before.ndim != 1:
        raise ValueError(f"samples must be paired by round; got shapes {before.shape} and {after.shape}")
    _require_times(before)
    _require_times(after)
    ratios = _sign_test(np.log(before) - np.log(after), confidence)
    return Interval(*(float(np.exp(r)) for r in ratios))


def median(seconds: Sequence[float] | npt.NDArray[np.float64], confidence: float = 0.95) -> Interval:
    """The median of the samples, with the same sign-test interval.

    Raises:
        ValueError: For no samples, or times that are not positive and finite.
    """
    times = np.asarray(seconds, dtype=np.float64)
    _require_times(times)
    return Interval(*(float(np.exp(r)) for r in _sign_test(np.log(times), confidence)))


def ratio(
    numerator: Sequence[float] | npt.NDArray[np.float64],
    denominator: Sequence[float] | npt.NDArray[np.float64],
    confidence: float = 0.95,
) -> Interval:
    """The ratio of the medians of two independent samples, with an interval that assumes no shape of either.

    Rank tests (Mann-Whitney's, with the interval of Hodges and Lehmann) would be narrower, but need the noise of both
    samples to have one shape; here one machine may have been the noisier.

    Args:
        numerator: Seconds.
        denominator: Seconds, as many or not; sample i of one has nothing to do with sample i of the other.
        confidence: Probability with which the interval covers the ratio of the true medians.

    Raises:
        ValueError: For no samples, or times that are not positive and finite.
    """
    stricter = each_of_two(confidence)
    return quotient(median(numerator, stricter), median(denominator, stricter))


def quiet(seconds: Sequence[float] | npt.NDArray[np.float64]) -> float:
    """Ln of the seconds that a call takes while nothing disturbs it: a low quantile, for neighbours only ever slow.

    Raises:
        ValueError: For no samples, or times that are not positive and finite.
    """
    times = np.asarray(seconds, dtype=np.float64)
    _require_times(times)
    return float(np.log(np.quantile(times, QUIET)))


def of_processes(
    estimates: Sequence[float] | npt.NDArray[np.float64], rounds_alone: float = 0.0, confidence: float = 0.95
) -> Interval:
    """One estimate from those of several processes, with an interval from their spread.

    What one process's rounds can't see (where its code and data lie, the minutes of the host) differs from process to
    process, so the processes are the independent units (T. Kalibera and R. Jones, "Rigorous benchmarking in reasonable
    time", 2013): the estimate is the median of their logarithms, and the interval that of Student's t on them.

    Args:
        estimates: Logarithm of the estimate of each process; two or more.
        rounds_alone: Half the width of an interval that the rounds alone give, in logarithms; the result is no
            narrower.
        confidence: Probability with which the interval covers the true value.

    Raises:
        ValueError: For fewer than two processes.
    """
    logs = np.asarray(estimates, dtype=np.float64)
    if logs.size < 2:
        raise ValueError("the spread between processes takes two of them")
    spread = float(stdtrit(logs.size - 1, 0.5 + confidence / 2.0) * logs.std(ddof=1) / np.sqrt(logs.size))
    middle, half = float(np.median(logs)), max(spread, rounds_alone)
    return Interval(*(float(np.exp(middle + sign * half)) for sign in (0.0, -1.0, 1.0)))


def ratio_of_processes(
    numerator_logs: Sequence[float] | npt.NDArray[np.float64],
    denominator_logs: Sequence[float] | npt.NDArray[np.float64],
    confidence: float = 0.95,
) -> Interval:
    """The ratio of two quantities that several processes each estimated in two independent runs.

    It is that of the geometric means, with Welch's t interval of the difference of the logarithms: the spread between
    processes may differ from run to run, and so may their number. With one process of either it is unbounded.

    Args:
        numerator_logs: Logarithm of the estimate of each process of one run.
        denominator_logs: The same of the other.
        confidence: Probability with which the interval covers the true ratio.

    Raises:
        ValueError: For no processes, estimates that are not finite, or a confidence that is none.
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must lie between 0 and 1; got {confidence}")
    above, below = (np.asarray(logs, dtype=np.float64) for logs in (numerator_logs, denominator_logs))
    for logs in (above, below):
        if logs.size == 0 or not np.isfinite(logs).all():
            raise ValueError("each run must have finite estimates of its processes")
    middle = float(above.mean() - below.mean())
    if min(above.size, below.size) < 2:
        return Interval(float(np.exp(middle)), 0.0, float("inf"))
    variances = [float(logs.var(ddof=1)) / logs.size for logs in (above, below)]
    squares = sum(v**2 / (logs.size - 1) for v, logs in zip(variances, (above, below), strict=True))
    half = 0.0
    if squares > 0.0:
        freedom = sum(variances) ** 2 / squares
        half = float(stdtrit(freedom, 0.5 + confidence / 2.0) * np.sqrt(sum(variances)))
    return Interval(*(float(np.exp(middle + sign * half)) for sign in (0.0, -1.0, 1.0)))


def each_of_two(confidence: float) -> float:
    """The confidence of each of two intervals that are both right at once with `confidence` (Bonferroni)."""
    return 1.0 - (1.0 - confidence) / 2.0


def quotient(numerator: Interval, denominator: Interval) -> Interval:
    """The ratio of two positive quantities: where both intervals contain theirs, this one contains the ratio."""
    return Interval(
        numerator.estimate / denominator.estimate,
        numerator.low / denominator.high,
        numerator.high / denominator.low if denominator.low > 0.0 else float("inf"),
    )


def _require_times(times: npt.NDArray[np.float64]) -> None:
    if times.size == 0:
        raise ValueError("no samples")
    if not (np.isfinite(times).all() and (times > 0.0).all()):
        raise ValueError("samples must be positive, finite seconds")


def _sign_test(values: npt.NDArray[np.float64], confidence: float) -> tuple[float, float, float]:
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must lie between 0 and 1; got {confidence}")
    ordered = np.sort(values)
    n = ordered.size
    # The largest k with P(Bin < k) = P(Bin <= k - 1) <= tail: how many of P(Bin <= 0), P(Bin <= 1), ... are.
    tail = (1.0 - confidence) / 2.0
    k = int(np.searchsorted(bdtr(np.arange(n // 2 + 1), n, 0.5), tail, side="right"))
    middle = float(np.median(ordered))
    if k < 1:
        return middle, -np.inf, np.inf
    return middle, float(ordered[k - 1]), float(ordered[n - k])
