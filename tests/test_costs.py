"""The cost model on runs whose costs are known; crossovers worked by hand; the advice."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from bench import advise, costmodel
from bench.costmodel import TooFewCells, data_bytes, fit
from bench.engine import CONTROL
from bench.face import WrongUse
from bench.grid import Cell
from bench.results import CellResult, Run
from tests.conftest import Command

MS, N_XS = (10, 100, 1_000, 10_000, 100_000, 1_000_000), (1, 8, 64, 512)
TRUE: dict[str, tuple[float, float, float]] = {
    "numba_fused": (1e-6, 2e-9, 1e-10),
    "numpy_vectorized": (1e-5, 8e-9, 2e-10),
    "numba_loop": (8e-7, 1.5e-8, 9e-10),
}


def made(
    noise: float = 0.0, seed: int = 0, far: float = 1.0, compiling: float = 1.0, true: Any = TRUE, ms: Any = MS
) -> Run:
    """A run made of known costs; elements outside the L2 cost `far` times as much."""
    rng = np.random.default_rng(seed)
    cells = []
    for n_x, m in product(N_XS, ms):
        result = CellResult(Cell(m, n_x))
        for name, (a, c, d) in true.items():
            beyond = far if data_bytes(m, n_x) > 0.75 * 2**20 else 1.0
            seconds = (a + c * m + d * beyond * m * n_x) * float(np.exp(noise * rng.standard_normal()))
            for label in (name, CONTROL) if name == "numpy_vectorized" else (name,):
                result.seconds[label], result.rounds[label] = [seconds] * 9, list(range(9))
            result.first_call[name] = compiling
        cells.append(result)
    kernels = {n: {"title": n, "change": "", "compiled": n.startswith("numba"), "missing": None} for n in true}
    header = {"problem": "synthetic", "kernels": kernels, "before": {"date": "2026-01-01"}}
    return Run(header | {"machine": {"cpu": "a CPU", "caches": {"L2": 2**20, "L3": 2**25}}}, cells, None)


@pytest.mark.parametrize("name", TRUE)
def test_known_costs_are_recovered(name: str) -> None:
    costs = fit(made(), name)
    found = [costs.per_call.estimate, costs.per_example.estimate, costs.per_element.estimate]
    assert found == pytest.approx(TRUE[name], rel=1e-6)
    assert costs.levels[0].name == "anywhere" and len(costs.levels) == 1


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    covered: list[bool] = []
    for seed in range(25):
        costs = fit(made(0.05, seed, true={"numba_loop": TRUE["numba_loop"]}), "numba_loop")
        for number, true in zip(
            (costs.per_call, costs.per_example, costs.per_element), TRUE["numba_loop"], strict=True
        ):
            covered.append(true in number)
    # Of 75 intervals of 95%, from as few as 24 cells each; resampling is known to promise a little too much.
    assert np.mean(covered) >= 0.8


def test_no_cost_is_negative() -> None:
    for seed in range(10):
        costs = fit(made(0.3, seed, true={"numba_loop": (0.0, 1e-8, 0.0)}), "numba_loop")
        assert costs.per_call.low >= 0.0 and all(level.per_element.low >= 0.0 for level in costs.levels)


def test_a_second_level_is_found_where_there_is_one_and_only_there() -> None:
    two = fit(made(0.01, far=4.0), "numpy_vectorized")
    assert two.levels[0].name == "L2" and len(two.levels) == 2
    assert two.levels[1].per_element.estimate / two.levels[0].per_element.estimate == pytest.approx(4.0, rel=0.2)
    assert len(fit(made(0.01), "numpy_vectorized").levels) == 1


def test_a_cell_left_out_does_not_enter_its_own_prediction() -> None:
    run = made(0.02)
    before = fit(run, "numba_loop")
    run.cells[7].seconds["numba_loop"] = [50.0 * t for t in run.cells[7].seconds["numba_loop"]]
    after = fit(run, "numba_loop")
    same = [
        (a.predicted, b.predicted)
        for a, b in zip(before.held_out, after.held_out, strict=True)
        if (a.m, a.n_x) == (run.cells[7].cell.m, run.cells[7].cell.n_x)
    ]
    assert len(same) == 1 and same[0][0] == pytest.approx(same[0][1], rel=1e-12)
    assert max(after.held_out_errors) > max(before.held_out_errors)
    assert [c.predicted for c in before.held_out] != [c.predicted for c in after.held_out]


def test_the_fits_of_a_run_are_kept() -> None:
    run = made()
    assert costmodel.fit_all(run, ("F", 1)) is costmodel.fit_all(run, ("F", 1))
    assert costmodel.fit_all(made(), ("F", 1)) is not costmodel.fit_all(run, ("F", 1))


def test_too_few_cells_are_refused_and_said_so() -> None:
    run = made(ms=(10,))
    with pytest.raises(TooFewCells, match="numba_loop: timed in 4 cells"):
        fit(run, "numba_loop")
    fitted, refused = costmodel.fit_all(run, ("F", 1))
    assert not fitted and len(refused) == len(TRUE)


def test_advice_measured_predicted_and_outside() -> None:
    run = made(compiling=0.0)
    measured = advise.advise(run, 1_000, 64)
    assert measured.offers[0].kernel == "numba_fused" and measured.offers[0].measured and not measured.outside
    predicted = advise.advise(run, 3_000, 20)
    assert predicted.offers[0].seconds.estimate == pytest.approx(1e-6 + 2e-9 * 3_000 + 1e-10 * 60_000)
    assert not predicted.offers[0].measured
    outside = advise.advise(run, 10**8, 64)
    assert outside.outside and any("extrapolation" in line for line in advise.lines(outside))


def test_compiling_counts() -> None:
    run = made()
    assert advise.advise(run, 1_000, 64, calls=1).offers[0].kernel == "numpy_vectorized"
    assert advise.advise(run, 1_000, 64, calls=10**8).offers[0].kernel == "numba_fused"
    # numpy_vectorized 30.8 µs, numba_fused 9.4 µs: 1 s of compiling takes 46,729 calls.
    told = " ".join(advise.lines(advise.advise(run, 1_000, 64)))
    assert "paid back against numpy_vectorized after 46,729 calls, so it is not paid back by 1" in told
    slow = made(true={"numba_loop": (1e-3, 1e-6, 1e-8), "numpy_vectorized": TRUE["numpy_vectorized"]})
    assert "never paid back" in " ".join(advise.lines(advise.advise(slow, 1_000, 64, calls=10)))


def test_wrong_use_of_advise() -> None:
    for wrong in ({"m": 0}, {"n_x": 0}, {"calls": 0}, {"order": "K"}, {"threads": "3"}):
        with pytest.raises(WrongUse):
            advise.advise(made(), **{"m": 10, "n_x": 8, **wrong})  # type: ignore[arg-type]


def test_the_command(command: Command) -> None:
    done = command("bench", "advise", "--m", "10", "--n-x", "0", "nowhere")
    assert done.returncode == 2 and done.stderr.startswith("unloop: nowhere holds no samples.jsonl")
