"""Two processes, one time: whether the clock of a process that calls unknown code runs as this one's does."""

import time

RAW = getattr(time, "CLOCK_MONOTONIC_RAW", None)  # no program can change it, and no time server
SLACK_SECONDS, SLACK = 0.01, 0.1  # a time server may hurry or slow the clock that times the samples


def now() -> float:
    """Seconds, by a clock that is not the one with which samples are timed where the system has another."""
    return time.perf_counter() if RAW is None else time.clock_gettime(RAW)


class Compared:
    """The clock of another process, which tells its time with each answer: never before it was asked, nor after."""

    def __init__(self) -> None:
        self._first: tuple[float, float, float] | None = None

    def differs(self, asked: float, theirs: float, answered: float) -> bool:
        """Whether the other clock was changed since its first answer.

        Args:
            asked: Seconds by this process's clock before the question.
            theirs: Seconds by the other's when it answered.
            answered: Seconds by this process's clock after the answer.
        """
        if self._first is None:
            self._first = asked, theirs, answered
        asked_first, theirs_first, answered_first = self._first
        least, most, took = asked - answered_first, answered - asked_first, theirs - theirs_first
        slack = SLACK_SECONDS + SLACK * most
        return not least - slack <= took <= most + slack  # NaN is neither
