"""A kernel of one's own, from a file that defines `cost_and_gradient(w, b, X, Y)`."""

import importlib.util
from pathlib import Path

from kernels import Kernel


def load_kernel(name: str, path: Path) -> Kernel:
    """The kernel `name` from a Python file.

    Raises:
        ImportError: If the file is no module.
        AttributeError: If it defines no `cost_and_gradient`.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Kernel(name, name, "A kernel of one's own.", module.cost_and_gradient)
