"""The tables, schemas and start files inside the package, each read on first use.

What these functions return is shared: callers never change it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from halgit.annotations import Any

_HERE = Path(__file__).resolve().parent
_PACKED = _HERE.parent / "schemas"
_CHECKOUT = _HERE.parent.parent / "schemas"


@cache
def load_table(name: str) -> dict[str, Any]:
    """Load a table of `halgit/halyard/tables/` by its name without `.json`."""
    data: dict[str, Any] = json.loads((_HERE / "tables" / f"{name}.json").read_bytes())
    return data


def list_schema_names() -> tuple[str, ...]:
    """List the names that `load_schema` and `read_schema_text` accept."""
    return tuple(sorted(file.name.removesuffix(".schema.json") for file in _folder().glob("*.schema.json")))


@cache
def read_schema_text(name: str) -> str:
    """Read the text of a schema. Raises KeyError for a name that is not in `list_schema_names`."""
    try:
        return (_folder() / f"{name}.schema.json").read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise KeyError(name) from None


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Load a schema. Raises KeyError for a name that is not in `list_schema_names`."""
    data: dict[str, Any] = json.loads(read_schema_text(name))
    return data


class _Definitions(dict[str, Any]):
    """The definitions of a schema by name, each parsed when it is first looked up; it cannot be iterated."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def __missing__(self, name: str) -> Any:
        value = self[name] = json.loads(self._texts[name])
        return value

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self._texts else default


@cache
def open_schema(name: str) -> dict[str, Any]:
    """Load a schema to look up definitions: most documents use few, and parsing all takes longer than validating.

    Its `$defs` has no items until they are looked up. Raises KeyError as `load_schema` does.
    """
    head, _, rest = read_schema_text(name).partition(_DEFINITIONS_START)
    if len(rest) < _SMALL:
        return load_schema(name)
    entries = (entry.partition('": ') for entry in rest.removesuffix(_DEFINITIONS_END).split(_NEXT_DEFINITION))
    schema: dict[str, Any] = json.loads(head + "}")
    return {**schema, "$defs": _Definitions({key: text for key, _, text in entries})}


_SMALL = 64 * 1024
"""Characters of definitions that are parsed at once."""

_DEFINITIONS_START = ',\n "$defs": {\n  "'
_NEXT_DEFINITION = ',\n  "'
_DEFINITIONS_END = "\n }\n}\n"
"""How the schemas are written: each level is indented by one space, and `$defs` comes last."""


@cache
def _folder() -> Path:
    """Return the folder of the schemas: in the package if installed, beside it in a checkout."""
    return _PACKED if _PACKED.is_dir() else _CHECKOUT


_FOLDER = Path(__file__).resolve().parent / "start_files"


def read_start_files() -> dict[str, bytes]:
    """Read the files of a new repository, by path."""
    found = (path for path in sorted(_FOLDER.rglob("*")) if path.is_file())
    return {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in found}


@cache
def list_time_zones() -> frozenset[str]:
    """List the ids of `java.util.TimeZone`. Halyard compares case-sensitively; `GMT+1` is not among them."""
    return frozenset(load_table("time-zones")["zones"])
