"""What a person sees and presses while a run is measured: progress, the time left, Ctrl-C."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench.grid import Cell, Preset
from bench.measure.progress import Watch
from bench.results.records import EventRecord, Failed

OnEvent = Callable[[Cell, EventRecord], None]


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
            console.print(text, soft_wrap=True, markup=False)

    watch = Watch(cells, preset, lines)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        reported: set[str] = set()
        task = bar.add_task("starting", total=1.0, left="")

        def on_event(cell: Cell, event: EventRecord) -> None:
            watch(cell, event)
            if isinstance(event, Failed) and event.kernel not in reported:  # the summary counts the other cells
                reported.add(event.kernel)
                message = f"FAIL at {cell.label}: {event.reason}"
                bar.console.print(message, style="bold red", soft_wrap=True, markup=False)
            description = f"{watch.ready} of {len(cells)} cells: {cell.label}"
            bar.update(task, completed=watch.fraction, description=description, left=watch.words)

        yield on_event
