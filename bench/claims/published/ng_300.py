"""The lecture's summary: vectorized code is 300 times faster.

It is the sentence that students remember, said of the demonstration of `ng-dot`, whose figures give 316.
"""

from bench.claims import Claim, Ratio, Way, summed
from bench.claims.published import ng_dot

CLAIM = Claim(
    setup=ng_dot.setup,
    ways=(Way(ng_dot.loop, title="Python loop"), Way(ng_dot.dot, title="np.dot")),
    n=1_000_000,
    shape="dot product of two vectors of {n} numbers",
    ratio=Ratio("loop", "dot", stated=300.0),
    source=ng_dot.SOURCE,
    tolerance=summed(),
    work=ng_dot.CLAIM.work,
)
