"""The tables and schemas that halgit carries with it, each read once and only when asked for.

Reads nothing but files of the package itself. What it hands out is shared: never change it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
_PACKED = _HERE.parent / "schemas"
_CHECKOUT = _HERE.parent.parent / "schemas"


@cache
def load_table(name: str) -> dict[str, Any]:
    """One table of `halgit/halyard/tables/`, by its name without `.json`."""
    data: dict[str, Any] = json.loads((_HERE / "tables" / f"{name}.json").read_text(encoding="utf-8"))
    return data


def list_schema_names() -> tuple[str, ...]:
    """The names `schema` and `schema_text` take."""
    return tuple(sorted(file.name.removesuffix(".schema.json") for file in _folder().glob("*.schema.json")))


@cache
def read_schema_text(name: str) -> str:
    """The text of a schema, as it is packed. Raises KeyError for a name that is none of `schema_names`."""
    if name not in list_schema_names():
        raise KeyError(name)
    return (_folder() / f"{name}.schema.json").read_text(encoding="utf-8")


@cache
def load_schema(name: str) -> dict[str, Any]:
    """A schema, parsed. Raises KeyError for a name that is none of `schema_names`."""
    data: dict[str, Any] = json.loads(read_schema_text(name))
    return data


@cache
def _folder() -> Path:
    """`schemas` lies in the package when installed, and beside it in a checkout."""
    return _PACKED if _PACKED.is_dir() else _CHECKOUT


_FOLDER = Path(__file__).resolve().parent / "start_files"


def read_start_files() -> dict[str, bytes]:
    """Every file of a new repository by its path."""
    found = (path for path in sorted(_FOLDER.rglob("*")) if path.is_file())
    return {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in found}


@cache
def list_time_zones() -> frozenset[str]:
    """Every id of `java.util.TimeZone`. Halyard compares letter by letter; `GMT+1` and the like are not among them."""
    return frozenset(load_table("time-zones")["zones"])
