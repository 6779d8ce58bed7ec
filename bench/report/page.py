"""The page and its appendix: their chapters in order, those left out for which the run has nothing to show."""

from collections.abc import Callable, Sequence

import matplotlib as mpl

from bench.report.chapters import (
    accuracy,
    answer,
    best,
    causes,
    claims,
    compiling,
    crossovers,
    explorer,
    ladder,
    limits,
    machine,
    notes,
    numbers,
    precision,
    questions,
    scale,
    times,
    training,
    trust,
    trust_experiment,
)
from bench.report.section import Section
from bench.report.style import SETTINGS
from bench.results import Run

Chapter = Callable[[Run], Section | None]

CHAPTERS: tuple[Chapter, ...] = (
    answer.section,
    training.section,
    notes.section,
    ladder.section,
    numbers.section,
    crossovers.section,
    best.section,
    limits.section,
    compiling.section,
    accuracy.section,
    precision.section,
    claims.section,
    scale.section,
    trust.section,
    trust_experiment.section,
    machine.section,
    explorer.section,
)
# Everything else: the page links to it.
APPENDIX: tuple[Chapter, ...] = (
    questions.detail,
    causes.detail,
    best.detail,
    crossovers.detail,
    times.detail,
    numbers.detail,
    ladder.detail,
    limits.detail,
    compiling.detail,
    accuracy.detail,
    trust.detail,
)


def sections(run: Run) -> list[Section]:
    """The sections of the page that a run has something for, in order."""
    return _made(run, CHAPTERS)


def appendix(run: Run) -> list[Section]:
    """The sections of the appendix, in order."""
    return _made(run, APPENDIX)


def _made(run: Run, chapters: Sequence[Chapter]) -> list[Section]:
    made = []
    for chapter in chapters:
        with mpl.rc_context(SETTINGS):
            section = chapter(run)
        if section is not None:
            made.append(section)
    return made
