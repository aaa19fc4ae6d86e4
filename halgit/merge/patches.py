"""RFC 6902 operations on a draft: add, remove, replace, move, copy, test.

Each operation is done on its own; one that cannot be done is a fault, and those that build on it are passed over.
What an operation writes has its origin in the `halgit.yaml` that holds it; what it moves keeps the origin it has.
Values are never told in a message: they can be secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from halgit.merge.diagnostics import Fault
from halgit.merge.draft import Draft, beating, replacing
from halgit.pipeline import Origin, Patch, Path, Step, Trace, Value
from halgit.text import paths
from halgit.text.paths import Selector
from halgit.text.phrases import suggest_nearest

_TRUNK = ""
"""The key under which the document stands in a mapping of its own, so that the root too has a parent."""

_MAKERS = ("add", "move", "copy")
"""The operations that put something where nothing was."""

_POSITION = re.compile(r"0|[1-9][0-9]*")


class _Impossible(Exception):
    """An operation that cannot be done; never leaves this module. `member` is the part of it that is wrong."""

    def __init__(self, rule: str, member: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.rule, self.member, self.message, self.hint = rule, member, message, hint


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place in the document: a container, and the key or position in it.

    `steps` lead to it; `lists` are the lists on the way, each with its number in `steps`.
    """

    parent: Draft
    step: Step
    steps: Path
    lists: tuple[tuple[Draft, int], ...]

    @property
    def node(self) -> Draft | None:
        """What stands there; None where an `add` makes a new member or item."""
        there = self.parent.members() if isinstance(self.step, str) else range(len(self.parent.items()))
        return _child(self.parent, self.step) if self.step in there else None

    def set(self, draft: Draft) -> None:
        if isinstance(self.step, str):
            self.parent.members()[self.step] = draft
        else:
            self.parent.items()[self.step] = draft
        self._written()

    def insert(self, draft: Draft) -> None:
        """Into a mapping as the member, instead of an old one; into a list before the item."""
        if isinstance(self.step, str):
            self.set(draft)
        else:
            self.parent.items().insert(self.step, draft)
            self._written()

    def take(self) -> None:
        if isinstance(self.step, str):
            del self.parent.members()[self.step]
        else:
            del self.parent.items()[self.step]
        self._written()

    def _written(self) -> None:
        for found, number in self.lists:
            found.forget(self.steps[number + 1 :])


def apply(root: Draft, patch: Patch, origin: Origin, faults: list[Fault]) -> Draft:
    """The document after the patch, whose form the settings have checked. `origin` is its place in `halgit.yaml`."""
    trunk = Draft({_TRUNK: None}, Trace(origin))
    trunk.members()[_TRUNK] = root
    failed: list[str] = []
    for number, op in enumerate(patch.ops):
        here = Origin(origin.layer, origin.file, (*origin.path, "ops", number), "patch")
        if any(_leads(path, op) for path in failed):
            continue
        try:
            _Operation(trunk, op, here).run()
        except _Impossible as wrong:
            at = Origin(here.layer, here.file, (*here.path, wrong.member))
            faults.append(Fault(wrong.rule, at, wrong.message, wrong.hint))
            if op["op"] == "test":
                break
            if op["op"] in _MAKERS and wrong.rule != "patch/malformed":
                failed.append(op["path"])
    return trunk.members()[_TRUNK]


def _leads(path: str, op: Mapping[str, Value]) -> bool:
    """Whether an operation is about what another one, which failed, would have written."""
    return any(str(op.get(member)) == path or str(op.get(member)).startswith(f"{path}/") for member in ("path", "from"))


class _Operation:
    """One operation on the document in `trunk`. `here` is its own place."""

    def __init__(self, trunk: Draft, op: Mapping[str, Value], here: Origin) -> None:
        self._trunk = trunk
        self._op = op
        self._here = here

    def run(self) -> None:
        """Do it. Raises _Impossible where it cannot be done."""
        known: dict[str, Callable[[], None]] = {
            "add": self._add, "remove": self._remove, "replace": self._replace,
            "move": self._move, "copy": self._copy, "test": self._test,
        }  # fmt: skip
        known[self._op["op"]]()

    def _add(self) -> None:
        value, spot = self._op["value"], self._spot("path", new=True)
        spot.insert(self._made(value, spot.node if isinstance(spot.step, str) else None))

    def _remove(self) -> None:
        self._taken("path")

    def _replace(self) -> None:
        value, spot = self._op["value"], self._spot("path")
        spot.set(self._made(value, spot.node))

    def _move(self) -> None:
        source, target = self._segments("from"), self._segments("path")
        if len(target) > len(source) and target[: len(source)] == source:
            raise _Impossible("patch/malformed", "path", "A value cannot move into itself.", "Use `copy`.")
        self._bring(self._taken("from"))

    def _copy(self) -> None:
        node = self._spot("from").node
        if node is not None:
            self._bring(Draft(*node.freeze()))

    def _bring(self, draft: Draft) -> None:
        spot = self._spot("path", new=True)
        old = spot.node if isinstance(spot.step, str) else None
        spot.insert(draft if old is None else beating(draft, old))

    def _test(self) -> None:
        wanted, node = self._op["value"], self._spot("path").node
        if node is not None and not _equal(node.freeze()[0], wanted):
            hint = "Correct the test, or the value it guards; the rest of this patch is not done."
            raise _Impossible("patch/test-failed", "path", "The value here is not the one the test names.", hint)

    # --- values and places -------------------------------------------------------------------------------------

    def _made(self, value: Value, old: Draft | None) -> Draft:
        origin = Origin(self._here.layer, self._here.file, (*self._here.path, "value"), self._here.how)
        return Draft(value, Trace(origin)) if old is None else replacing(old, value, origin)

    def _taken(self, member: str) -> Draft:
        """What stands there, taken out of the document."""
        spot = self._spot(member)
        node = spot.node
        if node is None or spot.parent is self._trunk:
            hint = "Name the file under `remove` in halgit.yaml."
            raise _Impossible("patch/malformed", member, "This would leave no document at all.", hint)
        spot.take()
        return node

    def _segments(self, member: str) -> tuple[str | Selector, ...]:
        segments = paths.parse_pointer(self._op[member])
        if segments is None:
            hint = "Begin it with `/`, and write `~` as `~0` and `/` in a key as `~1`."
            raise _Impossible("patch/malformed", member, "This is no JSON pointer.", hint)
        return segments

    def _spot(self, member: str, *, new: bool = False) -> _Spot:
        """The place a pointer names. With `new` its last step may be one that is not there yet."""
        parent, steps = self._trunk, [cast(Step, _TRUNK)]
        lists: list[tuple[Draft, int]] = []
        segments = self._segments(member)
        for number, segment in enumerate(segments, 1):
            parent = _child(parent, steps[-1])
            if parent.kind == "list":
                lists.append((parent, number))
            steps.append(_step(parent, segment, member, new=new and number == len(segments)))
        return _Spot(parent, steps[-1], tuple(steps), tuple(lists))


def _child(node: Draft, step: Step) -> Draft:
    return node.members()[step] if isinstance(step, str) else node.items()[step]


def _step(node: Draft, segment: str | Selector, member: str, *, new: bool) -> Step:
    text = segment.text if isinstance(segment, Selector) else segment
    if node.kind == "mapping":
        if new or text in node.names:
            return text
        raise _nothing(member, text, "there is no such key", suggest_nearest(text, node.names, "Correct the path."))
    if node.kind != "list":
        raise _nothing(member, text, f"above it stands a {node.kind}", "Correct the path.")
    if isinstance(segment, Selector):
        return _picked(node, segment, member)
    return _position(len(node.items()), segment, member, new=new)


def _picked(node: Draft, pick: Selector, member: str) -> int:
    places = node.positions(pick.key).get(pick.value, [])
    if not places:
        hint = suggest_nearest(pick.value, node.positions(pick.key), "Correct the path.")
        raise _nothing(member, pick.text, "the list has no such item", hint)
    if len(places) > 1:
        message = f"`{pick.text}` meets {len(places)} items."
        raise _Impossible("patch/ambiguous", member, message, "Pick one by another key, or by its position.")
    return places[0]


def _position(length: int, text: str, member: str, *, new: bool) -> int:
    if text == "-":
        if new:
            return length
        raise _nothing(
            member, text, "it is the place after the last item", "Only `add`, `move` and `copy` can name it."
        )
    if not _POSITION.fullmatch(text):
        hint = "Write a position from 0, or pick an item: `[name=prod]`."
        raise _nothing(member, text, "a list has positions, no keys", hint)
    if int(text) >= length + new:
        reason = f"the last position of the list is {length - 1}" if length else "the list is empty"
        raise _nothing(member, text, reason, "Correct the path.")
    return int(text)


def _nothing(member: str, text: str, reason: str, hint: str) -> _Impossible:
    return _Impossible("patch/no-match", member, f"`{text}` meets nothing: {reason}.", hint)


def _equal(one: Value, other: Value) -> bool:
    """Equal as JSON is: numbers by their value, true is not 1, the order of keys is free."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)
