"""Prediction beside measurement, at each shape of the explained cells: a row for each controlled pair.

A pair is compared in the cell of one thread, from the rounds that the two share; threads themselves in the cell of
all. Where there the one of a single thread was not measured, it is taken from its own cell, and the two are not paired.
"""

from dataclasses import dataclass

from bench import stats
from bench.analysis import predictions
from bench.report.chapters import causes
from bench.report.chapters.causes import PAIRS, Pair
from bench.report.tables import Table, bounds_text
from bench.results.run import CellResult, Run
from bench.stats import Interval

SAME = {"numba_fused": "pair: fused blocks, one thread"}  # the same function, in the cells of all threads


@dataclass(frozen=True)
class Measured:
    """The factor of a change, the cell that says so, and whether it is from the same rounds."""

    ratio: Interval
    result: CellResult
    paired: bool


def shapes(run: Run) -> dict[tuple[int, int], str]:
    """(m, n_x) of the explained cells -> its heading."""
    found = dict.fromkeys((each.cell.m, each.cell.n_x) for each in causes.chosen(run))
    return {(m, n_x): f"m = {m:,}, n_x = {n_x:,}" for m, n_x in found}


def measured(run: Run, pair: Pair, m: int, n_x: int) -> Measured | None:
    """The factor of a pair at m and n_x; None where it was not measured."""
    results = [each for each in causes.chosen(run) if (each.cell.m, each.cell.n_x) == (m, n_x)]
    one = next((each for each in results if each.cell.threads == 1), None)
    if pair.predict is not predictions.threads:
        ratio = one.speedup(pair.before, pair.after) if one else None
        return Measured(ratio, one, True) if one and ratio else None
    for each in results:
        if each.cell.threads > 1 and pair.after in each.seconds:
            ratio = each.speedup(SAME.get(pair.before, pair.before), pair.after)
            if ratio is not None:
                return Measured(ratio, each, True)
            if one is not None and pair.before in one.seconds:
                return Measured(stats.ratio(one.seconds[pair.before], each.seconds[pair.after]), each, False)
    return None


def told(run: Run, pair: Pair) -> tuple[list[str], str, str] | None:
    """For each shape prediction, factor and verdict; what differences say; and what the prediction follows from.

    None where the pair was not measured at all.
    """
    said = []
    lessons, reasons = dict[str, None](), dict[str, None]()
    for shape in shapes(run):
        found = measured(run, pair, *shape)
        if found is None:
            said.append("–")
            continue
        shown = bounds_text(found.ratio)
        if found.result.cell.threads > 1:
            shown += f" with {found.result.cell.threads} threads" + ("" if found.paired else ", not paired")
        predicted = pair.predict(run, found.result, pair.before, pair.after)
        if isinstance(predicted, str):
            said.append(f"measured {shown}")
            reasons[f"not predicted: {predicted}"] = None
            continue
        verdict, _, lesson = predictions.verdict(predicted, found.ratio, pair.more, pair.less).partition(". ")
        said.append(f"predicted {predicted.text}, measured {shown}; {verdict}")
        reasons[predicted.why] = None
        lessons |= {lesson: None} if lesson else {}
    return (said, " ".join(lessons) or "–", "; ".join(reasons)) if reasons else None


def table(run: Run) -> Table | None:
    """A row for each pair: what its prediction follows from, and at each shape prediction and measurement."""
    rows = []
    for pair in PAIRS:
        found = told(run, pair)
        if found is not None:
            said, lessons, why = found
            rows.append([pair.cause, why, *said, lessons])
    columns = ["cause", "predicted from", *shapes(run).values(), "where they differ"]
    title = "Each cause predicted from counted work, and measured"
    return Table(title, columns, rows, prose=True, stacked=True) if rows else None
