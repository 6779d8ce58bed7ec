"""What a call of compiled code need not do again every time."""

from collections.abc import Callable
from typing import Any

import numba
from numba.core.dispatcher import Dispatcher


def code_for(function: Dispatcher, *arguments: Any) -> Callable[..., Any]:
    """The code that Numba makes of a function for arguments of these types, compiled or loaded now.

    Numba looks at the type of every argument in every call of the function, to choose the code. The code itself may be
    called too, but checks nothing: only arguments of the very same types are safe.
    """
    signature = tuple(numba.typeof(argument) for argument in arguments)
    function.compile(signature)
    compiled: Any = function.overloads[signature]
    code: Callable[..., Any] = compiled.entry_point
    return code
