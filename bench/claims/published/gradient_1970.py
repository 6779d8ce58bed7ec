"""The gradient of logistic regression: loops over examples and features against the vectorized form.

It is the step of this suite, without the cost, for 10,000 examples of 500 features.
Odd: the weights are a column of shape (n, 1), as in the lecture. In the loop, w[j] is then an array of one element and
no number, and so is all that is computed from it.
"""

import math
from typing import Any

import numpy as np

from bench.claims import Array, Cause, Claim, Ratio, Source, Way, Work, gamma

N_X = 500


def setup(m: int, rng: np.random.Generator) -> tuple[Array, Array, Array, float]:
    """X (m, n_x), y (m, 1), w (n_x, 1) and b."""
    return rng.random((m, N_X)), rng.integers(0, 2, (m, 1)), rng.random((N_X, 1)), 0.5


def loop(X: Array, y: Array, w: Array, b: float) -> tuple[float, Array]:
    """Example by example, feature by feature; w (n_x, 1) and y (m, 1), or w (n_x,) and y (m,)."""
    m, n = X.shape
    dw: Array = np.zeros(w.shape)
    db: Any = 0.0
    for i in range(m):
        z: Any = 0.0
        for j in range(n):
            z += X[i, j] * w[j]
        z += b
        dz = 1.0 / (1.0 + np.exp(-z)) - y[i]
        db += dz
        for j in range(n):
            dw[j] += dz * X[i, j]
    return float(np.ravel(db)[0]) / m, dw.ravel() / m


def lists(X: list[list[float]], y: list[int], w: list[float], b: float) -> tuple[float, list[float]]:
    """The same over lists, with math.exp."""
    db, dw = 0.0, [0.0] * len(w)
    for i in range(len(X)):
        z = 0.0
        for j in range(len(w)):
            z += X[i][j] * w[j]
        z += b
        dz = 1.0 / (1.0 + math.exp(-z)) - y[i]
        db += dz
        for j in range(len(w)):
            dw[j] += dz * X[i][j]
    return db / len(X), [d / len(X) for d in dw]


def vectorized(X: Array, y: Array, w: Array, b: float) -> tuple[float, Array]:
    """Two matrix products."""
    m = X.shape[0]
    dZ = 1.0 / (1.0 + np.exp(-(np.dot(X, w) + b))) - y
    return float(np.sum(dZ)) / m, (np.dot(X.T, dZ) / m).ravel()


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(loop, title="loops, w (n, 1)", printed=7.3291),
        Way(vectorized, title="vectorized", printed=3.7e-3),
        Way(loop, name="flat", title="loops, w (n,)", prepare=lambda X, y, w, b: (X, y[:, 0], w[:, 0].copy(), b)),
        Way(
            lists,
            title="loops over lists",
            prepare=lambda X, y, w, b: (X.tolist(), y[:, 0].tolist(), w[:, 0].tolist(), b),
        ),
    ),
    n=10_000,
    shape="gradient of logistic regression, m = {n}, n_x = 500",
    ratio=Ratio("loop", "vectorized", stated=1970.0),
    causes=(
        Cause("loop", "flat", "w[j] of an (n, 1) array is an array of one element, of an (n,) array a number"),
        Cause("flat", "lists", "Each element of an ndarray that the loop reads becomes a NumPy number"),
    ),
    source=Source(
        "Ketketm", "Algorithmic Foundations: Logistic Regression & Vectorization", "GitHub, a notebook", 2025
    ),
    # Terms of dw have both signs: their rounding is relative to the mean of X, times |dz| <= 1.
    tolerance=lambda m: 2.0 * gamma(m + 8 * N_X),
    scale=lambda X, _y, _w, _b: (1.0, X.mean(axis=0)),
    work=lambda m: Work(8.0 * N_X * m, 4.0 * N_X * m),
)
