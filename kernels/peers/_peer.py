"""What the peers share: how one is made, and the layout of X that suits all of them best."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np

from kernels._kernel import Array, At, Kernel


def peer(
    name: str,
    title: str,
    change: str,
    prepare: Callable[[Array, Array], At],
    requires: Sequence[tuple[str, str]],
    *,
    expects: str,
    compiles: Literal["never", "per shape"] = "never",
    lacks: str | None = None,
) -> Kernel:
    """The record of a peer.

    Args:
        name: As in `Kernel`, and so are the rest but for these two.
        title: What it is.
        change: How it is written.
        prepare: Makes the step.
        requires: Pairs of a module that it imports and the package that provides it.
        expects: What its author expects of it.
        compiles: When it compiles.
        lacks: Anything else that it needs and that is not installed.
    """

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
        compiles=compiles,
        layout="C",
        missing=absent[0] if absent else lacks,
        requires=tuple(module for module, _ in requires),
        prepare=prepare,
        expects=expects,
        passes=2,
    )


def by_feature(X: Array) -> Array:
    """X (n_x, m) with each feature contiguous, the order in which every peer was fastest.

    It is copied only if it must be, because some peers would run out of memory with a copy of a large X.
    """
    as_wanted = X.strides == (X.itemsize * X.shape[1], X.itemsize) and X.flags.writeable
    return X if as_wanted else np.array(X, order="C")
