"""`report.md` and `report.html` of a run, with its figures and `run.json` beside them."""

import re
from collections.abc import Callable, Sequence
from io import BytesIO, StringIO
from pathlib import Path
from typing import Literal

import jinja2
import matplotlib as mpl
from PIL import Image

from bench.files import replaced
from bench.report import page
from bench.report.charts import Plot
from bench.report.section import Section
from bench.report.style import SETTINGS
from bench.report.svg import inline
from bench.results import Run, runjson

FOLDER = "plots"
COLORS = 256  # of a light PNG, which is a third as large; no shade is off by more than a tenth

Progress = Callable[[str], None]
Figures = Literal["all", "open"]


def _silent(_: str) -> None:
    pass


def write(run: Run, folder: Path, progress: Progress = _silent, figures: Figures = "all") -> Path:
    """Write run.json, the figures, report.md and report.html into a run folder; returns the path of the page.

    Args:
        run: The run.
        folder: Its folder.
        progress: Called with the name of each figure before it is drawn.
        figures: "open" for a folder that takes little space: only figures outside a fold, only as light PNG, and no
            run.json. The page still shows all of them.
    """
    if figures == "all":
        runjson.write(run, folder)
    return write_sections(page.sections(run), byline(run), folder, progress, figures)


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
    plots = _plots(sections)
    svgs = {}
    for plot in plots:
        progress(plot.name)
        svgs[plot.name] = _svg(plot)
    kept = [plot for plot in plots if figures == "all" or not plot.fold]
    _save(kept, folder / FOLDER, svgs if figures == "all" else {})
    environment = _environment(
        {plot.name: inline(svgs[plot.name], f"f{k}", plot.caption) for k, plot in enumerate(plots)}
    )
    context = {"byline": line, "sections": sections, "files": {plot.name for plot in kept}}
    for name in ("report.md", "report.html"):
        with replaced(folder / name) as new:
            new.write_text(environment.get_template(f"{name}.jinja").render(context), encoding="utf-8")
    return folder / "report.html"


def draw(run: Run, folder: Path, progress: Progress = _silent) -> list[Path]:
    """Draw only the figures of a run, as SVG and PNG into `plots` of its folder; returns their paths."""
    svgs = {}
    plots = _plots(page.sections(run))
    for plot in plots:
        progress(plot.name)
        svgs[plot.name] = _svg(plot)
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


def _svg(plot: Plot) -> str:
    text = StringIO()
    with mpl.rc_context(SETTINGS):
        plot.figure.savefig(text, format="svg", metadata={"Date": None})
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
