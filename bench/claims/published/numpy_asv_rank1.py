"""NumPy's own benchmark of logistic regression, whose labels have shape (250,) and whose activations (250, 1).

Their difference broadcasts to (250, 250), so what is timed trains 250 models, one for each label, and not one. Nothing
is printed about it; it is run here to see what that costs.
Odd: it is the slip of rank-1 arrays that the lecture warns of, and that this suite refuses with an error.
"""

import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work, gamma

SIZE, FEATURES, ALPHA = 250, 16, 0.1


def setup(epochs: int, rng: np.random.Generator) -> tuple[int, Array, Array, Array]:
    """Epochs, X (size, features), Y (size,) of 0 and 1, W (features, 1)."""
    return epochs, rng.random((SIZE, FEATURES)), rng.integers(0, 2, SIZE).astype(np.float64), np.zeros((FEATURES, 1))


def as_written(epochs: int, X: Array, Y: Array, W: Array) -> Array:
    """The epochs; Y (size,) broadcasts against a column, Y (size, 1) does not."""
    for _ in range(epochs):
        A = 1.0 / (1.0 + np.exp(-np.matmul(X, W)))
        np.mean(Y * np.log(A) + (1.0 - Y) * np.log(1.0 - A))
        dz = A - Y
        W = W - ALPHA * np.matmul(X.T, dz) / SIZE
    return W


def many_models(epochs: int, X: Array, Y: Array, W: Array) -> Array:
    """What that computes: a model for each label, trained as if all examples had it."""
    labels = np.tile(Y, (SIZE, 1))
    W = np.tile(W, (1, SIZE))
    for _ in range(epochs):
        A = 1.0 / (1.0 + np.exp(-np.matmul(X, W)))
        np.mean(labels * np.log(A) + (1.0 - labels) * np.log(1.0 - A))
        W = W - ALPHA * np.matmul(X.T, A - labels) / SIZE
    return W


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(as_written, title="as written, Y (250,)"),
        Way(many_models, title="250 models, written out"),
        Way(
            as_written,
            name="as_meant",
            title="as meant, Y (250, 1)",
            prepare=lambda epochs, X, Y, W: (epochs, X, Y[:, np.newaxis], W),
            judged=False,
        ),
    ),
    n=1_000,
    shape="logistic regression, 250 examples, {n} epochs",
    ratio=Ratio("as_written", "as_meant"),
    causes=(
        Cause("as_written", "as_meant", "(250, 1) minus (250,) is (250, 250): 250 models are trained in place of one"),
    ),
    source=Source("NumPy developers", "LogisticRegression", "benchmarks of the NumPy repository", 2023),
    # Errors of one epoch, added up over all: the step contracts.
    tolerance=lambda epochs: 4.0 * gamma((SIZE + 8 * FEATURES) * epochs),
    scale=lambda *_: 1.0,
    work=lambda epochs: Work(8.0 * SIZE * FEATURES * epochs, 4.0 * SIZE * FEATURES * epochs),
)
