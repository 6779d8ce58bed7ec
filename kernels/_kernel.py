"""The Kernel record: one rung of the ladder, and the checks at its door."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# Below the largest float64 by what bounds need, and below 2^996, above which the reference can't split a number.
HIGHEST, HIGHEST_Z = 1e305, 1e298
CostAndGradient = tuple[float, Array, float]
At = Callable[[Array, float], Callable[[], Any]]


def identity(array: Array) -> Array:
    """The native form of a kernel that computes on NumPy arrays."""
    return array


@dataclass(frozen=True)
class Kernel:
    """One way of computing the gradient step of logistic regression.

    Calling a kernel checks the inputs and returns NumPy outputs; `bind` is what a clock should time.

    Attributes:
        name: The kernel's name, that of its file.
        title: What it is, in a few words.
        change: One sentence: what it changes from the rung before.
        function: `function(w, b, X, Y) -> (J, dw, db)` on inputs in native form, unchecked.
        threads: "one" if it can't use more than one thread, "all" if it can.
        compiled: The first call compiles, so it takes longer than the others.
        native: Brings one float64 array (w, X or Y) to the form that `function` wants.
        cost_from: "z" where J is accurate for every finite z; "a" where it is computed from the activation, so that
            rounding of a enters it: amplified by 1/a or 1/(1-a), infinite or NaN once a is exactly 0 or 1.
        descend: `descend(w, b, X, Y, alpha, iterations) -> (w, b, costs)` with the iterations compiled, or None.
        missing: The package that this kernel lacks here, or None.
        requires: The modules that a peer computes with; imported when it is first bound, and not before.
        prepare: For a peer, whose library wants more than its arrays converted one by one: `prepare(X, Y) -> at` and
            `at(w, b) -> step`, where `step() -> (J, dw, db)` does the arithmetic and nothing else.
    """

    name: str
    title: str
    change: str
    function: Callable[..., Any]
    threads: Literal["one", "all"] = "one"
    compiled: bool = False
    native: Callable[[Array], Any] = identity
    cost_from: Literal["z", "a"] = "z"
    descend: Callable[..., tuple[Array, float, Array]] | None = None
    missing: str | None = None
    requires: tuple[str, ...] = ()
    prepare: Callable[[Array, Array], At] | None = None

    def __call__(self, w: npt.ArrayLike, b: float, X: npt.ArrayLike, Y: npt.ArrayLike) -> CostAndGradient:
        """Cost and gradient, inputs checked.

        Args:
            w: Weights, shape (n_x,).
            b: Bias.
            X: Examples in columns, shape (n_x, m).
            Y: Labels 0 or 1, shape (m,).

        Returns:
            J, the mean cost; dw, shape (n_x,); db.

        Raises:
            ValueError: On a wrong shape, m = 0, n_x = 0, labels other than 0 and 1, NaN or infinity, or numbers so
                large (about 1e298) that a sum may overflow.
            TypeError: On a dtype that float64 can't hold (complex, object, text, longer floats).
        """
        J, dw, db = self.bind(w, b, X, Y)()
        return float(J), np.asarray(dw, dtype=np.float64), float(db)

    def bind(self, w: npt.ArrayLike, b: float, X: npt.ArrayLike, Y: npt.ArrayLike) -> Callable[[], Any]:
        """A callable that does the arithmetic and nothing else; its inputs are checked and converted here.

        It belongs to one thread at a time, for it may have buffers of its own; each thread binds one for itself.
        """
        w, b, X, Y = check_inputs(w, b, X, Y)
        if self.prepare is not None:
            return self.prepare(X, Y)(w, b)
        return partial(self.function, self.native(w), b, self.native(X), self.native(Y))


def check_inputs(w: npt.ArrayLike, b: float, X: npt.ArrayLike, Y: npt.ArrayLike) -> tuple[Array, float, Array, Array]:
    """The inputs as aligned, contiguous float64 arrays of the contract's shapes; not copied where they are so already.

    Raises:
        ValueError: See `Kernel.__call__`.
        TypeError: See `Kernel.__call__`.
    """
    X = _as_float64("X", X)
    if X.ndim != 2:
        raise ValueError(f"X must have shape (n_x, m), examples in columns; got {X.shape}")
    n_x, m = X.shape
    if n_x == 0 or m == 0:
        raise ValueError(f"X must hold at least one feature and one example; got (n_x, m) = {X.shape}")
    w = _vector("w", w, n_x, "n_x")
    Y = _vector("Y", Y, m, "m")
    bias = _as_float64("b", b)
    if bias.ndim != 0:
        raise ValueError(f"b must be a single number; got shape {bias.shape}")
    # isfinite would fill an array as long as X; NaN comes through max and min.
    largest = np.maximum(X.max(), -X.min())
    for name, array in (("w", w), ("b", bias), ("X", largest), ("Y", Y)):
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds NaN or infinity")
    _require_no_overflow(w, float(bias), X, float(largest))
    if not ((Y == 0.0) | (Y == 1.0)).all():
        raise ValueError("Y must hold labels 0 and 1 only")
    if not (X.flags.c_contiguous or X.flags.f_contiguous):
        X = np.asfortranarray(X)
    return w, float(bias), X, Y


def _require_no_overflow(w: Array, b: float, X: Array, largest: float) -> None:
    """Any sum, of w_j x_j in an example or over the examples, must be finite in any order, in the reference too."""
    m = X.shape[1]
    with np.errstate(over="ignore"):
        fits = m * largest <= HIGHEST and (
            _z_fits(w, b, largest, m) or _z_fits(w, b, np.maximum(X.max(axis=1), -X.min(axis=1)), m)
        )
    if not fits:
        raise ValueError(
            "w, b and X are so large that a sum may overflow: m (|b| + sum |w_j x_j|) must stay below "
            f"{HIGHEST_Z:.0e}, and m |x_j| below {HIGHEST:.0e}; scale the features"
        )


def _z_fits(w: Array, b: float, largest: float | Array, m: int) -> bool:
    return bool(m * ((np.abs(w) * largest).sum() + abs(b)) <= HIGHEST_Z)


def _as_float64(name: str, value: npt.ArrayLike) -> Array:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" or not np.can_cast(array.dtype, np.float64, casting="same_kind"):
        raise TypeError(f"{name} must be real numbers that float64 can hold; got dtype {array.dtype}")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        raise TypeError(
            f"{name} has dtype {array.dtype}; converting it to float64 would lose digits, so convert it first"
        )
    return np.require(array, dtype=np.float64, requirements="A")


def _vector(name: str, value: npt.ArrayLike, length: int, symbol: str) -> Array:
    vector = _as_float64(name, value)
    if vector.shape == (length,):
        # Of one element it may be contiguous and keep the stride of what it was cut from, which libraries believe.
        return vector if vector.strides == (8,) else vector.copy()
    message = f"{name} must have shape ({symbol},) = ({length},); got {vector.shape}"
    if vector.ndim == 2 and 1 in vector.shape:
        message += (
            f". A column or row vector broadcasts against ({length},) to a matrix without an error; pass {name}.ravel()"
        )
    raise ValueError(message)
