"""Regular expressions that are compiled at first use.

Compiling the patterns of all modules takes longer than most commands work, and a command uses few of them.
"""

from __future__ import annotations

import re

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
        raise NotImplementedError

else:
    lazy_pattern = _LazyPattern
