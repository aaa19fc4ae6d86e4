"""Differences between two trees, with values masked already: their types, their JSON object, and their wording.

`diff/` creates these; `difference_formats.py` formats them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from halgit import yaml as hyaml
from halgit.pipeline import Value
from halgit.record import Record, to_dict
from halgit.redaction import MASK
from halgit.report.tables import counted

Change = Literal["added", "removed", "changed"]
Effect = Literal["starts", "stops", "restarts", "reloads"]

SIGNS = {"added": "+", "removed": "-", "changed": "~"}
LONGEST_VALUE = 100
"""In characters; a longer value is cut."""


class Setting(Record):
    """One value that differs, masked; None on a side without one, as `change` tells."""

    file: str
    path: str
    change: Change
    before: Value
    after: Value


class Account(Record):
    """An account that was added, removed or changed, and its changed settings. `path` is its path in the file."""

    file: str
    path: str
    kind: str
    name: str
    change: Change
    settings: tuple[Setting, ...] = ()


class Service(Record):
    """An affected service, the effect on it, and the reasons."""

    name: str
    effect: Effect
    reason: tuple[str, ...]


class Difference(Record):
    """Everything that differs in one overlay; false if the trees mean the same."""

    overlay: str = ""
    accounts: tuple[Account, ...] = ()
    settings: tuple[Setting, ...] = ()
    files: tuple[tuple[str, Change], ...] = ()
    services: tuple[Service, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.accounts or self.settings or self.files)


def as_json(differences: Sequence[Difference]) -> dict[str, Any]:
    """Return the `diff` object: accounts, settings, files, services, each with its overlay."""

    def with_overlay(difference: Difference, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"overlay": difference.overlay, **row} for row in rows]

    found: dict[str, Any] = {"accounts": [], "settings": [], "files": [], "services": []}
    for one in differences:
        found["accounts"] += with_overlay(one, [to_dict(account) for account in one.accounts])
        found["settings"] += with_overlay(one, [to_dict(setting) for setting in one.settings])
        found["files"] += with_overlay(one, [{"path": path, "change": change} for path, change in one.files])
        found["services"] += with_overlay(one, [to_dict(service) for service in one.services])
    return found


def summary(differences: Sequence[Difference]) -> str:
    """Count what differs: `1 account, 2 settings and 1 file differ; 3 services restart`, or `no difference`."""
    counts = {
        "account": sum(len(one.accounts) for one in differences),
        "setting": sum(len(one.settings) for one in differences),
        "file": sum(len(one.files) for one in differences),
    }
    parts = [counted(number, name) for name, number in counts.items() if number]
    if not parts:
        return "no difference"
    *most, last = parts
    text = f"{', '.join(most)} and {last}" if most else last
    text += " differs" if sum(counts.values()) == 1 else " differ"
    for effect in ("restarts", "starts", "stops", "reloads"):
        names = {service.name for one in differences for service in one.services if service.effect == effect}
        if names:
            text += f"; {counted(len(names), 'service')} {effect.rstrip('s') if len(names) > 1 else effect}"
    return text


def change_text(setting: Setting, path: str) -> str:
    """Format one change: `path: before -> after`, one value if added or removed, list items with + and -."""
    if setting.change != "changed":
        return f"{path}: {value_text(setting.after if setting.change == 'added' else setting.before)}"
    old, new = setting.before, setting.after
    if _is_scalar_list(old) and _is_scalar_list(new):
        added, removed = _subtract(new, old), _subtract(old, new)
        if added or removed:
            return f"{path}: {' '.join([*(f'+{word}' for word in added), *(f'-{word}' for word in removed)])}"
    return f"{path}: {value_text(old)} -> {value_text(new)}"


def value_text(value: Value, longest: int = LONGEST_VALUE) -> str:
    """Format a value on one line, as YAML writes it, cut at `longest` characters."""
    if isinstance(value, (dict, list)) or (isinstance(value, str) and "\n" in value):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, str) and MASK in value:
        text = value
    else:
        text = hyaml.dump(value).decode("utf-8").rstrip("\n")
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"


def services_by_effect(services: Sequence[Service]) -> dict[tuple[Effect, tuple[str, ...]], list[str]]:
    """Group the names of services by effect and reasons."""
    groups: dict[tuple[Effect, tuple[str, ...]], list[str]] = {}
    for service in services:
        groups.setdefault((service.effect, service.reason), []).append(service.name)
    return groups


def relative_path(path: str, start: str) -> str:
    """Return a path relative to another one that contains it."""
    return path.removeprefix(start).lstrip(".") or path


def _is_scalar_list(value: Value) -> bool:
    return isinstance(value, list) and bool(value) and not any(isinstance(item, (dict, list)) for item in value)


def _subtract(items: list[Value], others: list[Value]) -> list[str]:
    """Return the items that occur more often than in the other list."""
    return list((Counter(map(value_text, items)) - Counter(map(value_text, others))).elements())
