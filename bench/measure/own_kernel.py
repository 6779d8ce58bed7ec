"""Your own kernel: a function in a file of yours, which joins the ladder by `--kernel my_kernel.py`.

It is named as text, `path/to/my_kernel.py` or `path/to/my_kernel.py:function`, so that another process can load it. The
process that leads a run never runs the file: whatever the file does, it does to a process of its own first.
"""

import faulthandler
import hashlib
import inspect
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

import kernels
from bench import words
from bench.machine import quiet
from bench.results.records import KernelCard
from kernels import Kernel

FUNCTION = "cost_and_gradient"
PARAMETERS = ("w", "b", "X", "Y")
LIMIT = 60.0  # seconds for a file to run in, what it compiles and imports included
START_SECONDS = 60.0  # for the process to start, on a busy machine


class NotAKernel(Exception):
    """A text that names no kernel: what is wrong and what to do, in one line."""


@cache
def load(text: str) -> Kernel:
    """The kernel that a text names; its file is run once in a process, and may import what lies beside it.

    It is named after its file; where the text names a function, that name follows: my_kernel_fast. Its cost must lie
    within the wider bound, for J computed from the activation, as the notes print it.

    Raises:
        NotAKernel: No such file or function, an error in it, a name that is taken, or not four parameters.
    """
    name = _name(text)
    file, chosen = _parts(text)
    module = _run(file)
    wanted = chosen or FUNCTION
    function = getattr(module, wanted, None)
    if not callable(function):
        functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        hint = f"; it defines {', '.join(functions)}: write {file.name}:{functions[-1]}" if functions else ""
        raise NotAKernel(f"{text}: no function {wanted}(w, b, X, Y){hint}")
    compiled = hasattr(function, "py_func")
    _require_parameters(text, wanted, function.py_func if compiled else function)
    lines = (inspect.getdoc(function) or "").splitlines()
    return Kernel(
        name=name,
        title=f"{file.name}, {wanted}",
        change=words.one_line(lines[0], 200) if lines else f"Your own: {wanted} of {file.name}.",
        function=function,
        threads="all",  # whether it can use them is not known
        compiles="once" if compiled else "never",
        cost_from="a",
    )


def card_of(kernel: Kernel) -> KernelCard:
    """What a run records of a kernel."""
    return KernelCard(kernel.title, kernel.change, kernel.threads, kernel.compiles, kernel.missing)


_cards: dict[str, KernelCard] = {}  # of the files that were tried in this process


def describe(own: Mapping[str, str], limit: float = LIMIT) -> dict[str, KernelCard]:
    """What a run records of the user's own kernels.

    The files are run in a process that ends with this call: one that crashes, exits or never ends is an error.

    Args:
        own: Name -> text of each kernel.
        limit: Seconds in which each file must have been run.

    Raises:
        NotAKernel: See `load`; or if the process ended, or had to be ended.
    """
    new = [text for text in own.values() if text not in _cards]
    for text in new:
        _name(text)
    if new:
        _cards.update(_try_all(new, limit))
    return {name: msgspec.structs.replace(_cards[text], own=source(text)) for name, text in own.items()}


def _try_all(texts: Sequence[str], limit: float) -> dict[str, KernelCard]:
    context: Any = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe(duplex=False)
    cards = {}
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace")
        arguments = theirs, texts, limit, trace, os.getpid()
        process = context.Process(target=_try, args=arguments, name="unloop own kernels")
        process.start()
        theirs.close()
        try:
            for text in texts:
                answer = pipe.recv() if pipe.poll(limit + START_SECONDS) else _ended(path(text), None, limit, trace)
                if isinstance(answer, str):
                    raise NotAKernel(answer)
                cards[text] = answer
        except EOFError:
            process.join(START_SECONDS)
            raise NotAKernel(_ended(path(text), process.exitcode, limit, trace)) from None
        finally:
            process.kill()
            process.join()
            pipe.close()
    return cards


def _try(pipe: Connection, texts: Sequence[str], limit: float, trace: Path, parent: int) -> None:
    """The life of that process: it sends a card for each text, or what is wrong; and a trace of where it died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quiet.die_with(parent)
    with trace.open("w") as file:
        faulthandler.enable(file)
        for text in texts:
            faulthandler.dump_traceback_later(limit, exit=True, file=file)
            answer: KernelCard | str
            try:
                answer = card_of(load(text))
            except NotAKernel as error:
                answer = str(error)
            except BaseException as error:  # a KeyboardInterrupt that the file raises itself
                answer = f"{path(text)}: {where(error, str(path(text)))}{words.of_error(error)}"
            pipe.send(answer)
        faulthandler.cancel_dump_traceback_later()
        faulthandler.disable()


def _ended(file: Path, code: int | None, limit: float, trace: Path) -> str:
    """How that process ended while a file was run, and in which line if that is known."""
    dump = trace.read_text(errors="replace") if trace.is_file() else ""
    # Most recent call first.
    line = re.search(rf'^  File "{re.escape(str(file))}", line (\d+)', dump, re.MULTILINE)
    if code is None or dump.startswith("Timeout"):
        how = f"it does not end within {limit:g} s"
    elif code < 0:
        how = f"it crashed with {signal_name(-code)}"
    else:
        how = f"it ended the process with exit code {code}"
    return f"{file}: {f'line {line[1]}: ' if line else ''}{how} when it is run, before its function is ever called"


def signal_name(number: int) -> str:
    """SIGSEGV for 11; "signal 99" for a number that has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def load_all(texts: Collection[str]) -> dict[str, str]:
    """The name of each of the user's own kernels -> its text; each file is run, see `describe`.

    Raises:
        NotAKernel: See `describe`; or for two of one name.
    """
    named: dict[str, str] = {}
    for text in texts:
        name = _name(text)
        if name in named:
            raise NotAKernel(f"{named[name]} and {text} would both be named {name}; give one file another name")
        named[name] = text
    describe(named)
    return named


def path(text: str) -> Path:
    """The file that a text names.

    Raises:
        NotAKernel: See `load`.
    """
    return _parts(text)[0]


def source(text: str) -> str:
    """The file's name and a hash of its text, for the run's header: without its folder."""
    file = path(text)
    return f"{file.name}, sha256 {hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"


def _parts(text: str) -> tuple[Path, str]:
    """The file, and the function where the text names one."""
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes that are no text: a run could not record it
        shown = words.one_line(text)
        raise NotAKernel(f"{shown}: its path is no text in UTF-8; rename the file or its folder") from None
    file, colon, function = (text, "", "") if text.endswith(".py") else text.rpartition(":")
    if not file.endswith(".py") or (colon and not function.isidentifier()):
        raise NotAKernel(f"{text}: name a Python file, my_kernel.py, or a function in it, my_kernel.py:function")
    if not Path(file).is_file():
        raise NotAKernel(f"{text}: there is no file {file}")
    return Path(file), function


def _name(text: str) -> str:
    file, chosen = _parts(text)
    name = f"{file.stem}_{chosen}" if chosen else file.stem
    if not name.isidentifier():
        raise NotAKernel(f"{text}: {name!r} can't name a kernel; name the file in letters, digits and _, as a variable")
    if kernels.find(name) is not None:
        raise NotAKernel(f"{text}: {name} is the name of a kernel already; give the file another name")
    return name


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
        raise NotAKernel(f"{file}: {where(error, str(file))}{words.of_error(error)}") from None
    return module


def where(error: BaseException, file: str) -> str:
    """The last line of a file that an error went through, as "line 7: ", or nothing."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f"line {lines[-1]}: " if lines else ""


def _require_parameters(text: str, wanted: str, function: Callable[..., Any]) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a builtin need not have one
        return
    try:
        signature.bind(*PARAMETERS)
    except TypeError:
        raise NotAKernel(f"{text}: {wanted}{signature} must take four arguments, ({', '.join(PARAMETERS)})") from None
