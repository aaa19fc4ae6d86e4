"""Fields of an entry as they are written: texts as they were typed, merge patches, encrypted secrets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from halgit import yaml as hyaml
from halgit.accounts.checks import Policy
from halgit.accounts.cipher import PREFIX
from halgit.errors import UsageError
from halgit.halyard.sensitivity import is_sensitive_key
from halgit.pipeline import MISSING, Value
from halgit.record import Record
from halgit.text.paths import relax_name
from halgit.validation.account_entries import read_group, write_group
from halgit.validation.account_keys import (
    Node,
    field_kind,
    field_node,
    find_key,
    is_dead,
    known_fields,
    node_kind,
)


class TypedValue(Record):
    """A value that a person typed as YAML. `texts` is the value with every scalar but null as it was typed.

    `text` is the whole text if nothing but this value was typed: a string field takes it unless it is quoted.
    `problem` says why it is not YAML.
    """

    value: Value
    texts: Value
    text: str | None = None
    problem: str = ""


def read_typed(text: str) -> TypedValue:
    """Read the text of one value."""
    content = text.encode("utf-8", "surrogateescape")
    read = hyaml.read(content, "")
    if read.findings:
        return TypedValue(None, None, text, read.findings[0].message)
    return TypedValue(read.data, hyaml.read_texts(content), text)


def read_typed_fields(content: bytes, name: str) -> dict[str, TypedValue]:
    """Read a YAML mapping of fields. Raises UsageError if it is not one."""
    read = hyaml.read(content, name)
    if read.findings:
        raise UsageError(f"{name}: {read.findings[0].message}", "Write YAML, such as 'READ: [dev]'.")
    if not isinstance(read.data, dict):
        raise UsageError(f"{name} is not a YAML mapping.", "Write `key: value` lines.")
    texts = hyaml.read_texts(content)
    keys = zip(read.data.items(), texts.items() if isinstance(texts, dict) else (), strict=True)
    return {str(key): TypedValue(value, typed) for (key, value), (_, typed) in keys}


def type_fields(provider: str, fields: Mapping[str, Value | TypedValue]) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Return the fields as they are written but for their secrets, with a note on each that is skipped.

    Dead fields are skipped; scalars of string fields become strings, as they were typed; keys of `spaceFilter` get
    brackets where they need them. Empty lists are MISSING, because Spring reads them as text in a file with secrets.
    Raises UsageError for a field that is not YAML and has to be.
    """
    typed: dict[str, Value] = {}
    notes = []
    for key, value in fields.items():
        if is_dead(provider, key) and value is not MISSING:
            notes.append(f"{key} was skipped: Clouddriver no longer reads it.")
            continue
        written = _typed_field(key, field_node(provider, key), value)
        typed[key] = _filled(field_node(provider, key), written)
        if typed[key] is MISSING and written is not MISSING:
            notes.append(f"{key} is empty and not written.")
    return typed, tuple(notes)


def _typed_field(key: str, node: Node, value: Any) -> Value:
    if not isinstance(value, TypedValue):
        return _typed(node, value, value)
    if value.text is not None:
        if value.text.startswith(PREFIX) or (node_kind(node) == "text" and not _is_quoted(value)):
            return value.text
        if value.problem:
            raise UsageError(f"--field {key}: {value.problem}", "Write YAML, such as 'READ: [dev]'.")
    return _typed(node, value.value, value.texts)


def _is_quoted(value: TypedValue) -> bool:
    """Return whether a text is one quoted or block scalar of YAML, whose quotes are not part of the value."""
    start = (value.text or "")[:1]
    return isinstance(value.value, str) and (
        start in {"'", '"'} or (start in {"|", ">"} and "\n" in (value.text or ""))
    )


def _typed(node: Node, value: Any, texts: Any) -> Any:
    """The value with the texts in the place of the scalars that Clouddriver reads as strings."""
    kind = node_kind(node)
    if kind in {"text", "texts"} and not isinstance(value, (dict, list)):
        return _text(value, texts)
    if kind == "texts" and isinstance(value, list):
        return [_text(*pair) for pair in zip(value, texts, strict=True)]
    if kind == "groups" and isinstance(value, dict):
        pairs = zip(value.values(), texts.items(), strict=True)
        return {write_group(str(name)): _typed({"$ref": "texts"}, below, typed) for below, (name, typed) in pairs}
    if "items" in node and isinstance(value, list):
        return [_typed(node["items"], *pair) for pair in zip(value, texts, strict=True)]
    if "properties" in node and isinstance(value, dict):
        known, pairs = known_fields(node), zip(value.items(), texts.values(), strict=True)
        return {key: _typed(known.get(relax_name(key), {}), below, typed) for (key, below), typed in pairs}
    return value


def _filled(node: Node, value: Any) -> Any:
    """The value without the empty lists and mappings in it; MISSING for one that is empty, unless Spring refuses it.

    An organization without spaces is one with all spaces, so that its empty list is written as an empty string.
    """
    if not isinstance(value, (dict, list)) or not node or (value == {} and node.get("minProperties")):
        return value
    if isinstance(value, list):
        items = [_filled(node.get("items", {}), one) for one in value]
        return [one for one in items if one is not MISSING] or MISSING
    if node_kind(node) == "groups":
        return {key: "" if one == [] else one for key, one in value.items()} or MISSING
    known = known_fields(node)
    below = {key: _filled(known.get(relax_name(key), {}), one) for key, one in value.items()}
    return {key: one for key, one in below.items() if one is not MISSING} or MISSING


def _text(value: Value, typed: Value) -> Value:
    """A scalar as a string: as it was typed, or as Spring would read it. A fraction in JSON has no text of its own."""
    if value is None or isinstance(value, (str, dict, list)) or value is MISSING:
        return value
    if isinstance(value, float) and not isinstance(typed, str):
        raise UsageError(f"The number {value} may have been written otherwise, such as 1e3.", "Write it as a string.")
    return typed if isinstance(typed, str) else hyaml.to_java_string(value)


def encrypt_fields(fields: Mapping[str, Value], policy: Policy) -> dict[str, Value]:
    """Return the fields with every secret in them encrypted, if there is a key."""
    return {key: _encrypted(key, value, policy) for key, value in fields.items()}


def _encrypted(key: str, value: Any, policy: Policy) -> Value:
    if isinstance(value, dict):
        return {own: _encrypted(str(own), below, policy) for own, below in value.items()}
    if isinstance(value, list):
        return [_encrypted(key, below, policy) for below in value]
    is_secret = is_sensitive_key(key) and isinstance(value, str) and value and not value.startswith(PREFIX)
    return policy.cipher.encrypt(str(value)) if is_secret and policy.cipher else value


def merge_fields(provider: str, entry: Mapping[str, Value], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a merge patch (RFC 7396) as they replace those of the entry; null removes."""
    merged: dict[str, Any] = {}
    for key, value in patch.items():
        old = entry.get(find_key(entry, key))
        by_group = field_kind(provider, key) == "groups"
        merged[key] = MISSING if value is None else _patched(old, value, by_group=by_group)
    return merged


def _patched(old: Value, patch: Value, *, by_group: bool) -> Value:
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        own = _group_key(result, str(key)) if by_group else find_key(result, key)
        if value is None:
            result.pop(own, None)
        else:
            result[own] = _patched(result.get(own), value, by_group=False)
    return result


def _group_key(groups: Mapping[str, Value], key: str) -> str:
    """The key of a map as it is spelled: with brackets or without, but every character counts."""
    return next((own for own in groups if read_group(own) == read_group(key)), key)
