"""The gradient of logistic regression: loops over examples and features against the vectorized form.

It is the very step of this suite, with 10,000 examples of 500 features.
Odd: the weights are a column of shape (n, 1), as in the lecture. In the loop, w[j] is then an array of one element
and no number, and so is all that is computed from it.
"""

import math
from typing import Any

import numpy as np

from bench.claims import Cause, Claim, Ratio, Source, Way, Work, gamma
from kernels._kernel import Array

N_X = 500


def setup(m: int, rng: np.random.Generator) -> tuple[Array, float, Array, Array]:
    """w (n_x, 1), b, X (n_x, m) and Y (1, m)."""
    w = 0.01 * rng.standard_normal((N_X, 1))
    return w, 0.1, rng.standard_normal((N_X, m)), rng.integers(0, 2, (1, m)).astype(np.float64)


def loop(w: Array, b: float, X: Array, Y: Array) -> tuple[float, Array, float]:
    """Example by example, feature by feature; w (n_x, 1) or (n_x,), Y (m,)."""
    n_x, m = X.shape
    J: Any = 0.0
    dw = np.zeros(w.shape)
    db: Any = 0.0
    for i in range(m):
        z: Any = 0.0
        for j in range(n_x):
            z += w[j] * X[j, i]
        z += b
        a = 1.0 / (1.0 + np.exp(-z))
        J += -(Y[i] * np.log(a) + (1.0 - Y[i]) * np.log(1.0 - a))
        dz = a - Y[i]
        for j in range(n_x):
            dw[j] += X[j, i] * dz
        db += dz
    return float(np.ravel(J)[0]) / m, dw.ravel() / m, float(np.ravel(db)[0]) / m


def lists(w: list[float], b: float, X: list[list[float]], Y: list[float]) -> tuple[float, list[float], float]:
    """The same over lists, with math.exp; X is a list of examples."""
    J, db, dw = 0.0, 0.0, [0.0] * len(w)
    for x, y in zip(X, Y, strict=True):
        z = 0.0
        for j in range(len(w)):
            z += w[j] * x[j]
        z += b
        a = 1.0 / (1.0 + math.exp(-z))
        J += -(y * math.log(a) + (1.0 - y) * math.log(1.0 - a))
        dz = a - y
        for j in range(len(w)):
            dw[j] += x[j] * dz
        db += dz
    return J / len(Y), [d / len(Y) for d in dw], db / len(Y)


def vectorized(w: Array, b: float, X: Array, Y: Array) -> tuple[float, Array, float]:
    """Two matrix products; w (n_x, 1), Y (1, m)."""
    m = X.shape[1]
    A = 1.0 / (1.0 + np.exp(-(np.dot(w.T, X) + b)))
    J = -np.sum(Y * np.log(A) + (1.0 - Y) * np.log(1.0 - A)) / m
    dZ = A - Y
    return float(J), (np.dot(X, dZ.T) / m).ravel(), float(np.sum(dZ)) / m


CLAIM = Claim(
    setup=setup,
    ways=(
        Way(loop, title="loops, w (n, 1)", printed=7.3291, prepare=lambda w, b, X, Y: (w, b, X, Y[0])),
        Way(vectorized, title="vectorized", printed=3.7e-3),
        Way(loop, name="flat", title="loops, w (n,)", prepare=lambda w, b, X, Y: (w[:, 0].copy(), b, X, Y[0])),
        Way(
            lists,
            title="loops over lists",
            prepare=lambda w, b, X, Y: (w[:, 0].tolist(), b, X.T.tolist(), Y[0].tolist()),
        ),
    ),
    n=10_000,
    shape="gradient of logistic regression, m = {n}, n_x = 500",
    ratio=Ratio("loop", "vectorized", stated=1970.0),
    causes=(
        Cause("loop", "flat", "w[j] of an (n, 1) array is an array of one element, of an (n,) array a number"),
        Cause("flat", "lists", "The loop reads elements of ndarrays, each of which becomes a NumPy number"),
    ),
    source=Source("Ketketm", "Logistic_Regression_Optimization", "GitHub, a notebook", 2019),
    # Terms of dw have both signs: their rounding is relative to the mean of |X|, times |dz| <= 1.
    tolerance=lambda m: 2.0 * gamma(m + 8 * N_X),
    scale=lambda _w, _b, X, _Y: (1.0, np.abs(X).mean(axis=1), 1.0),
    work=lambda m: Work(8.0 * N_X * m, 4.0 * N_X * m),
)
