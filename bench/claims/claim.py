"""What a claim is: one computation written in several ways, a setup by size, and what was printed about it."""

import importlib.util
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]  # of numbers of any type
Function = Callable[..., Any]
U = 2.0**-53  # unit roundoff of float64


def gamma(terms: float) -> float:
    """The relative error of a sum of so many products, at most (Higham, Accuracy and Stability, section 3.1)."""
    return terms * U / (1.0 - terms * U)


def summed(terms: Callable[[int], float] = float) -> Callable[[int], float]:
    """The tolerance for sums whose terms have one sign: each of two ways may be off by gamma, in opposite directions.

    Args:
        terms: How many roundings the longest sum of a problem of size n has; n, if not given.
    """
    return lambda n: 2.0 * gamma(terms(n))


def elementwise(ulps: float) -> Callable[[int], float]:
    """The tolerance for numbers that are computed one by one, so many units in the last place apart at most."""
    return lambda _: ulps * 2.0 * U


class Source(NamedTuple):
    """Where a claim stands."""

    author: str
    title: str
    place: str
    year: int

    def __str__(self) -> str:
        return f"{self.author}, “{self.title}”, {self.place}, {self.year}"


class Work(NamedTuple):
    """What any way must do at the least: bytes that move to or from its arrays, and operations."""

    nbytes: float
    operations: float


@dataclass(frozen=True)
class Way:
    """One way to compute it.

    Attributes:
        function: Called with the arguments that `setup` made; returns numbers, arrays, or a tuple of them.
        name: Its name; that of the function, if not given.
        title: A few words for a table; the name, if not given.
        printed: Seconds of a call, as printed; None where none are.
        prepare: Turns what `setup` made into this way's own arguments, outside all timing; such as arrays into lists.
        passes: How often it does the claim's work, at the least.
        in_place: It changes its arguments: it has its own, and is judged on fresh ones.
        judged: Its outputs must agree; not those of a way that computes something else, which is the point of it.
        needs: Packages without which it is left out.
    """

    function: Function
    name: str = ""
    title: str = ""
    printed: float | None = None
    prepare: Function | None = None
    passes: int = 1
    in_place: bool = False
    judged: bool = True
    needs: tuple[str, ...] = ()

    def call(self, arguments: tuple[Any, ...]) -> Any:
        """What it returns for the arguments that `setup` made."""
        return self.bound(arguments)()

    def bound(self, arguments: tuple[Any, ...]) -> Callable[[], Any]:
        """The call that is timed, for the arguments that `setup` made."""
        own = self.prepare(*arguments) if self.prepare is not None else arguments
        return partial(self.function, *own) if isinstance(own, tuple) else partial(self.function, own)

    @property
    def missing(self) -> str | None:
        """The package that is not installed, if one is not."""
        return next((name for name in self.needs if importlib.util.find_spec(name) is None), None)


@dataclass(frozen=True)
class Ratio:
    """How many times slower one way is than another.

    Attributes:
        slow: The slower way, as published.
        fast: The faster way.
        stated: The ratio as the text states it, or the two ends of a range; None where it only prints times.
    """

    slow: str
    fast: str
    stated: float | tuple[float, float] | None = None


@dataclass(frozen=True)
class Cause:
    """A controlled pair: two ways that differ in one thing.

    Attributes:
        before: The way with it.
        after: The way without it.
        words: What the one thing is, in a sentence without its full stop.
        first: Compare instead the first call of `before` in a fresh process with the repeated calls of `after`.
    """

    before: str
    after: str
    words: str
    first: bool = False


@dataclass(frozen=True)
class Claim:
    """A claim. Its file's docstring says what was claimed, and what is known to be odd about it.

    Attributes:
        setup: Makes the arguments of a problem of size n: setup(n), or setup(n, rng) with a seeded generator.
        ways: Two or more ways, or plain functions; the published slow way first.
        n: The size as published.
        shape: What is computed, in words; "{n}" becomes the size.
        ratio: What was claimed; of the first way to the last, if not given.
        others: More ratios of the same claim.
        causes: Controlled pairs.
        source: Where it stands; None for a file of the reader's own.
        dtype: The type of the numbers.
        tolerance: By how much outputs may differ, relative to the number, or to `scale` where that is larger; or a
            function of n that returns it.
        scale: Called with the arguments: the magnitude that the rounding of each output is relative to.
        compared: Turns an output into what must agree; for outputs that are random, or that rounding decides.
        work: Called with n: what any way must do at the least.
        memory: Called with n: bytes that the greediest way needs; estimated from the arguments, if not given.
        threads: How many threads the ways may use: 1, or "all".
    """

    setup: Function
    ways: Sequence[Way | Function]
    n: int = 1000
    shape: str = "size {n}"
    ratio: Ratio | None = None
    others: Sequence[Ratio] = ()
    causes: Sequence[Cause] = ()
    source: Source | None = None
    dtype: str = "float64"
    tolerance: float | Callable[[int], float] = 1e-9
    scale: Function | None = None
    compared: Function | None = None
    work: Callable[[int], Work] | None = None
    memory: Callable[[int], float] | None = None
    threads: Literal[1, "all"] = 1
    named: dict[str, Way] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Turn functions into ways, and check that names fit.

        Raises:
            ValueError: For fewer than two ways, a name that occurs twice, or one that no way has.
            TypeError: For a way that is no function, or a size that is no whole number.
        """
        ways = [_way(way) for way in self.ways]
        named = {way.name: way for way in ways}
        if len(ways) < 2:
            raise ValueError("a claim needs two ways to compare, or more")
        if len(named) < len(ways):
            raise ValueError(f"two ways have one name, among {', '.join(way.name for way in ways)}")
        if not isinstance(self.n, int) or self.n < 1:
            raise TypeError(f"n must be a whole number from 1 up; got {self.n!r}")
        object.__setattr__(self, "named", named)
        if self.ratio is None:
            object.__setattr__(self, "ratio", Ratio(ways[0].name, ways[-1].name))
        used = [name for pair in self.ratios for name in (pair.slow, pair.fast)]
        for name in used + [name for cause in self.causes for name in (cause.before, cause.after)]:
            if name not in named:
                raise ValueError(f"no way is named {name!r}; there are {', '.join(named)}")

    @property
    def ratios(self) -> list[Ratio]:
        """What was claimed first, then the other ratios."""
        assert self.ratio is not None
        return [self.ratio, *self.others]

    def arguments(self, n: int, seed: int) -> tuple[Any, ...]:
        """The arguments of a problem of size n; the same seed, the same numbers."""
        rng = np.random.default_rng([seed, n])
        try:
            inspect.signature(self.setup).bind(n, rng)
        except TypeError:
            made = self.setup(n)
        else:
            made = self.setup(n, rng)
        return made if isinstance(made, tuple) else (made,)

    def allowed(self, n: int) -> float:
        """The tolerance for a problem of size n."""
        return self.tolerance(n) if callable(self.tolerance) else self.tolerance


def _way(way: Way | Function) -> Way:
    if not isinstance(way, Way):
        if not callable(way):
            raise TypeError(f"a way is a function, or a Way; got {way!r}")
        way = Way(way)
    name = way.name or str(getattr(way.function, "__name__", ""))
    if not name or name == "<lambda>":
        raise ValueError("a way needs a name: Way(function, name='...')")
    return replace(way, name=name, title=way.title or name.replace("_", " "))
