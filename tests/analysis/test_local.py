"""Estimates between the cells: exact where the model is, checked on cells left out, and honest about their error."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor

from bench.analysis.advise.local import Local, Timed, TooFewCells, _places, _terms, quantile

MS, N_XS = (10, 100, 1_000, 10_000, 100_000), (1, 4, 32, 256)


def seconds(m: float, n_x: float) -> float:
    """1 µs a call, 2 ns an example, 0.1 ns an element, and up to twice that beyond a cache of 1 MB."""
    beyond = 1.0 / (1.0 + 1e6 / (8 * m * n_x))
    return 1e-6 + 2e-9 * m + 1e-10 * (1.0 + beyond) * m * n_x


def cells(noise: float = 0.0, seed: int = 0) -> list[Timed]:
    rng = np.random.default_rng(seed)
    return [Timed(m, n_x, seconds(m, n_x) * np.exp(noise * rng.standard_normal())) for m in MS for n_x in N_XS]


def test_it_is_exact_where_the_cost_model_is() -> None:
    line = Local([Timed(m, n_x, 1e-6 + 2e-9 * m + 1e-10 * m * n_x) for m in MS for n_x in N_XS])
    estimate = line.seconds(3_000, 20)
    assert estimate.estimate == pytest.approx(1e-6 + 6e-6 + 6e-6, rel=1e-3)
    assert estimate.half_width < 0.02


def test_what_is_near_counts_more_than_the_model() -> None:
    local = Local(cells())
    sizes = np.array([[m, n_x] for m in (20, 300, 5_000, 70_000) for n_x in (2, 20, 200)], dtype=float)
    true = np.array([seconds(m, n_x) for m, n_x in sizes])
    model, near = (np.abs(np.log(times / true)) for times in (_terms(sizes) @ local._costs, local.estimates(sizes)))
    # One cost per element fits neither side of the cache.
    assert model.max() > 0.2 and near.max() < 0.1 and near.mean() < model.mean() / 3


def test_a_held_out_cell_is_estimated_from_the_others_alone() -> None:
    made = cells(0.05)
    local = Local(made)
    # The same process, with the numbers that it learned, fitted to all cells but the seventh.
    sizes = np.array([[cell.m, cell.n_x] for cell in made], dtype=float)
    others = np.arange(len(made)) != 6
    process, left = local._process, local._left
    normalized = (left - left.mean()) / left.std()
    refit = GaussianProcessRegressor(process.kernel_, optimizer=None).fit(_places(sizes[others]), normalized[others])
    expected = (refit.predict(_places(sizes[6:7]))[0] - normalized[6]) * left.std()
    assert local.errors[made[6].m, made[6].n_x] == pytest.approx(expected, rel=1e-6)


def test_the_interval_covers_what_was_left_out() -> None:
    rng, inside, widths = np.random.default_rng(3), [], []
    for seed in range(6):
        local = Local(cells(0.05, seed))
        for _ in range(25):
            m, n_x = 10 ** rng.uniform(1, 5), 10 ** rng.uniform(0, 2.4)
            interval = local.seconds(m, n_x)
            inside.append(seconds(m, n_x) * np.exp(0.05 * rng.standard_normal()) in interval)
            widths.append(interval.half_width)
    assert 0.8 <= np.mean(inside) < 1.0 and np.median(widths) < 0.3
    # Noise that can't be told from the curve makes it wider.
    assert Local(cells(0.3)).seconds(3_000, 20).half_width > 2 * np.median(widths)


def test_a_quantile_of_few_is_the_largest() -> None:
    assert quantile(np.array([3.0, 1.0, 2.0])) == 3.0
    # The 19th of 20: 0.9 of 21.
    assert quantile(np.arange(20.0)) == 18.0


@pytest.mark.parametrize("few", [cells()[:5], [cell for cell in cells() if cell.n_x == 4], cells()[:4] * 2])
def test_too_few_cells(few: list[Timed]) -> None:
    with pytest.raises(TooFewCells, match="of several m and n_x"):
        Local(few)
