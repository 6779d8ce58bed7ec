"""How far a measuring session is, and how long it will still take."""

import time
from collections.abc import Callable, Sequence

from bench.grid import Cell, Preset
from bench.measure.engine import Calibrated, Event, Round
from bench.report.terminal import seconds_text


class Watch:
    """Adds up the seconds of samples that are planned and done; a session's `on_event`.

    Args:
        cells: The cells that will be measured.
        preset: Says how long a cell may take, until its calibration says how long it will.
        tell: Told a line at every tenth of the way.
    """

    def __init__(self, cells: Sequence[Cell], preset: Preset, tell: Callable[[str], None] = lambda _: None) -> None:
        self._planned = {cell: preset.budget * (9 if cell.threads == 1 else 4) for cell in cells}
        self._per_round: dict[Cell, float] = {}
        self._done = 0.0
        self._tell = tell
        self._told = 0
        self._start = time.perf_counter()

    def __call__(self, cell: Cell, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, Calibrated):
            self._planned[cell] = event.seconds
            self._per_round[cell] = event.seconds / event.rounds
            if len(self._per_round) == 1 or len(self._per_round) % 10 == 0:
                self._tell(f"  {len(self._per_round)} of {len(self._planned)} cells are ready: {cell.label}")
        elif isinstance(event, Round):
            self._done += self._per_round[cell]
            tenth = int(10 * self.fraction)
            if tenth > self._told:
                self._told = tenth
                self._tell(f"  {10 * tenth}% measured, {self.words}")

    @property
    def fraction(self) -> float:
        """The share of the samples that is done, from 0 to 1."""
        return min(1.0, self._done / sum(self._planned.values()))

    @property
    def ready(self) -> int:
        """How many cells have been calibrated."""
        return len(self._per_round)

    @property
    def words(self) -> str:
        """The time left, in words, once there is something to tell it from."""
        if self.fraction < 0.02:
            return "getting ready"
        left = (time.perf_counter() - self._start) * (1.0 / self.fraction - 1.0)
        return f"about {left / 60:.0f} min left" if left > 90 else f"about {seconds_text(max(1, round(left)))} left"
