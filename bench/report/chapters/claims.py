"""Published speed-ups beside what was measured here, where `unloop reproduce` has written claims.json into the run."""

from bench.claims import results
from bench.report.claims import figure, sentences
from bench.report.section import Section
from bench.results import Run


def section(run: Run) -> Section | None:
    """The section of the page; None where the run's folder has no claims that were measured at one size."""
    claims = results.load(run.folder) if run.folder is not None else None
    plot = figure.plot(claims) if claims is not None else None
    if claims is None or plot is None:
        return None
    lead = [
        sentences.headline(claims),
        "What others have published about loops and vectorized code, written again and measured with the same clock. "
        "A claim is reproduced where the measured ratio is within a factor of 1.5 of the printed one.",
    ]
    others = [result for result in claims.claims if result.verdict != "reproduced" and not result.sweep]
    items = [f"{result.card.id}. {' '.join(sentences.paragraph(result)[:3])}" for result in others]
    return Section("claims", "Published results, reproduced", lead, plots=[plot], items=items)
