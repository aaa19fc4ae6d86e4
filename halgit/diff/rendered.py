"""A rendered tree as it lies on a disk, made comparable with one that is rendered now.

What the tree holds in the place of a reference is a secret, or a stand-in, that nothing here can judge: it is taken
for the same, and counted, where its place is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from halgit import yaml as hyaml
from halgit.merge.selection import is_merged
from halgit.pipeline import MISSING, File, LayerId, Path, SourceId, Value
from halgit.references import Occurrence, find_references

_ROOT = LayerId(".", SourceId(""))


def from_tree(
    texts: Mapping[str, bytes], places: Iterable[Occurrence], after: Mapping[str, File]
) -> tuple[dict[str, File], int]:
    """The files of a tree, with what is no reference any more as it is on the after side; and how many such there are.

    `places` are the references of the after side that the tree has replaced, `after` the files as they are now.
    """
    files = {path: _file(path, text) for path, text in texts.items()}
    count = 0
    for place in places:
        old, new = files.get(place.file), after.get(place.file)
        if old is None or new is None:
            continue
        if old.data is not MISSING and new.data is not MISSING:
            count += _taken_over(old.data, new.data, place.path)
        elif old.data is MISSING:
            files[place.file] = new
            count += 1
    return files, count


def _file(path: str, text: bytes) -> File:
    if is_merged(path):
        read = hyaml.read(text, path, many=True)
        if len(read.documents) == 1:
            return File(path, "copied", (_ROOT,), data=read.data)
    return File(path, "copied", (_ROOT,), body=text)


def _taken_over(old: Value, new: Value, path: Path) -> bool:
    """Put the after side's value at a path where the tree has another text, its items found by name."""
    for step in path[:-1]:
        old, new = _matching(old, new, step), _child(new, step)
    step = path[-1]
    mine = _child(old, step)
    if not isinstance(mine, str) or mine == _child(new, step) or find_references(mine):
        return False
    old[step] = _child(new, step)
    return True


def _matching(old: Value, new: Value, step: str | int) -> Value:
    """What corresponds on the old side to `new[step]`: in a list the item of the same name."""
    item = _child(new, step)
    name = item.get("name") if isinstance(item, dict) else None
    if isinstance(old, list) and name is not None:
        return next((one for one in old if isinstance(one, dict) and one.get("name") == name), None)
    return _child(old, step)


def _child(node: Value, step: str | int) -> Value:
    if isinstance(node, dict):
        return node.get(step)
    return node[step] if isinstance(node, list) and isinstance(step, int) and step < len(node) else None
