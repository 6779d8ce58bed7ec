"""What is expected of a sum over parts of the examples, each with its own reference: for data too large for one."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bench.agreement.bounds import Expected, gamma
from bench.grid import PRECISIONS

U = PRECISIONS["float64"].u
# The reference of a part is rounded, multiplied by its number of examples, added exactly, rounded and divided.
JOINING = 4 * U


def together(parts: Sequence[tuple[int, Expected]]) -> Expected:
    """The reference and the bounds over all examples, from those of each part: (its number of examples, expected).

    The bounds are those of one sum over all examples in any order, so they hold for any chunking.

    Raises:
        ValueError: For no parts.
    """
    if not parts:
        raise ValueError("no parts to put together")
    m = sum(count for count, _ in parts)

    def mean(of: Callable[[Expected], Any]) -> Any:
        columns = np.array([count * np.atleast_1d(of(part)) for count, part in parts]).T
        return np.array([math.fsum(column) for column in columns]) / m

    def bound(size_of: Callable[[Expected], Any], bound_of: Callable[[Expected], Any]) -> Any:
        # The bound of a part is (errors + growth (sizes + errors)) / its examples; growth is that of its own number.
        sizes = mean(size_of)
        errors = (
            sum(
                np.maximum(count * (bound_of(part) - gamma(count + 3) * size_of(part)) / (1.0 + gamma(count + 3)), 0.0)
                for count, part in parts
            )
            / m
        )
        return errors + (gamma(m + 3) + JOINING) * (sizes + errors)

    return Expected(
        float(mean(lambda part: part.J)[0]),
        mean(lambda part: part.dw),
        float(mean(lambda part: part.db)[0]),
        parts[0][1].dtype,
        J_bound={
            "z": float(bound(lambda part: part.J_size, lambda part: part.J_bound["z"])[0]),
            "a": float(bound(lambda part: part.J_size, lambda part: part.J_bound["a"])[0]),
        },
        dw_bound=bound(lambda part: part.dw_size, lambda part: part.dw_bound),
        db_bound=float(bound(lambda part: part.db_size, lambda part: part.db_bound)[0]),
        J_size=float(mean(lambda part: part.J_size)[0]),
        dw_size=mean(lambda part: part.dw_size),
        db_size=float(mean(lambda part: part.db_size)[0]),
        saturated=any(part.saturated for _, part in parts),
    )
