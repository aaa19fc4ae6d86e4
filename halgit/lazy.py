"""Values made at first use: compiled regular expressions, and the modules behind a package's names.

Importing all modules and compiling all patterns takes longer than most commands work, and a command uses few of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module

TYPE_CHECKING = False  # `typing` is not imported on the path of every command
if TYPE_CHECKING:
    from typing import Any, AnyStr


class _LazyPattern:
    """Stands for a compiled pattern: the first access to a method compiles it and stores that method here."""

    def __init__(self, source: str | bytes, flags: int = 0) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        compiled = self.__dict__.get("_compiled")
        if compiled is None:
            compiled = self.__dict__["_compiled"] = re.compile(self._source, self._flags)
        found = self.__dict__[name] = getattr(compiled, name)
        return found


if TYPE_CHECKING:

    def lazy_pattern(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
        """Return a pattern like `re.compile`, which is compiled when it is first used."""
        return re.compile(source, flags)

else:
    lazy_pattern = _LazyPattern


_LARGE = 256 * 1024
"""Bytes above which OpenSSL is faster, its start included."""


def sha256(data: bytes) -> Any:
    """Return what `hashlib.sha256` returns. Python's own function hashes small data: OpenSSL takes long to load."""
    if len(data) < _LARGE:
        for module in ("_sha2", "_sha256"):  # since Python 3.12, and before; a distribution may leave them out
            try:
                return import_module(module).sha256(data)
            except ImportError:
                continue
    from hashlib import sha256 as of_openssl

    return of_openssl(data)


def lazy_exports(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a `__getattr__` for a package that imports a name at first use. `names` maps names to modules."""

    def load(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{names[name]}"), name)
        setattr(import_module(package), name, value)
        return value

    return load
