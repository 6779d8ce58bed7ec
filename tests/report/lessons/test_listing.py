"""Listings: what a lesson shows of a kernel's file, and two of them side by side."""

import ast

import pytest

from bench.report.lessons.listing import alone, listing, side_by_side
from bench.report.section import Changed
from kernels import KERNELS


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_a_listing_is_code_without_docstrings_annotations_and_comments(kernel) -> None:  # type: ignore[no-untyped-def]
    lines = listing(kernel)
    assert 5 <= len(lines) <= 45, kernel.name
    tree = ast.parse("\n".join(lines))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert functions and not any(map(ast.get_docstring, functions))
    assert not any("#" in line or "->" in line for line in lines)


def test_a_compiled_function_shows_its_compiler_above_the_function() -> None:
    loop, compiled, relaxed = (listing(KERNELS[n]) for n in ("python_loop", "numba_loop", "numba_fastmath"))
    assert compiled == ["@numba.njit(error_model='numpy')", *loop]
    assert relaxed[0] == "@numba.njit(error_model='numpy', fastmath=RELAXED)" and relaxed[1:] == loop
    changed = [row for row in side_by_side(compiled, relaxed) if row.kind == "changed"]
    assert changed == [Changed(compiled[0], relaxed[0], "changed")]


def test_two_listings_by_hand() -> None:
    before = ["a", "b", "c", "d"]
    after = ["a", "  b", "x", "y", "d"]
    assert side_by_side(before, after) == [
        Changed("a", "a", "same"),
        Changed("b", "  b", "same"),  # indentation is no change
        Changed("c", "x", "changed"),
        Changed("", "y", "changed"),
        Changed("d", "d", "same"),
    ]
    assert alone(["a"]) == [Changed("", "a", "same")]


def test_long_stretches_of_the_same_are_left_out() -> None:
    same = [f"line {k}" for k in range(20)]
    rows = side_by_side(["old", *same], ["new", *same])
    assert [row.after for row in rows] == ["new", "line 0", "line 1", "line 2", "..."]


def test_a_kernel_without_a_file_has_no_listing() -> None:
    from kernels.controlled import OBJECTS

    assert listing(OBJECTS) == []
