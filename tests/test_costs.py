"""The cost model on runs whose costs are known; crossovers worked by hand; the advice."""

import os
import re
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.analysis import advise, costmodel
from bench.analysis.costmodel import TooFewCells, data_bytes, fit
from bench.cli import commands
from bench.cli.options import WrongUse
from bench.grid import Cell
from bench.measure.engine import CONTROL
from bench.results import journal
from bench.results.run import CellResult, Run
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
    assert outside.outside and any("extrapolation" in line for line in advise.lines(outside, "a folder"))


def test_compiling_counts() -> None:
    run = made()
    assert advise.advise(run, 1_000, 64, calls=1).offers[0].kernel == "numpy_vectorized"
    assert advise.advise(run, 1_000, 64, calls=10**8).offers[0].kernel == "numba_fused"
    # numpy_vectorized 30.8 µs, numba_fused 9.4 µs: 1 s of compiling takes 46,729 calls.
    told = " ".join(advise.lines(advise.advise(run, 1_000, 64), "a folder"))
    assert "paid back against numpy_vectorized after 46,729 calls, so it is not paid back by 1" in told
    slow = made(true={"numba_loop": (1e-3, 1e-6, 1e-8), "numpy_vectorized": TRUE["numpy_vectorized"]})
    assert "never paid back" in " ".join(advise.lines(advise.advise(slow, 1_000, 64, calls=10), "a folder"))


def test_one_call_and_many() -> None:
    one = list(advise.lines(advise.advise(made(), 1_000, 64), "results/some run"))
    assert one[0] == "Use numpy_vectorized for m = 1,000, n_x = 64 (order F, 1 thread)."
    assert one[2] == "1 call takes 30.8 µs." and "For many calls: numba_fused, 9.4 µs [9.4 µs, 9.4 µs] a call" in one[4]
    # 46,729 calls, and what the next of 24 steps a decade is, in two digits.
    (told,) = [line for line in one if line.startswith("With other numbers of calls")]
    assert re.fullmatch(r".*: above about (47|48|49|50|51),000 numba_fused\.", told)
    assert "With another m: the same." in one
    assert one[-1] == "From results/some run, a run on a CPU, 2026-01-01."
    many = list(advise.lines(advise.advise(made(), 1_000, 64, calls=10**8), ""))
    assert not any(line.startswith("For many calls") for line in many) and "100,000,000 calls take" in many[2]


def test_where_all_threads_are_allowed_one_may_be_used() -> None:
    run = made(compiling=0.0)
    for result in list(run.cells):
        cell = result.cell
        both = CellResult(Cell(cell.m, cell.n_x, threads=2))
        seconds = 2e-5 + 0.5 * (2e-9 * cell.m + 1e-10 * cell.m * cell.n_x)
        both.seconds, both.rounds = {"numba_fused_parallel": [seconds] * 9}, {"numba_fused_parallel": list(range(9))}
        run.cells.append(both)
    run.header["kernels"] = {n: {**k, "threads": "one"} for n, k in run.header["kernels"].items()}
    run.header["kernels"]["numpy_vectorized"]["threads"] = "all"
    run.header["kernels"]["numba_fused_parallel"] = {**run.header["kernels"]["numba_fused"], "threads": "all"}
    # Half of 8.4 µs is less than the 20 µs that it takes to wake two threads; half of 840 µs is not.
    few = advise.advise(run, 1_000, 64, threads="all")
    assert few.offers[0].label == "numba_fused (one thread)" and few.offers[0].measured
    told = list(advise.lines(few, ""))
    assert told[0] == "Use numba_fused (one thread) for m = 1,000, n_x = 64 (order F, 2 threads)."
    # 1 µs + m 8.4 ns against 20 µs + m 4.2 ns: about 4,500, and a lead of 5%.
    assert any(re.match(r"With another m: above about (4|5|6),\d00 numba_fused_parallel", line) for line in told)
    assert advise.advise(run, 100_000, 64, threads="all").offers[0].label == "numba_fused_parallel"
    # What was measured with one thread of a kernel that can use more is no offer here.
    assert "numpy_vectorized" not in {offer.kernel for offer in few.offers}
    assert not any(offer.one_thread for offer in advise.advise(run, 1_000, 64).offers)


def test_a_kernel_whose_cost_fails_is_left_out_and_it_is_said() -> None:
    faster = made(compiling=0.0, true={"numba_loop": TRUE["numba_loop"], "numpy_textbook": (1e-7, 1e-9, 1e-10)})
    found = advise.advise(faster, 1_000, 64)
    assert [offer.kernel for offer in found.offers] == ["numba_loop"]
    (told,) = [line for line in advise.lines(found, "") if line.startswith("Left out")]
    # 7.5 µs of 73.4 µs.
    assert told.startswith("Left out: numpy_textbook, which would take 0.10 of that: its cost is wrong once")
    slower = made(compiling=0.0, true={"numba_loop": TRUE["numba_loop"], "numpy_textbook": (1e-3, 1e-6, 1e-9)})
    assert not any(line.startswith("Left out") for line in advise.lines(advise.advise(slower, 1_000, 64), ""))


def test_the_run_that_answers_by_default(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="no run to answer from"):
        commands._default_run(tmp_path)
    for age, name in enumerate(("newest", "older")):
        (tmp_path / name).mkdir()
        (tmp_path / name / journal.FILE).touch()
        os.utime(tmp_path / name / journal.FILE, (10**9 - age, 10**9 - age))
    assert commands._default_run(tmp_path) == tmp_path / "newest"
    (tmp_path / "reference").mkdir()
    # A folder that holds no run answers nothing.
    assert commands._default_run(tmp_path) == tmp_path / "newest"
    (tmp_path / "reference" / journal.FILE).touch()
    os.utime(tmp_path / "reference" / journal.FILE, (1, 1))
    assert commands._default_run(tmp_path) == tmp_path / "reference"


def test_wrong_use_of_advise() -> None:
    for wrong in ({"m": 0}, {"n_x": 0}, {"calls": 0}, {"order": "K"}, {"threads": "3"}):
        with pytest.raises(WrongUse):
            advise.advise(made(), **{"m": 10, "n_x": 8, **wrong})  # type: ignore[arg-type]


def test_the_command(command: Command) -> None:
    done = command("bench", "advise", "--m", "10", "--n-x", "0", "nowhere")
    assert done.returncode == 2 and done.stderr.startswith("unloop: nowhere holds no samples.jsonl")
