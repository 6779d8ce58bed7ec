"""Which kernel to use at an m, n_x and number of calls: the answer of `unloop advise`, from a run.

`local` estimates the time of a kernel at any size from the cells around it; `answer` weighs the kernels against each
other; `turns` looks where the answer changes.
"""

from bench.analysis.advise.answer import Advice, CantAnswer, Offer, PaidBack, advise, left_out, once_compiled, paid_back
from bench.analysis.advise.turns import Axis, Turn, turns

__all__ = [
    "Advice",
    "Axis",
    "CantAnswer",
    "Offer",
    "PaidBack",
    "Turn",
    "advise",
    "left_out",
    "once_compiled",
    "paid_back",
    "turns",
]
