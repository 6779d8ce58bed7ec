"""What a lesson shows of a kernel's file, and two such listings side by side."""

import ast
import textwrap
from difflib import SequenceMatcher

from bench.report.section import Changed
from kernels import Kernel, find

STEP, PREPARED = "cost_and_gradient", "prepare"
CONTEXT = 3  # unchanged lines that stay beside a change
ELIDED = "..."


def listing(kernel: Kernel) -> list[str]:
    """The functions of a kernel's file that do the step, without docstrings and annotations; [] if it has no file.

    A kernel that is another's function, compiled, shows the compiler's decorator above that function.
    """
    source = kernel.source
    if source is None:
        return []
    named = {name: node for node in ast.parse(source).body for name in _names(node)}
    wanted = kernel.shows or ((PREPARED,) if kernel.prepare is not None and PREPARED in named else (STEP,))
    lines: list[str] = []
    for name in wanted:
        node = named.get(name)  # a rung may be written in another form
        lines += [""] if lines else []
        if isinstance(node, ast.FunctionDef):
            lines += _function(node, source.splitlines())
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            lines += _compiled(node.value)
    return lines


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    return (
        [target.id for target in node.targets if isinstance(target, ast.Name)] if isinstance(node, ast.Assign) else []
    )


def _compiled(call: ast.Call) -> list[str]:
    """A decorator, and the function of the other kernel that it is called with."""
    (argument,) = call.args
    of = (
        find(argument.value.id)
        if isinstance(argument, ast.Attribute) and isinstance(argument.value, ast.Name)
        else None
    )
    return [f"@{ast.unparse(call.func)}", *(listing(of) if of else [ast.unparse(argument)])]


def _function(node: ast.FunctionDef, source: list[str]) -> list[str]:
    """The lines of a function: each `def` on one line; no docstring, annotation, comment or empty line."""
    heads: dict[int, str] = {}
    dropped: set[int] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.FunctionDef):
            heads[each.lineno] = f"{' ' * each.col_offset}def {each.name}({', '.join(a.arg for a in each.args.args)}):"
            first = each.body[0]
            documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            end = first.end_lineno if documented and first.end_lineno else first.lineno - 1
            dropped.update(range(each.lineno, end + 1))
    start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    lines = []
    for number in range(start, (node.end_lineno or start) + 1):
        text = heads.get(number, "" if number in dropped else source[number - 1])
        if text.strip() and not text.lstrip().startswith("#"):
            lines.append(text)
    return textwrap.dedent("\n".join(lines)).splitlines()


def side_by_side(before: list[str], after: list[str]) -> list[Changed]:
    """Two listings, line by line; of what both share, only a few lines around each change. Indentation is no change."""
    rows: list[Changed] = []
    old, new = ([line.strip() for line in lines] for lines in (before, after))
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for at, (tag, i, i_end, j, j_end) in enumerate(codes):
        if tag == "equal":
            same = [Changed(*lines, "same") for lines in zip(before[i:i_end], after[j:j_end], strict=True)]
            rows += _shortened(same, first=at == 0, last=at == len(codes) - 1)
            continue
        left, right = before[i:i_end], after[j:j_end]
        for k in range(max(len(left), len(right))):
            rows.append(Changed(_line(left, k), _line(right, k), "changed"))
    return rows


def _line(lines: list[str], k: int) -> str:
    return lines[k] if k < len(lines) else ""


def _shortened(same: list[Changed], first: bool, last: bool) -> list[Changed]:
    head, tail = 0 if first else CONTEXT, 0 if last else CONTEXT
    if len(same) <= head + tail + 2:
        return same
    return [*same[:head], Changed(ELIDED, ELIDED, "same"), *(same[-tail:] if tail else [])]


def alone(lines: list[str]) -> list[Changed]:
    """A listing that has none before it."""
    return [Changed("", line, "same") for line in lines]
