"""The checks at a kernel's door: what it accepts, and the form in which it gets it."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

# Of float64 or float32: a kernel computes in the dtype of X. Type checkers need not tell the two apart.
Array = npt.NDArray[Any]


class Limits(NamedTuple):
    """How large the sums may become: m |x_j|, and m (|b| + sum |w_j x_j|)."""

    x: float
    z: float


# The largest number of the dtype, less the room that the error bounds need. In float64, z stays below 2^996, the
# largest number that the reference can split.
LIMITS = {"float64": Limits(1e305, 1e298), "float32": Limits(1e37, 1e37)}


def check_inputs(w: npt.ArrayLike, b: float, X: npt.ArrayLike, Y: npt.ArrayLike) -> tuple[Array, float, Array, Array]:
    """The inputs as aligned, contiguous arrays of the contract's shapes and one dtype, copied only where they differ.

    The dtype is that of X if it is float32, else float64; w and Y are converted to it, and b is rounded to it.

    Raises:
        ValueError: See `Kernel.__call__`.
        TypeError: See `Kernel.__call__`.
    """
    X = _as_real("X", X)
    if X.ndim != 2:
        raise ValueError(f"X must have shape (n_x, m), examples in columns; got {X.shape}")
    n_x, m = X.shape
    if n_x == 0 or m == 0:
        raise ValueError(f"X must have at least one feature and one example; got (n_x, m) = {X.shape}")
    bias = _as_real("b", b, X.dtype)
    w = _vector("w", w, n_x, "n_x", X.dtype)
    Y = _vector("Y", Y, m, "m", X.dtype)
    if bias.ndim != 0:
        raise ValueError(f"b must be a single number; got shape {bias.shape}")
    # The largest element is enough: NaN passes through max and min, and isfinite(X) would fill an array as large as X.
    largest = np.maximum(X.max(), -X.min())
    for name, array in (("w", w), ("b", bias), ("X", largest), ("Y", Y)):
        if not np.isfinite(array).all():
            raise ValueError(f"{name} contains NaN or infinity")
    _require_no_overflow(w, float(bias), X, float(largest))
    if not ((Y == 0.0) | (Y == 1.0)).all():
        raise ValueError("Y must contain only the labels 0 and 1")
    if not (X.flags.c_contiguous or X.flags.f_contiguous):
        X = np.asfortranarray(X)
    return w, float(bias), X, Y


def _require_no_overflow(w: Array, b: float, X: Array, largest: float) -> None:
    """Refuse inputs whose sums, over features or over examples, could overflow in some order, or in the reference."""
    m, limits = X.shape[1], LIMITS[X.dtype.name]
    sizes = np.abs(w).astype(np.float64)
    with np.errstate(over="ignore"):
        fits = m * largest <= limits.x and (
            _z_size(sizes, b, largest, m) <= limits.z
            or _z_size(sizes, b, np.maximum(X.max(axis=1), -X.min(axis=1)), m) <= limits.z
        )
    if not fits:
        raise ValueError(
            f"w, b and X are so large that a sum may overflow in {X.dtype.name}: m (|b| + sum |w_j x_j|) must stay "
            f"below {limits.z:.0e}, and m |x_j| below {limits.x:.0e}; scale the features"
        )


def _z_size(sizes: Array, b: float, largest: float | Array, m: int) -> float:
    return float(m * ((sizes * largest).sum() + abs(b)))


def _as_real(name: str, value: npt.ArrayLike, dtype: Any = None) -> Array:
    """An aligned array of this dtype; by default float32 if it has that dtype already, else float64."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, and its mask would be lost; leave out or fill in what is masked")
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" or not np.can_cast(array.dtype, np.float64, casting="same_kind"):
        raise TypeError(f"{name} must be real numbers that fit in float64; got dtype {array.dtype}")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        raise TypeError(
            f"{name} has dtype {array.dtype}; converting it to float64 would lose digits, so convert it first"
        )
    if dtype is None:
        dtype = np.float32 if array.dtype.kind == "f" and array.dtype.itemsize == 4 else np.float64
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as such
        return np.require(array, dtype=dtype, requirements="A")


def _vector(name: str, value: npt.ArrayLike, length: int, symbol: str, dtype: Any) -> Array:
    vector = _as_real(name, value, dtype)
    if vector.shape == (length,):
        # A vector of one element counts as contiguous but may keep the stride of the array that it was cut from, and
        # some libraries trust that stride.
        return vector if vector.strides == (vector.itemsize,) else vector.copy()
    message = f"{name} must have shape ({symbol},) = ({length},); got {vector.shape}"
    if vector.ndim == 2 and 1 in vector.shape:
        message += (
            f". A column or row vector broadcasts against ({length},) to a matrix without an error; pass {name}.ravel()"
        )
    raise ValueError(message)
