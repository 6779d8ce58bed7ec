"""What a call does, counted and not timed: interpreted instructions, bytes allocated, packed and scalar arithmetic.

- Interpreted instructions: Python's own trace of opcodes in a kernel's function, as the difference of two sizes.
- Bytes moved by NumPy: see `bench.traffic`.
- Bytes allocated: the most that a call holds beyond what it found, as tracemalloc sees it; NumPy tells it all that it
  allocates, compiled code does not.
- Arithmetic: floating-point instructions of the innermost loops in the machine code that Numba made. An innermost loop
  is what lies between a label and the last jump back to it with no other label's loop inside. How often a loop runs is
  not known, so these are counts in the code, not in time. x86 only.

The rungs are counted, and the variants that differ from them in one thing, "pair: ...".
"""

import platform
import re
import sys
import tracemalloc
from collections.abc import Mapping
from types import FrameType
from typing import Any

from bench.measure.traffic import traffic
from bench.problem import make_problem
from kernels import KERNELS, Kernel
from kernels.variants import NP_VECTORIZE, NUMPY_ORDER_C, VARIANTS

INTERPRETED = ("python_loop", "python_lists", "numpy_dot_in_loop", NP_VECTORIZE.name)
ALLOCATING = ("numpy_textbook", "numpy_vectorized", "numpy_buffers", NUMPY_ORDER_C.name)
MANY = (20_000, 2)  # m and n_x at which allocation is counted: the arrays of m elements are most of it

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


def innermost(code: str) -> list[tuple[int, int]]:
    """Where the innermost loops of some machine code begin and end, in characters."""
    labels = {found[1]: found.start() for found in LABEL.finditer(code)}
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
        for found in ARITHMETIC.finditer(code, start, end):
            if found[2] == "pd":
                packed += 1
                size = max((size for name, size in LANES.items() if name in found[3]), default=1)
                lanes = max(lanes, size)
                division_lanes = max(division_lanes, size if found[1] == "div" else 1)
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
    found = [code for signature, code in codes.items() if f"'{order}'" in str(signature)]
    return arithmetic("\n".join(found))


def count() -> dict[str, Counts]:
    """The counts of the rungs and the variants; what can't be counted of one, or here, is left out."""
    found: dict[str, Counts] = {}
    for name, kernel in {**KERNELS, **VARIANTS}.items():
        counts = (
            interpreted(kernel)
            if name in INTERPRETED
            else allocated(kernel) | traffic(kernel)
            if name in ALLOCATING
            else compiled(kernel)
            if kernel.compiled
            else None
        )
        if counts:
            found[name] = counts
    return found
