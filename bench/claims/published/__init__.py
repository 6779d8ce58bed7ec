"""The claims, in the order in which they are shown: a module each, found by its line here."""

import importlib
from dataclasses import dataclass
from typing import Any

from bench.claims.claim import Claim

MODULES = (
    "gradient_1970",
    "ng_dot",
    "ng_300",
    "coursera_dot_1e7",
    "coursera_exp_1e7",
    "pdsh_reciprocal",
    "pdsh_sum",
    "pdsh_min",
    "fpn_outer_sum",
    "fpn_walk",
    "fpn_add_lists",
    "fpn_add",
    "hpp_diffusion",
    "vdp_pairwise",
    "cookbook_mandelbrot",
    "cookbook_numexpr",
    "numexpr_2a3b",
    "numexpr_pow10",
    "log_likelihood",
    "numba_cos_sin",
    "numba_sum_sqrt",
    "numba_exp",
    "numba_logreg",
    "numpy_asv_rank1",
)
PUBLISHED = tuple(name.replace("_", "-") for name in MODULES)


@dataclass(frozen=True)
class Loaded:
    """A claim that was loaded.

    Attributes:
        id: What it is called on a command line.
        claim: The claim.
        about: The docstring of its file.
        file: The file's name for a claim of the reader's own; "" for a published one.
    """

    id: str
    claim: Claim
    about: str
    file: str = ""


def load(claim_id: str) -> Loaded:
    """A published claim.

    Raises:
        KeyError: If there is none of that name.
    """
    if claim_id not in PUBLISHED:
        raise KeyError(claim_id)
    module: Any = importlib.import_module(f"{__name__}.{claim_id.replace('-', '_')}")
    return Loaded(claim_id, module.CLAIM, (module.__doc__ or "").strip())
