"""A claim of the reader's own: a Python file from anywhere that defines CLAIM, as the published ones do.

Only the process that measures runs the file.
"""

import hashlib
import re
import sys
from pathlib import Path
from types import ModuleType

from bench.claims import published
from bench.claims.claim import Claim
from bench.claims.published import Loaded
from bench.measure.own_kernel import where
from bench.words import WrongUse, nearest


def is_file(name: str) -> bool:
    """Whether a name is that of a file, and not of a published claim."""
    return name.endswith(".py")


def require(name: str) -> None:
    """Refuse a name that is no published claim and no file.

    Raises:
        WrongUse: In one line.
    """
    if is_file(name):
        if not Path(name).is_file():
            raise WrongUse(f"there is no file {name}")
        if not re.fullmatch(r"\w+", Path(name).stem):
            raise WrongUse(f"{name}: name the file in letters, digits and _, as a variable")
    elif name not in published.PUBLISHED:
        raise nearest("claim", name, published.PUBLISHED)


def source(name: str) -> str:
    """A hash of the file that a claim stands in, so that a run is resumed with the same one."""
    file = Path(name) if is_file(name) else Path(published.__file__).parent / f"{name.replace('-', '_')}.py"
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def load(name: str) -> Loaded:
    """A claim by its published id, or from the file of that name, which is run.

    Raises:
        WrongUse: For an error in the file, or no CLAIM in it.
    """
    if not is_file(name):
        return published.load(name)
    file = Path(name)
    module = ModuleType(f"own_{file.stem}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module  # Numba and dataclasses look it up there
    sys.path.append(str(file.resolve().parent))
    try:
        exec(compile(file.read_bytes(), str(file), "exec"), vars(module))
    except SyntaxError as error:
        raise WrongUse(f"{file}: line {error.lineno}: {error.msg}") from None
    except (Exception, SystemExit) as error:
        raise WrongUse(f"{file}: {where(error, str(file))}{type(error).__name__}: {error}") from None
    claim = getattr(module, "CLAIM", None)
    if not isinstance(claim, Claim):
        what = "it defines no CLAIM" if claim is None else f"its CLAIM is a {type(claim).__name__}"
        raise WrongUse(f"{file}: {what}; write CLAIM = Claim(setup=..., ways=[...]) with bench.claims.Claim")
    return Loaded(file.stem, claim, (module.__doc__ or "").strip(), file.name)
