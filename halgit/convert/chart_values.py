"""The values of the predecessor's Helm chart: which become parameters, which are secrets, where the rest moved.

`scripts/upgrade_table.py` generates the table of keys. A secret's value is dropped; only its key is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from halgit import yaml as hyaml
from halgit.convert.new_values import new_values, repository_url
from halgit.errors import UsageError
from halgit.halyard.resources import load_table
from halgit.halyard.sensitivity import is_sensitive_key
from halgit.opsmx.tokens import token_table
from halgit.pipeline import EMPTY, Value
from halgit.record import Record

_GATE_HOSTS = {"global.oesGate.host": True, "global.spinGate.host": False}
"""The two values for Gate's public host; `global.commonGate.enabled` says which of them is used."""

_COMMON_GATE = "global.commonGate.enabled"
_TLS = "global.ssl.enabled"
_PULL_SECRET = "imagePullSecret"
"""The name of a Secret, which is not secret itself."""
_ACCOUNTS = "DYNAMIC_ACCOUNTS_REPO"
_STORMDRIVER = ("global.stormdriver", "global.stormdriver.enabled")
"""Whether the release uses Stormdriver: any value that is true for `if` of a Helm template, as in the old chart."""


class ChartValues(Record):
    """The content of a values file.

    `parameters` are values by token, `secrets` the keys of secrets with their new place, `moved` other keys with their
    new place or the reason why they were dropped, `unknown` keys that the old chart does not have. `stormdriver` says
    whether the release uses Stormdriver. `new_file` is the values file of the new chart.
    """

    parameters: Mapping[str, str] = EMPTY
    secrets: tuple[tuple[str, str], ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()
    stormdriver: bool = False
    new_file: bytes = b""


def read_chart_values(text: bytes, file: str) -> ChartValues:
    """Read a values file. Raises UsageError if it is not a mapping."""
    known = load_table("predecessor_values")
    values = {key: value for key, value in _flatten(_parse(text, file), "", known) if value is not None}
    stormdriver = [values.pop(key) for key in _STORMDRIVER if key in values]
    parameters: dict[str, str] = {}
    secrets: list[tuple[str, str]] = []
    moved: list[tuple[str, str]] = []
    for key, value in values.items():
        row = known.get(key)
        if row is None:
            continue
        token = row.get("parameter", "")
        if _is_secret(key, token):
            if value != "":
                secrets.append((key, ", ".join(row.get("to", ())) or row.get("why", "")))
            continue
        if token == _ACCOUNTS:
            value = repository_url(values, "dynamicAccRepository") or value
        if token and not isinstance(value, (dict, list)):
            _add_parameter(parameters, key, token, value, values)
        moved.append((key, _target(row)))
    unknown = tuple(key for key in values if key not in known)
    written = new_values(values, known, dict(secrets))
    return ChartValues(parameters, tuple(secrets), tuple(moved), unknown, any(stormdriver), written)


def _parse(text: bytes, file: str) -> dict[str, Value]:
    read = hyaml.read(text, file)
    if isinstance(read.data, dict):
        return read.data
    if read.findings:
        first = read.findings[0]
        raise UsageError(f"{file}:{first.line}: {first.message}", first.hint)
    raise UsageError(f"{file} is not a mapping of values.", "Pass the values file of the old release.")


def _add_parameter(parameters: dict[str, str], key: str, token: str, value: Value, values: Mapping[str, Value]) -> None:
    if key == _TLS:
        parameters[token] = "https" if value is True else "http"
    elif key not in _GATE_HOSTS or _GATE_HOSTS[key] is (values.get(_COMMON_GATE, True) is True):
        parameters[token] = hyaml.to_java_string(value)


def _is_secret(key: str, token: str) -> bool:
    if key == _PULL_SECRET:
        return False
    return is_sensitive_key(key.rsplit(".", 1)[-1]) or (token in token_table() and token_table()[token].secret)


def _target(row: Mapping[str, Value]) -> str:
    if "to" not in row:
        return f"dropped: {row['why']}"
    how = f" ({row['how']})" if "how" in row else ""
    return ", ".join(row["to"]) + how


def _flatten(node: Value, prefix: str, known: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """Yield every value by its dotted key. An empty mapping, and one that the old chart has as a value, is a value."""
    for key, value in node.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and value and path not in known:
            yield from _flatten(value, f"{path}.", known)
        else:
            yield path, value
