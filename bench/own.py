"""Your own kernel: a function in a file of yours, which joins the ladder by `--kernel my_kernel.py`.

It is named as text, `path/to/my_kernel.py` or `path/to/my_kernel.py:function`, so that another process can load it too.
"""

import hashlib
import inspect
import sys
import traceback
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from kernels import KERNELS, Kernel
from kernels.peers import PEERS

FUNCTION = "cost_and_gradient"
PARAMETERS = ("w", "b", "X", "Y")


class NotAKernel(Exception):
    """A text that names no kernel; says what is wrong, and what to do, in one line."""


@cache
def load(text: str) -> Kernel:
    """The kernel that a text names; its file is run once in a process, and may import what lies beside it.

    It is named as its file; where the text names a function, that name follows: my_kernel_fast. Its cost is held to
    the wider bound, for J computed from the activation, as the notes print it.

    Raises:
        NotAKernel: No such file or function, an error in it, a name that is taken, or not four parameters.
    """
    file, chosen = _parts(text)
    name = f"{file.stem}_{chosen}" if chosen else file.stem
    if not name.isidentifier():
        raise NotAKernel(f"{text}: {name!r} can't name a kernel; name the file in letters, digits and _, as a variable")
    if name in KERNELS or name in PEERS or name == "numba_descent":
        raise NotAKernel(f"{text}: {name} is the name of a kernel already; give the file another name")
    module = _run(file)
    wanted = chosen or FUNCTION
    function = getattr(module, wanted, None)
    if not callable(function):
        found = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        others = f"; it defines {', '.join(found)}: write {file.name}:{found[-1]}" if found else ""
        raise NotAKernel(f"{text}: no function {wanted}(w, b, X, Y){others}")
    compiled = hasattr(function, "py_func")
    _require_parameters(text, wanted, function.py_func if compiled else function)
    lines = (inspect.getdoc(function) or "").splitlines()
    return Kernel(
        name=name,
        title=f"{file.name}, {wanted}",
        change=lines[0] if lines else f"Your own: {wanted} of {file.name}.",
        function=function,
        threads="all",  # whether it can use them is not known
        compiled=compiled,
        cost_from="a",
    )


def load_all(texts: Collection[str]) -> dict[str, str]:
    """The name of each own kernel -> its text.

    Raises:
        NotAKernel: See `load`; or for two of one name.
    """
    named: dict[str, str] = {}
    for text in texts:
        name = load(text).name
        if name in named:
            raise NotAKernel(f"{named[name]} and {text} would both be named {name}; give one file another name")
        named[name] = text
    return named


def path(text: str) -> Path:
    """The file that a text names.

    Raises:
        NotAKernel: See `load`.
    """
    return _parts(text)[0]


def source(text: str) -> str:
    """The file and what it held: for the run's header, so without its folder."""
    file = path(text)
    return f"{file.name}, sha256 {hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"


def _parts(text: str) -> tuple[Path, str]:
    """The file, and the function where the text names one."""
    file, colon, function = (text, "", "") if text.endswith(".py") else text.rpartition(":")
    if not file.endswith(".py") or (colon and not function.isidentifier()):
        raise NotAKernel(f"{text}: name a Python file, my_kernel.py, or a function in it, my_kernel.py:function")
    if not Path(file).is_file():
        raise NotAKernel(f"{text}: there is no file {file}")
    return Path(file), function


def _run(file: Path) -> ModuleType:
    module = ModuleType(f"own_{file.stem}")
    module.__file__ = str(file)
    # Dataclasses and Numba look a module up by its name; the prefix keeps a random.py from taking random's place.
    sys.modules[module.__name__] = module
    folder = str(file.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        # Compiled from the source, always: a cached .pyc may be that of a file edited within the same second.
        exec(compile(file.read_bytes(), str(file), "exec"), vars(module))
    except SyntaxError as error:
        raise NotAKernel(f"{file}: line {error.lineno}: {error.msg}") from None
    except (Exception, SystemExit) as error:
        raise NotAKernel(f"{file}: {where(error, str(file))}{type(error).__name__}: {error}") from None
    return module


def where(error: BaseException, file: str) -> str:
    """The last line of a file that an error went through, as "line 7: ", or nothing."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f"line {lines[-1]}: " if lines else ""


def _require_parameters(text: str, wanted: str, function: Callable[..., Any]) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a builtin need not tell
        return
    try:
        signature.bind(*PARAMETERS)
    except TypeError:
        raise NotAKernel(f"{text}: {wanted}{signature} must take four arguments, ({', '.join(PARAMETERS)})") from None
