"""The size of what Halyard writes: a section of the halconfig as block YAML, with the defaults of its classes.

Halyard converts its objects to maps and dumps them with SnakeYAML in block style (`ProfileFactory.yamlToString`): keys
that are absent get their defaults, nulls are omitted, lists are not indented. The result is an estimate, because
SnakeYAML folds some lines and quotes some strings. Pure.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from functools import lru_cache

from halgit.annotations import Final
from halgit.halyard.model import Field, FieldType, ModelClass, get_actual_class
from halgit.pipeline import MISSING, Value
from halgit.vocabulary import ItemCache

_STAGED: Final = "/default/staging/dependencies/1234567890-"
"""Where Halyard stages a local file, below its home; the digits are a hash of the path."""


class SizeEstimator:
    """Estimates sizes in bytes. `hal_home` is the path of the tree in Halyard's pod.

    Sizes of list items are remembered by identity: overlays share the items that they do not change.
    """

    def __init__(self, hal_home: str) -> None:
        self._hal_home = hal_home
        self._items: ItemCache[int] = ItemCache()
        self._classes: dict[tuple[str, int], tuple[int, Mapping[str, tuple[Field, int]]]] = {}

    def measure(self, type_: FieldType, value: Value, indent: int = 0) -> int:
        """Return the size of a value after its key, with its newlines."""
        if type_.kind == "object" and (value is None or isinstance(value, dict)):
            return 1 + self._members(type_, value or {}, indent)
        if isinstance(value, dict) and value:
            return 1 + sum(self._member(str(key), type_.of, item, indent) for key, item in value.items())
        if isinstance(value, list) and value:
            return 1 + sum(self._item(type_.of, item, indent) for item in value)
        return 1 + (2 if isinstance(value, (dict, list)) else _scalar(value)) + 1

    def _members(self, type_: FieldType, node: dict[str, Value], indent: int) -> int:
        total, parts = self._parts_of(get_actual_class(type_, node), indent)
        for key, value in node.items():
            part = parts.get(key)
            if part is not None and value is not None:
                field, default = part
                if value.__class__ is str and not field.local_file:
                    total += indent + len(field.key) + 3 + _scalar(value) - default
                else:
                    staged = self._staged(value) if field.local_file else value
                    total += self._member(field.key, field.type, staged, indent) - default
        return total

    def _parts_of(self, class_: ModelClass, indent: int) -> tuple[int, Mapping[str, tuple[Field, int]]]:
        """Return the size of an object of a class without settings, and each field with the size of its default."""
        known = self._classes.get((class_.name, indent))
        if known is None:
            written = {key: field for key, field in class_.fields.items() if field.written}
            parts = {key: (field, self._default(field, indent)) for key, field in written.items()}
            known = self._classes[class_.name, indent] = sum(size for _, size in parts.values()), parts
        return known

    def _default(self, field: Field, indent: int) -> int:
        if field.default is None:
            return 0
        staged = self._staged(field.default) if field.local_file else field.default
        return self._member(field.key, field.type, staged, indent)

    def _member(self, key: str, type_: FieldType | None, value: Value, indent: int) -> int:
        return indent + len(key) + 1 + self.measure(type_ or _ANY, value, indent + (0 if _is_list(value) else 2))

    def _item(self, type_: FieldType | None, item: Value, indent: int) -> int:
        """Return the size of a list item; its first key stands beside the dash."""
        type_ = type_ or _ANY
        if not isinstance(item, dict) or not item:
            return indent + 1 + self.measure(type_, item, indent + 2)
        return self._items.get(item, lambda: self.measure(type_, item, indent + 2) - 1, type_.name, indent)

    def _staged(self, value: Value) -> Value:
        if not isinstance(value, str) or not value or value.startswith(("encrypted", "configserver:")):
            return value
        return f"{self._hal_home}{_STAGED}{posixpath.basename(value)}"


@lru_cache(maxsize=4)
def get_estimator(hal_home: str) -> SizeEstimator:
    """Return the estimator of a path of the tree; it is the same for all overlays of a run."""
    return SizeEstimator(hal_home)


_ANY: Final = FieldType("any")


def _is_list(value: Value) -> bool:
    return isinstance(value, list)


def _scalar(value: Value) -> int:
    if value is MISSING:
        return 0
    text = str(value)
    return max(2, len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass")))
