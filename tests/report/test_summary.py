"""How a run ends in the terminal: short, from its data, and whatever it lacks."""

import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bench.report.terminal import summary
from bench.report.terminal.layout import NARROWEST
from bench.results import CONTROL, LOOP, VECTORIZED, CellResult, Run, load
from bench.results.records import Price, Skipped
from tests import factories
from tests.conftest import ROOT
from tests.factories import cell, kernel_card

FOLDER = Path("results", "20261124-213216-quick")
TIMES = {LOOP: 1.44e-2, "numba_loop": 3.9e-5, VECTORIZED: 2.9e-5, CONTROL: 2.9e-5, "numba_fused": 9.4e-6}
SMALL = {LOOP: 1.42e-4, "numba_loop": 1.2e-6, VECTORIZED: 1.5e-5, CONTROL: 1.5e-5, "numba_fused": 1.2e-6}


def agreed(seconds: dict[str, float]) -> dict[str, object]:
    return dict.fromkeys(seconds, object())


def made(more: list[CellResult] | None = None, **facts: object) -> Run:
    slow = {LOOP: Skipped(cell="", kernel=LOOP, reason="too slow", predicted=1.4)}
    large = {name: 100 * seconds for name, seconds in TIMES.items() if name != LOOP}
    cells = [
        factories.result(cell(10, 32), SMALL, agreement=agreed(SMALL)),
        factories.result(cell(1_000, 32), TIMES, agreement=agreed(TIMES)),
        factories.result(cell(100_000, 32), large, skipped=slow, agreement=agreed(large)),
    ]
    return factories.run([*cells, *(more or [])], **facts)  # type: ignore[arg-type]


def printed(run: Run, columns: int = 80) -> str:
    return "\n".join(line.text for line in summary.lines(run, FOLDER, columns))


def flat(text: str) -> str:
    """The text as one line."""
    return " ".join(text.replace("\\\n", "").split())


def test_a_made_run_by_hand() -> None:
    text = printed(replace(made(), wall=82.0))
    assert text.startswith("unloop tiny grid, a CPU, 2 cores, 82 s. All 4 kernels agree with the reference.\n")
    # 14.4 ms by 29 µs, then 142 µs by 15 µs; no spread, so the two ends need a third digit.
    assert "NumPy is 500× faster than the Python loop (95% interval 497 to 497)" in text
    assert "(m = 1,000, n_x = 32, one thread; over the grid 9.5× to 500×)" in text
    rows = [line for line in text.splitlines() if re.search(r"[µm]s|m = 10 ", line) and "  " in line][:5]
    assert [re.split(r"  +", row) for row in rows] == [
        ["time per step, n_x = 32", "m = 10", "m = 1,000", "m = 100,000"],
        ["Python loop", "140 µs", "14 ms", "1.4 s est."],
        ["same loop, Numba", "1.2 µs", "39 µs", "3.9 ms"],
        ["NumPy, vectorized", "15 µs", "29 µs", "2.9 ms"],
        ["numba_fused", "1.2 µs", "9.4 µs", "940 µs"],
    ]
    # 14.4 ms by 32,000 numbers; (2.9 ms - 15 µs) by 3,200,000.
    assert "Why    The Python loop spends 450 ns on every number of X. NumPy spends 15 µs" in text
    assert "then 0.9 ns on every number." in flat(text)
    assert "Pick   m = 10: numba_loop or numba_fused (a tie), 12× faster than NumPy" in text
    assert "       m = 100,000: numba_fused, 3.1× faster than NumPy" in text
    assert "Trust  0 of 3 cells disturbed" not in text and "; 0 of 3 cells disturbed" in text
    assert "Page   results/20261124-213216-quick/report.html" in text
    assert "More   unloop report results/20261124-213216-quick --tables" in text


def test_compiling_is_weighed_where_its_price_is_known() -> None:
    priced = replace(made(), prices={"numba_fused": Price("numba_fused", 5.7, 0.2, 1e-5)})
    # 5.7 s by 19.6 µs saved a step.
    assert "few steps (under 290,000 at m = 1,000): NumPy; compiling numba_fused takes 5.7 s" in flat(printed(priced))
    assert "few steps" not in printed(made())


@pytest.mark.parametrize("folder", ["tests/data/tiny", "results/reference"])
def test_it_is_short_and_fits_at_every_width(folder: str) -> None:
    run = load(ROOT / folder)
    for columns in (0, 60, 72, 80, 100, 200):
        lines = printed(run, columns).splitlines()
        assert len(lines) <= summary.MOST_LINES
        assert max(map(len, lines)) <= max(columns, NARROWEST)
        # Nothing of it is lost where it is narrow.
        assert flat("\n".join(lines)) == flat(printed(run, 100))


def test_commands_are_never_cut(run: Run) -> None:
    long = Path("results", "a folder with spaces and a name that is far longer than any terminal is wide")
    lines = [line.text for line in summary.lines(run, long, 60)]
    assert lines[-1] == f"         '{long}' --tables" or lines[-1].endswith("--tables")
    assert f"'{long}'" in "\n".join(lines) and f"Page   {long / 'report.html'}" in lines


def test_failures_come_first_and_are_counted() -> None:
    failed = {f"bad{k}": f"bad{k}: dw is wrong (dw[0] = 1.11, expected 0.139)" for k in range(5)}
    text = printed(made([factories.result(cell(100, 32), TIMES, failed=failed)]))
    lines = text.splitlines()
    assert "5 kernels failed; 4 agree with the reference." in " ".join(lines[:2])
    assert lines[2].startswith("FAIL at m = 100, n_x = 32, order F, 1 thread: bad0: dw is wrong")
    assert sum(line.startswith("FAIL") for line in lines) == 3 and "and 2 more failed kernels: see the page" in lines


def test_a_user_s_own_kernel_has_a_place_and_a_row() -> None:
    result = factories.result(cell(1_000, 32), TIMES | {"mine": 1.5e-5}, agreement=agreed(TIMES))
    cards = {name: kernel_card(name) for name in result.kernels}
    cards["mine"] = msgspec.structs.replace(cards["mine"], own="mine.py")
    text = printed(factories.run([result], cards))
    assert "mine lies between numpy_vectorized and numba_fused at m = 1,000, n_x = 32" in " ".join(text.split())
    assert re.search(r"^mine +15 µs$", text, re.MULTILINE)


def test_what_disturbed_the_machine_is_said() -> None:
    busy = factories.result(cell(100, 32), TIMES, disturbed=["other processes kept 0.8 cores busy"])
    text = printed(replace(made([busy]), warnings=["before the run, other processes kept 1.2 cores busy"]))
    assert "1 of 4 cells disturbed; before the run, other processes kept 1.2 cores busy" in flat(text)


def test_what_a_run_lacks_is_left_out() -> None:
    empty = printed(factories.run([]))
    assert empty.startswith("unloop tiny grid, a CPU, 2 cores. No kernel was measured.\nInterrupted: only what")
    assert "NumPy is" not in empty and "Trust" not in empty and "advise" not in empty
    alone = printed(factories.run([factories.result(cell(1_000, 32), {"numba_fused": 1e-5})]))
    assert "NumPy is" not in alone and "Why" not in alone and "Pick" not in alone
    assert re.search(r"^numba_fused +10 µs$", alone, re.MULTILINE)


def test_a_training_run() -> None:
    where = cell(569, 30, problem="breast_cancer", iterations=1_000)
    run = factories.run([factories.result(where, TIMES, agreement=agreed(TIMES))], problem="breast_cancer")
    text = printed(run)
    assert text.startswith("unloop training on breast_cancer, a CPU")
    assert "(m = 569, n_x = 30, one thread, 1,000 iterations)" in text
    assert "training, 1,000 iterations" in text and "Why" not in text and "advise" not in text
