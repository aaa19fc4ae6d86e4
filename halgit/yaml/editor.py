"""Edits of YAML files that people maintain. Every other byte stays: comments, quotes, order, anchors.

`edit` sets or removes the value at a path and writes new values in block style with the surrounding indentation. The
result is read again: an edit that would change anything else is refused. `replace_scalars` replaces scalars where they
are. A new scalar keeps the style of the old one if that style can express it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from halgit.pipeline import MISSING, AbsentType, Path, Value
from halgit.redaction import Secret, SecretText
from halgit.yaml.emitter import dump
from halgit.yaml.locator import KeyIndex, find_nodes
from halgit.yaml.parser import Node, compose
from halgit.yaml.reader import read
from halgit.yaml.scalar_writer import EditError, ScalarWriter


def edit(text: bytes, path: Path, value: Value | AbsentType) -> bytes:
    """Set the value at a path, or remove it if `value` is MISSING. Returns the new file.

    The length of a list as last step appends. AbsentType parents are created. Raises EditError for a file that does not
    parse or has several documents, a path through a scalar, and an edit that would change anything else.
    """
    before = read(text, "")
    if before.findings:
        raise EditError(before.findings[0].message)
    return edit_parsed(text, before.data, path, value)[0]


def edit_parsed(text: bytes, data: Value, path: Path, value: Value | AbsentType) -> tuple[bytes, Value]:
    """Do as `edit` for a file whose data is known already; returns its data afterwards, too."""
    if value is MISSING and _at(data, path[:-1]) == apply_change(_at(data, path[:-1]), path[-1:], MISSING):
        raise EditError("Nothing to remove at this path.")
    wanted = apply_change(data, path, value)
    after = _edited(text, data, path, value) if path else dump(value)
    again = read(after, "")
    if again.findings:
        raise EditError(again.findings[0].message, again.findings[0].hint)
    if dump(again.data) != dump(wanted):
        raise EditError("This edit would also change other values of the file.")
    return after, again.data


def edit_all(text: bytes, data: Value, edits: Sequence[tuple[Path, Value | AbsentType]]) -> tuple[bytes, Value]:
    """Do as `edit_parsed` for several edits, each of which sees the ones before it.

    Values that are set, and items that are appended, are written in one pass over the text: a hundred cost as much as
    one. Other edits are made one after the other.
    """
    wanted = data
    for path, value in edits:
        wanted = apply_change(wanted, path, value)
    merged = _merged(data, edits)
    after = _spliced(text, data, merged) if merged else None
    if after is not None:
        again = read(after, "")
        if not again.findings and dump(again.data) == dump(wanted):
            return after, again.data
    for path, value in edits:
        text, data = edit_parsed(text, data, path, value)
    return text, data


_Merged = tuple[dict[Path, list[Value]], dict[Path, Value]]


def _merged(data: Value, edits: Sequence[tuple[Path, Value | AbsentType]]) -> _Merged | None:
    """Return what is appended to each list, and what is set; None if something is removed or replaced as a whole."""
    appended: dict[Path, list[Value]] = {}
    sets: dict[Path, Value] = {}
    for path, value in edits:
        if value is MISSING or not path:
            return None
        above = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in sets), None)
        if above is not None:
            sets[above] = apply_change(sets[above], path[len(above) :], value)
            continue
        if any(own[: len(path)] == path for own in (*sets, *appended)):
            return None
        if not _append(data, appended, path, value):
            depth = next((n for n in range(1, len(path)) if _at(data, path[:n]) is None), len(path))
            sets[path[:depth]] = apply_change(_at(data, path[:depth]), path[depth:], value)
    return appended, sets


def _append(data: Value, appended: dict[Path, list[Value]], path: Path, value: Value) -> bool:
    """Add an edit to what is appended to a list, if it is a new item of one or belongs to such an item."""
    for depth in range(len(path)):
        items, step = _at(data, path[:depth]), path[depth]
        if isinstance(items, list) and isinstance(step, int) and step >= len(items):
            new = appended.setdefault(path[:depth], [])
            new[:] = apply_change(new, (step - len(items), *path[depth + 1 :]), value)
            return True
    return False


def _spliced(text: bytes, data: Value, merged: _Merged) -> bytes | None:
    """Return the text with these edits; None if one of them needs more than its own place."""
    from halgit.yaml.editable_file import EditableFile

    file, splices = EditableFile(text), []
    for path, values in sorted(merged[0].items(), key=lambda one: len(one[0])):
        parent = file.node(path)
        if parent is None or parent.flow or parent.kind != "sequence" or not parent.items:
            return None
        splices.append(file.append(parent, values))
    for path, value in sorted(merged[1].items(), key=lambda one: len(one[0])):
        parent = file.node(path[:-1])
        if parent is None or parent.flow or parent.kind not in {"mapping", "sequence"}:
            return None
        try:
            splices.append(file.put(parent, path[-1], value))
        except EditError:
            return None
    return file.apply(splices)


def apply_change(data: Value, path: Path, value: Value | AbsentType) -> Value:
    """Return the data with the value at a path set or removed. The argument is not changed."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    data = ({} if isinstance(step, str) else []) if data is None else data
    if isinstance(data, dict) and isinstance(step, str):
        below = apply_change(data.get(step), rest, value) if rest else value
        if below is MISSING:
            return {key: one for key, one in data.items() if key != step}
        return {**data, step: below}
    if isinstance(data, list) and isinstance(step, int) and step <= len(data):
        here = data[step] if step < len(data) else None
        below = apply_change(here, rest, value) if rest else value
        return [*data[:step], *([] if below is MISSING else [below]), *data[step + 1 :]]
    raise EditError(f"The path step {step} does not exist.")


def _edited(text: bytes, data: Value, path: Path, value: Value | AbsentType) -> bytes:
    """Make the change as deep in the text as possible; a flow collection is rewritten as a whole."""
    from halgit.yaml.editable_file import EditableFile

    file = EditableFile(text)
    for depth in range(len(path), 0, -1):
        here, rest = path[:depth], path[depth:]
        parent = file.node(here[:-1])
        if parent is None or parent.flow or parent.kind not in {"mapping", "sequence"}:
            continue
        new = apply_change(_at(data, here), rest, value)
        if new is MISSING and len(_at(data, here[:-1])) == 1:
            return _edited(text, data, here[:-1], [] if parent.kind == "sequence" else {})
        return file.apply([file.put(parent, here[-1], new)])
    return file.apply([file.rewrite(apply_change(data, path, value))])


def _at(data: Value, path: Path) -> Value:
    for step in path:
        if isinstance(data, dict):
            data = data.get(step)
        else:
            data = data[step] if isinstance(data, list) and isinstance(step, int) and step < len(data) else None
    return data


def replace_scalars(text: bytes, changes: Mapping[Path, Value], *, opened: bool = False) -> bytes:
    """Replace scalars by path, each with a scalar of exactly that value. Raises KeyError for an unknown path.

    A path through an alias is the place of its anchor. Of several values for one place the last one is written.
    """
    whole = text.decode("utf-8")
    mark = whole[:1] == "\ufeff"
    whole = whole.removeprefix("\ufeff")
    parts, done = ["\ufeff" * mark], 0
    for node, flow, value in _find_places(text, changes):
        if isinstance(value, (Secret, SecretText)):
            if not opened:
                raise TypeError("a secret must be opened before it is written")
            value = value.open()
        parts += [whole[done : node.start.index], ScalarWriter(whole, node, flow).write(value)]
        done = node.end.index
    return "".join([*parts, whole[done:]]).encode("utf-8")


def _find_places(text: bytes, changes: Mapping[Path, Value]) -> list[tuple[Node, bool, Value]]:
    """Return the scalars to replace in the order of the text: each node, whether it is in flow style, and its value."""
    roots = compose(text).roots
    known: KeyIndex = {}
    places: dict[int, tuple[Node, bool, Value]] = {}
    for path, value in changes.items():
        trail = find_nodes(roots[0], path, known=known) if roots else []
        if not trail or trail[-1].resolved().kind != "scalar":
            raise KeyError(path)
        node = trail[-1].resolved()
        places[node.start.index] = node, any(above.flow for above in trail), value
    return [place for _, place in sorted(places.items())]


def can_replace(text: bytes, data: Value, changes: Mapping[Path, Value]) -> bool:
    """Return whether the text with these scalars replaced reads as `data`.

    It does not if an alias repeats a scalar that `data` has with another value in each place.
    """
    marks = {path: f"\ue000{number}\ue000" for number, path in enumerate(changes)}
    values = {mark: changes[path] for path, mark in marks.items()}
    return _is_same(read(replace_scalars(text, marks), "", many=True).data, data, values)


def _is_same(found: Value, wanted: Value, values: Mapping[str, Value]) -> bool:
    """Compare two values; `values` are those that marks in the first one stand for."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(_is_same(found[key], wanted[key], values) for key in found)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(_is_same(*pair, values) for pair in zip(found, wanted, strict=True))
    value = values.get(found, found) if isinstance(found, str) else found
    return bool(value == wanted) or (value != value and wanted != wanted)


def replace_in_documents(text: bytes, changes: Mapping[tuple[int, Path], Value]) -> list[str | Secret]:
    """Replace scalars in a file of several documents, each named by the number of its document and its path.

    Returns the parts of the new text. A scalar with a secret value becomes a `Secret` as a whole, quotes included.
    """
    whole = text.decode("utf-8")
    parts: list[str | Secret] = ["\ufeff" * (whole[:1] == "\ufeff")]
    whole = whole.removeprefix("\ufeff")
    roots, done = compose(text).roots, 0
    found: dict[int, tuple[Node, bool, Value]] = {}
    known: KeyIndex = {}
    for (number, path), value in changes.items():
        trail = find_nodes(roots[number], path, known=known)
        node = trail[-1].resolved()
        found.setdefault(node.start.index, (node, any(above.flow for above in trail), value))
    for start, (node, flow, value) in sorted(found.items()):
        writer = ScalarWriter(whole, node, flow)
        is_secret = isinstance(value, (Secret, SecretText))
        written: str | Secret = Secret(writer.write(value.open()), str(path)) if is_secret else writer.write(value)
        parts += [whole[done:start], written]
        done = node.end.index
    return [*parts, whole[done:]]
