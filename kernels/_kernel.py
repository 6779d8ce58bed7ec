"""The Kernel record: everything that the project knows about a kernel stands here, once."""

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from kernels._inputs import Array, check_inputs

CostAndGradient = tuple[float, Array, float]
At = Callable[[Array, float], Callable[[], Any]]

__all__ = ["Array", "At", "CostAndGradient", "Kernel", "Pair", "identity"]


def identity(array: Array) -> Array:
    """The native form of a kernel that computes on NumPy arrays."""
    return array


def number(b: float, X: Array) -> Any:
    """The bias in the dtype of X, which decides in what compiled code computes; a float is a float64."""
    return np.float32(b) if X.dtype == np.float32 else b


@dataclass(frozen=True)
class Kernel:
    """One way to compute the gradient step of logistic regression.

    Calling a kernel checks the inputs and returns NumPy outputs; `bind` returns what a clock should time. A kernel is
    named after its file: `kernels/<name>.py`, or `kernels/peers/<name>.py`.

    Attributes:
        name: The kernel's name, the same as its file's.
        title: What it is, in a few words.
        change: What it changes from the rung before, in one sentence.
        function: `function(w, b, X, Y) -> (J, dw, db)` on unchecked inputs in native form; or what `prepare` calls.
        threads: "all" if it can use more than one thread, else "one".
        compiles: When it compiles: "never", "once" (at the first call) or "per shape" (at the first call for a shape).
        native: Converts one array (w, X or Y) to the form that `function` takes.
        layout: The order of X that it copies X to in `bind` ("C" or "F"), or "either" if it computes on X as it is.
        dtypes: The dtypes that it can compute in.
        cost_from: "z" if J is accurate for every finite z; "a" if J is computed from the activation a, whose rounding
            is amplified by 1/a or 1/(1-a), and is infinite or NaN once a is exactly 0 or 1.
        descend: `descend(w, b, X, Y, alpha, iterations) -> (w, b, costs)` with the iterations compiled, or None.
        missing: The package that this kernel needs and that is not installed, or None.
        requires: The modules that a peer imports when it is first bound, and not earlier.
        prepare: `prepare(X, Y) -> at` and `at(w, b) -> step`, where `step() -> (J, dw, db)` does only the arithmetic;
            for a kernel that needs more than its arrays converted one by one, else None.
        grew_from: The kernel whose arithmetic it changes, or None for the first rung, peers and own kernels.
        cause: What is new since `grew_from`, in a few words, as an axis shows it.
        question: What a reader may ask who has seen `grew_from`, and this kernel answers.
        shows: The functions of its file that its lesson shows; () for the one that does the step.
        expects: What its author expects of the change, in prose.
        predicted_by: The function of `bench.analysis.predictions` that predicts the factor over `grew_from`, or "".
        unpredicted: Why nothing can be predicted, where `predicted_by` is "".
        more: The likely reason if the measured factor is larger than predicted; "" for the usual one.
        less: The likely reason if the measured factor is smaller than predicted; "" for the usual one.
        isolates: Whether its change is one cause alone, so that it is shown among the controlled pairs.
        passes: How many times a call reads X from memory, when X does not fit in the cache.
        vectors: Arrays of m numbers that a call writes to memory and reads back; None where they are counted instead.
        rivals: The kernels that it is compared with to find the m at which it overtakes them.
        work: What can be counted in a call: "interpreted" instructions, bytes moved by whole "arrays", arithmetic in
            "compiled" code, or nothing, because a "library" does the work.
        arithmetic: "relaxed" if its compiler may reorder sums and fuse operations, else "strict".
        trains_only: Whether it takes part only in training runs, where its `descend` is timed.
        stands_for: The one-thread rung whose function this is, for a controlled kernel that replaces that rung in
            cells of all threads; None for all others.
    """

    name: str
    title: str
    change: str
    function: Callable[..., Any]
    threads: Literal["one", "all"] = "one"
    compiles: Literal["never", "once", "per shape"] = "never"
    native: Callable[[Array], Any] = identity
    layout: Literal["either", "C", "F"] = "either"
    dtypes: tuple[str, ...] = ("float64", "float32")
    cost_from: Literal["z", "a"] = "z"
    descend: Callable[..., tuple[Array, float, Array]] | None = None
    missing: str | None = None
    requires: tuple[str, ...] = ()
    prepare: Callable[[Array, Array], At] | None = None
    grew_from: str | None = None
    cause: str = ""
    question: str = ""
    shows: tuple[str, ...] = ()
    expects: str = ""
    predicted_by: str = ""
    unpredicted: str = ""
    more: str = ""
    less: str = ""
    isolates: bool = False
    passes: int = 1
    vectors: int | None = None
    rivals: tuple[str, ...] = ()
    work: Literal["interpreted", "arrays", "compiled", "library"] = "library"
    arithmetic: Literal["strict", "relaxed"] = "strict"
    trains_only: bool = False
    stands_for: str | None = None

    def __call__(self, w: npt.ArrayLike, b: float, X: npt.ArrayLike, Y: npt.ArrayLike) -> CostAndGradient:
        """Compute cost and gradient, after checking the inputs.

        Args:
            w: Weights, shape (n_x,).
            b: Bias.
            X: Examples in columns, shape (n_x, m).
            Y: Labels 0 or 1, shape (m,).

        Returns:
            J, the mean cost; dw, shape (n_x,); db.

        Raises:
            ValueError: On a wrong shape, m = 0, n_x = 0, labels other than 0 and 1, NaN or infinity, or numbers so
                large (about 1e298, or 1e37 in float32) that a sum may overflow.
            TypeError: On a dtype that does not fit in float64 (complex, object, text, longer floats), on float32 where
                the kernel computes in float64 only, and on a masked array.
        """
        w, b, X, Y = check_inputs(w, b, X, Y)
        J, dw, db = self.step(w, b, X, Y)()
        return float(J), np.asarray(dw, dtype=X.dtype), float(db)

    def bind(self, w: npt.ArrayLike, b: float, X: npt.ArrayLike, Y: npt.ArrayLike) -> Callable[[], Any]:
        """Check and convert the inputs, and return a callable that does only the arithmetic.

        The callable may own buffers, so two threads must not share it: each thread binds its own.
        """
        return self.step(*check_inputs(w, b, X, Y))

    def step(self, w: Array, b: float, X: Array, Y: Array) -> Callable[[], Any]:
        """`bind` for inputs that `check_inputs` has returned: it reads a large X several times."""
        return self.at(X, Y)(w, b)

    def at(self, X: Array, Y: Array) -> At:
        """X and Y prepared once, for steps at many w and b: `kernel.at(X, Y)(w, b)()`, on inputs checked before."""
        if X.dtype.name not in self.dtypes:
            raise TypeError(f"{self.name} computes in {' or '.join(self.dtypes)}, and X is {X.dtype}; convert X first")
        at = self.prepare(X, Y) if self.prepare is not None else self._on_native(X, Y)
        return at if X.dtype == np.float64 else lambda w, b: at(w, number(b, X))

    def _on_native(self, X: Array, Y: Array) -> At:
        X, Y = self.native(X), self.native(Y)
        return lambda w, b: partial(self.function, self.native(w), b, X, Y)

    @property
    def source(self) -> str | None:
        """The text of the file that this kernel is named after; None for a kernel that has no file in this package."""
        for name in (f"kernels.{self.name}", f"kernels.peers.{self.name}"):
            module = sys.modules.get(name)
            if module is not None and getattr(module, "KERNEL", None) is self:
                return inspect.getsource(module)
        return None


@dataclass(frozen=True)
class Pair:
    """Two kernels that differ in one change, and what is predicted of the factor between them.

    Attributes:
        before: The kernel without the change.
        after: The kernel with it.
        cause: What changes, in a few words.
        predicted_by: As in `Kernel`, and so are the rest.
        more: Why the factor may be larger than predicted.
        less: Why it may be smaller.
        unpredicted: Why nothing can be predicted.
        explains: The rung whose measured factor it explains, where counting predicts another; "" for none.
    """

    before: str
    after: str
    cause: str
    predicted_by: str = ""
    more: str = ""
    less: str = ""
    unpredicted: str = ""
    explains: str = ""

    @classmethod
    def of(cls, kernel: Kernel) -> Self:
        """A kernel and the one that it grew from."""
        if kernel.grew_from is None:
            raise ValueError(f"{kernel.name} grew from no other kernel")
        return cls(
            kernel.grew_from,
            kernel.name,
            kernel.cause,
            kernel.predicted_by,
            kernel.more,
            kernel.less,
            kernel.unpredicted,
        )
