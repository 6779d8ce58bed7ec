"""What a person sees and presses while a run is measured: progress, the time left, Ctrl-C."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench import words
from bench.grid import Cell, Preset
from bench.results.records import Calibrated, EventRecord, Failed, Round

OnEvent = Callable[[Cell, EventRecord], None]
KERNELS_GUESS = {True: 9, False: 4}  # in a cell of one thread, of all; until its calibration has counted them


class Watch:
    """Adds up the seconds of samples that are planned and done; the `on_event` of a session.

    Args:
        cells: The cells that will be measured.
        preset: How long a cell may take, until its calibration is known.
        show: Called with a line at every tenth of the way.
    """

    def __init__(self, cells: Sequence[Cell], preset: Preset, show: Callable[[str], None] = lambda _: None) -> None:
        self._planned = {cell: preset.budget * KERNELS_GUESS[cell.threads == 1] for cell in cells}
        self._per_round: dict[Cell, float] = {}
        self._done = 0.0
        self._show = show
        self._shown = 0
        self._start = time.perf_counter()

    def __call__(self, cell: Cell, event: EventRecord) -> None:
        """Take note of an event."""
        match event:
            case Calibrated(seconds=seconds, rounds=rounds):
                self._planned[cell] = seconds
                self._per_round[cell] = seconds / rounds
                if self.ready == 1 or self.ready % 10 == 0:
                    self._show(f"  {self.ready} of {len(self._planned)} cells are ready: {cell.label}")
            case Round():
                self._done += self._per_round[cell]
                tenth = int(10 * self.fraction + 1e-9)
                if tenth > self._shown:
                    self._shown = tenth
                    self._show(f"  {10 * tenth}% measured, {self.words}")

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
        """The time left, in words, once enough is done to estimate it."""
        if self.fraction < 0.02:
            return "getting ready"
        left = (time.perf_counter() - self._start) * (1.0 / self.fraction - 1.0)
        return f"about {left / 60:.0f} min left" if left > 90 else f"about {words.seconds(max(1, round(left)))} left"


@contextmanager
def ctrl_c_between_events(on_event: OnEvent) -> Iterator[OnEvent]:
    """Raise KeyboardInterrupt after the event in which Ctrl-C was pressed; a second Ctrl-C does so at once.

    Inside Numba's callbacks from C it would come out as another exception, and look like a kernel that failed.
    """
    pressed = False

    def press(_signal: int, _frame: object) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def checked(cell: Cell, event: EventRecord) -> None:
        on_event(cell, event)
        if pressed:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    try:
        yield checked
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress(console: Console, preset: Preset, cells: list[Cell]) -> Iterator[OnEvent]:
    """A bar with the time left on a terminal, a line at every tenth of the way elsewhere."""

    def lines(text: str) -> None:
        if not console.is_terminal:
            console.print(text, soft_wrap=True)

    watch = Watch(cells, preset, lines)
    description, left = (TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[left]}"))
    columns = (description, BarColumn(), TimeElapsedColumn(), left)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        reported: set[str] = set()
        task = bar.add_task("starting", total=1.0, left="")

        def on_event(cell: Cell, event: EventRecord) -> None:
            watch(cell, event)
            if isinstance(event, Failed) and event.kernel not in reported:  # the summary counts the other cells
                reported.add(event.kernel)
                message = f"FAIL at {cell.label}: {event.reason}"
                bar.console.print(message, style="bold red", soft_wrap=True)
            ready = f"{watch.ready} of {len(cells)} cells: {cell.label}"
            bar.update(task, completed=watch.fraction, description=ready, left=watch.words)

        yield on_event
