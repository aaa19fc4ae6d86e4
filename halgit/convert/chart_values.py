"""The values of a predecessor's Helm chart: which become parameters, which are secrets, and where the rest went.

The table of keys is made by `scripts/upgrade_table.py`. A secret's value is never kept, only its key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from halgit import yaml as hyaml
from halgit.errors import UsageError
from halgit.halyard.resources import load_table
from halgit.halyard.sensitivity import is_sensitive_key
from halgit.opsmx.tokens import token_table
from halgit.pipeline import EMPTY, Value

_GATE = {"global.oesGate.host": True, "global.spinGate.host": False}
"""The host people reach Gate at is one of two: which, `global.commonGate.enabled` says."""

_COMMON_GATE = "global.commonGate.enabled"
_TLS = "global.ssl.enabled"


@dataclass(frozen=True, slots=True)
class Values:
    """What a values file came to.

    `parameters` are values by token, `secrets` the keys of secrets with where they belong now, `moved` and `dropped`
    other keys with their new place or the reason, `unknown` those the old chart did not have.
    """

    parameters: Mapping[str, str] = EMPTY
    secrets: tuple[tuple[str, str], ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()


def read_values(text: bytes, file: str) -> Values:
    """The values of a file. Raises UsageError for one that is no mapping."""
    read = hyaml.read(text, file)
    data = read.data
    if read.findings and not isinstance(data, dict):
        fault = read.findings[0]
        raise UsageError(f"{file}:{fault.line}: {fault.message}", fault.hint)
    if not isinstance(data, dict):
        raise UsageError(f"{file}: it holds no mapping of values.", "Give the values file of the old release.")
    known = load_table("predecessor_values")
    given = {key: value for key, value in _flat(data, "", known) if value is not None}
    parameters: dict[str, str] = {}
    secrets: list[tuple[str, str]] = []
    moved: list[tuple[str, str]] = []
    for key, value in given.items():
        row = known.get(key)
        if row is None:
            continue
        token = row.get("parameter", "")
        if _is_secret(key, token):
            if value != "":
                secrets.append((key, ", ".join(row.get("to", ())) or row.get("why", "")))
        elif token and not isinstance(value, (dict, list)):
            _take(parameters, key, token, value, given)
        if not _is_secret(key, token):
            moved.append((key, _where(row)))
    unknown = tuple(key for key in given if key not in known)
    return Values(parameters, tuple(secrets), tuple(moved), unknown)


def _take(parameters: dict[str, str], key: str, token: str, value: Value, given: Mapping[str, Value]) -> None:
    if key == _TLS:
        parameters[token] = "https" if value is True else "http"
    elif key not in _GATE or _GATE[key] is (given.get(_COMMON_GATE, True) is True):
        parameters[token] = hyaml.to_java_string(value)


def _is_secret(key: str, token: str) -> bool:
    return is_sensitive_key(key.rsplit(".", 1)[-1]) or (token in token_table() and token_table()[token].secret)


def _where(row: Mapping[str, Value]) -> str:
    if "to" not in row:
        return f"dropped: {row['why']}"
    how = f" ({row['how']})" if "how" in row else ""
    return ", ".join(row["to"]) + how


def _flat(node: Value, prefix: str, known: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """Every value by its dotted key; a mapping that the old chart has as one value is one, and so is an empty one."""
    for key, value in node.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and value and path not in known:
            yield from _flat(value, f"{path}.", known)
        else:
            yield path, value
