"""What each record of a journal holds, and the check that it does: a run is read from what this says, or not at all."""

import math
from typing import Any

from bench.results.journal import Record

# A type; a tuple of types; {key: shape}, {"key?": shape} where it may be lacking, {str: shape} for any key; [shape] for
# any length; (shape, shape) for a list of so many; a check of one's own.
Shape = Any
THIRTY_YEARS = 1e9  # in seconds


def seconds(value: Any) -> bool:
    """A time that can have been measured."""
    return number(value) and 0.0 <= value < THIRTY_YEARS


def positive(value: Any) -> bool:
    """A time that some arithmetic took."""
    return seconds(value) and value > 0.0


def rate(value: Any) -> bool:
    """How many a second."""
    return number(value) and 0.0 < value < math.inf


def count(value: Any) -> bool:
    """How many of something."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def some(value: Any) -> bool:
    """How many of something that there must be."""
    return count(value) and value > 0


def number(value: Any) -> bool:
    """Any number, NaN too."""
    return isinstance(value, int | float) and not isinstance(value, bool)


TEXT_OR_NONE = (str, type(None))
CELL = {"m": some, "n_x": some, "order": str, "threads": some, "problem": str, "iterations": count}
MOMENT = {"date": str, "load_1min": number}
SHAPES: dict[str, Shape] = {
    "run": {
        "grid": str,
        "problem": str,
        "seed": int,
        "settings": {"cap": positive, "budget": positive},
        "machine": {
            **dict.fromkeys(("cpu", "os", "machine", "python", "numpy", "numpy_blas", "numpy_simd"), str),
            **dict.fromkeys(("numba", "llvm", "numba_cpu"), str),
            "threads_available": some,
            "caches": {str: some},
            "memory_bytes": some,
        },
        "before": MOMENT,
        "kernels": {str: {"title": str, "change": str, "threads": str, "compiled": bool, "missing": TEXT_OR_NONE}},
        "planned": [CELL],
        "libraries?": {str: str},
        "pools?": [{**dict.fromkeys(("package", "library", "file"), str), "version": TEXT_OR_NONE}],
        "source?": str,
        "peers?": [str],
        "names?": (list, type(None)),
        "own?": {str: str},
    },
    "ceilings": {"ceilings": [{"threads": some, "read": [(some, rate)], "flops": rate, "exps": rate}]},
    "compiling": {"prices": [{"kernel": str, "cold": positive, "cached": (float, type(None)), "warm": positive}]},
    "counts": {"counts": {str: {str: number}}},
    "cell": {"cell": CELL, "pools?": {str: count}},
    "FirstCall": {"kernel": str, "seconds": seconds},
    "Agreement": {"kernel": str, "J": number, "dw": number, "db": number},
    "Skipped": {"kernel": str, "reason": str, "predicted": number},
    "Failed": {"kernel": str, "reason": str},
    "Calibrated": {"loops": {str: some}, "every": {str: some}, "rounds": some, "seconds": seconds},
    "Round": {"index": count, "samples": [(str, positive, seconds)]},
    "Warning": {"cell": TEXT_OR_NONE, "words": [str]},
    "resumed": {"before": MOMENT},
    "end": {"wall": seconds, "after": MOMENT, "interrupted": bool, "peak_bytes?": count},
}
OF_A_CELL = {"FirstCall", "Agreement", "Skipped", "Failed", "Calibrated", "Round"}


def check(record: Record) -> None:
    """Hold a record to its shape; what it holds beyond that is another version's.

    Raises:
        ValueError: Says what is not what it should be, and where.
    """
    kind = record["type"]
    if not isinstance(kind, str) or kind not in SHAPES:
        raise ValueError(f"it holds a record of unknown type {kind!r}")
    _hold(record, SHAPES[kind] | {"at?": seconds}, kind)
    if kind in OF_A_CELL:
        _hold(record.get("cell"), str, f"{kind}: cell")


def _hold(value: Any, shape: Shape, where: str) -> None:
    if isinstance(shape, dict):
        held = isinstance(value, dict)
        if held:
            shapes = dict.fromkeys(value, shape[str]) if str in shape else shape
            for key, each in shapes.items():
                name = key.removesuffix("?")
                if name in value:
                    _hold(value[name], each, f"{where}: {name}")
                elif name == key:
                    raise ValueError(f"{where} lacks {key!r}")
    elif isinstance(shape, list):
        held = isinstance(value, list)
        for item in value if held else ():
            _hold(item, shape[0], where)
    elif isinstance(shape, tuple) and not all(isinstance(each, type) for each in shape):
        held = isinstance(value, list) and len(value) == len(shape)
        for item, each in zip(value if held else (), shape, strict=False):
            _hold(item, each, where)
    elif isinstance(shape, type | tuple):
        held = isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
    else:
        held = shape(value)
    if not held:
        raise ValueError(f"{where} holds {str(value)[:60]!r}, which it can't")
