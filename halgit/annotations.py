"""The names of `typing` that annotations use, at no cost: most commands end before `typing` would be imported.

Type checkers see `typing` itself. At runtime nothing evaluates an annotation; a name that is used as a value, such as
`Protocol` as a base class, has a substitute with that one ability.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Final, Generic, Literal, NoReturn, Protocol, TextIO, TypeAlias, TypeVar, cast
else:

    class _Form:
        """Stands for a type in an alias: `dict[str, Any]`, `Literal["a"]`."""

        def __getitem__(self, _):
            return self

        def __or__(self, _):
            return self

        __ror__ = __or__

    Any = BinaryIO = Final = Literal = NoReturn = TextIO = TypeAlias = _Form()

    def TypeVar(_, **_options):
        """Stand for a type that a call decides."""
        return _Form()

    class Protocol:
        """The base of a protocol, which nothing inherits from at runtime."""

        def __class_getitem__(cls, _):
            return cls

    class Generic:
        """The base of a generic class."""

        def __class_getitem__(cls, _):
            return cls

    def cast(_, value):
        """Return the value."""
        return value


__all__ = [
    "TYPE_CHECKING",
    "Any",
    "BinaryIO",
    "Final",
    "Generic",
    "Literal",
    "NoReturn",
    "Protocol",
    "TextIO",
    "TypeAlias",
    "TypeVar",
    "cast",
]
