"""Whether the ways of a claim agree: number by number, within a stated tolerance."""

from typing import Any

import numpy as np

from bench.claims.claim import Array, Claim


class Disagreement(Exception):
    """Two ways return different results: which number, and by how much."""


def flat(output: Any) -> list[Any]:
    """The arrays of an output: itself, or those of a tuple."""
    parts = output if isinstance(output, tuple) else (output,)
    return [np.asarray(part) for part in parts]


def copied(value: Any) -> Any:
    """A copy of an output or an argument, so that a later call can't change it."""
    if isinstance(value, tuple):
        return tuple(copied(part) for part in value)
    return value.copy() if isinstance(value, (np.ndarray, list)) else value


def error(claim: Claim, n: int, output: Any, expected: Any, arguments: tuple[Any, ...]) -> float:
    """The largest error of an output, in units of the tolerance where that is not 0.

    Raises:
        Disagreement: If a number is beyond the tolerance, or a shape or a type is not the expected one.
    """
    if claim.compared is not None:
        output, expected = claim.compared(output), claim.compared(expected)
    results, wanted = flat(output), flat(expected)
    scales = flat(claim.scale(*arguments)) if claim.scale is not None else [np.float64(0.0)] * len(wanted)
    if len(results) != len(wanted):
        raise Disagreement(f"returns {len(results)} results, expected {len(wanted)}")
    tolerance, worst = claim.allowed(n), 0.0
    for k, (result, want, scale) in enumerate(zip(results, wanted, scales, strict=True)):
        where = f"result {k + 1}" if len(wanted) > 1 else "the result"
        worst = max(worst, _error_of_one(where, result, want, scale, tolerance))
    return worst


def _error_of_one(where: str, result: Any, want: Any, scale: Any, tolerance: float) -> float:
    for side, array in (("returned", result), ("expected", want)):
        if array.dtype.kind not in "biufc":
            raise Disagreement(f"{where} is no number or array of numbers: {side} {_brief(array)}")
    if result.shape != want.shape:
        raise Disagreement(f"{where} has shape {result.shape}, expected {want.shape}")
    if np.array_equal(result, want):
        return 0.0
    same = (result == want) | (np.isnan(result) & np.isnan(want))
    with np.errstate(invalid="ignore", over="ignore"):
        off: Array = np.where(same, 0.0, np.abs(_float(result) - _float(want)))
    off = np.where(np.isnan(off), np.inf, off)  # nothing that is infinitely far is within a tolerance
    off, allowed = np.broadcast_arrays(off, tolerance * np.maximum(np.abs(_float(want)), scale))
    over = np.where(off == 0.0, 0.0, np.inf)
    np.divide(off, allowed, out=over, where=(off > 0.0) & np.isfinite(off) & (allowed > 0.0))
    worst = np.unravel_index(int(np.argmax(over)), over.shape)
    if over[worst] > 1.0:
        index = f"[{', '.join(str(int(k)) for k in worst)}]" if want.shape else ""
        raise Disagreement(
            f"{where}{index} is {result[worst]}, expected {want[worst]}: off by {off[worst]:.2g}, allowed "
            f"{allowed[worst]:.2g}"
        )
    return float(over[worst])


def _float(array: Any) -> Any:
    return array if array.dtype.kind == "c" else array.astype(np.float64)


def _brief(array: Any) -> str:
    text = repr(array.tolist())
    return text if len(text) < 40 else f"{text[:37]}..."
