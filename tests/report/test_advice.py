"""The advice in sentences."""

import re

from bench.analysis.advise import advise
from bench.report.terminal.advice import lines
from tests.analysis.test_advise import textbook, with_two_threads
from tests.factories import COSTS, run_of_costs


def test_one_call_and_many() -> None:
    one = list(lines(advise(run_of_costs(), 1_000, 64), "results/some run"))
    assert one[0] == "Use numpy_vectorized for m = 1,000, n_x = 64 (order F, 1 thread)."
    assert one[1] == "A call takes 30.8 µs [30.8 µs, 30.8 µs] (measured)." and one[2] == "1 call takes 30.8 µs."
    assert "For many calls: numba_fused, 9.4 µs [9.4 µs, 9.4 µs] per call once compiled." in one
    (turn,) = [line for line in one if line.startswith("With other numbers of calls")]
    assert re.fullmatch(r".*: above about (47|48|49|50|51),000 numba_fused\.", turn)
    assert "With another m: the same." in one
    assert "Compiling numba_fused pays off against numpy_vectorized after 46,729 calls, so it does not for 1." in one
    assert one[-1] == "From results/some run, a run on a CPU, 2026-01-01."
    many = list(lines(advise(run_of_costs(), 1_000, 64, calls=10**8), ""))
    assert not any(line.startswith("For many calls") for line in many) and "100,000,000 calls take" in many[2]


def test_compiling_that_never_pays() -> None:
    slow = run_of_costs({"numba_loop": (1e-3, 1e-6, 1e-8), "numpy_vectorized": COSTS["numpy_vectorized"]})
    text = " ".join(lines(advise(slow, 1_000, 64, calls=10), "a folder"))
    assert "never pays off here: no compiled kernel is faster than numpy_vectorized." in text


def test_estimates_and_extrapolations_say_so() -> None:
    run = run_of_costs(compiling=0.0)
    assert "(est., 95% prediction interval)." in list(lines(advise(run, 3_000, 20), ""))[1]
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
