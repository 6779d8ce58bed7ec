"""The advice: measured, predicted and outside; compiling; threads; when the answer changes."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from bench.analysis.advise import Advice, CantAnswer, advise, left_out, once_compiled, paid_back, turns
from bench.results import Run
from bench.results.records import Price
from bench.words import WrongUse
from tests import factories
from tests.factories import CARD, COSTS, kernel_card, run_of_costs


def test_measured_predicted_and_outside() -> None:
    run = run_of_costs(compiling=0.0)
    measured = advise(run, 1_000, 64)
    assert measured.best.kernel == "numba_fused" and measured.best.measured and not measured.outside
    predicted = advise(run, 3_000, 20)
    assert predicted.best.seconds.estimate == pytest.approx(1e-6 + 2e-9 * 3_000 + 1e-10 * 60_000, rel=1e-3)
    assert not predicted.best.measured
    assert advise(run, 10**8, 64).outside


def test_compiling_counts() -> None:
    run = run_of_costs()
    once = advise(run, 1_000, 64, calls=1)
    assert once.best.kernel == "numpy_vectorized"
    fastest = once_compiled(once)
    assert fastest is not None and fastest.kernel == "numba_fused"
    many = advise(run, 1_000, 64, calls=10**8)
    assert many.best.kernel == "numba_fused" and once_compiled(many) is None
    # numpy_vectorized 30.8 µs, numba_fused 9.4 µs: 1 s of compiling takes 46,729 calls.
    paid = paid_back(once)
    assert paid is not None and paid.compiled is not None
    assert (paid.plain.kernel, paid.compiled.kernel, paid.calls) == ("numpy_vectorized", "numba_fused", 46_729)


def test_compiling_costs_what_a_fresh_process_took() -> None:
    made = run_of_costs()
    priced = replace(made, prices={"numba_fused": Price("numba_fused", 5.7, None, 1e-5)})
    compiling = {offer.kernel: (offer.compiling, offer.start) for offer in advise(priced, 1_000, 64).offers}
    assert compiling == {"numba_fused": (5.7, 5.7), "numpy_vectorized": (0.0, 0.0), "numba_loop": (1.0, 1.0)}


def test_code_that_is_kept_on_disk_starts_at_the_price_of_loading_it() -> None:
    made = run_of_costs()
    kept = replace(made, prices={"numba_fused": Price("numba_fused", 5.7, 0.2, 1e-5)})
    answer = advise(kept, 1_000, 64, calls=20_000)
    # numpy_vectorized 30.8 µs, numba_fused 9.4 µs: 0.2 s is made up for after 9,346 calls, 5.7 s would not be.
    assert answer.best.kernel == "numba_fused" and answer.best.total(20_000) == pytest.approx(0.2 + 20_000 * 9.4e-6)
    paid = paid_back(answer)
    assert paid is not None and paid.calls == 9_346


def test_ties_are_named() -> None:
    costs = {
        "numba_fused": (1e-6, 2e-9, 1e-10),
        "numba_passes": (1e-6, 2e-9, 1.02e-10),
        "numba_loop": (8e-7, 2e-8, 9e-10),
    }
    noisy = run_of_costs(costs, noise=0.05, compiling=0.0)
    estimated = advise(noisy, 3_000, 30)
    assert {estimated.best.kernel, *(offer.kernel for offer in estimated.ties)} == {"numba_fused", "numba_passes"}
    # What is known exactly is no tie, however small the difference.
    exact = advise(run_of_costs(costs, compiling=0.0), 1_000, 64)
    assert exact.best.kernel == "numba_fused" and exact.ties == []


def test_random_sizes_make_estimates_finer() -> None:
    grid = run_of_costs(noise=0.03, compiling=0.0)
    rng = np.random.default_rng(5)
    spots = {(round(10 ** rng.uniform(1, 6)), round(10 ** rng.uniform(0, 2.7))) for _ in range(40)}
    # At every size but those of the grid, a kernel takes a fifth longer.
    off_grid = [
        factories.result(factories.cell(m, n_x), {k: 1.2 * (a + c * m + d * m * n_x) for k, (a, c, d) in COSTS.items()})
        for m, n_x in spots
    ]
    sizes = factories.run(off_grid)
    true = 1.2 * (1e-6 + 2e-9 * 2_345 + 1e-10 * 2_345 * 37)
    before, after = (advise(grid, 2_345, 37, sizes=more).best.seconds.estimate for more in (None, sizes))
    assert abs(after / true - 1) < abs(before / true - 1) / 2
    other = replace(sizes, header=msgspec.structs.replace(sizes.header, machine=msgspec.structs.replace(CARD, cpu="B")))
    with pytest.raises(CantAnswer, match="another machine"):
        advise(grid, 2_345, 37, sizes=other)
    by_feature = [factories.result(factories.cell(m, n_x, "C"), {"numba_loop": 1e-6 * m}) for m, n_x in spots]
    with pytest.raises(CantAnswer, match="can't answer for order C, 1 thread: too few cells"):
        advise(grid, 2_345, 37, order="C", sizes=factories.run(by_feature))


def test_compiling_that_never_pays() -> None:
    slow = run_of_costs({"numba_loop": (1e-3, 1e-6, 1e-8), "numpy_vectorized": COSTS["numpy_vectorized"]})
    paid = paid_back(advise(slow, 1_000, 64, calls=10))
    assert paid is not None and paid.compiled is None and paid.calls is None
    # Where nothing is compiled there is nothing to pay back.
    assert paid_back(advise(run_of_costs(compiling=0.0), 1_000, 64)) is None


def test_where_the_answer_changes() -> None:
    changes = turns(advise(run_of_costs(), 1_000, 64))
    assert changes["m"] == []
    (turn,) = changes["calls"]
    # 46,729 calls, and the next of 24 steps a decade at most.
    assert turn.above and turn.label == "numba_fused" and 46_729 <= turn.at <= 46_729 * 10 ** (1 / 24)


def with_two_threads() -> Run:
    both = [
        factories.result(
            factories.cell(result.cell.m, result.cell.n_x, threads=2),
            {"numba_fused_parallel": 2e-5 + 0.5 * (2e-9 * result.cell.m + 1e-10 * result.cell.m * result.cell.n_x)},
        )
        for result in run_of_costs().cells
    ]
    one = {name: kernel_card(name, threads="one") for name in ("numba_fused", "numba_loop")}
    all_threads = {name: kernel_card(name) for name in ("numpy_vectorized", "numba_fused_parallel")}
    return run_of_costs(compiling=0.0, more=both, cards=one | all_threads)


def test_where_all_threads_are_allowed_one_may_be_used() -> None:
    run = with_two_threads()
    # Half of 8.4 µs is less than the 20 µs that it takes to wake two threads; half of 840 µs is not.
    few = advise(run, 1_000, 64, threads="all")
    assert few.best.label == "numba_fused (one thread)" and few.best.measured
    assert few.setting.label == "order F, 2 threads"
    # 1 µs + m 8.4 ns against 20 µs + m 4.2 ns: about 4,500, and a lead of 5%.
    (turn,) = turns(few)["m"]
    assert turn.above and turn.label == "numba_fused_parallel" and 4_000 < turn.at < 7_000
    assert advise(run, 100_000, 64, threads="all").best.label == "numba_fused_parallel"
    # What was measured with one thread of a kernel that can use more is no offer here.
    assert "numpy_vectorized" not in {offer.kernel for offer in few.offers}
    assert not any(offer.one_thread for offer in advise(run, 1_000, 64).offers)


def textbook(seconds: tuple[float, float, float]) -> Advice:
    run = run_of_costs({"numba_loop": COSTS["numba_loop"], "numpy_textbook": seconds}, compiling=0.0)
    return advise(run, 1_000, 64)


def test_a_kernel_whose_cost_fails_is_left_out() -> None:
    faster = textbook((1e-7, 1e-9, 1e-10))
    assert [offer.kernel for offer in faster.offers] == ["numba_loop"]
    assert [offer.kernel for offer in left_out(faster)] == ["numpy_textbook"]
    assert left_out(textbook((1e-3, 1e-6, 1e-9))) == []


def test_peers_are_recommended_only_when_wanted() -> None:
    run = run_of_costs({"numba_loop": COSTS["numba_loop"], "torch_gradient": (1e-7, 1e-10, 1e-11)}, compiling=0.0)
    assert advise(run, 1_000, 64).best.kernel == "numba_loop"
    assert advise(run, 1_000, 64, peers=True).best.kernel == "torch_gradient"


@pytest.mark.parametrize("wrong", [{"m": 0}, {"n_x": 0}, {"calls": 0}, {"order": "K"}, {"threads": "3"}])
def test_questions_that_make_no_sense(wrong: dict[str, int | str]) -> None:
    with pytest.raises(CantAnswer, match=r"^--") as raised:
        advise(run_of_costs(), **{"m": 10, "n_x": 8, **wrong})  # type: ignore[arg-type]
    assert isinstance(raised.value, WrongUse)


def test_a_run_that_can_not_answer() -> None:
    with pytest.raises(CantAnswer, match=r"can't answer for order C, 1 thread: .*unloop run --grid quick"):
        advise(run_of_costs(), 10, 8, order="C")
