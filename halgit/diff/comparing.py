"""Two trees into a `Difference`: which accounts, settings, files and services, with secrets masked."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from halgit import yaml as hyaml
from halgit.diff.reaching import Changed, services
from halgit.diff.walking import Leaf, differing, same
from halgit.halyard import merge_keys
from halgit.halyard.sensitivity import mask_value
from halgit.pipeline import EMPTY, MISSING, File, Path, Value
from halgit.redaction import MASK, Secret, Woven
from halgit.report.differences import Account, Change, Difference, Setting

Clean = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two trees. `accounts` are its files of dynamic accounts, which are beside the tree.

    `opened` says that it was read from a disk where secrets stand in the open: then any text of it may be one.
    """

    files: Mapping[str, File] = EMPTY
    accounts: Mapping[str, bytes] = EMPTY
    opened: bool = False


def compare(before: Side, after: Side, key: bytes, overlay: str = "", clean: Clean = lambda text: text) -> Difference:
    """What differs from one tree to the other.

    `key` marks secrets: the same mark means the same value. `clean` takes what else is known to be secret out of texts.
    """
    comparing = _Comparing(before, after, key, clean)
    for path in sorted({*before.files, *after.files}):
        comparing.file(path, before.files.get(path), after.files.get(path))
    for path in sorted({*before.accounts, *after.accounts}):
        comparing.dynamic(path, before.accounts.get(path), after.accounts.get(path))
    return Difference(
        overlay,
        tuple(comparing.accounts.values()),
        tuple(comparing.settings),
        tuple(comparing.files),
        services(comparing.changed, before.files, after.files, frozenset({*before.accounts, *after.accounts})),
    )


class _Comparing:
    def __init__(self, before: Side, after: Side, key: bytes, clean: Clean) -> None:
        self._before, self._after = before, after
        self._key = key
        self._clean = clean
        self.accounts: dict[tuple[str, str], Account] = {}
        self.settings: list[Setting] = []
        self.files: list[tuple[str, Change]] = []
        self.changed: list[Changed] = []

    def file(self, path: str, before: File | None, after: File | None) -> None:
        """Take one file of the trees into account."""
        if before is None or after is None:
            self._whole(path, "removed" if after is None else "added")
        elif before.data is not MISSING and after.data is not MISSING:
            self._document(path, before.data, after.data, path)
        elif not _same_content(path, before, after):
            self._whole(path, "changed")

    def dynamic(self, path: str, before: bytes | None, after: bytes | None) -> None:
        """Take a file of dynamic accounts into account; its lists are keyed as in a profile."""
        old, new = (hyaml.read(text, path).data if text is not None else {} for text in (before, after))
        if before is None or after is None:
            self._whole(path, "removed" if after is None else "added")
        self._document(path, old if isinstance(old, dict) else {}, new if isinstance(new, dict) else {}, "d/profiles/a")

    def _whole(self, path: str, change: Change) -> None:
        self.files.append((path, change))
        self.changed.append(Changed(path))

    def _document(self, path: str, before: Value, after: Value, keyed_as: str) -> None:
        for leaf in differing(before, after, merge_keys.build_key_tree(keyed_as)):
            self._leaf(path, leaf, before, after)

    def _leaf(self, path: str, leaf: Leaf, before: Value, after: Value) -> None:
        change: Change = "added" if leaf.before is MISSING else "removed" if leaf.after is MISSING else "changed"
        place = leaf.place
        old = self._shown(leaf.before, place.before, path, before, self._before.opened)
        new = self._shown(leaf.after, place.after, path, after, self._after.opened)
        setting = Setting(path, place.shown, change, old, new)
        self.changed.append(Changed(path, place.before if leaf.after is MISSING else place.after, place.shown))
        whole, kind, name = place.account
        if not whole:
            self.settings.append(setting)
        elif whole == place.shown and MISSING in (leaf.before, leaf.after):
            self.accounts[path, whole] = Account(path, whole, kind, name, change)
        else:
            known = self.accounts.get((path, whole), Account(path, whole, kind, name, "changed"))
            self.accounts[path, whole] = replace(known, settings=(*known.settings, setting))

    def _shown(self, value: Value, path: Path, file: str, data: Value, opened: bool) -> Value:
        """A value as it may be seen; a secret as a mark of this run."""
        if value is MISSING or value is None:
            return None
        if isinstance(value, dict):
            return {str(key): self._shown(item, (*path, key), file, data, opened) for key, item in value.items()}
        if isinstance(value, list):
            return [self._shown(item, (*path, number), file, data, opened) for number, item in enumerate(value)]
        seen = mask_value(value, path, file, data)
        if isinstance(seen, str):
            seen = MASK if opened and not isinstance(value, (Secret, Woven)) else self._clean(str(seen))
        hidden = isinstance(seen, str) and MASK in seen
        return f"{seen} ({self._mark(value)})" if hidden else seen

    def _mark(self, value: Value) -> str:
        content = value.open_bytes() if isinstance(value, (Secret, Woven)) else _encoded(value)
        return hmac.new(self._key, content, hashlib.sha256).hexdigest()[:8]


def _encoded(value: Value) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def _same_content(path: str, before: File, after: File) -> bool:
    """Whether two files that are no merged documents are the same: YAML by meaning, all else byte for byte."""
    old, new = _content(before), _content(after)
    if old == new:
        return True
    if not path.endswith((".yml", ".yaml")) or not (isinstance(old, bytes) and isinstance(new, bytes)):
        return False
    first, second = (hyaml.read(text, path, many=True) for text in (old, new))
    both = first.documents and second.documents and not (first.faults or second.faults)
    return bool(both) and same(list(first.documents), list(second.documents))


def _content(file: File) -> object:
    """What a file holds, comparable; a text with secrets is a Woven, which is equal to one of equal parts."""
    return file.body if file.data is MISSING else file.data
