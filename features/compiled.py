"""The one door to numba: compiled, without the global lock, cached on disk, typed as what it wraps."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile on the first call, never at import; the machine code is kept beside the source file.

    Numba notices changes of the file a function lives in, not of the files it calls into: keep helpers and
    constants of a compiled function in its own module. Give it arrays and numbers only: the cache of a
    function that knows a class of ours cannot be read once the class is gone.
    """
    return cast("Function", numba.njit(nogil=True, cache=True)(function))
