"""What the peers share: how one is made, and the layout that all of them like best."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from kernels._kernel import Array, At, Kernel


def peer(
    name: str,
    title: str,
    change: str,
    prepare: Callable[[Array, Array], At],
    requires: Sequence[tuple[str, str]],
    *,
    compiled: bool = False,
    lacks: str | None = None,
) -> Kernel:
    """The record of a peer; `requires` holds (module, package) pairs, `lacks` what else is not there."""

    def cost_and_gradient(w: Array, b: float, X: Array, Y: Array) -> Any:
        """J, dw (n_x,) and db, with the conversions that `prepare` keeps out of the timing."""
        return prepare(X, Y)(w, b)()

    absent = [package for module, package in requires if find_spec(module) is None]
    return Kernel(
        name=name,
        title=title,
        change=change,
        function=cost_and_gradient,
        threads="all",
        compiled=compiled,
        missing=absent[0] if absent else lacks,
        requires=tuple(module for module, _ in requires),
        prepare=prepare,
    )


def by_feature(X: Array) -> Array:
    """X (n_x, m) with each feature contiguous: the order in which all the peers were found to be fastest.

    Not copied where it is so already, for some of the peers' copies of a large X would not fit in memory.
    """
    as_wanted = X.strides == (8 * X.shape[1], 8) and X.flags.writeable
    return X if as_wanted else np.array(X, order="C")
