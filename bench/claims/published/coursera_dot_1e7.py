"""The same dot product with ten million numbers: "almost 1000 times".

A student's copy of the notebook raises the size to 10 million, where the two vectors (160 MB) no longer fit in a cache.
Odd: the text says almost 1000 times faster, beside figures that give 149.
"""

from bench.claims import Cause, Claim, Ratio, Source, Way, summed
from bench.claims.published import ng_dot

CLAIM = Claim(
    setup=ng_dot.setup,
    ways=(
        Way(ng_dot.loop, title="Python loop", printed=11.34),
        Way(ng_dot.dot, title="np.dot", printed=0.0759),
    ),
    n=10_000_000,
    shape="dot product of two vectors of {n} numbers",
    ratio=Ratio("loop", "dot", stated=1000.0),
    causes=(Cause("dot", "dot", "One call is timed, the first; repeated calls find data and code warm", first=True),),
    source=Source("Joshua Ronis", "Vectorizing vs For-Loop", "GitHub, a notebook", 2019),
    tolerance=summed(),
    work=ng_dot.CLAIM.work,
)
