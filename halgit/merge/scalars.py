"""Scalars of a YAML file replaced: in its data, in its trace, and in place in its text where it has one.

What did not change is shared with the file before; nothing is changed in place. It decides no value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from halgit import yaml as hyaml
from halgit.merge.diagnostics import trace_of
from halgit.pipeline import EMPTY, File, Path, PlainScalar, Step, Trace, Value


@dataclass(frozen=True, slots=True)
class Change:
    """A new value, and what put it there, for its origin."""

    value: Value
    how: str


def texts(data: Value, wanted: Callable[[str], bool]) -> Iterator[tuple[Path, str, bool]]:
    """Every text and mapping key (True) that is `wanted`, with its path, in the order of the document."""
    barren: set[int] = set()
    yield from _texts(data, (), wanted, barren)


def _texts(
    node: Value, path: Path, wanted: Callable[[str], bool], barren: set[int]
) -> Iterator[tuple[Path, str, bool]]:
    """`barren` are nodes known to hold nothing: an alias is looked through once, not wherever it stands."""
    if isinstance(node, str):
        if not isinstance(node, PlainScalar) and wanted(node):
            yield path, node, False
    elif isinstance(node, (dict, list)) and id(node) not in barren:
        fruitful = False
        for step, child in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(step, str) and wanted(step):
                fruitful = True
                yield (*path, step), step, True
            for found in _texts(child, (*path, step), wanted, barren):
                fruitful = True
                yield found
        if not fruitful:
            barren.add(id(node))


def rewritten(file: File, data: Value, changes: Mapping[Path, Change]) -> File:
    """The file with these scalars of its `data` replaced.

    With a text every byte but theirs stays; a list cannot stand in a scalar's place there, so such a file is
    written out anew.
    """
    if not changes:
        return file
    trace = _traced(trace_of(file), {path: change.how for path, change in changes.items()})
    values = {path: change.value for path, change in changes.items()}
    fresh = replaced(data, values)
    body = file.body
    if not isinstance(body, bytes) or any(isinstance(value, (list, dict)) for value in values.values()):
        return replace(file, how="merged", data=fresh, body=None, splices=EMPTY, trace=trace)
    splices = _that_stand_there(body, values)
    return replace(file, how="merged", data=fresh, splices={**file.splices, **splices}, trace=trace)


def _that_stand_there(body: bytes, values: Mapping[Path, Value]) -> Mapping[Path, Value]:
    """Without the paths that only an alias makes; a text without `&` has no anchor, and so no alias."""
    if b"&" not in body:
        return values
    own = {scalar.path for scalar in hyaml.list_scalars(body) if not scalar.key}
    return {path: value for path, value in values.items() if path in own}


def replaced(data: Value, values: Mapping[Path, Value]) -> Value:
    """The data with the values at these paths, copied along them only."""
    if () in values:
        return values[()]
    below = _by_step(values)
    if isinstance(data, dict):
        return {key: replaced(item, below[key]) if key in below else item for key, item in data.items()}
    return [replaced(item, below[at]) if at in below else item for at, item in enumerate(data)]


def _traced(trace: Trace, hows: Mapping[Path, str]) -> Trace:
    """The trace with what put the values at these paths."""
    if () in hows:
        how = ", ".join(part for part in (trace.origin.how, hows[()]) if part)
        return Trace(replace(trace.origin, how=how), trace.overridden, trace.children)
    children = dict(trace.children)
    for step, below in _by_step(hows).items():
        children[step] = _traced(trace.at((step,)), below)
    return Trace(trace.origin, trace.overridden, children)


def _by_step(values: Mapping[Path, Value]) -> dict[Step, dict[Path, Value]]:
    """Values by path as values by the first step, and by the path below it."""
    below: dict[Step, dict[Path, Value]] = defaultdict(dict)
    for path, value in values.items():
        below[path[0]][path[1:]] = value
    return below
