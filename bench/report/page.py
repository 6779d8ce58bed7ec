"""The page: its chapters in order, those left out for which the run has nothing to show."""

from collections.abc import Callable

import matplotlib as mpl

from bench.report.chapters import (
    accuracy,
    answer,
    causes,
    compiling,
    crossovers,
    ladder,
    limits,
    machine,
    maps,
    numbers,
    questions,
    training,
    trust,
    trust_experiment,
)
from bench.report.section import Section
from bench.report.style import SETTINGS
from bench.results import Run

CHAPTERS: tuple[Callable[[Run], Section | None], ...] = (
    answer.section,
    training.section,
    ladder.section,
    numbers.section,
    crossovers.section,
    causes.section,
    maps.section,
    limits.section,
    compiling.section,
    accuracy.section,
    questions.section,
    trust.section,
    trust_experiment.section,
    machine.section,
)


def sections(run: Run) -> list[Section]:
    """The sections that a run has something for, in the order of the page."""
    made = []
    for chapter in CHAPTERS:
        with mpl.rc_context(SETTINGS):
            section = chapter(run)
        if section is not None:
            made.append(section)
    return made
