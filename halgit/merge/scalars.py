"""Replacement of scalars in a YAML file: in its data, in its trace, and in place in its text if it has one.

Unchanged data is shared with the file before. Comments and layout of the text are kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from halgit import yaml as hyaml
from halgit.merge.diagnostics import file_trace
from halgit.pipeline import EMPTY, File, Path, PlainScalar, Step, Trace, Value
from halgit.record import Record, replace
from halgit.redaction import Secret, SecretText, join_parts


class Change(Record):
    """A new value, and how it came about (`Origin.how`)."""

    value: Value
    how: str


def find_strings(data: Value, wanted: Callable[[str], bool]) -> Iterator[tuple[Path, str, bool]]:
    """Yield every string for which `wanted` is true: its path, the string, and whether it is a mapping key.

    Strings come in the order of the document. Dates and other `PlainScalar` scalars are not strings.
    """
    without_strings: set[int] = set()
    yield from _find_strings(data, (), wanted, without_strings)


def _find_strings(
    node: Value, path: Path, wanted: Callable[[str], bool], without_strings: set[int]
) -> Iterator[tuple[Path, str, bool]]:
    """`without_strings` are nodes already searched in vain: an alias is searched once, however often it is used."""
    if isinstance(node, str):
        if not isinstance(node, PlainScalar) and wanted(node):
            yield path, node, False
    elif isinstance(node, (dict, list)) and id(node) not in without_strings:
        found_any = False
        for step, child in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(step, str) and wanted(step):
                found_any = True
                yield (*path, step), step, True
            for found in _find_strings(child, (*path, step), wanted, without_strings):
                found_any = True
                yield found
        if not found_any:
            without_strings.add(id(node))


def replace_scalars(file: File, data: Value, changes: Mapping[Path, Change]) -> File:
    """Return the file with these scalars of its `data` replaced.

    Only their bytes change in a file that has a text. A list cannot replace a scalar in place; such a file is
    written again from its data.
    """
    if not changes:
        return file
    trace = _trace_with(file_trace(file), {path: change.how for path, change in changes.items()})
    values = {path: change.value for path, change in changes.items()}
    return replace(with_values(file, replace_values(data, values), values), trace=trace)


def with_values(file: File, data: Value, values: Mapping[Path, Value]) -> File:
    """Return the file with this data, which has new `values` at some paths: in place in its text where it has one.

    It is written again from its data if a list replaces a scalar, or if aliases repeat what differs now.
    """
    splices = {**file.splices, **values}
    has_list = any(isinstance(value, (list, dict)) for value in values.values())
    if isinstance(file.body, bytes) and not has_list and _reads_as(file.body, data, splices):
        return replace(file, how="merged", data=data, splices=splices)
    return replace(file, how="merged", data=data, body=None, splices=EMPTY)


def _reads_as(body: bytes, data: Value, splices: Mapping[Path, Value]) -> bool:
    """Return whether a text with these scalars replaced reads as its data; only aliases can make a difference."""
    return b"&" not in body or b"*" not in body or hyaml.can_replace(body, data, splices)


def replace_in_documents(file: File, body: bytes, changes: Mapping[tuple[int, Path], Change]) -> File:
    """Return a file of several documents with these scalars replaced, each by its document's number and its path."""
    if not changes:
        return file
    text = join_parts(hyaml.replace_in_documents(body, {key: change.value for key, change in changes.items()}))
    changed = SecretText((text,)) if isinstance(text, Secret) else text
    trace = file_trace(file)
    hows = dict.fromkeys(part for change in changes.values() for part in change.how.split(", "))
    trace = Trace(replace(trace.origin, how=", ".join(hows)), trace.overridden, trace.children)
    encoded = changed.encode() if isinstance(changed, str) else changed
    return replace(file, how="merged", body=encoded, trace=trace)


def replace_values(data: Value, values: Mapping[Path, Value]) -> Value:
    """Return the data with the values at these paths; everything beside them is shared."""
    if () in values:
        return values[()]
    below = _by_first_step(values)
    if isinstance(data, dict):
        return {key: replace_values(item, below[key]) if key in below else item for key, item in data.items()}
    return [replace_values(item, below[at]) if at in below else item for at, item in enumerate(data)]


def _trace_with(trace: Trace, hows: Mapping[Path, str]) -> Trace:
    """Return the trace with `how` added to the origins at these paths."""
    if () in hows:
        how = ", ".join(part for part in (trace.origin.how, hows[()]) if part)
        return Trace(replace(trace.origin, how=how), trace.overridden, trace.children)
    children = dict(trace.children)
    for step, below in _by_first_step(hows).items():
        children[step] = _trace_with(trace.at((step,)), below)
    return Trace(trace.origin, trace.overridden, children)


def _by_first_step(values: Mapping[Path, Value]) -> dict[Step, dict[Path, Value]]:
    """Group values by the first step of their path; the rest of the path is the key within a group."""
    below: dict[Step, dict[Path, Value]] = defaultdict(dict)
    for path, value in values.items():
        below[path[0]][path[1:]] = value
    return below
