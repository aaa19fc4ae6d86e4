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


def lazy_exports(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a `__getattr__` for a package that imports a name at first use. `names` maps names to modules."""

    def load(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{names[name]}"), name)
        setattr(import_module(package), name, value)
        return value

    return load
