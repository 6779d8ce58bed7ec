"""oneDAL: the loss and gradient of Intel's library behind scikit-learn-intelex, through daal4py.

Written as: the objective of its own logistic regression, without a penalty: bias and weights in one column, X (m, n_x)
with each example contiguous, which it reads without converting.
Passes over X: two in each block of examples that its threads take, so one from memory.
Allocates: its own vectors of m numbers, once, and a copy of the gradient.
Keeps a between 1e-15 and 1 - 1e-15, so J is computed from a, and all three are wrong where |z| is above 34.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kernels._kernel import Array, At, CostAndGradient
from kernels.peers._peer import peer

FPTYPES = {"float64": "double", "float32": "float"}


def prepare(X: Array, Y: Array) -> At:
    """The step on X (n_x, m) and Y (m,), on as many threads as oneDAL may use now."""
    import daal4py

    samples = np.require(X.T, requirements=("C", "W"))
    labels = Y.astype(X.dtype)[:, None]
    loss = daal4py.optimization_solver_logistic_loss(
        numberOfTerms=Y.size,
        fptype=FPTYPES[X.dtype.name],
        interceptFlag=True,
        penaltyL1=0.0,
        penaltyL2=0.0,
        resultsToCompute="value|gradient",
    )

    def at(w: Array, b: float) -> Callable[[], CostAndGradient]:
        beta = np.append(b, w).astype(X.dtype)[:, None]
        loss.setup(samples, labels, beta)

        def step() -> CostAndGradient:
            result = loss.compute(samples, labels, beta)
            gradient = result.gradientIdx[:, 0].copy()  # the next call writes to its memory
            return result.valueIdx[0, 0], gradient[1:], gradient[0]

        return step

    return at


KERNEL = replace(
    peer(
        name="onedal_loss",
        title="oneDAL",
        change="The loss and gradient of scikit-learn-intelex's own solver, in Intel's library for data analytics.",
        prepare=prepare,
        requires=[("daal4py", "scikit-learn-intelex")],
        expects="Blocks of examples, exponentials in SIMD and Intel's products: the closest of the libraries to the "
        "fused blocks. A call builds tables around its arrays, which costs most on few examples.",
    ),
    layout="F",
    cost_from="a",
    passes=1,
)
