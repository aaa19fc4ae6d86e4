"""A `halgit.yaml` being read: takes values out with their types checked, and notes every fault on the way.

Knows no key by itself. Positions are looked up once, at the end, and only where there was a fault.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from typing import TypeVar

from halgit import yaml as hyaml
from halgit.operator_settings import Access, OperatorSettings, SourceSpec, Trust
from halgit.pipeline import EMPTY, MISSING, Finding, Path, PlainScalar, Position, Severity, Value
from halgit.text.phrases import describe_kind, suggest_nearest

T = TypeVar("T")


def is_text(value: Value) -> bool:
    """Whether a value is a text; a date, which must stand unquoted, is none."""
    return isinstance(value, str) and not isinstance(value, PlainScalar)


def layer_of(file: str) -> str:
    """The name of the layer whose `halgit.yaml` this is."""
    return posixpath.dirname(file) or "."


class Reader:
    """Takes one file's values and collects its faults; `findings` gives them with their lines."""

    def __init__(self, file: str, text: bytes) -> None:
        self.file = file
        self.text = text
        self._faults: list[tuple[Path, bool, Finding]] = []

    def fault(self, rule: str, path: Path, message: str, hint: str, *, key: bool = False) -> None:
        """Note a fault of the value at `path`, or of its key."""
        finding = Finding(rule, Severity.ERROR, message, hint, self.file, path, layer=layer_of(self.file))
        self._faults.append((path, key, finding))

    def findings(self) -> tuple[Finding, ...]:
        """All faults, in the order of their lines."""
        placed = [self._placed(path, key, finding) for path, key, finding in self._faults]
        return tuple(sorted(placed, key=lambda finding: (finding.line, finding.column)))

    def _placed(self, path: Path, key: bool, finding: Finding) -> Finding:
        spot = hyaml.locate(self.text, path, key=key) or Position(1, 1)
        return replace(finding, line=spot.line, column=spot.column)

    def wrong(self, path: Path, value: Value, wanted: str) -> None:
        """Note that a value is of the wrong kind; `wanted` says what it must be."""
        found = "an empty text" if value == "" else describe_kind(value)
        self.fault("settings/type", path, f"{wanted} is expected, and {found} is there.", _MENDS[wanted])

    def only(self, data: Mapping[str, Value], path: Path, known: Sequence[str], where: str) -> None:
        """Refuse keys that are not `known`."""
        for key in data:
            if key not in known:
                hint = suggest_nearest(key, known, f"The keys are: {', '.join(known)}.")
                self.fault("settings/unknown-key", (*path, key), f"{where} has no key {key}.", hint, key=True)

    def mapping(self, data: Mapping[str, Value], path: Path, key: str) -> Mapping[str, Value]:
        """The mapping below a key; empty where there is none."""
        value = data.get(key, EMPTY)
        if isinstance(value, Mapping):
            return value
        self.wrong((*path, key), value, "A mapping")
        return EMPTY

    def items(self, data: Mapping[str, Value], path: Path, key: str) -> list[Value]:
        """The list below a key; empty where there is none."""
        value = data.get(key, [])
        if isinstance(value, list):
            return value
        self.wrong((*path, key), value, "A list")
        return []

    def texts(self, data: Mapping[str, Value], path: Path, key: str) -> tuple[str, ...]:
        """The list of texts below a key."""
        items = self.items(data, path, key)
        for number, item in enumerate(items):
            if not is_text(item) or not item:
                self.wrong((*path, key, number), item, "A text")
        return tuple(item for item in items if is_text(item) and item)

    def text_of(self, data: Mapping[str, Value], path: Path, key: str) -> str | None:
        """The text below a key; None where there is none. An empty one is refused."""
        value = data.get(key, MISSING)
        if value is MISSING:
            return None
        if is_text(value) and value:
            return str(value)
        self.wrong((*path, key), value, "A text")
        return None

    def flag(self, data: Mapping[str, Value], path: Path, key: str) -> bool:
        """The truth value below a key; false where there is none."""
        value = data.get(key, False)
        if not isinstance(value, bool):
            self.wrong((*path, key), value, "true or false")
        return value is True

    def choice(self, data: Mapping[str, Value], path: Path, key: str, known: Mapping[str, T]) -> T | None:
        """What the word below a key stands for; None where there is none."""
        value = data.get(key, MISSING)
        if value is MISSING:
            return None
        if isinstance(value, str) and value in known:
            return known[value]
        said = (
            f"{value} is not known here." if is_text(value) and value else f"{describe_kind(value)} is not known here."
        )
        self.fault("settings/value", (*path, key), said, f"Choose one of: {', '.join(known)}.")
        return None

    def stays_inside(self, name: str, path: Path) -> bool:
        """Whether a path or glob stays in its layer; a fault where it does not."""
        parts = name.split("/")
        if name.startswith("/") or ".." in parts or "\\" in name:
            hint = "Write a path relative to the layer, with / and without `..`."
            self.fault("settings/path", path, f"{name} leaves the layer.", hint)
            return False
        return True


_MENDS = {
    "A text": "Write a text, in quotes where YAML would read it as something else.",
    "A text, a number, true or false": "Write a single value.",
    "A list": "Write `[...]`, or one item in each line after `- `.",
    "A mapping": "Write `key: value` pairs below it.",
    "true or false": "Write true or false without quotes.",
}


_OTHER_NAMES = (
    "repo", "repos", "source", "sources", "out", "target", "force", "engines", "allow engine", "allow namespace",
    "allow reference", "secrets mode", "no validate", "locked", "git token", "git password", "ssh key", "known hosts",
    "vault", "vault addr", "vault token", "vault url", "vault namespace", "vault server", "s3", "aws", "aws profile",
    "aws access key id", "aws secret access key", "endpoint", "server", "servers", "address", "token", "password",
    "credentials", "kubeconfig", "proxy", "http proxy", "https proxy", "ca", "insecure", "skip tls verify",
)  # fmt: skip
"""Options of the commands and common spellings that are no field of the operator's types."""


def belongs_to_operator(key: str) -> bool:
    """Whether a key, however it is spelt, names something of the operator's."""
    return _folded(key) in _names()


@cache
def _names() -> frozenset[str]:
    own = (field.name for kind in (Access, OperatorSettings, SourceSpec, Trust) for field in fields(kind))
    return frozenset(_folded(name) for name in (*own, *_OTHER_NAMES))


def _folded(key: str) -> str:
    return "".join(letter for letter in key.lower() if letter.isalnum())
