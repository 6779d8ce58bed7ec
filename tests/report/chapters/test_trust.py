"""The chapter on trust: what failed, what was skipped, what disturbed the machine, and how far to trust the rest."""

import math
from dataclasses import replace

import msgspec
import pytest

from bench.report import runtables
from bench.report.chapters import trust
from bench.results import CONTROL, LOOP, VECTORIZED, CellResult, Run
from bench.results.cell import Samples
from bench.results.place import Moment
from bench.results.quality import Trust
from bench.results.quality import trust as quality_of
from bench.results.records import Resumed, Ruled, Skipped
from tests import factories
from tests.factories import cell, kernel_card

TIMES = {VECTORIZED: 1e-5, CONTROL: 1e-5, "numba_loop": 1e-6}
WHERE = "m = 10, n_x = 2, order F, 1 thread"


def test_the_figures_of_trust() -> None:
    exceeded = ["numba_loop at a cell: 2.0 threads busy"]
    quality = Trust(312.0, 45.12, 0.473, 0.27, 0.93, 0.03, 6, 0.0213, 0.004, 0.123, 41.23, 0.0123, exceeded)
    assert trust.trust_lines(quality) == [
        "The run took 312 s, 45 s of it to compile; 47% of the rest was spent inside samples.",
        "A/A control: a kernel timed against itself was within 1% of 1 in 27% of the cells; its 95% interval contained "
        "1 in 93%.",
        "Noise floor: 1.2% (median over the cells); smaller differences count as ties.",
        "3% of the speed-ups over numpy_vectorized are precise to ± 5%.",
        "6 processes: a speed-up varies by 2% from process to process, and by 0.4% within one (standard deviation, "
        "median of all).",
        "12% of the rounds were busy: a fixed piece of work took at least 20% longer than usual. The measuring process "
        "lost its processor 41 times a second.",
        "More threads than allowed: numba_loop at a cell: 2.0 threads busy.",
    ]


def test_a_process_that_was_stopped_is_seen_and_its_time_is_not_that_of_the_kernel() -> None:
    wall = [1e-3] * 40 + [12.0]
    samples = Samples(1, range(41), wall, [1e-3] * 41)
    made = factories.run([CellResult(cell(10, 2), {"numba_loop": samples})], wall=13.0)
    assert samples.stalled.tolist() == [False] * 40 + [True]
    assert made.cells[0].sample_seconds() == pytest.approx(0.04)
    quality = quality_of(made)
    assert (quality.stalled, quality.stalled_seconds) == (1, 12.0) and quality.in_samples < 0.01
    assert trust.trust_lines(quality)[-1].startswith(
        "1 sample took 12 s altogether and hardly any CPU time: the process"
    )
    # A kernel that works for long, one that waits in every sample, and what a neighbour does in a moment.
    for calm in (
        Samples(1, range(3), [1e-3, 1e-3, 12.0], [1e-3, 1e-3, 12.0]),
        Samples(1, [0, 1], [9.0, 9.1], [0.0, 0.0]),
    ):
        assert not calm.stalled.any()
    assert not Samples(1, range(3), [1e-3, 1e-3, 0.05], [1e-3] * 3).stalled.any()


def test_busy_rounds_are_counted_by_the_ruler() -> None:
    usual, slow = Ruled(1e-5, 4e-5, 0), Ruled(1e-5, 5e-5, 3)
    run = factories.run([factories.result(cell(10, 2), TIMES, ruler=[usual, usual, usual, slow])])
    quality = quality_of(run)
    assert quality.busy == 0.25
    assert quality.switches == pytest.approx(3 / run.cells[0].sample_seconds())
    nothing = quality_of(factories.run([factories.result(cell(10, 2), TIMES)]))
    assert math.isnan(nothing.busy) and not any("busy:" in line for line in trust.trust_lines(nothing))


def test_how_the_measuring_process_fared() -> None:
    peak = 300 * 2**20
    run = factories.run([factories.result(cell(1_024, 1_024), TIMES)], peak_bytes=float(peak))
    assert trust.history_lines(run) == ["Peak memory 300 MiB; the largest X takes 8 MiB."]
    dates = [Moment("2026-01-02T00:00:00+00:00", 0.1), Moment("2026-01-03T00:00:00+00:00", 0.1)]
    again = replace(run, peak_bytes=float("nan"), resumed=[Resumed(before=date) for date in dates])
    assert trust.history_lines(again) == [
        "The run was interrupted and resumed 2 times (2026-01-02T00:00:00+00:00, 2026-01-03T00:00:00+00:00); nothing "
        "was measured twice."
    ]
    assert "resumed once (2026-01-02" in trust.history_lines(replace(again, resumed=again.resumed[:1]))[0]


def test_a_failure_is_named_once_with_its_reason_first_met() -> None:
    reason = "bad: dw is wrong (dw[0] = 1.11, expected 0.139); is the 1/m missing?"
    one, other, third = (
        factories.result(cell(m, 2), TIMES, failed={"bad": reason if m == 10 else "bad: again"}) for m in (10, 20, 30)
    )
    run = factories.run([one, other, third])
    line = f"at {WHERE} and in 2 more cells: {reason}"
    assert trust.failed_words(run) == [line]
    section = trust.section(run)
    assert section is not None and section.warnings[0] == f"FAIL {line}."
    (alone,) = trust.failed_words(factories.run([one]))
    assert alone.startswith(f"at {WHERE}: bad: dw is wrong")


def test_what_was_not_run_and_why() -> None:
    slow = {LOOP: Skipped(cell="", kernel=LOOP, reason="a call would take about 0.5 s, ...", predicted=0.5)}
    large = {"sklearn_loss": Skipped(cell="", kernel="sklearn_loss", reason="needs 3 GiB")}
    results = [
        factories.result(cell(10, 2), TIMES, skipped=slow | large),
        factories.result(cell(20, 2), TIMES, skipped=slow),
    ]
    names = ("python_loop", VECTORIZED, "numba_loop", "sklearn_loss", "numexpr_gradient")
    cards = {name: kernel_card(name) for name in names}
    cards["numexpr_gradient"] = kernel_card("numexpr_gradient", missing="numexpr")
    assert trust.skipped_words(factories.run(results, cards)) == [
        "python_loop in 2 cells: a call would take up to 500 ms (est.); this grid's limit is 100 ms",
        "sklearn_loss in 1 cell: needs 3 GiB",
        "numexpr_gradient: numexpr is not installed",
    ]


def test_warnings_stand_beside_their_cell() -> None:
    disturbed = factories.result(cell(10, 2), TIMES, disturbed=["it rained"])
    run = factories.run([disturbed, factories.result(cell(20, 2), TIMES)], warnings=["it was cold"])
    assert trust.warning_lines(run) == ["it was cold", f"{WHERE}: it rained"]
    section, detail = trust.section(run), trust.detail(run)
    assert section is not None and detail is not None
    assert section.warnings == ["Warning: it was cold."]
    assert section.items[-1] == "1 of 2 cells have a warning; the appendix lists them."
    assert f"{WHERE}: it rained." in detail.items
    assert [row[:2] for row in runtables.time_table(run, run.cells, "").text] == [["2", "10 (!)"], ["2", "20"]]


def test_the_section_of_a_recorded_run(run: Run) -> None:
    section, detail = trust.section(run), trust.detail(run)
    assert section is not None and section.id == "method" and detail is not None
    assert any(line.startswith("Not run: python_loop in 1 cell: a call would take up to ") for line in detail.items)
    assert [table.title for table in detail.tables] == [f"Cores used, {setting.label}" for setting in run.settings]


def test_a_marked_size_is_still_a_number(run: Run) -> None:
    noisy = next(result for result in run.cells if result.warnings)
    n_x, m = runtables.shape(noisy)
    assert (n_x, m) == (noisy.cell.n_x, noisy.cell.m) and msgspec.json.encode(int(m)) == str(noisy.cell.m).encode()
    frame = runtables.time_table(run, run.cells, "").frame()
    assert frame["m"].max() == max(result.cell.m for result in run.cells)
