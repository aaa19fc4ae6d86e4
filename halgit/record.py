"""Frozen value types that cost nothing to define: the subset of dataclasses that halgit uses.

A dataclass generates and compiles its methods when its module is imported, which takes longer than most commands work.
A `Record` shares generic methods instead. Type checkers read it as a frozen dataclass with slots.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter

TYPE_CHECKING = False  # `typing` is not imported on the path of every command
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from typing_extensions import dataclass_transform

    T = TypeVar("T", bound="Record")
else:

    def dataclass_transform(**_options):
        return lambda decorated: decorated


class _Field:
    """Options of one field: a default or a factory, and whether the field counts in `repr` and `==`."""

    __slots__ = ("compare", "default", "factory", "repr")

    def __init__(self, default: Any, factory: Callable[[], Any] | None, is_shown: bool, is_compared: bool) -> None:
        self.default = default
        self.factory = factory
        self.repr = is_shown
        self.compare = is_compared


_REQUIRED = object()
_PLAIN = _Field(_REQUIRED, None, True, True)


def field(
    *,
    default: Any = _REQUIRED,
    default_factory: Callable[[], Any] | None = None,
    repr: bool = True,
    compare: bool = True,
) -> Any:
    """Set options of a field, as `dataclasses.field` does."""
    return _Field(default, default_factory, repr, compare)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class RecordType(type):
    """Turns the annotations of a class into slots. `frozen=False` allows assignment, `eq=False` compares identity."""

    _fields: Mapping[str, _Field] = {}

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], *, frozen: bool = True, eq: bool = True
    ) -> RecordType:
        own = tuple(namespace.get("__annotations__", ()))
        fields = dict(getattr(bases[0], "_fields", {})) if bases else {}
        for key in own:
            option = namespace.pop(key, _REQUIRED)
            plain = _PLAIN if option is _REQUIRED else _Field(option, None, True, True)
            fields[key] = option if isinstance(option, _Field) else plain
        namespace["__slots__"] = own
        namespace["_fields"] = fields
        if not frozen:
            namespace["__setattr__"] = object.__setattr__
            namespace["__hash__"] = None
        if not eq:
            namespace["__eq__"] = object.__eq__
            namespace["__hash__"] = object.__hash__
        namespace["_setters"] = namespace["_parts"] = namespace["_key"] = None
        return super().__new__(cls, name, bases, namespace)

    def complete(cls) -> tuple[Callable[[Any, Any], None], ...]:
        """Prepare the class for its first instance and return its setters: a run uses a part of all classes.

        The setters are set last, because another thread takes them as the sign that all is prepared.
        """
        fields = cls._fields
        setters = tuple([getattr(cls, key).__set__ for key in fields])
        cls._parts = tuple(zip(fields, fields.values(), setters))  # noqa: B905 - of equal length
        compared = [key for key, option in fields.items() if option.compare]
        cls._key = attrgetter(*compared) if compared else len
        cls._setters = setters
        return setters

    _setters: tuple[Callable[[Any, Any], None], ...] | None
    _parts: tuple[tuple[str, _Field, Callable[[Any, Any], None]], ...]
    _key: Callable[[Any], Any]


class Record(metaclass=RecordType):
    """The base of a frozen value type: `class Point(Record): x: int = 0`."""

    def __init__(self, *values: Any, **named: Any) -> None:
        setters = self.__class__._setters
        if setters is None:
            setters = self.__class__.complete()
        for assign, value in zip(setters, values):  # noqa: B905 - the fast path of every record
            assign(self, value)
        if named or len(values) != len(setters):
            self._assign_rest(len(values), named)
        self.__post_init__()

    def _assign_rest(self, count: int, named: dict[str, Any]) -> None:
        kind = type(self)
        if count > len(kind._parts):
            raise TypeError(f"{kind.__name__} takes {len(kind._parts)} values, got {count}")
        for name, option, assign in kind._parts[count:]:
            if name in named:
                assign(self, named.pop(name))
            elif option.factory is not None:
                assign(self, option.factory())
            elif option.default is not _REQUIRED:
                assign(self, option.default)
            else:
                raise TypeError(f"{kind.__name__} requires {name}")
        if named:
            raise TypeError(f"{kind.__name__} has no field {next(iter(named))}, or got it as a position too")

    def __post_init__(self) -> None:
        """Check or complete a new record; subclasses override this."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        key = type(self)._key
        return bool(key(self) == key(other))

    def __hash__(self) -> int:
        return hash(type(self)._key(self))

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={getattr(self, name)!r}" for name, option in type(self)._fields.items() if option.repr
        )
        return f"{type(self).__qualname__}({shown})"


def list_fields(kind: type[Record]) -> tuple[str, ...]:
    """Return the names of the fields of a record type, in order."""
    return tuple(kind._fields)


def replace(record: T, **changes: Any) -> T:
    """Copy a record with some fields changed."""
    values = {name: changes.pop(name) if name in changes else getattr(record, name) for name in type(record)._fields}
    return type(record)(**values, **changes)


def to_dict(value: Any) -> Any:
    """Convert a record to a dict of its fields, and the records, lists, tuples and dicts inside it alike."""
    if isinstance(value, Record):
        return {name: to_dict(getattr(value, name)) for name in type(value)._fields}
    if isinstance(value, (list, tuple)):
        return type(value)(to_dict(item) for item in value)
    if isinstance(value, dict):
        return {to_dict(key): to_dict(item) for key, item in value.items()}
    return value
