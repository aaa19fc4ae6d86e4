"""The classes Halyard binds a halconfig to: the type of each path, its annotations, and the values it can have.

The tables come from Halyard's own classes (see `scripts/make_halyard_tables.py`). Nothing here changes or judges data;
`validation` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from halgit.annotations import Any
from halgit.halyard.resources import load_table
from halgit.pipeline import EMPTY, Path, Value
from halgit.record import Record, field
from halgit.redaction import Secret, SecretText


class FieldType(Record):
    """The type of a field. `kind` is string, boolean, int32, int64, uri, url, enum, object, list, set, map or any.

    `name` is the enum or class; `of` the type of list items or map values; `keys` the enum of the map keys.
    """

    kind: str
    name: str = ""
    of: FieldType | None = None
    keys: str = ""


class Field(Record):
    """One key of a class, with its annotations in Halyard.

    `valid` is the first Spinnaker version that has the field and the first that no longer has it, "" for no bound.
    `written` is false for keys that Halyard only reads.
    """

    key: str
    type: FieldType
    secret: bool = False
    secret_file: bool = False
    local_file: bool = False
    always_decrypted: bool = False
    written: bool = True
    default: Value = None
    valid: tuple[str, str] = ("", "")


class ModelClass(Record):
    """One class. A polymorphic class has `subtypes`, by the value of its key `by`."""

    name: str
    fields: Mapping[str, Field]
    ignored: frozenset[str] = frozenset()
    extends: tuple[str, ...] = ()
    by: str = ""
    subtypes: Mapping[str, str] = field(default_factory=dict)


def _type(raw: Mapping[str, Any]) -> FieldType:
    """Return the type of an entry of the table. Most fields share one of a few types."""
    kind, of, keys = raw["kind"], raw.get("of"), raw.get("keys", "")
    if kind in {"enum", "object"}:
        return _share_type(kind, of, None, "")
    return _share_type(kind, "", _type(of) if of else None, keys)


@cache
def _share_type(kind: str, name: str, of: FieldType | None, keys: str) -> FieldType:
    return FieldType(kind, name, of, keys)


def _field(key: str, raw: Mapping[str, Any]) -> Field:
    lower, upper = raw.get("valid", ("", ""))
    return Field(
        key,
        _type(raw),
        raw.get("secret", False),
        raw.get("secret_file", False),
        raw.get("local_file", False),
        raw.get("secret_always_decrypt", False),
        raw.get("write", True),
        raw.get("default"),
        (lower or "", upper or ""),
    )


@cache
def get_class(name: str, model: str = "halconfig") -> ModelClass:
    """Return a class by its name in the table. Raises KeyError for an unknown name."""
    raw = load_table(model)["classes"][name]
    return ModelClass(
        name,
        {key: _field(key, field) for key, field in raw["fields"].items()},
        frozenset(raw.get("ignored", ())),
        tuple(raw.get("extends", ())),
        raw.get("by", ""),
        raw.get("subtypes", EMPTY),
    )


ROOT_TYPE = FieldType("object", "node.Halconfig")
SETTINGS_TYPE = FieldType("object", "service.ServiceSettings")


def get_child_type(
    type_: FieldType, node: Value, step: str | int, model: str = "halconfig"
) -> tuple[FieldType, Field | None] | None:
    """Return the type of `node[step]`, where `node` has type `type_`, and its field if `step` is a key of a class.

    Returns None for an unknown key or a step into a scalar.
    """
    if type_.kind in {"list", "set"} and isinstance(step, int) and type_.of:
        return type_.of, None
    if type_.kind == "map" and type_.of:
        return type_.of, None
    if type_.kind == "any":
        return type_, None
    if type_.kind != "object":
        return None
    found = get_actual_class(type_, node, model).fields.get(str(step))
    return (found.type, found) if found else None


def get_actual_class(type_: FieldType, node: Value, model: str = "halconfig") -> ModelClass:
    """Return the class of a node of this type. A polymorphic class is selected by the node's own key."""
    class_ = get_class(type_.name, model)
    if class_.by and isinstance(node, dict):
        chosen = class_.subtypes.get(str(node.get(class_.by)))
        return get_class(chosen, model) if chosen else class_
    return class_


def find_type(path: Path, config: Value = None) -> tuple[FieldType, Field | None] | None:
    """Return the type and field of a path of a halconfig. `config` is needed to select polymorphic classes."""
    return _find_type(ROOT_TYPE, path, config, "halconfig")


def find_setting_type(path: Path, settings: Value = None) -> tuple[FieldType, Field | None] | None:
    """Return the type and field of a path of service-settings."""
    return _find_type(SETTINGS_TYPE, path, settings, "service-settings")


def _find_type(type_: FieldType, path: Path, data: Value, model: str) -> tuple[FieldType, Field | None] | None:
    found: Field | None = None
    here = data
    for step in path:
        next_ = get_child_type(type_, here, step, model)
        if next_ is None:
            return None
        type_, found = next_[0], next_[1]
        here = _child(here, step)
    return type_, found


def _child(node: Value, step: str | int) -> Value:
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
        return node[step]
    return None


def find_field(path: Path, config: Value = None) -> Field | None:
    """Return the field of a path of a halconfig, or None. A list item belongs to the field of the list."""
    for end in range(len(path), 0, -1):
        known = find_type(path[:end], config)
        if known is None:
            return None
        if known[1] is not None:
            return known[1]
    return None


def is_secret_field(path: Path, config: Value = None) -> bool:
    """Return whether Halyard annotates this path of a halconfig as a secret or as a secret file."""
    found = find_field(path, config)
    return found is not None and (found.secret or found.secret_file)


def walk_objects(
    config: Value, classes: frozenset[str] | None = None
) -> Iterator[tuple[Path, ModelClass, dict[Any, Value]]]:
    """Iterate over the mappings of a halconfig that are bound to a class, in file order, parents first.

    Yields path, class and node. With `classes`, yields only objects of these classes and visits only branches that
    can contain one.
    """
    if classes is not None:
        yield from _walk(config, classes)
        return
    last = _LAST_OBJECTS.get("last")
    if last is None or last[0] is not config:
        last = _LAST_OBJECTS["last"] = (config, list(_walk(config, None)))
    yield from last[1]


_LAST_OBJECTS: dict[str, tuple[Value, list[tuple[Path, ModelClass, dict[Any, Value]]]]] = {}
"""The objects of the last halconfig, since several rules need them."""


def _walk(config: Value, classes: frozenset[str] | None) -> Iterator[tuple[Path, ModelClass, dict[Any, Value]]]:
    stack: list[tuple[Path, FieldType, Value]] = [((), ROOT_TYPE, config)]
    while stack:
        path, type_, node = stack.pop()
        if type_.kind == "object" and isinstance(node, dict):
            class_ = get_actual_class(type_, node)
            if classes is None or class_.name in classes:
                yield path, class_, node
            leading = _leading(class_.name, classes)
            below_ = (
                [(key, value) for key, value in node.items() if key in leading and _holds(value)] if leading else ()
            )
            stack.extend(((*path, key), leading[key], value) for key, value in reversed(below_))
        elif type_.of and _leads(type_.of, classes):
            items = list(node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ())
            stack.extend(((*path, key), type_.of, value) for key, value in reversed(items))


def _holds(value: Value) -> bool:
    """Return whether a value can be or contain an object."""
    return isinstance(value, dict) or (isinstance(value, list) and bool(value))


@cache
def _leading(name: str, classes: frozenset[str] | None) -> dict[str, FieldType]:
    """Return the fields of a class that can contain an object (of one of these classes)."""
    return {key: known.type for key, known in get_class(name).fields.items() if _leads(known.type, classes)}


@cache
def _leads(type_: FieldType, classes: frozenset[str] | None) -> bool:
    """Return whether a value of this type is or can contain an object (of one of these classes)."""
    if type_.kind == "object":
        return _class_leads(type_.name, classes)
    return type_.of is not None and _leads(type_.of, classes)


@cache
def _class_leads(name: str, classes: frozenset[str] | None) -> bool:
    """As `_leads`, for a class. Reads the table, since it visits classes that a halconfig does not use."""
    table = load_table("halconfig")["classes"]
    names = {name, *table[name].get("subtypes", EMPTY).values()}
    if classes is None or names & classes:
        return True
    return any(_entry_leads(entry, classes) for known in names for entry in table[known]["fields"].values())


def _entry_leads(entry: Mapping[str, Any], classes: frozenset[str] | None) -> bool:
    while entry["kind"] in {"list", "set", "map"}:
        entry = entry["of"]
    return entry["kind"] == "object" and _class_leads(entry["of"], classes)


def list_providers(config: Value) -> Iterator[tuple[str, Path, dict[Any, Value]]]:
    """Iterate over the providers of all deployments, enabled or not: key, path and node."""
    for number, deployment in enumerate(_list(_get(config, "deploymentConfigurations"))):
        for provider, node in _mapping(_get(deployment, "providers")).items():
            if isinstance(node, dict):
                yield str(provider), ("deploymentConfigurations", number, "providers", provider), node


def list_accounts(deployment: Value) -> Iterator[tuple[str, Path, dict[Any, Value]]]:
    """Iterate over the accounts of one deployment: provider, path below the deployment, and node."""
    for provider, node in _mapping(_get(deployment, "providers")).items():
        for number, account in enumerate(_list(_get(node, "accounts"))):
            if isinstance(account, dict):
                yield str(provider), ("providers", provider, "accounts", number), account


def _get(node: Value, key: str) -> Value:
    return node.get(key) if isinstance(node, dict) else None


def _list(node: Value) -> list[Value]:
    return node if isinstance(node, list) else []


def _mapping(node: Value) -> dict[Any, Value]:
    return node if isinstance(node, dict) else {}


def list_local_files(config: Value) -> list[tuple[Path, str | Secret | SecretText]]:
    """List the non-empty values of local-file fields of a halconfig, with their paths, in file order.

    The list of the last halconfig is kept, since several rules need it.
    """
    last = _LAST_LOCAL_FILES.get("last")
    if last is None or last[0] is not config:
        last = _LAST_LOCAL_FILES["last"] = (config, _find_local_files(config))
    return list(last[1])


_LAST_LOCAL_FILES: dict[str, tuple[Value, list[tuple[Path, str | Secret | SecretText]]]] = {}


def _find_local_files(config: Value) -> list[tuple[Path, str | Secret | SecretText]]:
    fields = find_annotated_fields("local_file")
    found: list[tuple[Path, str | Secret | SecretText]] = []
    for path, class_, node in walk_objects(config, frozenset(fields)):
        if fields[class_.name].isdisjoint(node):
            continue
        for key, value in node.items():
            if key in fields[class_.name] and isinstance(value, (str, Secret, SecretText)) and value != "":
                found.append(((*path, key), value))
    return found


@cache
def find_annotated_fields(annotation: str) -> dict[str, frozenset[str]]:
    """Return the keys with an annotation of the table (`secret`, `local_file`), by class."""
    marked = {
        name: frozenset(key for key, entry in class_["fields"].items() if entry.get(annotation))
        for name, class_ in load_table("halconfig")["classes"].items()
    }
    return {name: keys for name, keys in marked.items() if keys}


@cache
def find_key_places(key: str) -> tuple[str, ...]:
    """Return the paths of mappings of a halconfig that can have a key; `[]` is any item, `*` any key."""
    return tuple(place for place, class_ in _classes() if key in class_.fields)


@cache
def _classes() -> tuple[tuple[str, ModelClass], ...]:
    """Return all paths of a halconfig that are bound to a class, with each of the possible classes."""
    found: list[tuple[str, ModelClass]] = []
    stack = [("", ROOT_TYPE)]
    while stack:
        place_, type_ = stack.pop()
        if type_.kind in {"list", "set"} and type_.of:
            stack.append((f"{place_}[]", type_.of))
        elif type_.kind == "map" and type_.of:
            stack.append((f"{place_}.*", type_.of))
        elif type_.kind == "object":
            class_ = get_class(type_.name)
            for name in class_.subtypes.values() or (type_.name,):
                real = get_class(name)
                found.append((place_, real))
                stack.extend((f"{place_}.{key}".lstrip("."), known.type) for key, known in real.fields.items())
    return tuple(found)
