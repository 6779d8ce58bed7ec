"""scikit-learn: the loss and gradient that its own solvers minimize, `LinearModelLoss.loss_gradient`.

Written as: weights and bias in one vector, as its solvers keep them; X (m, n_x), and no regularization.
Passes over X: two, in NumPy's products. Between them one compiled loop, spread over OpenMP's threads, computes loss
and gradient by z from one exponential.
Allocates: four arrays of m elements.
"""

from collections.abc import Callable

import numpy as np

from kernels._kernel import Array, At, CostAndGradient
from kernels.peers._peer import by_feature, peer


def prepare(X: Array, Y: Array) -> At:
    """The step on X (n_x, m) and Y (m,), on as many threads as OpenMP may use now."""
    from sklearn._loss import HalfBinomialLoss
    from sklearn.linear_model._linear_loss import LinearModelLoss
    from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

    loss = LinearModelLoss(base_loss=HalfBinomialLoss(), fit_intercept=True)
    n_threads = _openmp_effective_n_threads()
    samples = by_feature(X).T
    Y = Y.copy()

    def at(w: Array, b: float) -> Callable[[], CostAndGradient]:
        coef = np.append(w, w.dtype.type(b))

        def step() -> CostAndGradient:
            J, gradient = loss.loss_gradient(coef, samples, Y, n_threads=n_threads)
            return J, gradient[:-1], gradient[-1]

        return step

    return at


KERNEL = peer(
    name="sklearn_loss",
    title="scikit-learn",
    change="The loss and gradient of scikit-learn's own solvers: products in NumPy, the rest one OpenMP loop.",
    prepare=prepare,
    requires=[("sklearn", "scikit-learn")],
    expects="The elementwise part is one pass instead of ten, but it calls the C library's exp for one number at a "
    "time.",
)
