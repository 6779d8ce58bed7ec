"""What a chapter makes: a section of the page, with its figures, tables and sentences."""

from dataclasses import dataclass, field

from bench.report.charts import Plot
from bench.report.tables import Table


@dataclass(frozen=True)
class Answer:
    """A question and the sentences that answer it."""

    question: str
    sentences: list[str]


@dataclass(frozen=True)
class Source:
    """The file of a kernel, and its times at the headline's cells."""

    name: str
    title: str
    change: str
    text: str
    table: Table


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
        sources: Kernels' files.
    """

    id: str
    title: str
    lead: list[str] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)

    @property
    def folds(self) -> dict[str, list[Plot]]:
        """Fold -> its figures, in order; those of the fold "" stand open."""
        folds: dict[str, list[Plot]] = {"": []}
        for plot in self.plots:
            folds.setdefault(plot.fold, []).append(plot)
        return folds

    def or_none(self) -> "Section | None":
        """The section, or None if it has nothing to show but its lead."""
        filled = self.plots or self.tables or self.items or self.warnings or self.answers or self.sources
        return self if filled else None
