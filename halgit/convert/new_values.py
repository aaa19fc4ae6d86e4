"""The values file of the new chart from one of the predecessor's. Pure.

Values that mean the same are written under their new names. All others are comments that say where they belong:
secrets, which are never written, and values whose meaning a person must translate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from halgit import yaml as hyaml
from halgit.pipeline import Value

NEW_VALUES: Final = "isd-values.yaml"
"""Name of the file in the imported repository; no layer, so it is never rendered."""

_REPOSITORY: Final = "spinnaker.gitopsHalyard.repo."
_HEAD: Final = "# Values of the chart isd, from those of the predecessor. docs/upgrade.md explains the changes.\n"
_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "boolean": bool, "integer": int, "string": str, "object": dict, "array": list,
}  # fmt: skip
_UNCHANGED: Final[tuple[Value, ...]] = (None, "", {}, [])


def new_values(
    values: Mapping[str, Value], table: Mapping[str, Mapping[str, Any]], secrets: Mapping[str, str]
) -> bytes:
    """Return the new values file. `values` are the old ones by dotted key, `secrets` secret keys with their place."""
    content: dict[str, Value] = {}
    notes = [f"# {key}: a secret. Put it into a Secret: {place}" for key, place in secrets.items()]
    for key, value in values.items():
        row = table.get(key, {})
        if key in secrets or "to" not in row or value in _UNCHANGED:
            continue
        converted = _convert(row, value)
        if converted is None:
            notes.append(f"# {key}: {', '.join(row['to'])}{_explanation(row)}")
        else:
            for place in row["to"]:
                _put(content, place, converted)
    _add_repositories(content, values)
    body = hyaml.dump(content) if content else b"{}\n"
    head = _HEAD + ("#\n# To be set by hand:\n" if notes else "") + "".join(f"{note}\n" for note in notes)
    return head.encode() + body


def repository_url(values: Mapping[str, Value], name: str = "repository") -> str:
    """The https address of a git repository that the old values describe in parts; empty if one is missing."""
    part = {key: str(values.get(_REPOSITORY + key) or "") for key in ("organization", "projectName", name)}
    host = str(values.get(f"{_REPOSITORY}baseUrlHostName") or "github.com")
    if values.get(f"{_REPOSITORY}type", "git") not in ("git", "stash") or not (part["organization"] and part[name]):
        return ""
    path = "/".join(step for step in part.values() if step)
    return f"https://{host}/{path.removesuffix('.git')}.git"


def _explanation(row: Mapping[str, Any]) -> str:
    return f" ({row['how']})" if "how" in row else ""


def _convert(row: Mapping[str, Any], value: Value) -> Value:
    """The new value, or None if only a person can translate it."""
    form = row.get("form", "")
    if form in _FORMS:
        return _FORMS[form](value, row)
    if form == "boolean" and value in ("http", "https"):
        return value == "https"
    fits = form in _TYPES and isinstance(value, _TYPES[form]) and not (form == "integer" and isinstance(value, bool))
    return value if fits and not (isinstance(value, str) and "://" in value) else None


_FORMS: Final[Mapping[str, Callable[[Any, Mapping[str, Any]], Value]]] = {
    "copy": lambda value, row: value,
    "host": lambda value, row: str(value).partition("/")[0],
    "list": lambda value, row: [str(value)],
    "words": lambda value, row: [word.strip() for word in str(value).split(",") if word.strip()],
    "exposure": lambda value, row: "ingress" if value is True else "none",
    "login": lambda value, row: str(row["how"]).rpartition(" ")[2] if value is True else None,
}


def _put(content: dict[str, Value], place: str, value: Value) -> None:
    *steps, last = place.split(".")
    node: Any = content
    for step in steps:
        node = node.setdefault(step, {})
    node[last] = value


def _add_repositories(content: dict[str, Value], values: Mapping[str, Value]) -> None:
    """The configuration's repository and that of dynamic accounts, as addresses."""
    url = repository_url(values)
    if url:
        _put(content, "halyard.source.repositories", [url])
        _put(content, "halyard.credentials.git", True)
    accounts = repository_url(values, "dynamicAccRepository")
    if accounts:
        _put(content, "configure.accountsRepository", accounts)
