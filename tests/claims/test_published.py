"""Every published claim: complete, and its ways agree on a small problem."""

from typing import Any

import numpy as np
import pytest

from bench.claims import Array
from bench.claims.agreement import Disagreement, error
from bench.claims.published import PUBLISHED, load
from bench.claims.sizes import smallest

WANTED = {"gradient-1970", "ng-dot", "numba-logreg", "log-likelihood"}


def test_there_are_enough_of_them() -> None:
    assert len(PUBLISHED) >= 18 and set(PUBLISHED) >= WANTED
    assert len(set(PUBLISHED)) == len(PUBLISHED)
    with pytest.raises(KeyError):
        load("ng-dott")


@pytest.mark.parametrize("claim_id", PUBLISHED)
def test_its_ways_agree(claim_id: str) -> None:
    claim = load(claim_id).claim
    n = min(smallest(claim.n), 60)
    judged = [way for way in claim.named.values() if way.judged and way.missing is None]
    outputs = {way.name: way.call(claim.arguments(n, seed=3)) for way in judged}
    for name, output in outputs.items():
        assert error(claim, n, output, outputs[judged[0].name], claim.arguments(n, seed=3)) <= 1.0, name


@pytest.mark.parametrize("claim_id", PUBLISHED)
def test_its_file_says_all_that_is_known(claim_id: str) -> None:
    loaded = load(claim_id)
    claim, source = loaded.claim, loaded.claim.source
    first, _, rest = loaded.about.partition("\n")
    assert first.endswith(".") and len(rest) > 80
    assert source is not None and all(source) and 2010 <= source.year <= 2026
    assert claim.shape != "size {n}" and claim.work is not None and claim.work(claim.n).nbytes > 0
    assert claim.tolerance != 1e-9, "a tolerance from theory, or one that is said to be none"
    printed = [way.printed for way in claim.named.values() if way.printed is not None]
    assert all(0.0 < seconds < 1000.0 for seconds in printed)
    nothing = not printed and claim.ratios[0].stated is None
    assert nothing == (claim_id == "numpy-asv-rank1")
    for cause in claim.causes:
        assert not cause.words.endswith(".")


def test_the_gate_of_a_claim_can_fail() -> None:
    """One wrong number in what a published way returns."""
    for claim_id in ("ng-dot", "vdp-pairwise", "hpp-diffusion", "numba-sum-sqrt", "numpy-asv-rank1"):
        claim = load(claim_id).claim
        n, (first, *_) = min(smallest(claim.n), 40), claim.named.values()
        arguments = claim.arguments(n, seed=3)
        right = first.call(claim.arguments(n, seed=3))
        with pytest.raises(Disagreement, match="off by"):
            error(claim, n, _wrong(right), right, arguments)


def _wrong(right: Any) -> Array:
    """The same with a last number that is wrong in the sixth digit."""
    array = np.array(right, dtype=np.float64)
    array.flat[-1] += 1e-6 * max(1.0, abs(float(array.flat[-1])))
    return array
