"""Typed access to the values of a `halgit.yaml`, which collects every problem on the way.

Knows no key of the format itself. Positions are looked up once, at the end, and only for problems.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from functools import cache

from halgit import yaml as hyaml
from halgit.annotations import TypeVar
from halgit.operator_settings import Access, OperatorSettings, SourceSpec, Trust
from halgit.pipeline import EMPTY, MISSING, Finding, Path, PlainScalar, Position, Severity, Value
from halgit.record import list_fields, replace
from halgit.text.limits import MAX_REPEATS, limit_findings
from halgit.text.phrases import describe_kind, suggest_nearest

T = TypeVar("T")

_TYPE_HINTS = {
    "string": "Write a string; quote it where YAML would read another type.",
    "string, number or boolean": "Write a single value.",
    "list": "Write `[...]`, or one item a line after `- `.",
    "mapping": "Write `key: value` pairs below it.",
    "boolean": "Write true or false without quotes.",
}
"""Hint for each type."""

_OTHER_OPERATOR_NAMES = (
    "repo", "repos", "source", "sources", "out", "target", "force", "engines", "allow engine", "allow namespace",
    "allow reference", "secrets mode", "no validate", "locked", "git token", "git password", "ssh key", "known hosts",
    "vault", "vault addr", "vault token", "vault url", "vault namespace", "vault server", "s3", "aws", "aws profile",
    "aws access key id", "aws secret access key", "endpoint", "server", "servers", "address", "token", "password",
    "credentials", "kubeconfig", "proxy", "http proxy", "https proxy", "ca", "insecure", "skip tls verify",
)  # fmt: skip
"""Options of the commands and common names that are not fields of the operator's types."""


def is_string(value: Value) -> bool:
    """Return whether a value is a string. An unquoted date is not."""
    return isinstance(value, str) and not isinstance(value, PlainScalar)


def layer_of(file: str) -> str:
    """Return the name of the layer whose `halgit.yaml` this is."""
    return posixpath.dirname(file) or "."


class Reader:
    """Reads the values of one file and collects findings."""

    def __init__(self, file: str, text: bytes) -> None:
        self.file = file
        self.text = text
        self._reported: list[tuple[Path, bool, Finding]] = []

    def report(self, rule: str, path: Path, message: str, hint: str, *, at_key: bool = False) -> None:
        """Report a problem with the value at `path`, or with its key."""
        finding = Finding(rule, Severity.ERROR, message, hint, self.file, path, layer=layer_of(self.file))
        self._reported.append((path, at_key, finding))

    def findings(self) -> tuple[Finding, ...]:
        """Return all findings, sorted by line."""
        located = [*self._located(at_key=True), *self._located(at_key=False)]
        return tuple(sorted(located, key=lambda finding: (finding.line, finding.column)))

    def _located(self, *, at_key: bool) -> list[Finding]:
        """Return the findings about keys, or about values, with their lines."""
        found = limit_findings(finding for _, is_at_key, finding in self._reported if is_at_key == at_key)
        if not found:
            return []
        places, first = hyaml.locate_all(self.text, [one.path for one in found], keys=at_key), Position(1, 1)
        positions = [places.get(one.path, first) for one in found]
        return [replace(one, line=at.line, column=at.column) for one, at in zip(found, positions, strict=True)]

    def report_type(self, path: Path, value: Value, expected: str) -> None:
        """Report a value of the wrong type. `expected` is a key of `_TYPE_HINTS`."""
        actual = "an empty string" if value == "" else describe_kind(value)
        self.report("settings/type", path, f"Expected a {expected}, got {actual}.", _TYPE_HINTS[expected])

    def check_keys(self, data: Mapping[str, Value], path: Path, known: Sequence[str], where: str) -> None:
        """Report keys that are not in `known`."""
        all_known = f"Known keys: {', '.join(known)}."
        for key in data:
            if key not in known:
                is_listed = len(self._reported) < MAX_REPEATS
                hint = suggest_nearest(key, known, all_known) if is_listed else all_known
                self.report("settings/unknown-key", (*path, key), f"{where} has no key {key}.", hint, at_key=True)

    def check_inside(self, name: str, path: Path) -> bool:
        """Return whether a path or glob is inside its layer; reports one that is not."""
        if name.startswith("/") or ".." in name.split("/") or "\\" in name:
            hint = "Write a path relative to the layer, with / and without `..`."
            self.report("settings/path", path, f"{name} is outside the layer.", hint)
            return False
        return True

    # --- values: each reports a wrong type and returns the empty value for it ----------------------------------

    def mapping(self, data: Mapping[str, Value], path: Path, key: str) -> Mapping[str, Value]:
        """Return the mapping below a key; empty if the key is missing."""
        value = data.get(key, EMPTY)
        if isinstance(value, Mapping):
            return value
        self.report_type((*path, key), value, "mapping")
        return EMPTY

    def items(self, data: Mapping[str, Value], path: Path, key: str) -> list[Value]:
        """Return the list below a key; empty if the key is missing."""
        value = data.get(key, [])
        if isinstance(value, list):
            return value
        self.report_type((*path, key), value, "list")
        return []

    def strings(self, data: Mapping[str, Value], path: Path, key: str) -> tuple[str, ...]:
        """Return the list of strings below a key. Empty strings are reported."""
        items = self.items(data, path, key)
        for number, item in enumerate(items):
            if not is_string(item) or not item:
                self.report_type((*path, key, number), item, "string")
        return tuple(item for item in items if is_string(item) and item)

    def string(self, data: Mapping[str, Value], path: Path, key: str) -> str | None:
        """Return the string below a key; None if the key is missing. An empty string is reported."""
        value = data.get(key, MISSING)
        if value is MISSING:
            return None
        if is_string(value) and value:
            return str(value)
        self.report_type((*path, key), value, "string")
        return None

    def boolean(self, data: Mapping[str, Value], path: Path, key: str) -> bool:
        """Return the boolean below a key; false if the key is missing."""
        value = data.get(key, False)
        if not isinstance(value, bool):
            self.report_type((*path, key), value, "boolean")
        return value is True

    def choice(self, data: Mapping[str, Value], path: Path, key: str, known: Mapping[str, T]) -> T | None:
        """Return what the string below a key stands for in `known`; None if the key is missing."""
        value = data.get(key, MISSING)
        if value is MISSING:
            return None
        if isinstance(value, str) and value in known:
            return known[value]
        shown = value if is_string(value) and value else describe_kind(value)
        self.report("settings/value", (*path, key), f"Unknown value {shown}.", f"Choose one of: {', '.join(known)}.")
        return None


# --- operator settings -----------------------------------------------------------------------------------------


def is_operator_setting(key: str) -> bool:
    """Return whether a key, in any spelling, names something that only the operator can set.

    The names come from the operator's own types, so that a new option is covered without a change here.
    """
    return _fold(key) in _operator_names()


@cache
def _operator_names() -> frozenset[str]:
    own = (name for kind in (Access, OperatorSettings, SourceSpec, Trust) for name in list_fields(kind))
    return frozenset(_fold(name) for name in (*own, *_OTHER_OPERATOR_NAMES))


def _fold(key: str) -> str:
    return "".join(letter for letter in key.lower() if letter.isalnum())
