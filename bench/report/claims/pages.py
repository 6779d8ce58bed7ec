"""`report.html` and `report.md` of a run of claims, and its table for a terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
from rich.table import Table as RichTable
from rich.text import Text

from bench import words
from bench.claims import outcome
from bench.claims.results import ClaimResult, Claims
from bench.machine import card
from bench.report.claims import figure, sentences, sweep, tables
from bench.report.section import Answer, Section
from bench.report.style import SETTINGS
from bench.report.tables import Column, Table
from bench.report.write import write_sections

TERMINAL_WIDTH = 130  # what the table of claims needs
METHOD = [
    "The ways of a claim must agree, within a stated tolerance, before they are timed, and what their last samples "
    "returned must agree too. They then take turns, in rounds, in several fresh processes, one after another. A "
    "process estimates a time as on a quiet machine: the 10th percentile of its samples. A ratio is the median over "
    "the processes, and its interval that of Student's t on them.",
    "A size is the published one where its setup and one call of each way fit into ten seconds over all processes, "
    "and else the largest of its half, fifth, tenth, ... that does. unloop reproduce --full takes the published sizes.",
]


def write(claims: Claims, folder: Path) -> Path:
    """Write report.html and report.md into a folder, with the figures beside them; returns the page's path."""
    with mpl.rc_context(SETTINGS):
        made = sections(claims)
    return write_sections(made, byline(claims), folder)


def byline(claims: Claims) -> str:
    """Where and when it was measured."""
    machine = claims.machine
    return f"claims, on {machine.cpu} ({machine.threads_available} threads), {claims.date[:10]}"


def sections(claims: Claims) -> list[Section]:
    """The sections of the page."""
    plot = figure.plot(claims)
    answer = Section(
        "answer",
        "Published speed-ups, measured again" if tables.published(claims) else "Measured by size",
        [sentences.headline(claims)],
        plots=[plot] if plot is not None else [],
        warnings=[f"FAIL {line}." for line in outcome.failures(claims)]
        + ([] if claims.complete else ["Interrupted: what follows rests on fewer processes."]),
    )
    made = [answer]
    made += [Section(r.card.id, r.card.title, [r.card.story], plots=[sweep.plot(r)]) for r in claims.claims if r.sweep]
    if paragraphs := [Answer(heading(r), sentences.paragraph(r)) for r in tables.published(claims)]:
        made.append(Section("claims", "Claim by claim", answers=paragraphs))
        made.append(Section("ways", "Every way", tables=[tables.ways(r) for r in tables.published(claims)]))
        made.append(Section("rules", "What the verdicts mean", METHOD, items=sentences.rules()))
    else:
        made.append(Section("method", "How it was measured", METHOD[:1]))
    made.append(Section("machine", "The machine", tables=[_machine(claims)]))
    return made


def heading(result: ClaimResult) -> str:
    """The claim's id and title."""
    return f"{result.card.id}: {result.card.title}"


def _machine(claims: Claims) -> Table:
    rows = [
        *card.describe(claims.machine),
        ("Date", claims.date),
        ("Processes", f"{claims.plan.processes}"),
        ("Seed", f"{claims.plan.seed}"),
        ("Took", words.seconds(claims.wall)),
        ("unloop", claims.version),
    ]
    return Table("The machine", [Column("what"), Column("here")], rows, prose=True)


def terminal(claims: Claims) -> Iterator[Any]:
    """What a terminal shows: the table of claims, the table of each sweep, and what failed."""
    if tables.published(claims):
        yield _rich(tables.table(claims))
        yield Text(sentences.headline(claims), style="bold")
    for result in claims.claims:
        if result.sweep:
            yield _rich(tables.sweep(result))
            yield Text("\n".join(sentences.sweep_sentences(result)))
    for line in outcome.failures(claims):
        yield Text(f"FAIL {line}", style="bold red")


def _rich(table: Table) -> RichTable:
    shown = RichTable(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for k, heading_text in enumerate(table.headings):
        last = heading_text in ("verdict", "claim")
        shown.add_column(heading_text, justify="left" if k < table.keys or last else "right", no_wrap=True)
    for row in table.text:
        shown.add_row(*(Text(cell) for cell in row))
    return shown
