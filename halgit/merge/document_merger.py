"""Merge of one layer's document into the document of the layers below: mappings, keyed lists, directives.

Mappings are merged deeply and keyed lists item by item; everything else is replaced. A change that would lose
something silently is a diagnostic and keeps the lower value, so that one mistake is reported once. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from halgit.halyard.merge_keys import KeyNode
from halgit.merge import directives
from halgit.merge.diagnostics import Diagnostic
from halgit.merge.directives import PATCH, VALUE, MappingDirectives
from halgit.merge.draft import Draft, key_text, kind_of, replacement
from halgit.merge.keyed_lists import duplicate_item_message, item_key, node_below, quote_names
from halgit.pipeline import EMPTY, MISSING, Origin, Path, Severity, Trace, Value
from halgit.text.paths import SEPARATOR, split_key
from halgit.text.phrases import suggest_nearest

_MAX_SUGGESTION_NAMES = 100
"""Above this number of names no similar one is searched: suggestions must not cost more than the merge."""

_REPLACE_HINT = {
    "mapping": "Add `$patch: replace` to replace it, or correct the key.",
    "list": "Start it with `- $list: replace` to replace it, or correct the key.",
    "scalar": "Write a mapping with `$patch: replace` and `$value` to replace it, or correct the key.",
}
"""Hint for a value that replaces one of another type. Null replaces nothing: it deletes."""

_NO_MATCH = "`$patch: delete` does not match anything in the lower layers."


class DocumentMerger:
    """Merges one document of one layer into a draft and appends problems to `diagnostics`.

    `origin` is the root of the document. `has_directives` says whether the document can contain directives,
    `is_spring` whether Spring binds it.
    """

    def __init__(self, origin: Origin, diagnostics: list[Diagnostic], *, has_directives: bool, is_spring: bool) -> None:
        self._root = origin
        self._diagnostics = diagnostics
        self._has_directives = has_directives
        self._is_spring = is_spring
        self._is_lowest = False

    def start(self, value: Value) -> Draft:
        """Return the draft of a file's lowest layer: nulls are values, and only halgit's own keys are directives."""
        self._is_lowest = True
        draft = self._strip_directives(Draft(value, Trace(self._root)), value, ())
        return Draft(None, Trace(self._root)) if draft is None else draft

    def merge(self, below: Draft, value: Value, node: KeyNode) -> Draft:
        """Merge the document into `below` and return the result. `node` is the root of the file's keyed lists."""
        merged = self._merge_node(below, value, (), node)
        if merged is None:
            hint = "List the file under `remove` in halgit.yaml to remove it."
            message = "`$patch: delete` at the root would delete the whole file."
            self._report("merge/misplaced-directive", (PATCH,), message, hint)
        return merged or below

    def _merge_node(self, below: Draft, value: Value, path: Path, node: KeyNode) -> Draft | None:
        """Return the resulting draft, which may be `below` itself, changed; None if the value is deleted."""
        if value is None:
            return None
        if isinstance(value, dict):
            return self._merge_mapping(below, value, path, node)
        if isinstance(value, list):
            return self._merge_list(below, value, path, node)
        return self._replace(below, value, path)

    def _replace(self, below: Draft, value: Value, path: Path, *, force: bool = False) -> Draft | None:
        """Replace the lower value, which must be of the same kind or null unless `force` is set."""
        kind = kind_of(value)
        if not force and below.kind not in (kind, "null"):
            other = below.trace.origin
            message = f"A {kind} cannot replace the {below.kind} at {{other}}."
            self._report("merge/other-kind", path, message, _REPLACE_HINT[kind], other)
            return below
        return self._strip_directives(replacement(below, value, self._origin(path)), value, path)

    # --- mappings ----------------------------------------------------------------------------------------------

    def _merge_mapping(
        self, below: Draft, value: dict[str, Value], path: Path, node: KeyNode, item: str = ""
    ) -> Draft | None:
        """Merge a mapping. `item` is the key of a keyed list if the mapping is one of its items."""
        parsed = self._parse_mapping(value, path, below.names if below.kind == "mapping" else ())
        if parsed.patch == "delete":
            if set(parsed.rest) - {step for part in split_key(item) for step in (part, part.split(".")[0])}:
                hint = "Remove the other keys, or use `$patch: replace`."
                message = "`$patch: delete` has other keys beside it."
                self._report("merge/misplaced-directive", (*path, PATCH), message, hint)
            return None
        force = parsed.patch == "replace"
        if parsed.value is not MISSING:
            if not force and isinstance(parsed.value, (dict, list)) and kind_of(parsed.value) == below.kind:
                return self._keep_against_value(below, (*path, VALUE))
            return self._replace(below, parsed.value, (*path, VALUE), force=force or parsed.value is None)
        if force or below.kind != "mapping":
            return self._replace(below, value, path, force=force)
        self._merge_members(below, _without_keys(parsed.rest, item), path, node)
        return below

    def _keep_against_value(self, below: Draft, path: Path) -> Draft:
        """Report `$value` with a mapping or list over one of the same kind: it would lose the lower one silently."""
        message = f"`$value` would replace the whole {below.kind} at {{other}}."
        hint = f"Add `$patch: replace` to replace it, or write the {below.kind} without `$value` to merge it."
        self._report("merge/misplaced-directive", path, message, hint, below.trace.origin)
        return below

    def _merge_members(self, below: Draft, value: dict[str, Value], path: Path, node: KeyNode) -> None:
        members = below.members()
        for key, item in value.items():
            child, at = members.get(key), (*path, key)
            if child is not None:
                merged = self._merge_node(child, item, at, node_below(node, key, self._is_spring))
            elif item is None:
                merged = None
                self._report_no_match(at, "null deletes a key that no lower layer has.", key, members)
            else:
                merged = self._create(item, at, key, members)
            if merged is not None:
                members[key] = merged
            elif child is not None:
                del members[key]

    def _create(self, value: Value, path: Path, name: str = "", known: Collection[str] = ()) -> Draft | None:
        """Return the draft of a value that no lower layer has. Null inside it is a value."""
        if self._has_directives and isinstance(value, dict) and value.get(PATCH) == "delete":
            self._report_no_match((*path, PATCH), _NO_MATCH, name, known)
            return None
        return self._strip_directives(Draft(value, Trace(self._origin(path))), value, path)

    # --- lists -------------------------------------------------------------------------------------------------

    def _merge_list(self, below: Draft, value: list[Value], path: Path, node: KeyNode) -> Draft | None:
        directive = self._parse_list(value, path)
        if directive is None:
            return below
        if directive == "replace" or below.kind != "list":
            return self._replace(below, value, path, force=directive == "replace")
        start = 1 if directive else 0
        if directive in ("append", "prepend"):
            self._add_items(below, value, path, node.key, at_end=directive == "append")
        elif node.key is not None:
            self._merge_items(below, value, path, node, node.key, start)
        elif directive == "merge":
            hint = "Declare its key under `mergeKeys` in halgit.yaml, or use another value."
            self._report("merge/no-key", (*path, 0), "This list has no key to merge its items by.", hint)
        elif _all_items_have_names(below):
            message = "This list would replace the named items at {other}."
            hint = "Start it with `- $list: replace` to replace them, or declare its key under `mergeKeys`."
            self._report("merge/named-list", path, message, hint, below.trace.origin)
        else:
            return self._replace(below, value, path)
        return below

    def _add_items(self, below: Draft, value: list[Value], path: Path, key: str | None, *, at_end: bool) -> None:
        existing = {name: below.items()[found[0]] for name, found in below.positions(key).items()} if key else {}
        claimed: dict[str, Origin] = {}
        created = []
        for at, item in enumerate(value[1:], 1):
            if key is None or self._claim_key(item, (*path, at), key, claimed, existing):
                created.append(self._create(item, (*path, at)))
        position = len(below.items()) if at_end else 0
        below.items()[position:position] = [draft for draft in created if draft is not None]
        below.invalidate()

    def _merge_items(self, below: Draft, value: list[Value], path: Path, node: KeyNode, key: str, start: int) -> None:
        positions = below.positions(key)
        items = below.items()
        if not value and items:
            message = "An empty list has no effect: the list at {other} is merged item by item."
            hint = "Write `- $list: replace` to empty it, or remove the key."
            self._report("merge/empty-list", path, message, hint, below.trace.origin, Severity.WARNING)
        merged: list[Draft | None] = list(items)
        claimed: dict[str, Origin] = {}
        for at, item in enumerate(value[start:], start):
            here = (*path, at)
            if not self._claim_key(item, here, key, claimed):
                continue
            name = str(item_key(item, key))
            if name in positions:
                position = positions[name][0]
                merged[position] = self._merge_mapping(items[position], item, here, node, key)
            else:
                merged.append(self._create(item, here, name, positions))
        items[:] = [draft for draft in merged if draft is not None]
        below.invalidate()

    def _claim_key(
        self, item: Value, path: Path, key: str, claimed: dict[str, Origin], existing: Mapping[str, Draft] = EMPTY
    ) -> bool:
        """Return whether the item has its key and no other item has the same; the key is then recorded in `claimed`."""
        name = item_key(item, key)
        if name is None:
            names = quote_names(SEPARATOR.join(part for part in split_key(key) if item_key(item, part) is None))
            hint = f"Add {names}, or start the list with `- $list: replace`."
            self._report("merge/item-without-key", path, f"This list item has no {names}.", hint)
        elif name in claimed or name in existing:
            other = claimed[name] if name in claimed else existing[name].trace.origin
            self._report("merge/duplicate-item", path, *duplicate_item_message(key, name), other)
        else:
            claimed[name] = self._origin(path)
            return True
        return False

    # --- directives --------------------------------------------------------------------------------------------

    def _parse_mapping(self, value: dict[str, Value], path: Path, known: Collection[str] = ()) -> MappingDirectives:
        """Return the directives of a mapping. A key in `known` is data even if it looks like a directive."""
        if not self._has_directives:
            return MappingDirectives(rest=value)
        parsed, problems = directives.parse_mapping(value, path, None if self._is_lowest else set(known))
        for problem in problems:
            self._report(*problem)
        return parsed

    def _parse_list(self, value: list[Value], path: Path) -> str | None:
        if not self._has_directives:
            return ""
        directive, problems = directives.parse_list(value, path)
        for problem in problems:
            self._report(*problem)
        return directive

    def _strip_directives(self, draft: Draft, value: Value, path: Path) -> Draft | None:
        """Return the draft of a new value without its directives, which have nothing below to apply to."""
        if not self._has_directives or not directives.contains_directive(value):
            return draft
        if isinstance(value, list):
            start = 0 if self._parse_list(value, path) == "" else 1
            items = draft.items()
            stripped = [self._strip_directives(items[at], value[at], (*path, at)) for at in range(start, len(value))]
            items[:] = [item for item in stripped if item is not None]
            return draft
        return self._strip_mapping_directives(draft, value, path)

    def _strip_mapping_directives(self, draft: Draft, value: dict[str, Value], path: Path) -> Draft | None:
        parsed, members = self._parse_mapping(value, path), draft.members()
        if parsed.patch == "delete":
            self._report_no_match((*path, PATCH), _NO_MATCH)
            return None
        if parsed.value is not MISSING:
            return self._strip_directives(members[VALUE], parsed.value, (*path, VALUE))
        for key, item in value.items():
            child = self._strip_directives(members[key], item, (*path, key)) if key in parsed.rest else None
            if child is None:
                del members[key]
            else:
                members[key] = child
        return draft

    # --- diagnostics -------------------------------------------------------------------------------------------

    def _origin(self, path: Path) -> Origin:
        return Origin(self._root.layer, self._root.file, path)

    def _report_no_match(self, path: Path, message: str, name: str = "", known: Collection[str] = ()) -> None:
        names = known if len(known) <= _MAX_SUGGESTION_NAMES else ()
        hint = suggest_nearest(name, names, "Remove it, or correct the name.")
        self._report("merge/deletes-nothing", path, message, hint)

    def _report(
        self,
        rule: str,
        path: Path,
        message: str,
        hint: str,
        other: Origin | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        self._diagnostics.append(Diagnostic(rule, self._origin(path), message, hint, other, severity))


def _all_items_have_names(below: Draft) -> bool:
    items = below.items()
    return bool(items) and all(key_text(item, "name") is not None for item in items)


def _without_keys(value: dict[str, Value], key: str) -> dict[str, Value]:
    """Return an item without the parts of its key, which identify it and change nothing."""
    for part in split_key(key):
        value = _without_key(value, part)
    return value


def _without_key(value: dict[str, Value], key: str) -> dict[str, Value]:
    """Return an item without one (dotted) key."""
    if not key:
        return value
    if key in value:
        return {name: item for name, item in value.items() if name != key}
    step, _, rest = key.partition(".")
    return {name: _without_key(item, rest) if name == step else item for name, item in value.items()}
