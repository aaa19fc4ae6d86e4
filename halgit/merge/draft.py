"""A document while layers are laid over it: changed in place here, so that what it was read from never is.

A `Draft` stands for one node. It opens into drafts of its children only where something is to be changed; what stays
closed is shared with the layer it came from. Each draft knows where its value was written, wherever it is moved to,
and `freeze` gives the plain data with its `Trace`. This module decides nothing about what wins.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterator, Sequence
from typing import Literal

from halgit.pipeline import EMPTY, MISSING, Origin, Path, Step, Trace, Value
from halgit.redaction import Secret, SecretText
from halgit.yaml import to_java_string

Kind = Literal["mapping", "list", "scalar", "null"]


class Draft:
    """One node of a document that is being changed.

    A draft without a trace of its own takes it from `parent`, one step (`home`) deeper, when it is first asked for.
    """

    __slots__ = ("_home", "_index", "_parent", "_parts", "_trace", "_value")

    def __init__(
        self, value: Value, trace: Trace | None = None, parent: Draft | None = None, home: Step | None = None
    ) -> None:
        self._value = value
        self._trace = trace
        self._parent = parent
        self._home = home
        self._parts: dict[str, Draft] | list[Draft] | None = None
        self._index: dict[str, dict[str, list[int]]] | None = None

    @property
    def kind(self) -> Kind:
        return kind_of(self._value)

    @property
    def trace(self) -> Trace:
        """Where the value was written when it came into the draft; `freeze` adds what changed below it."""
        if self._trace is None:
            if self._parent is None or self._home is None:
                raise ValueError("a draft has a trace or a parent")
            self._trace = one_below(self._parent.trace, self._home)
        return self._trace

    @property
    def names(self) -> Collection[str]:
        """The keys of a mapping, without opening it."""
        return self._parts if isinstance(self._parts, dict) else self._value

    def members(self) -> dict[str, Draft]:
        """The children of a mapping, opened for change: the caller may set, delete and reorder them."""
        if self._parts is None:
            self._parts = {key: Draft(value, None, self, key) for key, value in self._value.items()}
        if not isinstance(self._parts, dict):
            raise TypeError("only a mapping has members")
        return self._parts

    def items(self) -> list[Draft]:
        """The items of a list, opened for change. After changing which items there are, call `forget`."""
        if self._parts is None:
            self._parts = [Draft(value, None, self, at) for at, value in enumerate(self._value)]
        if not isinstance(self._parts, list):
            raise TypeError("only a list has items")
        return self._parts

    def peek(self, steps: Sequence[str]) -> Value:
        """The scalar at these mapping keys, without opening anything; MISSING where there is none."""
        node = self
        for depth, step in enumerate(steps):
            if node._parts is None:
                return look(node._value, steps[depth:])
            below = node._parts.get(step) if isinstance(node._parts, dict) else None
            if below is None:
                return MISSING
            node = below
        return look(node._value, ())

    def positions(self, key: str) -> dict[str, list[int]]:
        """Where in this list the items with each value of `key` (dotted) stand; made once, kept until `forget`."""
        if self._index is None:
            self._index = {}
        if key not in self._index:
            found: dict[str, list[int]] = {}
            for at, item in enumerate(self.items()):
                text = key_text(item, key)
                if text is not None:
                    found.setdefault(text, []).append(at)
            self._index[key] = found
        return self._index[key]

    def forget(self, changed: Path = ()) -> None:
        """Drop the positions that no longer hold once `changed`, a path inside one item, has changed."""
        if self._index:
            self._index = {key: found for key, found in self._index.items() if not _touches(changed, key)}

    def freeze(self) -> tuple[Value, Trace]:
        """The plain data and its trace. What did not change is the very object that was read."""
        if self._parts is None:
            return self._value, self.trace
        children: dict[Step, Trace] = {}
        values = {step: self._freeze_child(step, child, children) for step, child in _steps(self._parts)}
        trace = Trace(self.trace.origin, self.trace.overridden, children or EMPTY)
        made = values if isinstance(self._parts, dict) else list(values.values())
        return (self._value if _same(made, self._value) else made), trace

    def _freeze_child(self, step: Step, child: Draft, children: dict[Step, Trace]) -> Value:
        """The child's data; its trace goes to `children` unless the parent's already tells it."""
        at_home = child._parent is self and child._home == step
        if at_home and child._parts is None:
            told = _told(self.trace, step)
            if told is not None:
                children[step] = told
            return child._value
        value, trace = child.freeze()
        if not at_home or trace.children is not EMPTY or _told(self.trace, step):
            children[step] = trace
        return value


def kind_of(value: Value) -> Kind:
    """What a value is to the merge."""
    if isinstance(value, dict):
        return "mapping"
    if isinstance(value, list):
        return "list"
    return "null" if value is None else "scalar"


def one_below(trace: Trace, step: Step) -> Trace:
    """The trace of a child: the one recorded, or the parent's one step deeper."""
    told = _told(trace, step)
    return trace.at((step,)) if told is None else told


def _told(trace: Trace, step: Step) -> Trace | None:
    """What is recorded of a child; most traces record nothing, and then nothing is looked up."""
    return None if trace.children is EMPTY else trace.children.get(step)


def replacing(below: Draft, value: Value, origin: Origin) -> Draft:
    """A draft of `value` that beats `below`: what it overrode is told for each key both have, and for the whole.

    The items of a list beat no single item of the other list, for there is no telling which.
    """
    overridden = below.trace
    draft = Draft(value, Trace(origin, (overridden.origin, *overridden.overridden)))
    if isinstance(value, list):
        for at, child in enumerate(draft.items()):
            draft.items()[at] = Draft(child._value, Trace(_deeper(origin, at)))
    elif isinstance(value, dict):
        old = below.members() if below.kind == "mapping" else {}
        for key, item in value.items():
            deeper = _deeper(origin, key)
            draft.members()[key] = replacing(old[key], item, deeper) if key in old else Draft(item, Trace(deeper))
    return draft


def beating(draft: Draft, below: Draft) -> Draft:
    """A value that was written elsewhere, moved or copied over `below`."""
    value, trace = draft.freeze()
    steps = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    overridden = (below.trace.origin, *below.trace.overridden, *trace.overridden)
    return Draft(value, Trace(trace.origin, overridden, {step: one_below(trace, step) for step in steps}))


def key_text(item: Draft, key: str) -> str | None:
    """The value of an item's key (dotted where it lies deeper) as Halyard's text of it; None where it has none."""
    if item.kind != "mapping":
        return None
    value = item.peek((key,))
    if value is MISSING and "." in key:
        value = item.peek(key.split("."))
    return as_text(value)


def as_text(value: Value) -> str | None:
    """A scalar as the text Halyard would read; None for what cannot name an item, as a secret cannot."""
    if value is None or value is MISSING or isinstance(value, (Secret, SecretText)):
        return None
    return str(value) if isinstance(value, str) else to_java_string(value)


def look(value: Value, steps: Sequence[str]) -> Value:
    """The scalar of plain data at these mapping keys; MISSING where there is none."""
    for step in steps:
        if not isinstance(value, dict) or step not in value:
            return MISSING
        value = value[step]
    return MISSING if isinstance(value, (dict, list)) else value


def _steps(parts: dict[str, Draft] | list[Draft]) -> Iterator[tuple[Step, Draft]]:
    if isinstance(parts, dict):
        yield from parts.items()
    else:
        yield from enumerate(parts)


def _same(made: Value, before: Value) -> bool:
    """Whether a frozen container holds exactly the objects that were read, in their order."""
    if isinstance(made, dict):
        return list(made) == list(before) and _same(list(made.values()), list(before.values()))
    return len(made) == len(before) and all(map(operator.is_, made, before))


def _touches(changed: Path, key: str) -> bool:
    steps = (key,) if changed[:1] == (key,) else tuple(key.split("."))
    shorter = min(len(steps), len(changed))
    return changed[:shorter] == steps[:shorter]


def _deeper(origin: Origin, step: Step) -> Origin:
    return Origin(origin.layer, origin.file, (*origin.path, step), origin.how)
