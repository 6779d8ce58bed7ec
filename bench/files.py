"""Files that are replaced whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` once all is written; a reader sees the old file or the new.

    It keeps the suffix, by which some writers choose a format. Not synced: what is replaced can be drawn again from
    the samples.
    """
    new = path.with_name(f"new-{path.name}")
    try:
        yield new
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
