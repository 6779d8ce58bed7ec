"""`report.md` and `report.html` of a run, with its figures and `run.json` beside them."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jinja2

from bench.files import replaced
from bench.report import page, plots
from bench.report.charts import Plot
from bench.report.svg import inline
from bench.results import runjson
from bench.results.run import Run


def context(run: Run, drawn: Sequence[Plot]) -> dict[str, Any]:
    """All that the templates show."""
    machine = run.header["machine"]
    return {
        "run": run,
        "byline": (
            f"{run.header['grid']} grid, {run.problem}, on {machine['cpu']} "
            f"({machine['threads_available']} threads), {run.header['before']['date'][:10]}"
        ),
        "sections": page.sections(run, drawn),
    }


def write(run: Run, folder: Path, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Draw the figures and write run.json, report.md and report.html into a run folder; returns the page's path."""
    runjson.write(run, folder)
    drawn = plots.save(run, folder / "plots", progress)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bench.report", "templates"),
        autoescape=lambda name: name is not None and "html" in name,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    pictures = {
        plot.name: inline(folder / "plots" / f"{plot.name}.svg", f"f{k}", plot.caption) for k, plot in enumerate(drawn)
    }
    environment.filters["picture"] = pictures.__getitem__
    environment.filters["unbroken"] = lambda words: re.sub(r"\b(m|n_x) = ", "\\1\u00a0=\u00a0", words)
    environment.filters["slug"] = lambda words: re.sub(r"\W+", "-", words.lower()).strip("-")
    shown = context(run, drawn)
    for name in ("report.md", "report.html"):
        with replaced(folder / name) as new:
            new.write_text(environment.get_template(f"{name}.jinja").render(shown), encoding="utf-8")
    return folder / "report.html"
