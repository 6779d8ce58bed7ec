"""What a call does, counted and not timed: interpreted instructions, bytes, packed and scalar arithmetic.

- Interpreted instructions: Python's own trace of opcodes in a kernel's function, as the difference of two sizes.
- Bytes moved by NumPy: the kernel is called on arrays of a class that counts each operation on them (NumPy's protocols
  `__array_ufunc__` and `__array_function__`), so what is counted is what the kernel's own lines ask for. Where the
  bytes come from, a cache or memory, is not known; nor is what an operation such as np.dot reads more than once.
- Bytes allocated: the most memory that a call adds at any moment, as tracemalloc sees it; NumPy reports to it all that
  it allocates, compiled code does not.
- Arithmetic: floating-point instructions of the innermost loops in the machine code that Numba made. An innermost loop
  is what lies between a label and the last jump back to it with no other label's loop inside. How often a loop runs is
  not known, so these are counts in the code, not in time. x86 only.

Which of them applies is the `work` of a kernel. The rungs are counted, and the variants of controlled pairs.
"""

import os
import platform
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import msgspec
import numpy as np

import bench
from bench.machine import quiet
from bench.problem import make_problem
from kernels import KERNELS, Kernel
from kernels.controlled import CONTROLLED

ROOT = Path(bench.__file__).parents[1]  # processes start there: another folder may hold a "bench" of its own
PATIENCE = 300.0  # seconds, for a machine that is very busy
MANY = (20_000, 2)  # m and n_x at which allocation is counted: the arrays of m elements are most of it
WHOLE = (np.dot, np.where, np.copyto)  # of what is no ufunc; other functions are made of these and of ufuncs

LABEL = re.compile(r"^(\.?L[\w.$]+):", re.MULTILINE)
JUMP = re.compile(r"^\tj\w+\s+(\.?L[\w.$]+)", re.MULTILINE)
EXP = re.compile(r"\$_?exp\b|\bcall\w*\s+_?exp\b")  # of the C library, by its address or its name
ARITHMETIC = re.compile(r"^\tv?(f\w+?|add|sub|mul|div|max|min|sqrt)(pd|sd)\s(.*)$", re.MULTILINE)
LANES = {"zmm": 8, "ymm": 4, "xmm": 2}

Counts = dict[str, float]


def opcodes(kernel: Kernel, m: int, n_x: int) -> int:
    """Interpreted instructions of one call, in the function itself."""
    problem = make_problem(m, n_x)
    step = kernel.bind(problem.w, problem.b, problem.X, problem.Y)
    file = kernel.function.__code__.co_filename
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        if frame.f_code.co_filename != file:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        step()
    finally:
        sys.settrace(before)
    return count


def interpreted(kernel: Kernel) -> Counts:
    """Interpreted instructions for each element and for each example."""
    element = (opcodes(kernel, 8, 12) - opcodes(kernel, 8, 4)) / (8 * 8)
    example = (opcodes(kernel, 16, 4) - opcodes(kernel, 8, 4)) / 8 - 4 * element
    return {"instructions_per_element": abs(round(element, 1)), "instructions_per_example": round(example, 1)}


def allocated(kernel: Kernel) -> Counts:
    """Bytes that a call allocates for each example."""
    problem = make_problem(*MANY)
    step = kernel.bind(problem.w, problem.b, problem.X, problem.Y)
    step()
    tracemalloc.start()
    try:
        outputs = step()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    del outputs
    return {"bytes_per_example": round(peak / problem.m, 1)}


class Counting(np.ndarray):
    """An array that adds to `moved` what operations on it read and write, and to `made` what they allocate."""

    moved = made = 0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Count the arrays of an operation, and do it on plain ones."""
        return _count(getattr(ufunc, method), inputs, options)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """The same for a function."""
        if func in WHOLE:
            return _count(func, args, kwargs)
        return super().__array_function__(func, types, args, kwargs)


def _count(operation: Callable[..., Any], inputs: Any, options: dict[str, Any]) -> Any:
    out = options.pop("out", None)
    outs = out if isinstance(out, tuple) else () if out is None else (out,)
    read = [array for array in (*inputs, options.get("where")) if _is_array(array)]
    if any(out is not None for out in outs):
        options["out"] = tuple(map(_plain, outs)) if isinstance(out, tuple) else _plain(out)
    result = operation(*map(_plain, inputs), **{key: _plain(value) for key, value in options.items()})
    written = [array for array in outs if array is not None] or [array for array in [result] if _is_array(array)]
    Counting.moved += sum(array.nbytes for array in (*read, *written))
    if written and not outs:
        Counting.made += result.nbytes
    return result.view(Counting) if isinstance(result, np.ndarray) else result


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _counting_empty(*shape: Any, make: Any = np.empty) -> Any:
    return make(*shape).view(Counting)


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Counting) else value


def moved(kernel: Kernel, m: int, n_x: int) -> tuple[int, int]:
    """Bytes that a step reads and writes, and bytes of the arrays that it makes, for X (n_x, m)."""
    problem = make_problem(m, n_x)
    w, X, Y = (kernel.native(array).view(Counting) for array in (problem.w, problem.X, problem.Y))
    Counting.moved = Counting.made = 0
    with mock.patch.object(np, "empty", _counting_empty):
        kernel.function(w, problem.b, X, Y)
    return Counting.moved, Counting.made


def traffic(kernel: Kernel) -> dict[str, float]:
    """Bytes read and written for each element of X and, besides, for each example; bytes made for each example."""
    (short, made), (long, more) = (moved(kernel, m, 4) for m in (1_000, 2_000))
    example = (long - short) / 1_000
    element = ((moved(kernel, 2_000, 12)[0] - moved(kernel, 1_000, 12)[0]) / 1_000 - example) / 8
    return {
        "moved_per_element": element,
        "moved_per_example": example - 4 * element,
        "made_per_example": (more - made) / 1_000,
    }


def innermost(code: str) -> list[tuple[int, int]]:
    """Where the innermost loops of some machine code begin and end, in characters."""
    labels = {label[1]: label.start() for label in LABEL.finditer(code)}
    loops = [
        (labels[jump[1]], jump.end())
        for jump in JUMP.finditer(code)
        if jump[1] in labels and labels[jump[1]] < jump.start()
    ]
    # Two jumps back to one label are one loop: it ends at the last, unless another loop lies before that.
    ends = [(a, b) for a, b in sorted(loops) if not any(a < other and last <= b for other, last in loops)]
    return sorted(dict(ends).items())


def arithmetic(code: str) -> Counts | None:
    """Packed and scalar instructions in the innermost loops of some machine code; None where it has no such loop.

    `lanes` is the most numbers that one of them works on, `division_lanes` the same of divisions. `calls_exp`: 1
    where the C library's exp is called, which takes one number at a time; 0 where it is not.
    """
    packed = scalar = 0
    lanes = division_lanes = 1
    for start, end in innermost(code):
        for operation, kind, operands in ARITHMETIC.findall(code[start:end]):
            if kind == "pd":
                packed += 1
                size = max((size for name, size in LANES.items() if name in operands), default=1)
                lanes = max(lanes, size)
                division_lanes = max(division_lanes, size if operation == "div" else 1)
            else:
                scalar += 1
    if packed + scalar == 0:
        return None
    widths = {"lanes": float(lanes), "division_lanes": float(division_lanes)}
    return {"packed": packed, "scalar": scalar, **widths, "calls_exp": float(bool(EXP.search(code)))}


def compiled(kernel: Kernel) -> Counts | None:
    """`arithmetic` of a kernel that Numba has compiled for its own order of X in this process, or will now."""
    if not re.search("x86|amd64", platform.machine(), re.IGNORECASE):
        return None
    problem = make_problem(10, 9)
    kernel(problem.w, problem.b, problem.X, problem.Y)
    order = "F" if kernel.native(problem.X).flags.f_contiguous else "C"
    codes: Mapping[Any, str] = kernel.function.inspect_asm()  # type: ignore[attr-defined]
    in_order = [code for signature, code in codes.items() if f"'{order}'" in str(signature)]
    return arithmetic("\n".join(in_order))


def count() -> dict[str, Counts]:
    """The counts of the rungs and the variants; what can't be counted of one, or here, is left out."""
    counts = {name: of_kernel(kernel) for name, kernel in {**KERNELS, **CONTROLLED}.items()}
    return {name: counted for name, counted in counts.items() if counted}


def in_a_fresh_process() -> dict[str, Counts]:
    """The same, counted by a process that compiles: Numba shows no machine code of what it loaded from disk."""
    command = [sys.executable, "-m", "bench.measure.counts", str(os.getpid())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE, check=True)
    return msgspec.json.decode(done.stdout, type=dict[str, Counts])


def of_kernel(kernel: Kernel) -> Counts | None:
    """The counts of a kernel, of what its work is; None where it can't be counted."""
    match kernel.work:
        case "interpreted":
            return interpreted(kernel)
        case "arrays":
            return allocated(kernel) | traffic(kernel)
        case "compiled":
            return compiled(kernel)
        case _:
            return None


if __name__ == "__main__":
    quiet.die_with(int(sys.argv[1]))
    sys.stdout.buffer.write(msgspec.json.encode(count()))
