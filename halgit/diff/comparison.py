"""Compares two trees: which accounts, settings, files and services differ, with secrets masked.

In a rendered tree that is read from a disk, the place of a reference holds a secret or a placeholder value. Nothing
here can judge it, so it counts as unchanged.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping

from halgit import yaml as hyaml
from halgit.diff.affected_services import Changed, affected_services
from halgit.diff.leaves import Leaf, differing_leaves, is_same
from halgit.halyard import merge_keys
from halgit.halyard.sensitivity import mask_value
from halgit.merge.selection import is_merged
from halgit.pipeline import EMPTY, MISSING, File, LayerId, Path, SourceId, Value
from halgit.record import Record, replace
from halgit.redaction import MASK, Secret, SecretText
from halgit.references import Occurrence, find_references
from halgit.report.differences import Account, Change, Difference, Setting

Clean = Callable[[str], str]


class Side(Record):
    """One of the two trees. `accounts` are its files of dynamic accounts, which are not part of the tree.

    `is_resolved` says that it was read from a disk and holds resolved secrets: any string in it may be one.
    """

    files: Mapping[str, File] = EMPTY
    accounts: Mapping[str, bytes] = EMPTY
    is_resolved: bool = False


def compare(before: Side, after: Side, key: bytes, overlay: str = "", clean: Clean = lambda text: text) -> Difference:
    """Compare two trees.

    `key` marks secrets: equal marks mean equal values. `clean` masks known secrets in strings.
    """
    comparison = _Comparison(before, after, Masker(key, clean))
    for path in sorted({*before.files, *after.files}):
        comparison.file(path, before.files.get(path), after.files.get(path))
    for path in sorted({*before.accounts, *after.accounts}):
        comparison.dynamic_accounts(path, before.accounts.get(path), after.accounts.get(path))
    return Difference(
        overlay,
        tuple(comparison.accounts.values()),
        tuple(comparison.settings),
        tuple(comparison.files),
        affected_services(
            comparison.changed, before.files, after.files, frozenset({*before.accounts, *after.accounts})
        ),
    )


class _Comparison:
    def __init__(self, before: Side, after: Side, masker: Masker) -> None:
        self._before, self._after = before, after
        self._masker = masker
        self.accounts: dict[tuple[str, str], Account] = {}
        self.settings: list[Setting] = []
        self.files: list[tuple[str, Change]] = []
        self.changed: list[Changed] = []

    def file(self, path: str, before: File | None, after: File | None) -> None:
        """Compare one file of the trees."""
        if before is None or after is None:
            self._whole_file(path, "removed" if after is None else "added")
        elif before.data is not MISSING and after.data is not MISSING:
            self._document(path, before.data, after.data, path)
        elif not _same_content(path, before, after):
            self._whole_file(path, "changed")

    def dynamic_accounts(self, path: str, before: bytes | None, after: bytes | None) -> None:
        """Compare a file of dynamic accounts; its lists are keyed as in a profile."""
        old, new = (hyaml.read(text, path).data if text is not None else {} for text in (before, after))
        if before is None or after is None:
            self._whole_file(path, "removed" if after is None else "added")
        self._document(path, old if isinstance(old, dict) else {}, new if isinstance(new, dict) else {}, "d/profiles/a")

    def _whole_file(self, path: str, change: Change) -> None:
        self.files.append((path, change))
        self.changed.append(Changed(path))

    def _document(self, path: str, before: Value, after: Value, keyed_as: str) -> None:
        for leaf in differing_leaves(before, after, merge_keys.build_key_tree(keyed_as)):
            self._leaf(path, leaf, before, after)

    def _leaf(self, path: str, leaf: Leaf, before: Value, after: Value) -> None:
        change: Change = "added" if leaf.before is MISSING else "removed" if leaf.after is MISSING else "changed"
        place = leaf.place
        old = self._masker.mask(leaf.before, place.before, path, before, self._before.is_resolved)
        new = self._masker.mask(leaf.after, place.after, path, after, self._after.is_resolved)
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


class Masker:
    """Masks values for output; a secret becomes the mask and a mark, keyed for this run, that shows equality only."""

    def __init__(self, key: bytes, clean: Clean) -> None:
        self._key, self._clean = key, clean

    def mask(self, value: Value, path: Path, file: str, data: Value, is_resolved: bool = False) -> Value:
        """Mask a value at a path of a file; with `is_resolved` every string may be a secret."""
        if value is MISSING or value is None:
            return None
        if isinstance(value, dict):
            return {str(key): self.mask(item, (*path, key), file, data, is_resolved) for key, item in value.items()}
        if isinstance(value, list):
            return [self.mask(item, (*path, number), file, data, is_resolved) for number, item in enumerate(value)]
        masked = mask_value(value, path, file, data)
        if isinstance(masked, str):
            masked = MASK if is_resolved and not isinstance(value, (Secret, SecretText)) else self._clean(str(masked))
        is_masked = isinstance(masked, str) and MASK in masked
        return f"{masked} ({self._mark(value)})" if is_masked else masked

    def _mark(self, value: Value) -> str:
        content = value.open_bytes() if isinstance(value, (Secret, SecretText)) else _encoded(value)
        return hmac.new(self._key, content, hashlib.sha256).hexdigest()[:8]


def _encoded(value: Value) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def _same_content(path: str, before: File, after: File) -> bool:
    """Return whether two files outside the merge are equal: YAML files by meaning, other files byte for byte."""
    old, new = _content(before), _content(after)
    if old == new:
        return True
    if not path.endswith((".yml", ".yaml")) or not (isinstance(old, bytes) and isinstance(new, bytes)):
        return False
    first, second = (hyaml.read(text, path, many=True) for text in (old, new))
    both = first.documents and second.documents and not (first.findings or second.findings)
    return bool(both) and is_same(list(first.documents), list(second.documents))


def _content(file: File) -> object:
    """Return the content of a file in a comparable form."""
    return file.body if file.data is MISSING else file.data


# --- a rendered tree

_ROOT = LayerId(".", SourceId(""))


def rendered_side(
    texts: Mapping[str, bytes], references: Iterable[Occurrence], after: Mapping[str, File]
) -> tuple[dict[str, File], int]:
    """Return the files of a rendered tree, with its resolved secrets taken from the after side, and their number.

    `references` are those of the after side that the tree has resolved.
    """
    files = {path: _file(path, text) for path, text in texts.items()}
    count = 0
    for reference in references:
        old, new = files.get(reference.file), after.get(reference.file)
        if old is None or new is None:
            continue
        if old.data is not MISSING and new.data is not MISSING:
            count += _copy_value(old.data, new.data, reference.path)
        elif old.data is MISSING:
            files[reference.file] = new
            count += 1
    return files, count


def _file(path: str, text: bytes) -> File:
    if is_merged(path):
        read = hyaml.read(text, path, many=True)
        if len(read.documents) == 1:
            return File(path, "copied", (_ROOT,), data=read.data)
    return File(path, "copied", (_ROOT,), body=text)


def _copy_value(old: Value, new: Value, path: Path) -> bool:
    """Copy the after side's value to a path where the tree has another string; list items are matched by name."""
    for step in path[:-1]:
        old, new = _matching(old, new, step), _child(new, step)
    step = path[-1]
    mine = _child(old, step)
    if not isinstance(mine, str) or mine == _child(new, step) or find_references(mine):
        return False
    old[step] = _child(new, step)
    return True


def _matching(old: Value, new: Value, step: str | int) -> Value:
    """Return the old side's counterpart of `new[step]`: in a list, the item of the same name."""
    item = _child(new, step)
    name = item.get("name") if isinstance(item, dict) else None
    if isinstance(old, list) and name is not None:
        return next((one for one in old if isinstance(one, dict) and one.get("name") == name), None)
    return _child(old, step)


def _child(node: Value, step: str | int) -> Value:
    if isinstance(node, dict):
        return node.get(step)
    return node[step] if isinstance(node, list) and isinstance(step, int) and step < len(node) else None
