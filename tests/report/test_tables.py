"""All tables of a run, in the terminal."""

from io import StringIO

import msgspec
import pytest
from rich.console import Console

from bench.report.terminal import tables as terminal
from bench.results import CONTROL, LOOP, VECTORIZED, CellResult, Run
from bench.results.records import Skipped
from kernels import KERNELS
from tests import factories
from tests.factories import cell, kernel_card

TIMES = {VECTORIZED: 1e-5, CONTROL: 1e-5, "numba_loop": 1e-6}


def printed(run: Run, width: int = terminal.WIDTH) -> str:
    console = Console(width=width, file=StringIO())
    with console.capture() as capture:
        console.print(terminal.render(run))
    return capture.get()


def test_the_tables_of_a_recorded_run(run: Run) -> None:
    text = printed(run)
    for setting in run.settings:
        assert f"Speed-up over numpy_vectorized, {setting.label}" in text
    # Two tables, for not all kernels fit in one.
    assert "Speed-up over python_loop, order F, 1 thread, continued" in text
    assert "Speed-up over python_loop, order F, 2 threads" not in text
    assert "Not run: python_loop in 1 cell" in text and "smaller differences count as ties." in text


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"failed": {LOOP: "python_loop: raised"}}, "failed"),
        ({"skipped": {LOOP: Skipped(cell="", kernel=LOOP, reason="too slow", predicted=2.0)}}, "est. 440 µs"),
        ({"skipped": {LOOP: Skipped(cell="", kernel=LOOP, reason="needs 3 GiB")}}, "not run"),
        ({}, "–"),
    ],
)
def test_a_baseline_without_a_measured_time(facts: dict[str, dict[str, str]], word: str) -> None:
    timed = factories.result(cell(10, 2), TIMES | {LOOP: 1e-4})
    lines = printed(factories.run([timed, factories.result(cell(44, 2), TIMES, **facts)])).splitlines()
    row = next(line for line in lines if line.split()[:2] == ["44", "2"])
    assert row.split("2", 1)[1].strip().startswith(word)


def test_estimated_speedups_are_marked() -> None:
    timed = factories.result(cell(10, 2), TIMES | {LOOP: 1e-4})
    slow = {LOOP: Skipped(cell="", kernel=LOOP, reason="too slow", predicted=2.0)}
    run = factories.run([timed, factories.result(cell(40, 2), TIMES, skipped=slow)], [LOOP, *TIMES])
    rows = [line.split() for line in printed(run).splitlines() if line.split()[:2] == ["40", "2"]]
    # 0.4 ms by a time that grows with m, against 10 µs and 1 µs.
    assert rows[0] == ["40", "2", "est.", "400", "µs", "est.", "40×", "est.", "400×"]
    assert rows[1][2:6] == ["10", "µs", "est.", "↓40×"]


def test_a_failure_is_printed() -> None:
    failed = factories.result(cell(10, 2), TIMES, failed={"bad": "bad: dw is wrong (dw[0] = 1.11, expected 0.139)"})
    assert "FAIL at m = 10, n_x = 2, order F, 1 thread: bad: dw is wrong" in printed(factories.run([failed]))


def test_a_user_s_own_kernel_has_a_place() -> None:
    result: CellResult = factories.result(cell(1_000, 32), TIMES | {"mine": 5e-6})
    cards = {name: kernel_card(name) for name in result.kernels}
    cards["mine"] = msgspec.structs.replace(cards["mine"], own="mine.py")
    text = printed(factories.run([result], cards), width=200)
    assert "mine lies between numpy_vectorized and numba_loop at m = 1,000, n_x = 32, order F, 1 thread" in text


def test_no_heading_is_cut_off(run: Run) -> None:
    assert "…" not in printed(run)


def test_estimates_and_large_speedups_are_not_cut_off_either() -> None:
    slow = {LOOP: Skipped(cell="", kernel=LOOP, reason="too slow", predicted=2.0)}
    fast = dict.fromkeys(KERNELS, 4.1e-5)
    timed = factories.result(cell(100, 12_288), fast | {LOOP: 0.0444})
    large = factories.result(cell(10_000_000, 12_288), {name: 4.1 for name in fast if name != LOOP}, skipped=slow)
    text = printed(factories.run([timed, large], list(KERNELS)))
    assert "1,080×" in text and "est. 4,400 s" in text and "…" not in text
