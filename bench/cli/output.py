"""Standard output as the commands use it: plain text, on any terminal, into a pipe that closes or a disk that is full.

What is printed comes from outside (paths, messages of exceptions, names of files), so none of it is markup; what a
terminal can't show is replaced. Where standard output can't be written to, the command continues: its end says so.
"""

import codecs
import io
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console

from bench.words import one_line

REPLACED = "unloop-replaced"  # the name of the error handler below
PLAIN = str.maketrans({"µ": "u", "×": "x", "±": "+-", "–": "-", "−": "-", "→": "->", "↓": "v", "“": '"', "”": '"'})
USUAL_WIDTH = 80


class _Surviving(io.FileIO):
    """A file that swallows what it can't write, and remembers why."""

    error: OSError | None = None

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        if self.error is None:
            try:
                return super().write(data)
            except OSError as error:
                self.error = error
        return len(data)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """What stands for the characters that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end].translate(PLAIN)
    return letters.encode("ascii", "replace").decode(), error.end


@contextmanager
def surviving() -> Iterator[_Surviving | None]:
    """Inside, printing never raises; yields what remembers why the output could not be written, if it is a file.

    A terminal is left as it is: its disk is never full, and when it goes its programs get a signal.
    """
    codecs.register_error(REPLACED, _replaced)
    before = sys.stdout
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=REPLACED)
    if not isinstance(before, io.TextIOWrapper) or before is not sys.__stdout__ or before.isatty():
        yield None
        return
    file = _Surviving(before.fileno(), "w", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(file), encoding=before.encoding, errors=REPLACED, line_buffering=True, write_through=False
    )
    try:
        yield file
    finally:
        sys.stdout.flush()
        if file.error is not None:
            # The interpreter flushes the old one at its end; nothing is left to say there.
            os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())
        sys.stdout = before


def console(stderr: bool = False) -> Console:
    """A console that takes no text for markup, as wide as the terminal is, or as one usually is; progress on stderr."""
    plain = Console(file=sys.stderr if stderr else sys.stdout, markup=False, emoji=False, highlight=False)
    if plain.width < 1:  # COLUMNS=0
        plain.width = USUAL_WIDTH
    return plain


def complain(message: str) -> None:
    """Print what was wrong, in one line, as far as there is anything to print to."""
    with suppress(OSError):
        print(f"unloop: {one_line(message)}", file=sys.stderr, flush=True)


def command(*words: str | Path) -> str:
    """A command line as a reader can paste it, such as unloop run --resume 'my run'."""
    return shlex.join(["unloop", *map(str, words)])
