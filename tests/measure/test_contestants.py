"""Who takes part in a cell, and what a run records of each."""

import numpy as np
import pytest

from bench.grid import EXPLAINED, Cell, Plan
from bench.measure import contestants
from bench.measure.contestants import (
    bytes_needed,
    contestant,
    describe_kernels,
    kernels_in,
    labels_in,
    names_for,
    problem_of,
)
from bench.problem import make_problem
from bench.results import BASELINES, CONTROL, LOOP, READ, VECTORIZED
from kernels import DESCENTS, KERNELS
from kernels.controlled import CONTROLLED
from kernels.peers import PEERS
from tests import factories


def test_one_thread_takes_all_kernels_and_more_threads_those_that_use_them() -> None:
    assert names_for(Cell(10, 2)) == list(KERNELS)
    assert names_for(factories.cell(10, 2, threads=2)) == [n for n, k in KERNELS.items() if k.threads == "all"]


def test_a_kernel_takes_part_in_its_own_dtypes() -> None:
    single = factories.cell(10, 2).with_setting(dtype="float32")
    assert set(names_for(factories.cell(10, 2))) - set(names_for(single)) == {"python_lists"}
    problem = problem_of(single, 3)
    assert problem.dtype == "float32" and np.array_equal(problem.X, make_problem(10, 2, 3).X.astype(np.float32))
    trained = problem_of(factories.cell(569, 30, problem="breast_cancer").with_setting(dtype="float32"), 0)
    assert trained.dtype == "float32" and trained.m == 569


def test_peers_that_are_installed_join_where_they_are_named() -> None:
    installed = [name for name, kernel in PEERS.items() if kernel.missing is None]
    assert installed  # scikit-learn and numexpr are there for the tests
    assert names_for(Cell(10, 2), PEERS) == [*KERNELS, *installed]


def test_training_runs_have_contestants_of_their_own() -> None:
    training = Cell(569, 30, problem="breast_cancer", iterations=10)
    names = names_for(training)
    assert set(names) == {*KERNELS, *DESCENTS}
    for name, kernel in DESCENTS.items():
        assert names.index(name) == names.index(str(kernel.grew_from)) + 1
        assert contestant(name).kernel is kernel and kernel.trains_only
    assert not set(DESCENTS) & set(names_for(training.with_setting(threads=2)))


def test_a_cell_has_what_is_wanted_and_its_baselines() -> None:
    plan = Plan(factories.preset(), own={"mine": "mine.py"})
    names = ["numba_fused", "mine", "numba_loop"]
    assert kernels_in(plan, Cell(10, 2), names) == [LOOP, "numba_loop", VECTORIZED, "numba_fused", "mine"]
    two = factories.cell(10, 2, threads=2)
    assert kernels_in(plan, two, names) == [VECTORIZED, "mine"]
    assert labels_in(plan, two, names) == [VECTORIZED, "mine", CONTROL]
    assert set(BASELINES) <= set(kernels_in(plan, Cell(10, 2), ()))


def test_variants_are_measured_where_the_preset_explains() -> None:
    explaining, plain = (Plan(factories.preset(causes=causes)) for causes in (True, False))
    cell = Cell(*EXPLAINED[0])
    one, all_ = (labels_in(explaining, cell.with_setting(threads=threads), ()) for threads in (1, 2))
    assert {*CONTROLLED} <= {*one, *all_} and not {*one} & {*all_} & {*CONTROLLED}
    assert [name for name in all_ if name in CONTROLLED] == [n for n, k in CONTROLLED.items() if k.stands_for]
    for plan, other in ((explaining, Cell(11, 2)), (plain, cell)):
        assert not {*labels_in(plan, other, ())} & {*CONTROLLED}


def test_the_ruler_stands_where_x_comes_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(factories.preset(ceilings=True))
    monkeypatch.setattr(contestants, "LAST_BYTES", 1_000)
    assert labels_in(plan, Cell(200, 2), ())[-1] == READ
    assert READ not in labels_in(plan, Cell(10, 2), ())
    assert READ not in labels_in(plan, Cell(200, 2, problem="breast_cancer", iterations=5), ())
    assert READ not in labels_in(Plan(factories.preset()), Cell(200, 2), ())


def test_what_stands_behind_a_label() -> None:
    assert contestant(CONTROL) == contestant(VECTORIZED)
    assert contestant(READ).kernel is contestants.RULER and not contestant(READ).judged
    for name, kernel in {**KERNELS, **CONTROLLED}.items():
        assert contestant(name).kernel is kernel and contestant(name).judged
    with pytest.raises(KeyError, match="nobody"):
        contestant("nobody")


def test_memory_counts_copies_of_x_and_what_peers_keep() -> None:
    cell = Cell(1_000_000, 10)
    alone = bytes_needed(cell, [VECTORIZED])
    assert alone - contestants.SPARE_BYTES == 3 * cell.nbytes
    vectors = contestants.PEER_VECTORS * 8 * cell.m
    in_order_c = factories.cell(1_000_000, 10, order="C")
    wanting = {
        layout: [name for name, peer in PEERS.items() if peer.layout == layout] for layout in ("C", "F", "either")
    }
    assert all(wanting.values())
    for copied, here, names in (
        (1, cell, wanting["C"]),
        (0, in_order_c, wanting["C"]),
        (0, cell, wanting["F"]),
        (1, in_order_c, wanting["F"]),
        (0, cell, wanting["either"]),
        (1, cell, list(PEERS)),
    ):
        assert bytes_needed(here, names) - alone == copied * cell.nbytes + len(names) * vectors


def test_every_kernel_is_described_in_ladder_order() -> None:
    cards = describe_kernels(PEERS)
    ladder = [name for name in cards if name in KERNELS]
    assert ladder == list(KERNELS) and set(cards) == {*KERNELS, *DESCENTS, *PEERS}
    assert list(cards)[-len(PEERS) :] == list(PEERS)
    for name, card in cards.items():
        kernel = contestant(name).kernel
        assert (card.title, card.change, card.threads) == (kernel.title, kernel.change, kernel.threads)
        assert (card.compiles, card.missing, card.own) == (kernel.compiles, kernel.missing, None)
