"""Times and speed-ups of every kernel: the appendix's tables."""

from bench.report.chapters import times
from bench.results import CONTROL, LOOP, VECTORIZED, Run
from tests.factories import cell, result
from tests.factories import run as made

SMALL = result(cell(10, 2), {LOOP: 140e-6, "numba_loop": 2e-6, VECTORIZED: 14e-6, CONTROL: 14e-6})
LARGE = result(cell(1_000, 512), {LOOP: 12.0, "numba_loop": 0.032, VECTORIZED: 0.008, CONTROL: 0.008})


def test_tables_for_each_setting(run: Run) -> None:
    section = times.detail(run)
    assert section is not None and not section.plots
    assert [table.title for table in section.tables] == [
        "Time of one gradient step, order F, 1 thread",
        f"Speed-up over {LOOP}, order F, 1 thread",
        f"Speed-up over {VECTORIZED}, order F, 1 thread",
        "Time of one gradient step, order F, 2 threads",
        f"Speed-up over {VECTORIZED}, order F, 2 threads",
    ]
    assert [item.split(". ")[0] for item in section.items] == ["Order F, 1 thread", "Order F, 2 threads"]


def test_extremes() -> None:
    run = made([SMALL, LARGE])
    assert times.extremes(run, run.cells, VECTORIZED) == (
        "Furthest ahead: numba_loop, 7× faster than numpy_vectorized (95% interval 7 to 7), at m = 10, n_x = 2. "
        "Furthest behind: python_loop, 1,500× slower (95% interval 1,500 to 1,500), at m = 1,000, n_x = 512."
    )
    assert times.extremes(run, run.cells, LOOP).endswith("; no kernel is slower in any cell.")
    assert times.extremes(run, run.cells, "numba_fused") == ""
