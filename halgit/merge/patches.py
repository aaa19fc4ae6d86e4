"""RFC 6902 operations on a draft: add, remove, replace, move, copy, test.

A path may have wildcards: `[*]` and `[name=prod-*]` apply the operation to every list item that matches.
An operation that fails is a diagnostic; operations that depend on it are skipped. A value that an operation writes
originates in the `halgit.yaml` with the patch; a value that is moved keeps its origin. Messages never show values,
which can be secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from halgit.annotations import cast
from halgit.lazy import lazy_pattern
from halgit.merge.diagnostics import Diagnostic
from halgit.merge.draft import Draft, moved_over, replacement
from halgit.pipeline import Origin, Patch, Path, Step, Trace, Value
from halgit.record import Record
from halgit.text import paths
from halgit.text.paths import Selector
from halgit.text.phrases import add_article, suggest_nearest

_ROOT_KEY = ""
"""The key of the document in a container mapping, so that the root too has a parent."""

MAX_CREATED = 500_000
"""Values that all patches of a run may create."""

_CREATING = ("add", "move", "copy")
"""The operations that can create a value."""

Segments = tuple[str | Selector, ...]

_POSITION = lazy_pattern(r"0|[1-9][0-9]*")


class _OperationError(Exception):
    """An operation that fails; never leaves this module. `member` is the key of the operation that is wrong."""

    def __init__(self, rule: str, member: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.rule, self.member, self.message, self.hint = rule, member, message, hint


class _Location(Record):
    """A place in the document: a container, and the key or position in it.

    `steps` lead to it; `lists` are the lists on the way, each with its index in `steps`.
    """

    parent: Draft
    step: Step
    steps: Path
    lists: tuple[tuple[Draft, int], ...]

    @property
    def node(self) -> Draft | None:
        """The value at this place; None if `add` creates it."""
        existing = self.parent.members() if isinstance(self.step, str) else range(len(self.parent.items()))
        return _child(self.parent, self.step) if self.step in existing else None

    def set(self, draft: Draft) -> None:
        if isinstance(self.step, str):
            self.parent.members()[self.step] = draft
        else:
            self.parent.items()[self.step] = draft
        self._invalidate()

    def insert(self, draft: Draft) -> None:
        """Set the member of a mapping, or insert before the item of a list."""
        if isinstance(self.step, str):
            self.set(draft)
        else:
            self.parent.items().insert(self.step, draft)
            self._invalidate()

    def delete(self) -> None:
        if isinstance(self.step, str):
            del self.parent.members()[self.step]
        else:
            del self.parent.items()[self.step]
        self._invalidate()

    def _invalidate(self) -> None:
        for parent, index in self.lists:
            parent.invalidate(self.steps[index + 1 :])


def apply_patch(root: Draft, patch: Patch, origin: Origin, diagnostics: list[Diagnostic], budget: PatchBudget) -> Draft:
    """Return the document after the patch. `origin` is the patch's place in `halgit.yaml`.

    The form of the patch has been checked by `settings`.
    """
    container = Draft({_ROOT_KEY: None}, Trace(origin))
    container.members()[_ROOT_KEY] = root
    failed: list[str] = []
    for number, op in enumerate(patch.ops):
        here = Origin(origin.layer, origin.file, (*origin.path, "ops", number), "patch")
        if any(_depends_on(path, op) for path in failed):
            continue
        try:
            for segments in _expand(container, op):
                _Operation(container, op, here, segments, budget).run()
        except _OperationError as error:
            if patch.optional and error.rule == "patch/no-match":
                continue
            where = Origin(here.layer, here.file, (*here.path, error.member))
            diagnostics.append(Diagnostic(error.rule, where, error.message, error.hint))
            if op["op"] == "test":
                break
            if op["op"] in _CREATING and error.rule != "patch/malformed":
                failed.append(op["path"])
    return container.members()[_ROOT_KEY]


def _depends_on(path: str, op: Mapping[str, Value]) -> bool:
    """Return whether an operation uses what a failed one would have written at `path`."""
    return any(str(op.get(member)) == path or str(op.get(member)).startswith(f"{path}/") for member in ("path", "from"))


class PatchBudget:
    """Counts the nodes that the patches of a run create: a few copies of copies would fill the memory."""

    def __init__(self) -> None:
        self._left = MAX_CREATED

    def take(self, value: Value) -> None:
        """Take the nodes of a value from the budget. Raises _OperationError if they are too many."""
        waiting = [value]
        while waiting:
            here = waiting.pop()
            self._left -= 1
            if self._left < 0:
                message = f"The patches create more than {MAX_CREATED} values."
                raise _OperationError("patch/malformed", "path", message, "Copy and add less.")
            if isinstance(here, dict):
                waiting.extend(here.values())
            elif isinstance(here, list):
                waiting.extend(here)


class _Operation:
    """One operation on the document in `container`. `here` is its place, `path` its path without wildcards."""

    def __init__(
        self, container: Draft, op: Mapping[str, Value], here: Origin, path: Segments, budget: PatchBudget
    ) -> None:
        self._budget = budget
        self._container = container
        self._op = op
        self._here = here
        self._path = path

    def run(self) -> None:
        """Apply the operation. Raises _OperationError."""
        known: dict[str, Callable[[], None]] = {
            "add": self._add, "remove": self._remove, "replace": self._replace,
            "move": self._move, "copy": self._copy, "test": self._test,
        }  # fmt: skip
        known[self._op["op"]]()

    def _add(self) -> None:
        value, at = self._op["value"], self._locate("path", new=True)
        self._budget.take(value)
        at.insert(self._new_draft(value, at.node if isinstance(at.step, str) else None))

    def _remove(self) -> None:
        self._delete("path")

    def _replace(self) -> None:
        value, at = self._op["value"], self._locate("path")
        self._budget.take(value)
        at.set(self._new_draft(value, at.node))

    def _move(self) -> None:
        source, target = self._segments("from"), self._segments("path")
        if len(target) > len(source) and target[: len(source)] == source:
            raise _OperationError("patch/malformed", "path", "A value cannot be moved into itself.", "Use `copy`.")
        self._insert(self._delete("from"))

    def _copy(self) -> None:
        node = self._locate("from").node
        if node is not None:
            value, trace = node.freeze()
            self._budget.take(value)
            self._insert(Draft(value, trace))

    def _insert(self, draft: Draft) -> None:
        at = self._locate("path", new=True)
        old = at.node if isinstance(at.step, str) else None
        at.insert(draft if old is None else moved_over(draft, old))

    def _test(self) -> None:
        expected, node = self._op["value"], self._locate("path").node
        if node is not None and not _json_equal(node.freeze()[0], expected):
            hint = "Correct the test or the value; the remaining operations of this patch are skipped."
            raise _OperationError("patch/test-failed", "path", "The value is not the one that `test` expects.", hint)

    # --- values and locations ----------------------------------------------------------------------------------

    def _new_draft(self, value: Value, old: Draft | None) -> Draft:
        origin = Origin(self._here.layer, self._here.file, (*self._here.path, "value"), self._here.how)
        return Draft(value, Trace(origin)) if old is None else replacement(old, value, origin)

    def _delete(self, member: str) -> Draft:
        """Remove the value from the document and return it."""
        at = self._locate(member)
        node = at.node
        if node is None or at.parent is self._container:
            hint = "List the file under `remove` in halgit.yaml."
            raise _OperationError("patch/malformed", member, "This would remove the whole document.", hint)
        at.delete()
        return node

    def _segments(self, member: str) -> Segments:
        return self._path if member == "path" else _parse_pointer(self._op, member)

    def _locate(self, member: str, *, new: bool = False) -> _Location:
        """Return the location that a pointer names. With `new` its last step may not exist yet."""
        parent, steps = self._container, [cast(Step, _ROOT_KEY)]
        lists: list[tuple[Draft, int]] = []
        segments = self._segments(member)
        for index, segment in enumerate(segments, 1):
            parent = _child(parent, steps[-1])
            if parent.kind == "list":
                lists.append((parent, index))
            steps.append(_step(parent, segment, member, new=new and index == len(segments)))
        return _Location(parent, steps[-1], tuple(steps), tuple(lists))


# --- pointers --------------------------------------------------------------------------------------------------


def _parse_pointer(op: Mapping[str, Value], member: str) -> Segments:
    segments = paths.parse_pointer(op[member])
    if segments is None:
        hint = "Start it with `/`, and write `~` as `~0` and `/` in a key as `~1`."
        raise _OperationError("patch/malformed", member, "This is not a JSON pointer.", hint)
    return segments


def _expand(container: Draft, op: Mapping[str, Value]) -> list[Segments]:
    """Return the paths of an operation without wildcards, the last first if it removes items."""
    segments = _parse_pointer(op, "path")
    if not any(map(_is_wildcard, segments)):
        return [segments]
    if op["op"] in ("move", "copy"):
        hint = "Write one operation for each item."
        raise _OperationError("patch/malformed", "path", f"{op['op']} does not support wildcards.", hint)
    found: list[tuple[Segments, Draft | None]] = [((), container.members()[_ROOT_KEY])]
    for segment in segments:
        found = [one for prefix, node in found for one in _expand_segment(prefix, node, segment)]
    if not found:
        text = next(_segment_text(one) for one in segments if _is_wildcard(one))
        raise _no_match("path", text, "the list has no such item", "Correct the path, or set `optional: true`.")
    expanded = [prefix for prefix, _ in found]
    return expanded[::-1] if op["op"] == "remove" else expanded


def _expand_segment(
    prefix: Segments, node: Draft | None, segment: str | Selector
) -> list[tuple[Segments, Draft | None]]:
    if node is None or node.kind != "list" or not _is_wildcard(segment):
        return [((*prefix, segment), _existing_child(node, segment))]
    if isinstance(segment, str):
        positions = list(range(len(node.items())))
    else:
        pattern = re.compile(".*".join(map(re.escape, segment.value.split("*"))), re.DOTALL)
        named = node.positions(segment.key)
        positions = sorted(at for name, places in named.items() if pattern.fullmatch(name) for at in places)
    return [((*prefix, str(at)), node.items()[at]) for at in positions]


def _existing_child(node: Draft | None, segment: str | Selector) -> Draft | None:
    """Return the child at a segment; None if there is none, which the operation itself reports."""
    if node is None or node.kind not in ("mapping", "list"):
        return None
    try:
        return _child(node, _step(node, segment, "path", new=False))
    except _OperationError:
        return None


def _is_wildcard(segment: str | Selector) -> bool:
    return "*" in segment.value if isinstance(segment, Selector) else segment == "[*]"


def _segment_text(segment: str | Selector) -> str:
    return segment.text if isinstance(segment, Selector) else segment


def _child(node: Draft, step: Step) -> Draft:
    return node.members()[step] if isinstance(step, str) else node.items()[step]


def _step(node: Draft, segment: str | Selector, member: str, *, new: bool) -> Step:
    text = _segment_text(segment)
    if node.kind == "mapping":
        if new or text in node.names:
            return text
        raise _no_match(member, text, "there is no such key", suggest_nearest(text, node.names, "Correct the path."))
    if node.kind != "list":
        raise _no_match(member, text, f"its parent is {add_article(node.kind)}", "Correct the path.")
    if isinstance(segment, Selector):
        return _selected_position(node, segment, member)
    return _position(len(node.items()), segment, member, new=new)


def _selected_position(node: Draft, selector: Selector, member: str) -> int:
    positions = node.positions(selector.key).get(selector.value, [])
    if not positions:
        hint = suggest_nearest(selector.value, node.positions(selector.key), "Correct the path.")
        raise _no_match(member, selector.text, "the list has no such item", hint)
    if len(positions) > 1:
        message = f"`{selector.text}` matches {len(positions)} items."
        raise _OperationError("patch/ambiguous", member, message, "Select one by another key or by its position.")
    return positions[0]


def _position(length: int, text: str, member: str, *, new: bool) -> int:
    if text == "-":
        if new:
            return length
        hint = "Only `add`, `move` and `copy` accept it."
        raise _no_match(member, text, "it is the position after the last item", hint)
    if not _POSITION.fullmatch(text):
        hint = "Write a position from 0, or select an item: `[name=prod]`."
        raise _no_match(member, text, "list items have positions, not keys", hint)
    if int(text) >= length + new:
        reason = f"the last position of the list is {length - 1}" if length else "the list is empty"
        raise _no_match(member, text, reason, "Correct the path.")
    return int(text)


def _no_match(member: str, text: str, reason: str, hint: str) -> _OperationError:
    return _OperationError("patch/no-match", member, f"`{text}` does not match anything: {reason}.", hint)


def _json_equal(one: Value, other: Value) -> bool:
    """True if two values are equal as JSON: numbers by value, true is not 1, the order of keys does not matter."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_json_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_json_equal, one, other))
    return bool(one == other)
