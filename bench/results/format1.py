"""Journals of format 1, which 0.1 wrote: a line of them as the line of today's format that says the same."""

import math
from typing import Any

FORMAT = 1
PRESET = (
    *("cap", "budget", "min_rounds", "max_rounds"),
    *("sample_seconds", "settle_seconds", "ceilings", "causes"),
)
COMPILES_PER_SHAPE = ("torch_compile", "jax_jit")  # it recorded only that they compile


def upgrade(line: dict[str, Any]) -> dict[str, Any]:
    """A record of format 1 in today's form.

    Raises:
        KeyError, TypeError, AttributeError: If it is no record of format 1.
    """
    if line["type"] == "run":
        return _header(line)
    if line["type"] == "cell":
        return line | {"cell": _cell(line["cell"])}
    if line["type"] == "Skipped":
        return line | {"predicted": None if math.isnan(line["predicted"]) else line["predicted"]}
    return line


def _header(line: dict[str, Any]) -> dict[str, Any]:
    settings = line["settings"]
    preset = {name: settings[name] for name in PRESET if name in settings}
    cells = [_cell(cell) for cell in line["planned"]]
    plan = {
        "preset": {"name": line["grid"], "cells": cells, "min_rounds": 1, "max_rounds": 1} | preset,
        "seed": line["seed"],
        "problem": line["problem"],
        "peers": line.get("peers", []),
        "names": line.get("names"),
        "own": line.get("own", {}),
    }
    kernels = {name: _kernel(name, card) for name, card in line["kernels"].items()}
    environment = {name: value for name, value in settings.items() if name not in PRESET}
    return line | {"plan": plan, "kernels": kernels, "environment": environment}


def _kernel(name: str, card: dict[str, Any]) -> dict[str, Any]:
    compiles = "per shape" if name in COMPILES_PER_SHAPE else "once"
    return card | {"compiles": compiles if card["compiled"] else "never"}


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    return cell | {"setting": {"order": cell["order"], "threads": cell["threads"]}}
