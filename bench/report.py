"""`report.md` and `report.html` of a run, with its figures and `run.json` beside them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2

from bench import costs, crossovers, machine, plots, runjson, summary
from bench.drawing import Plot, of_variant, variant_words, variants
from bench.results import LOOP, VECTORIZED, CellResult, Run
from bench.tables import Table, bounds_text, digits


def headline(run: Run) -> str:
    """The answer in one sentence: vectorized over looped, at the largest one-thread cell where both were timed."""
    both = [(r, r.speedup(LOOP, VECTORIZED)) for r in run.cells if r.cell.threads == 1]
    timed = [(r, ratio) for r, ratio in both if ratio is not None]
    if not timed:
        return "The Python loop and the vectorized form were not both timed in any cell of this run."
    result, ratio = max(timed, key=lambda pair: (pair[0].cell.m * pair[0].cell.n_x, pair[0].cell.m))
    what = "training" if result.cell.iterations else "the gradient step"
    return (
        f"At {result.cell.label}, {what} in vectorized NumPy is {digits(ratio.estimate)} times as fast as the "
        f"Python loop (95% interval {digits(ratio.low)} to {digits(ratio.high)})."
    )


def speedup_tables(run: Run) -> list[Table]:
    """For each baseline, order and number of threads: the speed-ups of all kernels in all cells."""
    tables = []
    for baseline in (LOOP, VECTORIZED):
        for variant in variants(run):
            results = of_variant(run, variant)
            names = [n for n in run.measured if n != baseline and any(r.speedup(baseline, n) for r in results)]
            if names:
                rows = [_speedup_row(result, baseline, names) for result in results]
                title = f"Speed-up over {baseline}, {variant_words(variant)}"
                tables.append(Table(title, ["n_x", "m", f"seconds of {baseline}", *names], rows, keys=2))
    return tables


def _speedup_row(result: CellResult, baseline: str, names: list[str]) -> list[str]:
    time = bounds_text(result.median(baseline), summary.seconds_text) if baseline in result.seconds else "–"
    key = [f"{result.cell.n_x:,}", f"{result.cell.m:,}"]
    return [*key, time, *(bounds_text(result.speedup(baseline, name)) for name in names)]


def kernel_table(run: Run) -> Table:
    """The ladder, with what compiling cost."""
    compiling = run.compile_seconds()
    rows = [
        [
            name,
            run.kernels[name]["change"],
            run.kernels[name]["threads"],
            summary.seconds_text(compiling[name]) if name in compiling else "–",
        ]
        for name in run.measured
    ]
    return Table("The ladder", ["kernel", "what it changes", "threads", "first call"], rows)


def cores_tables(run: Run) -> list[Table]:
    """For each order and number of threads: how many cores each kernel kept busy, CPU seconds for each wall second."""
    tables = []
    for variant in variants(run):
        results = [result for result in of_variant(run, variant) if result.seconds]
        names = [name for name in run.measured if any(name in result.seconds for result in results)]
        rows = [
            [f"{result.cell.n_x:,}", f"{result.cell.m:,}"]
            + [f"{result.used_threads(name):.2f}" if name in result.seconds else "–" for name in names]
            for result in results
        ]
        if rows:
            tables.append(Table(f"Cores used, {variant_words(variant)}", ["n_x", "m", *names], rows, keys=2))
    return tables


def libraries(run: Run) -> list[tuple[str, str]]:
    """The versions of the peers' libraries and the thread pools of the process, as rows (what, value)."""
    versions = run.header.get("libraries", {})
    pools = [
        f"{pool['library']} {pool['version'] or ''}".strip() + f" of {pool['package']} ({pool['file']})"
        for pool in run.header.get("pools", [])
    ]
    rows = [("Peers", ", ".join(f"{name} {version}" for name, version in versions.items()))] if versions else []
    return rows + ([("Thread pools", ", ".join(pools))] if pools else [])


def agreement_table(run: Run) -> Table:
    """The largest error of each output over all cells."""
    rows = []
    for name in run.measured:
        found = [r.agreement[name] for r in run.cells if name in r.agreement]
        if found:
            rows.append(
                [name, *(f"{max(errors[out] for errors in found):.3g}" for out in ("J", "dw", "db")), str(len(found))]
            )
    columns = ["kernel", "J", "dw", "db", "cells"]
    if run.problem != "synthetic":
        columns[1:4] = ["costs", "w", "b"]
    return Table("Largest error against the reference, in units of rounding", columns, rows)


def context(run: Run, drawn: list[Plot]) -> dict[str, Any]:
    """All that the templates show."""
    before, after = run.header["before"], (run.end or {}).get("after")
    moment = [("Date", before["date"]), ("Load before", f"{before['load_1min']}")]
    if after:
        moment.append(("Load after", f"{after['load_1min']}"))
    return {
        "run": run,
        "headline": headline(run),
        "interrupted": run.end is None or run.end["interrupted"],
        "machine": [*machine.describe(run.header["machine"]), *libraries(run), *moment],
        "trust": summary.trust_lines(run.trust()),
        "skipped": summary.skipped_words(run),
        "failed": [reason for result in run.cells for reason in result.failed.values()],
        "tables": [kernel_table(run), *speedup_tables(run), *cores_tables(run), agreement_table(run)]
        + ([*costs.tables(run), *crossovers.tables(run)] if run.problem == "synthetic" else []),
        "plots": drawn,
    }


def write(run: Run, folder: Path, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Draw the figures and write run.json, report.md and report.html into a run folder; returns the page's path."""
    runjson.write(run, folder)
    drawn = plots.save(run, folder / "plots", progress)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bench", "."),
        autoescape=lambda name: name is not None and "html" in name,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["inline_svg"] = lambda name: _inline(folder / "plots" / f"{name}.svg", name)
    shown = context(run, drawn)
    for name in ("report.md", "report.html"):
        (folder / name).write_text(environment.get_template(f"{name}.jinja").render(shown), encoding="utf-8")
    return folder / "report.html"


def _inline(path: Path, name: str) -> str:
    """An SVG without its XML header, its ids made unlike those of the page's other figures."""
    text = path.read_text(encoding="utf-8")
    svg = text[text.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\g<1>{name}-", svg)
    return re.sub(r' width="[\d.]+pt" height="[\d.]+pt"| height="[\d.]+pt"| width="[\d.]+pt"', "", svg, count=2)
