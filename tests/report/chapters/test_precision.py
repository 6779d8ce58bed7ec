"""The chapter on float32: what it gains, in how many digits, and where training ends."""

import pytest

from bench.problem import Problem, load_breast_cancer
from bench.report.chapters import precision
from bench.results import LOOP, VECTORIZED, CellResult, Run
from bench.results.records import Agreed, Arithmetic, Ceiling, ReadRate
from tests import factories
from tests.factories import cell

# float32 gains nothing in the loop, twice in NumPy, and 2.5 times in the fused blocks.
TIMES = {LOOP: 9.0, VECTORIZED: 1e-2, "numba_fused": 5e-3}
GAINS = {LOOP: 1.0, VECTORIZED: 2.0, "numba_fused": 2.5}


def made(m: int, dtype: str, faster: float = 1.0) -> CellResult:
    where = cell(m, 32).with_setting(dtype=dtype)
    seconds = {name: time * m / (GAINS[name] * faster if dtype == "float32" else 1.0) for name, time in TIMES.items()}
    agreement = {name: Agreed(cell=where.id, kernel=name, J=2.0, dw=4.0, db=1.0) for name in TIMES}
    return factories.result(where, seconds, agreement=agreement)


@pytest.fixture
def both() -> Run:
    read = [ReadRate(10**4, 1e10), ReadRate(10**9, 1e10)]
    ceilings = {1: Ceiling(1, read, 1e10, 1e9, Arithmetic(2e10, 3e9))}
    results = [made(1_000, "float64"), made(100, "float64"), made(1_000, "float32"), made(100, "float32", 0.8)]
    return factories.run(results, ceilings=ceilings)


def test_what_float32_gains_in_time(both: Run) -> None:
    section = precision.section(both)
    assert section is not None
    (plot,) = section.plots
    assert plot.name == "float32-F-1t" and plot.fold == ""
    assert plot.finding == (
        "At m = 1,000, n_x = 32, numba_fused in float32 is 2.5× faster (95% interval 2.5 to 2.5): the most that a "
        "fastest kernel gains. At m = 100, n_x = 32, numba_fused in float32 is 2× faster (95% interval 2 to 2): the "
        "least."
    )
    gains, errors = section.tables
    assert gains.headings == ["m", "n_x", "setting", LOOP, VECTORIZED, "numba_fused"]
    assert [interval.estimate for interval in gains.rows[0][3:]] == pytest.approx([1.0, 2.0, 2.5])
    assert section.items == [
        "With 1 thread this machine multiplies and adds 2× as many float32 as float64 a second and takes 3× as many "
        "exponentials. It reads as many bytes, so twice as many numbers."
    ]
    assert errors.text[:2] == [
        [LOOP, "float64", "2.2e-16", "4.4e-16", "1.1e-16"],
        [LOOP, "float32", "1.2e-07", "2.4e-07", "6.0e-08"],
    ]


def test_the_limit_of_float32_is_drawn_where_it_is_known(both: Run) -> None:
    (plot,) = precision.section(both).plots  # type: ignore[union-attr]
    dashed = [line for line in plot.figure.axes[0].lines if line.get_linestyle() == "--"]
    assert len(dashed) == 1 and list(dashed[0].get_ydata()) == pytest.approx([2.0, 2.0])  # type: ignore[arg-type]


def test_a_run_in_one_dtype(both: Run) -> None:
    assert precision.section(factories.run([r for r in both.cells if r.cell.dtype == "float64"])) is None
    alone = precision.section(factories.run([r for r in both.cells if r.cell.dtype == "float32"]))
    assert alone is not None and not alone.plots
    assert [row[1] for row in alone.tables[0].rows] == ["float32"] * 3


def test_where_training_ends() -> None:
    plot = precision.training(load_breast_cancer())
    assert plot.table is not None
    (double, single) = plot.table.rows
    assert (double[0], single[0]) == precision.DTYPES
    assert single[1] == pytest.approx(double[1], rel=1e-5) and single[1] != double[1]
    assert double[2] == single[2] > 0.98
    assert double[3] is None, "no activation saturates in float64"
    assert "1,000 iterations" in plot.finding


def test_the_textbook_loses_its_cost_where_float32_saturates() -> None:
    problem = load_breast_cancer()
    steep = Problem(problem.w, problem.b, 40.0 * problem.X, problem.Y, "F")
    lost = precision._first_lost(steep, "float32")
    assert lost is not None and 1 < lost < 10
