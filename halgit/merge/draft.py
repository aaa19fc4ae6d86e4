"""A document during the merge: a mutable copy-on-write tree that remembers the origin of every value.

A `Draft` is one node. Its children become drafts only where something is changed; the rest stays shared with the
layer it came from. Each draft keeps its origin wherever it is moved, and `freeze` returns plain data with its `Trace`.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterator, Sequence
from functools import partial

from halgit.annotations import Literal
from halgit.pipeline import EMPTY, MISSING, Origin, Path, Step, Trace, Value
from halgit.redaction import Secret, SecretText
from halgit.text.paths import SEPARATOR, join_values, relax_name, split_key
from halgit.vocabulary import ItemCache
from halgit.yaml import to_java_string

Kind = Literal["mapping", "list", "scalar", "null"]


class Draft:
    """One node of a document that is being changed.

    A draft without a trace of its own derives it from `parent` and `step` when it is first asked for.
    """

    __slots__ = ("_children", "_index", "_parent", "_step", "_trace", "_value")

    def __init__(
        self, value: Value, trace: Trace | None = None, parent: Draft | None = None, step: Step | None = None
    ) -> None:
        self._value = value
        self._trace = trace
        self._parent = parent
        self._step = step
        self._children: dict[str, Draft] | list[Draft] | None = None
        self._index: dict[str, dict[str, list[int]]] | None = None

    @property
    def kind(self) -> Kind:
        return kind_of(self._value)

    @property
    def trace(self) -> Trace:
        """The origin of the value when it entered the draft; `freeze` adds what changed below it."""
        if self._trace is None:
            if self._parent is None or self._step is None:
                raise ValueError("a draft needs a trace or a parent")
            self._trace = child_trace(self._parent.trace, self._step)
        return self._trace

    @property
    def names(self) -> Collection[str]:
        """The keys of a mapping. Creates no child drafts."""
        return self._children if isinstance(self._children, dict) else self._value

    def members(self) -> dict[str, Draft]:
        """Return the children of a mapping; the caller may set, delete and reorder them."""
        if self._children is None:
            self._children = {key: Draft(value, None, self, key) for key, value in self._value.items()}
        if not isinstance(self._children, dict):
            raise TypeError("only a mapping has members")
        return self._children

    def items(self) -> list[Draft]:
        """Return the items of a list, for change. Call `invalidate` after adding or removing items."""
        if self._children is None:
            self._children = [Draft(value, None, self, at) for at, value in enumerate(self._value)]
        if not isinstance(self._children, list):
            raise TypeError("only a list has items")
        return self._children

    def scalar(self, steps: Sequence[str]) -> Value:
        """Return the scalar below these mapping keys, or MISSING. Creates no child drafts."""
        node = self
        for depth, step in enumerate(steps):
            if node._children is None:
                return scalar_at(node._value, steps[depth:])
            below = node._children.get(step) if isinstance(node._children, dict) else None
            if below is None:
                return MISSING
            node = below
        return scalar_at(node._value, ())

    def positions(self, key: str) -> dict[str, list[int]]:
        """Return the positions of this list's items by the value of `key` (dotted); cached until `invalidate`."""
        if self._index is None:
            self._index = {}
        if key not in self._index:
            search = partial(self._find_positions, key)
            self._index[key] = search() if self._children is not None else _POSITIONS.get(self._value, search, key)
        return self._index[key]

    def _find_positions(self, key: str) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for at, item in enumerate(self.items()):
            text = key_text(item, key)
            if text is not None:
                found.setdefault(text, []).append(at)
        return found

    def invalidate(self, changed: Path = ()) -> None:
        """Drop the cached positions that `changed`, a path inside one item, can have made wrong."""
        if self._index:
            self._index = {key: found for key, found in self._index.items() if not _overlaps(changed, key)}

    def freeze(self) -> tuple[Value, Trace]:
        """Return the plain data and its trace. Unchanged data is the same object that was read."""
        if self._children is None:
            return self._value, self.trace
        traces: dict[Step, Trace] = {}
        values = {step: self._freeze_child(step, child, traces) for step, child in _steps(self._children)}
        trace = Trace(self.trace.origin, self.trace.overridden, traces or EMPTY)
        frozen = values if isinstance(self._children, dict) else list(values.values())
        return (self._value if _is_unchanged(frozen, self._value) else frozen), trace

    def _freeze_child(self, step: Step, child: Draft, traces: dict[Step, Trace]) -> Value:
        """Return the child's data; add its trace to `traces` unless the parent's trace implies it."""
        is_in_place = child._parent is self and child._step == step
        if is_in_place and child._children is None:
            recorded = _recorded_trace(self.trace, step)
            if recorded is not None:
                traces[step] = recorded
            return child._value
        value, trace = child.freeze()
        if not is_in_place or trace.children is not EMPTY or _recorded_trace(self.trace, step):
            traces[step] = trace
        return value


_POSITIONS: ItemCache[dict[str, list[int]]] = ItemCache(most=16)
"""The positions of lists as they were read: several overlays change the same one."""


def kind_of(value: Value) -> Kind:
    """Return the kind of a value, as the merge distinguishes them."""
    if isinstance(value, dict):
        return "mapping"
    if isinstance(value, list):
        return "list"
    return "null" if value is None else "scalar"


def child_trace(trace: Trace, step: Step) -> Trace:
    """Return the trace of a child: the recorded one, or the parent's one step deeper."""
    recorded = _recorded_trace(trace, step)
    return trace.at((step,)) if recorded is None else recorded


def _recorded_trace(trace: Trace, step: Step) -> Trace | None:
    return None if trace.children is EMPTY else trace.children.get(step)


def replacement(below: Draft, value: Value, origin: Origin) -> Draft:
    """Return a draft of `value` that overrides `below`, recorded for the whole and for each key that both have.

    Items of a list override the other list as a whole: there is no telling which item replaces which.
    """
    overridden = below.trace
    draft = Draft(value, Trace(origin, (overridden.origin, *overridden.overridden)))
    if isinstance(value, list):
        for at, child in enumerate(draft.items()):
            draft.items()[at] = Draft(child._value, Trace(_child_origin(origin, at)))
    elif isinstance(value, dict):
        old = below.members() if below.kind == "mapping" else {}
        for key, item in value.items():
            where = _child_origin(origin, key)
            draft.members()[key] = replacement(old[key], item, where) if key in old else Draft(item, Trace(where))
    return draft


def moved_over(draft: Draft, below: Draft) -> Draft:
    """Return a value that was written elsewhere and is moved or copied over `below`."""
    value, trace = draft.freeze()
    steps = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    overridden = (below.trace.origin, *below.trace.overridden, *trace.overridden)
    return Draft(value, Trace(trace.origin, overridden, {step: child_trace(trace, step) for step in steps}))


def key_text(item: Draft, key: str) -> str | None:
    """Return the value of an item's key (dotted if nested) as Halyard's string of it; None if it has none."""
    if item.kind != "mapping":
        return None
    if SEPARATOR in key:
        return join_values(key_text(item, part) for part in split_key(key))
    value = item.scalar((key,))
    if value is MISSING and "." in key:
        value = item.scalar(key.split("."))
    return key_as_text(respelled_scalar(item.freeze()[0], key) if value is MISSING else value)


def key_as_text(value: Value) -> str | None:
    """Return a scalar as the string Halyard reads; None for a value that cannot be a key, such as a secret."""
    if value is None or value is MISSING or isinstance(value, (Secret, SecretText)):
        return None
    return str(value) if isinstance(value, str) else to_java_string(value)


def scalar_at(value: Value, steps: Sequence[str]) -> Value:
    """Return the scalar of plain data below these mapping keys, or MISSING."""
    for step in steps:
        if not isinstance(value, dict) or step not in value:
            return MISSING
        value = value[step]
    return MISSING if isinstance(value, (dict, list)) else value


def respelled_scalar(item: Value, key: str) -> Value:
    """Return the scalar at a (dotted) key in another spelling that Spring binds alike, or MISSING."""
    for step in key.split("."):
        names = item if isinstance(item, dict) else ()
        name = next((name for name in names if relax_name(name) == relax_name(step)), None)
        if name is None:
            return MISSING
        item = item[name]
    return MISSING if isinstance(item, (dict, list)) else item


def _steps(children: dict[str, Draft] | list[Draft]) -> Iterator[tuple[Step, Draft]]:
    if isinstance(children, dict):
        yield from children.items()
    else:
        yield from enumerate(children)


def _is_unchanged(frozen: Value, before: Value) -> bool:
    """Return whether a frozen container holds exactly the objects that were read, in their order."""
    if isinstance(frozen, dict):
        return list(frozen) == list(before) and _is_unchanged(list(frozen.values()), list(before.values()))
    return len(frozen) == len(before) and all(map(operator.is_, frozen, before))


def _overlaps(changed: Path, key: str) -> bool:
    if SEPARATOR in key:
        return any(_overlaps(changed, part) for part in split_key(key))
    steps = (key,) if changed[:1] == (key,) else tuple(key.split("."))
    shorter = min(len(steps), len(changed))
    return changed[:shorter] == steps[:shorter]


def _child_origin(origin: Origin, step: Step) -> Origin:
    return Origin(origin.layer, origin.file, (*origin.path, step), origin.how)
