"""Two trees into a `Difference`: which accounts, settings, files and services, with secrets masked."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from halgit.difference.reaching import Changed, Service, services
from halgit.difference.walking import Leaf, differing
from halgit.halyard import merge_keys
from halgit.halyard.showing import is_secret, shown
from halgit.masking import MASK, Secret, Woven
from halgit.tree import MISSING, File, Path, Value

Change = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One place that differs, values masked; None stands for a side that has none where `change` says so."""

    file: str
    path: str
    change: Change
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Account:
    """An account that came, went or changed, with what changed in it."""

    kind: str
    name: str
    change: Change
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs. Empty where two trees mean the same."""

    accounts: tuple[Account, ...] = ()
    settings: tuple[Setting, ...] = ()
    files: tuple[tuple[str, Change], ...] = ()
    services: tuple[Service, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.accounts or self.settings or self.files)


def compare(before: Mapping[str, File], after: Mapping[str, File], deployment: str, key: bytes) -> Difference:
    """What differs from one tree to the other. `key` marks secrets: the same mark means the same value."""
    comparing = _Comparing(key)
    for path in sorted({*before, *after}):
        comparing.file(path, before.get(path), after.get(path))
    reached = services(comparing.changed, before, after, deployment)
    accounts = tuple(comparing.accounts.values())
    return Difference(accounts, tuple(comparing.settings), tuple(comparing.files), reached)


class _Comparing:
    def __init__(self, key: bytes) -> None:
        self._key = key
        self.accounts: dict[tuple[str, str], Account] = {}
        self.settings: list[Setting] = []
        self.files: list[tuple[str, Change]] = []
        self.changed: list[Changed] = []

    def file(self, path: str, before: File | None, after: File | None) -> None:
        """Take one file into account."""
        if before is None or after is None:
            self.files.append((path, "removed" if after is None else "added"))
            self.changed.append(Changed(path, ()))
        elif before.data is not MISSING and after.data is not MISSING:
            for leaf in differing(before.data, after.data, merge_keys.tree_for(path)):
                self._leaf(path, leaf, before.data if leaf.after is MISSING else after.data)
        elif _bytes(before) != _bytes(after):
            self.files.append((path, "changed"))
            self.changed.append(Changed(path, ()))

    def _leaf(self, path: str, leaf: Leaf, data: Value) -> None:
        change: Change = "added" if leaf.before is MISSING else "removed" if leaf.after is MISSING else "changed"
        shown_before = None if leaf.before is MISSING else self._shown(leaf.before, leaf.path, path, data)
        shown_after = None if leaf.after is MISSING else self._shown(leaf.after, leaf.path, path, data)
        setting = Setting(path, leaf.shown, change, shown_before, shown_after)
        self.changed.append(Changed(path, leaf.path))
        place = _account(leaf, data) if path == "config" else None
        if place is None:
            self.settings.append(setting)
            return
        depth, kind, name = place
        whole = len(leaf.path) == depth
        if whole:
            self.accounts[kind, name] = Account(kind, name, change)
        else:
            known = self.accounts.get((kind, name), Account(kind, name, "changed"))
            self.accounts[kind, name] = Account(kind, name, "changed", (*known.settings, setting))

    def _shown(self, value: Value, path: Path, file: str, data: Value) -> Value:
        """A value as it may be seen; a secret as a mark of this run."""
        if isinstance(value, dict):
            return {key: self._shown(item, (*path, key), file, data) for key, item in value.items()}
        if isinstance(value, list):
            return [self._shown(item, (*path, number), file, data) for number, item in enumerate(value)]
        seen = shown(value, path, file, data)
        hidden = isinstance(value, (Secret, Woven)) or (seen == MASK and is_secret(path, file, data))
        return f"{MASK} ({self._mark(value)})" if hidden else seen

    def _mark(self, value: Value) -> str:
        text = "".join(str(part) if isinstance(part, str) else part.open() for part in _parts(value))
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:8]


def _parts(value: Value) -> Iterator[str | Secret]:
    if isinstance(value, Woven):
        yield from value.parts
    elif isinstance(value, Secret):
        yield value
    else:
        yield value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(file: File) -> object:
    return (file.body, dict(file.splices)) if file.data is MISSING else file.data


def _account(leaf: Leaf, data: Value) -> tuple[int, str, str] | None:
    """Whether a leaf is, or lies in, a named item of `accounts` or `masters`: the item's depth, kind and name."""
    here = data
    for depth, step in enumerate(leaf.path, 1):
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            return None
        above = leaf.path[depth - 2] if depth > 1 else None
        if isinstance(step, int) and above in ("accounts", "masters") and isinstance(here, dict) and "name" in here:
            kind = ".".join(str(part) for part in leaf.path[2 : depth - 2] if part != "providers")
            return depth, kind, str(here["name"])
    return None
