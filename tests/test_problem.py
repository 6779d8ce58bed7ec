"""Problems: the same seed, the same bits; the layout that was asked for; labels from a logistic model."""

import numpy as np
import pytest

from bench.grid import Order
from bench.problem import load_breast_cancer, make_problem


def test_the_same_seed_gives_the_same_bits_in_both_orders() -> None:
    one, two, by_feature = make_problem(50, 7, 3), make_problem(50, 7, 3), make_problem(50, 7, 3, order="C")
    for each in (two, by_feature):
        assert np.array_equal(one.w, each.w) and one.b == each.b
        assert np.array_equal(one.X, each.X) and np.array_equal(one.Y, each.Y)
    assert not np.array_equal(one.X, make_problem(50, 7, 4).X)


def test_known_bits() -> None:
    # Fails when the way problems are made changes: runs made before and after could not be compared.
    problem = make_problem(8, 2, seed=0)
    assert problem.w[0] == pytest.approx(0.2148971759635334, rel=1e-15)
    assert problem.X[0, 0] == pytest.approx(0.10296768001436127, rel=1e-15)
    assert problem.Y.tolist() == [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_a_smaller_problem_is_the_head_of_a_larger_one() -> None:
    large, small = make_problem(100, 5), make_problem(30, 5)
    assert np.array_equal(large.X[:, :30], small.X) and np.array_equal(large.Y[:30], small.Y)
    for order in ("F", "C"):
        head = make_problem(100, 5, order=order).head(30)
        assert np.array_equal(head.X, small.X)
        assert head.X.flags.f_contiguous if order == "F" else head.X.flags.c_contiguous


@pytest.mark.parametrize("order", ["F", "C"])
def test_layout_dtype_and_alignment(order: str) -> None:
    problem = make_problem(33, 5, order=order)  # type: ignore[arg-type]
    assert problem.X.shape == (5, 33) and problem.X.dtype == np.float64
    assert problem.X.flags.f_contiguous is (order == "F")
    assert problem.X.flags.c_contiguous is (order == "C")
    assert problem.X.ctypes.data % 64 == 0
    assert set(np.unique(problem.Y)) <= {0.0, 1.0} and problem.Y.shape == (33,)


@pytest.mark.parametrize("order", ["F", "C"])
def test_float32_holds_the_same_draws_rounded_once(order: Order) -> None:
    problem = make_problem(33, 5, seed=4)
    single = problem.rounded("float32", order)
    assert single.dtype == "float32" and single.w.dtype == single.X.dtype == single.Y.dtype == np.float32
    for one, rounded in ((problem.w, single.w), (problem.X, single.X), (problem.Y, single.Y)):
        assert np.array_equal(one.astype(np.float32), rounded)
    assert single.b == float(np.float32(problem.b)) != problem.b
    assert single.order == order and single.X.ctypes.data % 64 == 0
    assert single.X.flags.f_contiguous is (order == "F")
    assert single.rounded("float32", order) is single
    moved = single.at(np.full(5, 0.1), 0.1)
    assert moved.w.dtype == np.float32 and moved.b == float(np.float32(0.1)) and moved.X is single.X
    assert np.array_equal(single.head(7).X, single.X[:, :7]) and single.head(7).dtype == "float32"


def test_labels_follow_a_logistic_model_near_w() -> None:
    problem = make_problem(200_000, 8)
    z = problem.w @ problem.X + problem.b
    share = problem.Y.mean()
    assert 0.1 < share < 0.9
    # Where w says that a label is likely, it is frequent: w is near the model that drew the labels.
    assert problem.Y[z > 2.0].mean() > share > problem.Y[z < -2.0].mean()
    assert np.abs(z).max() < 30.0


def test_breast_cancer_is_whole_and_standardised() -> None:
    problem = load_breast_cancer()
    assert (problem.n_x, problem.m) == problem.X.shape == (30, 569)
    assert problem.X.mean(axis=1) == pytest.approx(np.zeros(30), abs=1e-12)
    assert problem.X.std(axis=1) == pytest.approx(np.ones(30))
    assert problem.Y.sum() == 357


def test_refuses_empty_problems_and_unknown_orders() -> None:
    with pytest.raises(ValueError, match="at least one example"):
        make_problem(0, 1)
    with pytest.raises(ValueError, match='order must be "F" or "C"'):
        make_problem(1, 1, order="A")  # type: ignore[arg-type]
