"""`report.md`, `report.html` and `appendix.html` of a run, with its figures and `run.json` beside them."""

import re
from collections.abc import Callable, Sequence
from io import BytesIO, StringIO
from pathlib import Path
from typing import Literal, NamedTuple

import jinja2
import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image

from bench.files import replaced
from bench.report import page
from bench.report.charts import Plot
from bench.report.section import Section
from bench.report.style import SETTINGS
from bench.report.svg import inline
from bench.results import Run, runjson

FOLDER = "plots"
PAGE, APPENDIX = "report.html", "appendix.html"
COLORS = 256  # of a light PNG, which is a third as large; no shade is off by more than a tenth

Progress = Callable[[str], None]
Figures = Literal["all", "open"]


class Link(NamedTuple):
    """Where a page links to, and what the link says."""

    href: str
    title: str


def _silent(_: str) -> None:
    pass


def write(run: Run, folder: Path, progress: Progress = _silent, figures: Figures = "all") -> Path:
    """Write run.json, the figures, report.md, report.html and appendix.html into a run folder; returns the page's path.

    Args:
        run: The run.
        folder: Its folder.
        progress: Called with the name of each figure before it is drawn.
        figures: "open" for a folder that takes little space: only the page's figures, only as light PNG, and no
            run.json. Page and appendix still show all of them.
    """
    if figures == "all":
        runjson.write(run, folder)
    return _write(page.sections(run), page.appendix(run), byline(run), folder, progress, figures)


def write_sections(
    sections: Sequence[Section], line: str, folder: Path, progress: Progress = _silent, figures: Figures = "all"
) -> Path:
    """Write sections as report.md and report.html, with their figures; returns the path of the page.

    Args:
        sections: The first is the answer.
        line: What was measured, where and when.
        folder: Where to.
        progress: See `write`.
        figures: See `write`.
    """
    return _write(sections, [], line, folder, progress, figures)


def _write(
    chapters: Sequence[Section],
    more: Sequence[Section],
    line: str,
    folder: Path,
    progress: Progress,
    figures: Figures,
) -> Path:
    """Write a page, and its appendix if there is more."""
    plots = _plots([*chapters, *more])
    svgs, pictures = {}, {}
    for k, plot in enumerate(plots):
        progress(plot.name)
        svgs[plot.name] = _svg(plot.figure)
        pictures[plot.name] = _picture(plot, svgs[plot.name], f"f{k}")
    kept = plots if figures == "all" else [plot for plot in _plots(chapters) if not plot.fold]
    _save(kept, folder / FOLDER, svgs if figures == "all" else {})
    environment = _environment(pictures)
    about = {"byline": line, "files": {plot.name for plot in kept}}
    pages: list[tuple[str, str, Sequence[Section], str, Link | None]] = [
        ("report.md", "report.md.jinja", [*chapters, *more], chapters[0].title, None),
        (PAGE, "report.html.jinja", chapters, chapters[0].title, Link(APPENDIX, "Appendix: all tables")),
        (APPENDIX, "report.html.jinja", more, "Appendix", Link(PAGE, "Back to the page")),
    ]
    for name, template, sections, title, other in pages if more else [pages[0], (*pages[1][:4], None)]:
        context = {"sections": sections, "title": title, "other": other, "is_page": name == PAGE}
        with replaced(folder / name) as new:
            new.write_text(environment.get_template(template).render(about | context), encoding="utf-8")
    return folder / PAGE


def draw(run: Run, folder: Path, progress: Progress = _silent) -> list[Path]:
    """Draw only the figures of a run, as SVG and PNG into `plots` of its folder; returns their paths."""
    svgs = {}
    plots = _plots([*page.sections(run), *page.appendix(run)])
    for plot in plots:
        progress(plot.name)
        svgs[plot.name] = _svg(plot.figure)
    return _save(plots, folder / FOLDER, svgs)


def byline(run: Run) -> str:
    """What was run, where and when."""
    machine = run.header.machine
    return (
        f"{run.plan.preset.name} grid, {run.problem}, on {machine.cpu} ({machine.threads_available} threads), "
        f"{run.header.before.date[:10]}"
    )


def _plots(sections: Sequence[Section]) -> list[Plot]:
    return [plot for section in sections for plot in section.plots]


def _picture(plot: Plot, svg: str, prefix: str) -> str:
    """A figure as the page shows it: one for wide screens and one for telephones, or one that a telephone scrolls."""
    wide = inline(svg, prefix, plot.words)
    if plot.narrow is None:
        return f'<div class="pan box" tabindex="0" role="group" aria-label="Figure: {plot.name}">{wide}</div>'
    narrow = inline(_svg(plot.narrow), f"{prefix}n", plot.words)
    return f'<div class="both"><div class="pan wide">{wide}</div><div class="pan narrow">{narrow}</div></div>'


def _svg(figure: Figure) -> str:
    text = StringIO()
    with mpl.rc_context(SETTINGS):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def _png(plot: Plot, light: bool) -> bytes:
    image = BytesIO()
    with mpl.rc_context(SETTINGS):
        plot.figure.savefig(image, format="png")
    if not light:
        return image.getvalue()
    few = Image.open(image).convert("RGB").quantize(COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(smaller := BytesIO(), "png", optimize=True)
    return smaller.getvalue()


def _save(plots: Sequence[Plot], folder: Path, svgs: dict[str, str]) -> list[Path]:
    """Save figures as PNG, and these SVGs beside them, or light PNGs alone; files of an earlier drawing are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    saved = []
    for plot in plots:
        saved.append(folder / f"{plot.name}.png")
        with replaced(saved[-1]) as new:
            new.write_bytes(_png(plot, light=not svgs))
    for name, svg in svgs.items():
        saved.append(folder / f"{name}.svg")
        with replaced(saved[-1]) as new:
            new.write_text(svg, encoding="utf-8")
    for old in {*folder.glob("*.svg"), *folder.glob("*.png")} - set(saved):
        old.unlink()
    return sorted(saved)


def _environment(pictures: dict[str, str]) -> jinja2.Environment:
    """The templates, with the filters that they use; `pictures` maps the name of a figure to its SVG in the page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bench.report", "templates"),
        autoescape=lambda name: name is not None and "html" in name,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["picture"] = pictures.__getitem__
    environment.filters["unbroken"] = lambda words: re.sub(r"\b(m|n_x) = ", "\\1\u00a0=\u00a0", words)
    environment.filters["slug"] = lambda words: re.sub(r"\W+", "-", words.lower()).strip("-")
    return environment
