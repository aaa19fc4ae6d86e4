"""Values put in the place of references: into YAML data, into splices of files kept byte for byte, into texts.

Nothing is changed in place, and no value is opened here: what comes in as a Secret goes out in a Woven.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from halgit.parameters import escaping
from halgit.pipeline import MISSING, File, Path, Value
from halgit.redaction import Secret, Woven, weave
from halgit.references import Occurrence, unescape

Piece: TypeAlias = str | Secret
Change: TypeAlias = tuple[Occurrence, Piece]


def replaced(file: File, changes: Sequence[Change], escapes: Iterable[Path] = ()) -> File:
    """The file with these references replaced and `$${{ secret(` unescaped."""
    if file.data is MISSING:
        return _text(file, changes)
    by_path: dict[Path, list[Change]] = defaultdict(list, {path: [] for path in escapes})
    for change in changes:
        by_path[change[0].path].append(change)
    if not by_path:
        return file
    values = {path: _scalar(_at(file.data, path), some) for path, some in by_path.items()}
    data = with_values(file.data, values)
    if file.body is None:
        return replace(file, how="merged", data=data)
    return replace(file, how="merged", data=data, splices={**file.splices, **values})


def with_values(data: Value, values: Mapping[Path, Value]) -> Value:
    """The data with other values at these paths; only what leads to them is copied."""
    if () in values:
        return values[()]
    below: dict[str | int, dict[Path, Value]] = defaultdict(dict)
    for path, value in values.items():
        below[path[0]][path[1:]] = value
    if not below:
        return data
    copy: Value = dict(data) if isinstance(data, dict) else list(data)
    for step, inside in below.items():
        copy[step] = with_values(copy[step], inside)
    return copy


def _at(data: Value, path: Path) -> Value:
    for step in path:
        data = data[step]
    return data


def _scalar(value: Value, changes: Sequence[Change]) -> str | Secret | Woven:
    return weave(_pieces(value.parts if isinstance(value, Woven) else (value,), changes))


def _pieces(parts: Sequence[Piece], changes: Sequence[Change]) -> list[Piece]:
    by_part: dict[int, list[Change]] = defaultdict(list)
    for change in changes:
        by_part[change[0].part].append(change)
    pieces: list[Piece] = []
    for number, part in enumerate(parts):
        if not isinstance(part, str):
            pieces.append(part)
            continue
        at = 0
        for occurrence, value in sorted(by_part[number], key=lambda change: change[0].found.start):
            pieces += [unescape(part[at : occurrence.found.start]), value]
            at = occurrence.found.end
        pieces.append(unescape(part[at:]))
    return pieces


def _text(file: File, changes: Sequence[Change]) -> File:
    if file.body is None or (not changes and not _may_be_escaped(file.body)):
        return file
    parts: tuple[Piece, ...] = file.body.parts if isinstance(file.body, Woven) else (file.body.decode("utf-8"),)
    if file.path.endswith((".json", ".js")):
        changes = _fitted(file.path, parts, changes)
    pieces = _pieces(parts, changes)
    if all(isinstance(piece, str) for piece in pieces):
        return replace(file, body="".join(map(str, pieces)).encode("utf-8"), how="merged")
    return replace(file, body=Woven(tuple(pieces)), how="merged")


def _may_be_escaped(body: bytes | Woven) -> bool:
    if isinstance(body, Woven):
        return any(isinstance(part, str) and unescape(part) != part for part in body.parts)
    if b"$${{" not in body:
        return False
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return unescape(text) != text


def _fitted(path: str, parts: Sequence[Piece], changes: Sequence[Change]) -> list[Change]:
    """The values escaped for the strings of JSON or JavaScript they go into."""
    before = [0]
    for part in parts:
        before.append(before[-1] + (len(part) if isinstance(part, str) else 0))
    offsets = [before[change[0].part] + change[0].found.start for change in changes]
    whole = "".join(part for part in parts if isinstance(part, str))
    contexts = escaping.contexts(whole, sorted(offsets), javascript=path.endswith(".js"))
    return [
        (occurrence, _escaped(value, contexts[offset]))
        for (occurrence, value), offset in zip(changes, offsets, strict=True)
    ]


def _escaped(value: Piece, context: escaping.Context) -> Piece:
    text = value.open() if isinstance(value, Secret) else value
    fit = escaping.as_value(text) if context == "code" else escaping.within(text, context)
    return Secret(fit, value.name) if isinstance(value, Secret) else fit
