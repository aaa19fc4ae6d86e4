"""One change on one line, the same for every format: what was, what is, and of lists what came and went."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from halgit import yaml as hyaml
from halgit.pipeline import Value
from halgit.redaction import MASK
from halgit.report.differences import Effect, Service, Setting

LONGEST = 100
SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def changed(setting: Setting, path: str) -> str:
    """`path: before -> after`; a value alone where it came or went."""
    if setting.change != "changed":
        return f"{path}: {worded(setting.after if setting.change == 'added' else setting.before)}"
    old, new = setting.before, setting.after
    if _scalars(old) and _scalars(new):
        came, went = _without(new, old), _without(old, new)
        if came or went:
            return f"{path}: {' '.join([*(f'+{word}' for word in came), *(f'-{word}' for word in went)])}"
    return f"{path}: {worded(old)} -> {worded(new)}"


def worded(value: Value) -> str:
    """A value on one line, as YAML writes it, cut where it is long."""
    if isinstance(value, (dict, list)) or (isinstance(value, str) and "\n" in value):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, str) and MASK in value:
        text = value
    else:
        text = hyaml.dump(value).decode("utf-8").rstrip("\n")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"


def together(services: Sequence[Service]) -> dict[tuple[Effect, tuple[str, ...]], list[str]]:
    """The names of the services to which the same happens for the same reasons."""
    found: dict[tuple[Effect, tuple[str, ...]], list[str]] = {}
    for service in services:
        found.setdefault((service.effect, service.reason), []).append(service.name)
    return found


def below(path: str, start: str) -> str:
    """A path as it is named below another one."""
    return path.removeprefix(start).lstrip(".") or path


def _scalars(value: Value) -> bool:
    return isinstance(value, list) and bool(value) and not any(isinstance(item, (dict, list)) for item in value)


def _without(these: list[Value], those: list[Value]) -> list[str]:
    """The words of one list that the other has not, as often as it has them more."""
    return list((Counter(map(worded, these)) - Counter(map(worded, those))).elements())
