"""One layer's document laid over what the layers below it made of the file: deep merge, keyed lists, directives.

Mappings are merged, keyed lists item by item, everything else is replaced; what would be lost without a word is a
fault. A fault leaves the lower value standing, so that one mistake is told once. Reads no file and parses nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from halgit.halyard.merge_keys import KeyNode
from halgit.merge import directives
from halgit.merge.diagnostics import Fault
from halgit.merge.directives import PATCH, VALUE, Said
from halgit.merge.draft import Draft, key_text, kind_of, replacing
from halgit.merge.keyed_lists import item_key, node_below, twice
from halgit.pipeline import EMPTY, MISSING, Origin, Path, Severity, Trace, Value
from halgit.text.phrases import suggest_nearest


class Laying:
    """One document of one layer on its way into a draft. Faults go to the list it is given.

    `origin` is the document's root. `directed` says whether it can hold directives at all, `spring` whether Spring
    binds it.
    """

    def __init__(self, origin: Origin, faults: list[Fault], *, directed: bool, spring: bool) -> None:
        self._root = origin
        self._faults = faults
        self._directed = directed
        self._spring = spring
        self._lowest = False

    def first(self, value: Value) -> Draft:
        """The document as the lowest layer of its file: nulls are values, and only our own words are directives."""
        self._lowest = True
        settled = self._settled(Draft(value, Trace(self._root)), value, ())
        return Draft(None, Trace(self._root)) if settled is None else settled

    def over(self, below: Draft, value: Value, node: KeyNode) -> Draft:
        """The document laid over the lower layers' one; `node` tells the keyed lists."""
        made = self._lay(below, value, (), node)
        if made is None:
            hint = "To drop what the lower layers say of the file, name it under `remove` in halgit.yaml."
            self._fault("merge/misplaced-directive", (PATCH,), "`$patch: delete` deletes the whole file.", hint)
        return made or below

    def _lay(self, below: Draft, value: Value, path: Path, node: KeyNode) -> Draft | None:
        """The draft that stands now: the lower one, changed, or a new one; None where it is deleted."""
        if value is None:
            return None
        if isinstance(value, dict):
            return self._lay_mapping(below, value, path, node)
        if isinstance(value, list):
            return self._lay_list(below, value, path, node)
        return self._put(below, value, path)

    def _put(self, below: Draft, value: Value, path: Path, *, forced: bool = False) -> Draft | None:
        """The value instead of the lower one, which must be of the same kind or null unless it is `forced`."""
        kind = kind_of(value)
        if not forced and below.kind not in (kind, "null"):
            other = below.trace.origin
            self._fault("merge/other-kind", path, f"A {kind} meets the {below.kind} of {{other}}.", _HINT[kind], other)
            return below
        return self._settled(replacing(below, value, self._at(path)), value, path)

    # --- mappings ----------------------------------------------------------------------------------------------

    def _lay_mapping(
        self, below: Draft, value: dict[str, Value], path: Path, node: KeyNode, item: str = ""
    ) -> Draft | None:
        """`item` is the key of a keyed list, where the mapping is an item of one."""
        said = self._said(value, path, below.names if below.kind == "mapping" else ())
        if said.patch == "delete":
            if set(said.rest) - {item, item.split(".")[0]}:
                hint = "Take them out, or use `$patch: replace`."
                self._fault("merge/misplaced-directive", (*path, PATCH), "`$patch: delete` has keys beside it.", hint)
            return None
        forced = said.patch == "replace"
        if said.value is not MISSING:
            if not forced and isinstance(said.value, (dict, list)) and kind_of(said.value) == below.kind:
                return self._instead(below, (*path, VALUE))
            return self._put(below, said.value, (*path, VALUE), forced=forced or said.value is None)
        if forced or below.kind != "mapping":
            return self._put(below, value, path, forced=forced)
        self._lay_members(below, _without(said.rest, item), path, node)
        return below

    def _instead(self, below: Draft, path: Path) -> Draft:
        """`$value` with a mapping or list over one of its kind: that would lose the lower one in silence."""
        message = f"`$value` would replace the {below.kind} of {{other}} whole."
        hint = f"Write `$patch: replace` beside it if that is meant, else the {below.kind} without `$value`."
        self._fault("merge/misplaced-directive", path, message, hint, below.trace.origin)
        return below

    def _lay_members(self, below: Draft, value: dict[str, Value], path: Path, node: KeyNode) -> None:
        members = below.members()
        for key, item in value.items():
            child, at = members.get(key), (*path, key)
            if child is not None:
                made = self._lay(child, item, at, node_below(node, key, self._spring))
            elif item is None:
                made = None
                self._meets_nothing(at, "null deletes a key that no lower layer has.", key, members)
            else:
                made = self._new(item, at, key, members)
            if made is not None:
                members[key] = made
            elif child is not None:
                del members[key]

    def _new(self, value: Value, path: Path, name: str = "", known: Collection[str] = ()) -> Draft | None:
        """A value no lower layer has anything for; null inside it is a value."""
        if self._directed and isinstance(value, dict) and value.get(PATCH) == "delete":
            self._meets_nothing((*path, PATCH), "`$patch: delete` meets nothing.", name, known)
            return None
        return self._settled(Draft(value, Trace(self._at(path))), value, path)

    def _meets_nothing(self, path: Path, message: str, name: str = "", known: Collection[str] = ()) -> None:
        few = known if len(known) <= _MANY else ()
        hint = suggest_nearest(name, few, "Take it out, or correct the name.")
        self._fault("merge/deletes-nothing", path, message, hint)

    # --- lists -------------------------------------------------------------------------------------------------

    def _lay_list(self, below: Draft, value: list[Value], path: Path, node: KeyNode) -> Draft | None:
        said = self._head(value, path)
        if said is None:
            return below
        if said == "replace" or below.kind != "list":
            return self._put(below, value, path, forced=said == "replace")
        start = 1 if said else 0
        if said in ("append", "prepend"):
            self._add_items(below, value, path, node.key, at_end=said == "append")
        elif node.key is not None:
            self._merge_items(below, value, path, node, node.key, start)
        elif said == "merge":
            hint = "Name its key under `mergeKeys` in halgit.yaml, or use another word."
            self._fault("merge/no-key", (*path, 0), "This list has no key to merge its items by.", hint)
        elif _are_named(below):
            message = "This list would replace the named items of {other}."
            hint = "Begin it with `- $list: replace` if that is meant, else name its key under `mergeKeys`."
            self._fault("merge/named-list", path, message, hint, below.trace.origin)
        else:
            return self._put(below, value, path)
        return below

    def _add_items(self, below: Draft, value: list[Value], path: Path, key: str | None, *, at_end: bool) -> None:
        old = {name: below.items()[found[0]] for name, found in below.positions(key).items()} if key else {}
        taken: dict[str, Origin] = {}
        made = []
        for at, item in enumerate(value[1:], 1):
            if key is None or self._takes_key(item, (*path, at), key, taken, old):
                made.append(self._new(item, (*path, at)))
        place = len(below.items()) if at_end else 0
        below.items()[place:place] = [draft for draft in made if draft is not None]
        below.forget()

    def _merge_items(self, below: Draft, value: list[Value], path: Path, node: KeyNode, key: str, start: int) -> None:
        items, places = below.items(), below.positions(key)
        if not value and items:
            message = "An empty list changes nothing: {other} is merged item by item."
            hint = "Write `- $list: replace` to empty it, or leave the key out."
            self._fault("merge/empty-list", path, message, hint, below.trace.origin, Severity.WARNING)
        stands: list[Draft | None] = list(items)
        taken: dict[str, Origin] = {}
        for at, item in enumerate(value[start:], start):
            here = (*path, at)
            if not self._takes_key(item, here, key, taken):
                continue
            name = str(item_key(item, key))
            if name in places:
                place = places[name][0]
                stands[place] = self._lay_mapping(items[place], item, here, node, key)
            else:
                stands.append(self._new(item, here, name, places))
        items[:] = [draft for draft in stands if draft is not None]
        below.forget()

    def _takes_key(
        self, item: Value, path: Path, key: str, taken: dict[str, Origin], old: Mapping[str, Draft] = EMPTY
    ) -> bool:
        """Whether the item has its key, and one that is still free; it is taken then."""
        name = item_key(item, key)
        if name is None:
            hint = f"Give it its `{key}`, or begin the list with `- $list: replace`."
            self._fault("merge/item-without-key", path, f"This item has no `{key}`.", hint)
        elif name in taken or name in old:
            other = taken[name] if name in taken else old[name].trace.origin
            self._fault("merge/duplicate-item", path, *twice(key, name), other)
        else:
            taken[name] = self._at(path)
            return True
        return False

    # --- directives --------------------------------------------------------------------------------------------

    def _said(self, value: dict[str, Value], path: Path, known: Collection[str] = ()) -> Said:
        """What a mapping says to the merge. A key that looks like a directive and is in `known` is data."""
        if not self._directed:
            return Said(rest=value)
        said, wrong = directives.of_mapping(value, path, None if self._lowest else set(known))
        for rule, at, message, hint in wrong:
            self._fault(rule, at, message, hint)
        return said

    def _head(self, value: list[Value], path: Path) -> str | None:
        if not self._directed:
            return ""
        said, wrong = directives.of_list(value, path)
        for rule, at, message, hint in wrong:
            self._fault(rule, at, message, hint)
        return said

    def _settled(self, draft: Draft, value: Value, path: Path) -> Draft | None:
        """The draft of something new without its directives: there is nothing below that they could concern."""
        if not self._directed or not directives.inside(value):
            return draft
        if isinstance(value, list):
            start = 0 if self._head(value, path) == "" else 1
            items = draft.items()
            made = [self._settled(items[at], value[at], (*path, at)) for at in range(start, len(value))]
            items[:] = [item for item in made if item is not None]
            return draft
        return self._settled_mapping(draft, value, path)

    def _settled_mapping(self, draft: Draft, value: dict[str, Value], path: Path) -> Draft | None:
        said, members = self._said(value, path), draft.members()
        if said.patch == "delete":
            self._meets_nothing((*path, PATCH), "`$patch: delete` meets nothing.")
            return None
        if said.value is not MISSING:
            return self._settled(members[VALUE], said.value, (*path, VALUE))
        for key, item in value.items():
            made = self._settled(members[key], item, (*path, key)) if key in said.rest else None
            if made is None:
                del members[key]
            else:
                members[key] = made
        return draft

    # --- places ------------------------------------------------------------------------------------------------

    def _at(self, path: Path) -> Origin:
        return Origin(self._root.layer, self._root.file, path)

    def _fault(
        self,
        rule: str,
        path: Path,
        message: str,
        hint: str,
        other: Origin | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        self._faults.append(Fault(rule, self._at(path), message, hint, other, severity))


_MANY = 100
"""So many names are not searched for one like a wrong one."""

_HINT = {
    "mapping": "Write `$patch: replace` in it if that is meant, or correct the key.",
    "list": "Begin it with `- $list: replace` if that is meant, or correct the key.",
    "scalar": "Write a mapping of `$patch: replace` and `$value` if that is meant, or correct the key.",
}
"""How each kind says that it may replace another kind. Null replaces nothing: it deletes."""


def _are_named(below: Draft) -> bool:
    items = below.items()
    return bool(items) and all(key_text(item, "name") is not None for item in items)


def _without(value: dict[str, Value], key: str) -> dict[str, Value]:
    """An item without its (dotted) key, which names it and changes nothing."""
    if not key:
        return value
    if key in value:
        return {name: item for name, item in value.items() if name != key}
    step, _, rest = key.partition(".")
    return {name: _without(item, rest) if name == step else item for name, item in value.items()}
