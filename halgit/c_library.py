"""Functions of the C library that Python does not offer: `prctl`, `openat2`, timers that end the process.

They are called through `_ctypes`, the part of `ctypes` that is written in C: importing all of `ctypes` takes a
millisecond of every command, which is a hundred times as long as the calls.
"""

from __future__ import annotations

import _ctypes
import sys
from collections.abc import Callable
from functools import cache

from halgit.annotations import TYPE_CHECKING, Any

__all__ = ["Int", "Long", "Pointer", "Size", "byref", "find_address", "find_function", "get_errno", "pack"]

byref = _ctypes.byref
get_errno = _ctypes.get_errno

if TYPE_CHECKING:
    from ctypes import CDLL
    from ctypes import c_int as Int
    from ctypes import c_long as Long
    from ctypes import c_size_t as Size
    from ctypes import c_void_p as Pointer

    _IntFunction = _LongFunction = CDLL(None)._FuncPtr
else:

    class Int(_ctypes._SimpleCData):
        """A C int."""

        _type_ = "i"

    class Long(_ctypes._SimpleCData):
        """A C long."""

        _type_ = "l"

    class Size(_ctypes._SimpleCData):
        """A C size_t."""

        _type_ = "L"

    class Pointer(_ctypes._SimpleCData):
        """A C pointer."""

        _type_ = "P"

    class _IntFunction(_ctypes.CFuncPtr):
        _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
        _restype_ = Int

    class _LongFunction(_ctypes.CFuncPtr):
        _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
        _restype_ = Long


def find_address(name: str) -> int:
    """Return the address of a function of the C library. Raises OSError if there is none."""
    return _ctypes.dlsym(_open_library(), name)


def find_function(name: str, *, returns_long: bool = False) -> Callable[..., int]:
    """Return a function of the C library, which sets `get_errno`. Raises OSError if there is none."""
    kind = _LongFunction if returns_long else _IntFunction
    function: Callable[..., int] = kind(find_address(name))
    return function


@cache
def _open_library() -> int:
    program: Any = None  # the program itself, which the C library is linked to
    return _ctypes.dlopen(program, 0)


def pack(*numbers: tuple[int, int]) -> bytes:
    """Return a C structure of integers, each given with its size in bytes."""
    return b"".join(number.to_bytes(size, sys.byteorder) for number, size in numbers)
