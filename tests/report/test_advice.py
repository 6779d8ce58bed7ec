"""The advice in sentences."""

import re
from dataclasses import replace
from typing import Any

import pytest

from bench.analysis.advise import advise
from bench.problem import make_problem
from bench.report.terminal.advice import lines, snippet
from bench.results.records import Price
from kernels import reference
from tests.analysis.test_advise import textbook, with_two_threads
from tests.factories import COSTS, run_of_costs


def test_one_call_and_many() -> None:
    one = list(lines(advise(run_of_costs(), 1_000, 64), "results/some run"))
    assert one[0] == "Use numpy_vectorized for m = 1,000, n_x = 64 (order F, 1 thread)."
    assert one[1] == "A call takes 31 µs (90% interval 31 µs to 31 µs)." and one[2] == "1 call takes 31 µs."
    assert "For many calls: numba_fused, 9.4 µs per call once compiled." in one
    (turn,) = [line for line in one if line.startswith("With other numbers of calls")]
    assert re.fullmatch(r".*: above about (47|48|49|50|51),000 numba_fused\.", turn)
    assert "With another m: the same." in one
    assert "Compiling numba_fused pays off against numpy_vectorized after 47,000 calls, so it does not for 1." in one
    assert one[-1] == "From results/some run, a run on a CPU, 2026-01-01."
    many = list(lines(advise(run_of_costs(), 1_000, 64, calls=10**8), ""))
    assert not any(line.startswith("For many calls") for line in many) and "100,000,000 calls take" in many[2]


def test_compiling_that_never_pays() -> None:
    slow = run_of_costs({"numba_loop": (1e-3, 1e-6, 1e-8), "numpy_vectorized": COSTS["numpy_vectorized"]})
    text = " ".join(lines(advise(slow, 1_000, 64, calls=10), "a folder"))
    assert "never pays off here: no compiled kernel is faster than numpy_vectorized." in text


def test_estimates_and_extrapolations_say_so() -> None:
    run = run_of_costs(compiling=0.0)
    predicted = list(lines(advise(run, 3_000, 20), ""))
    assert re.fullmatch(r"A call takes 13 µs est\. \(90% interval 1[23] µs to 1[34] µs\)\.", predicted[1]), predicted[1]
    assert predicted[2] == "1 call takes about 13 µs."
    assert any("extrapolation" in line for line in lines(advise(run, 10**8, 64), ""))


def test_one_thread_of_all() -> None:
    text = list(lines(advise(with_two_threads(), 1_000, 64, threads="all"), ""))
    assert text[0] == "Use numba_fused (one thread) for m = 1,000, n_x = 64 (order F, 2 threads)."
    assert any(re.match(r"With another m: above about (4|5|6),\d00 numba_fused_parallel", line) for line in text)


def test_a_kernel_whose_cost_fails() -> None:
    (line,) = [line for line in lines(textbook((1e-7, 1e-9, 1e-10)), "") if line.startswith("Left out")]
    # 73.4 µs against 7.5 µs.
    assert line.startswith("Left out: numpy_textbook. It is 9.8× faster, but its cost is wrong once")
    assert not any(line.startswith("Left out") for line in lines(textbook((1e-3, 1e-6, 1e-9)), ""))


def test_loading_and_compiling_are_told_apart() -> None:
    kept = replace(run_of_costs(), prices={"numba_fused": Price("numba_fused", 5.7, 0.2, 1e-5)})
    text = list(lines(advise(kept, 1_000, 64, calls=100_000), ""))
    assert text[2] == (
        "100,000 calls take 1.1 s, 200 ms of it to load the compiled code; the very first time, compiling takes 5.7 s."
    )
    assert "Loading numba_fused pays off against numpy_vectorized after 9,300 calls, so it does for 100,000." in text
    cold = list(lines(advise(run_of_costs(), 1_000, 64, calls=10**6), ""))
    assert cold[2] == "1,000,000 calls take 10 s, 1 s of it to compile."


def test_ties_stand_beside_the_answer() -> None:
    costs = {f"numba_{name}": (1e-6, 2e-9, factor * 1e-10) for name, factor in (("fused", 1.0), ("passes", 1.02))}
    first = next(lines(advise(run_of_costs(costs, noise=0.05, compiling=0.0), 3_000, 30), ""))
    assert re.fullmatch(r"Use numba_(fused|passes) for .* A tie with numba_(fused|passes)\.", first)


def test_what_to_paste_runs() -> None:
    once = snippet(advise(run_of_costs(compiling=0.0), 1_000, 64))
    assert once.startswith("from kernels import KERNELS\n") and "np.asfortranarray(X)" in once
    problem = make_problem(50, 3)
    names: dict[str, Any] = {"w": problem.w, "b": problem.b, "X": problem.X, "Y": problem.Y}
    exec(once, names)
    J, dw, _ = reference.cost_and_gradient(problem.w, problem.b, problem.X, problem.Y)
    assert names["J"] == pytest.approx(J) and names["dw"] == pytest.approx(dw)
    many = snippet(advise(run_of_costs(), 1_000, 64, calls=10**8))
    assert many.startswith("from kernels import KERNELS, gradient_descent, keep_on_disk\n")
    exec(many.replace("iterations=100000000", "iterations=3"), names)
    assert len(names["descent"].costs) == 3
    peer = advise(
        run_of_costs({"sklearn_loss": (1e-7, 1e-10, 1e-11), "numpy_vectorized": (1, 1, 1)}), 1_000, 64, peers=True
    )
    assert snippet(peer).startswith("from kernels.peers import PEERS\n")
    assert snippet(replace(peer, offers=[replace(peer.best, kernel="mine")])) == ""
