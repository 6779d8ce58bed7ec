"""What a chapter makes: a section of the page, with its figures, tables and sentences."""

from dataclasses import dataclass, field
from typing import Literal

from bench.report.charts import Plot
from bench.report.tables import Table


@dataclass(frozen=True)
class Answer:
    """A question and the sentences that answer it."""

    question: str
    sentences: list[str]


@dataclass(frozen=True)
class Code:
    """A listing with its title."""

    title: str
    text: str


@dataclass(frozen=True)
class Number:
    """A number that a reader should remember, and what it is."""

    value: str
    what: str


@dataclass(frozen=True)
class Changed:
    """A line of two listings side by side; "" where one of them has none."""

    before: str
    after: str
    kind: Literal["same", "changed"]


@dataclass(frozen=True)
class Bar:
    """A bar of a lesson: a kernel, its value in words, and its length, from 0 to 1."""

    kernel: str
    value: str
    length: float
    new: bool = False


@dataclass(frozen=True)
class Lesson:
    """A rung as a lesson.

    Attributes:
        kernel: Its name.
        title: Its number and title.
        branch: Where it leaves the main line; "" for a rung on it.
        question: What it answers.
        change: What it changes.
        before: The kernel that it grew from; "" for the first.
        diff: The lines of both.
        outcomes: Predicted and measured, a row for each cell.
        sentences: What the difference between the two shows.
        bars: How far the ladder has come.
        bars_at: The cell of the bars.
        binds: What takes the time now.
    """

    kernel: str
    title: str
    branch: str
    question: str
    change: str
    before: str
    diff: list[Changed]
    outcomes: Table | None
    sentences: list[str]
    bars: list[Bar]
    bars_at: str
    binds: list[str]


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        id: What a link to it names.
        title: Its heading.
        lead: Sentences before all else.
        plots: Its figures; those with a fold stand together behind that fold.
        tables: Tables beside those of the figures.
        items: A list of sentences.
        warnings: The same, but a reader must not miss them.
        answers: Questions and their answers.
        codes: Listings, side by side.
        numbers: What to remember.
        lessons: The rungs, one by one.
        script: A figure that moves, for readers whose browser runs scripts; the figures stand in for it elsewhere.
        notes: Sentences after all else.
    """

    id: str
    title: str
    lead: list[str] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    codes: list[Code] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    lessons: list[Lesson] = field(default_factory=list)
    script: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def folds(self) -> dict[str, list[Plot]]:
        """Fold -> its figures, in order; those of the fold "" stand open."""
        folds: dict[str, list[Plot]] = {"": []}
        for plot in self.plots:
            folds.setdefault(plot.fold, []).append(plot)
        return folds

    def or_none(self) -> "Section | None":
        """The section, or None if it has nothing to show but its lead."""
        filled = self.plots or self.tables or self.items or self.warnings or self.answers or self.lessons
        return self if filled else None
