"""The checks at a kernel's door: what it accepts, and the form in which it gets it."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# HIGHEST is the largest float64, less the room that the error bounds need. HIGHEST_Z is below 2^996, the largest
# number that the reference can split.
HIGHEST, HIGHEST_Z = 1e305, 1e298


def check_inputs(w: npt.ArrayLike, b: float, X: npt.ArrayLike, Y: npt.ArrayLike) -> tuple[Array, float, Array, Array]:
    """The inputs as aligned, contiguous float64 arrays of the contract's shapes, copied only where they are not.

    Raises:
        ValueError: See `Kernel.__call__`.
        TypeError: See `Kernel.__call__`.
    """
    X = _as_float64("X", X)
    if X.ndim != 2:
        raise ValueError(f"X must have shape (n_x, m), examples in columns; got {X.shape}")
    n_x, m = X.shape
    if n_x == 0 or m == 0:
        raise ValueError(f"X must have at least one feature and one example; got (n_x, m) = {X.shape}")
    w = _vector("w", w, n_x, "n_x")
    Y = _vector("Y", Y, m, "m")
    bias = _as_float64("b", b)
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
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, and its mask would be lost; leave out or fill in what is masked")
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" or not np.can_cast(array.dtype, np.float64, casting="same_kind"):
        raise TypeError(f"{name} must be real numbers that fit in float64; got dtype {array.dtype}")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        raise TypeError(
            f"{name} has dtype {array.dtype}; converting it to float64 would lose digits, so convert it first"
        )
    return np.require(array, dtype=np.float64, requirements="A")


def _vector(name: str, value: npt.ArrayLike, length: int, symbol: str) -> Array:
    vector = _as_float64(name, value)
    if vector.shape == (length,):
        # A vector of one element counts as contiguous but may keep the stride of the array that it was cut from, and
        # some libraries trust that stride.
        return vector if vector.strides == (8,) else vector.copy()
    message = f"{name} must have shape ({symbol},) = ({length},); got {vector.shape}"
    if vector.ndim == 2 and 1 in vector.shape:
        message += (
            f". A column or row vector broadcasts against ({length},) to a matrix without an error; pass {name}.ravel()"
        )
    raise ValueError(message)
