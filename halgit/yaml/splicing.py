"""Replaces single scalars in a YAML text and leaves every other byte as it is."""

from __future__ import annotations

from collections.abc import Mapping

from halgit.masking import Secret, Woven
from halgit.tree import Path, Value
from halgit.yaml.emitting import dump
from halgit.yaml.nodes import compose
from halgit.yaml.places import _follow
from halgit.yaml.quoting import double


def splice(text: bytes, changes: Mapping[Path, Value], *, opened: bool = False) -> bytes:
    """The text with these scalars replaced. The new ones mean exactly the given values; KeyError for a lost path."""
    whole = text.decode("utf-8")
    roots = compose(text).roots
    places = []
    for path, value in changes.items():
        node = _follow(roots[0], path, False) if roots else None
        if node is None or node.kind != "scalar":
            raise KeyError(path)
        places.append((node.start.index, node.end.index, value))
    for start, end, value in sorted(places, key=lambda each: each[0], reverse=True):
        if isinstance(value, (Secret, Woven)):
            if not opened:
                raise TypeError("a secret is to be opened before it is written")
            value = value.open()
        written = double(value) if isinstance(value, str) else dump(value).decode().rstrip("\n")
        tail = "\n" if whole[start:end].endswith("\n") else ""
        whole = whole[:start] + written + tail + whole[end:]
    return whole.encode("utf-8")
