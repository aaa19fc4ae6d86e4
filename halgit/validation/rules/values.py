"""Rules on secrets that stand in the open; `open_secrets` finds them. No message shows a value."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial

from halgit import yaml as hyaml
from halgit.annotations import TYPE_CHECKING, Final
from halgit.halyard import model, resources
from halgit.halyard.sensitivity import is_secret_value
from halgit.lazy import lazy_pattern
from halgit.pipeline import File, Origin, Path, PlainScalar, Severity, Value
from halgit.record import replace
from halgit.redaction import Secret, SecretText
from halgit.text.paths import format_path
from halgit.text.phrases import join_words
from halgit.validation.open_secrets import Open
from halgit.validation.rule import Hit, Rule
from halgit.validation.schema import schema_of
from halgit.validation.schema_messages import spec_at
from halgit.validation.view import View
from halgit.vocabulary import ItemCache, gather_vocabulary

if TYPE_CHECKING:
    from halgit.yaml import Scalar


_CIPHER_HINT = "Use a {cipher} value, and rotate the secret."


def _secret_hits(view: View, *, public: bool) -> Iterator[Hit]:
    served: dict[str, list[Open]] = defaultdict(list)
    for found in view.open_secrets:
        if found.public == public and found.document is None:
            yield Hit(found.path, _secret_message(found, public), found.file)
        elif found.public == public:
            served[found.file].append(found)
    for document in view.located_documents:
        here = [found for found in served[document.file] if found.document is document]
        hint = _CIPHER_HINT if document.file in view.compiled.accounts else ""
        for found, spot in zip(here, document.places(found.path for found in here), strict=True):
            yield Hit(found.path, _secret_message(found, public), found.file, hint, spot.line, spot.column)


def _secret_message(found: Open, public: bool) -> str:
    where = f"The address in {found.name}" if found.inside else found.name
    if public:
        return f"{where} has a default value that is public."
    return f"{where} contains {'a password' if found.inside else 'a secret'} in plain text."


def _plain_secrets(view: View) -> Iterator[Hit]:
    return _secret_hits(view, public=False)


def _public_secrets(view: View) -> Iterator[Hit]:
    """Each default once, at its first place, with its other places."""
    places: dict[str, list[Open]] = defaultdict(list)
    for found in view.open_secrets:
        if found.public:
            places[found.secret].append(found)
    others = {(first.file, first.path): rest for first, *rest in places.values()}
    for hit in _secret_hits(view, public=True):
        rest = others.get((hit.file, hit.path))
        if rest is not None:
            yield replace(hit, message=hit.message + _also_at(view, rest))


def _also_at(view: View, others: Sequence[Open]) -> str:
    """Return a sentence with further places, each as `explain` takes it."""
    if not others:
        return ""
    names = [f"{one.file}:{format_path(one.path, _data_of(view, one))}" for one in others[:_MOST_PLACES]]
    more = [f"{len(others) - _MOST_PLACES} more places"] if len(others) > _MOST_PLACES else []
    return f" It is also at {join_words([*names, *more])}."


def _data_of(view: View, found: Open) -> Value:
    file = view.files.get(found.file)
    return file.data if file else None


_MOST_PLACES = 10
"""Further places of one default that a message names."""


_SETTINGS = model.FieldType("object", "service.ServiceSettings")
_ODD_INT = lazy_pattern(
    rb"(?<![\w.:/-])[-+]?(?:0[0-7_]+|0[xb][0-9a-fA-F_]+|[1-9][0-9]*_[0-9_]*|[1-9][0-9_]*:[0-5]?[0-9])"
)
"""Integers that are not written as Java writes them."""


def _changed_texts(view: View) -> Iterator[Hit]:
    from halgit import yaml as hyaml

    known: dict[tuple[str, str], dict[Path, Scalar]] = {}
    for file, path, value in _non_strings(view):
        origin = _origin(view, file, path)
        text = b"" if origin is None else _text(view, origin)
        if origin is None or not text or (_is_whole(value) and not _ODD_INT.search(text)):
            continue
        scalars = known.get((origin.layer.name, origin.file))
        if scalars is None:
            scalars = {scalar.path: scalar for scalar in hyaml.list_scalars(text) if not scalar.key}
            known[origin.layer.name, origin.file] = scalars
        scalar = scalars.get(origin.path)
        if scalar is None or not scalar.plain or "${{" in scalar.text or scalar.text == hyaml.to_java_string(value):
            continue
        where = "" if origin.path == path else f" in {origin.file}"
        yield _changed(path, file.path, scalar.text, value, hidden=view.is_secret(path, file), where=where)
    yield from _changed_in_accounts(view)


def _changed_in_accounts(view: View) -> Iterator[Hit]:
    from halgit import yaml as hyaml

    for document in (document for file in view.account_files for document in file.documents):
        found = dict(_non_strings_of_schema("clouddriver-accounts", document.data))
        scalars = {one.path: one for one in hyaml.list_scalars(document.text) if not one.key} if found else {}
        for path, value in found.items():
            scalar = scalars.get(path)
            if scalar is not None and scalar.plain and scalar.text != hyaml.to_java_string(value):
                hidden = is_secret_value(path)
                (spot,) = document.places([path])
                hit = _changed(path, document.file, scalar.text, value, hidden=hidden)
                yield replace(hit, line=spot.line, column=spot.column)


def _changed(path: Path, file: str, text: str, value: Value, *, hidden: bool, where: str = "") -> Hit:
    from halgit import yaml as hyaml

    what, became = ("It", "another string") if hidden else (text, hyaml.to_java_string(value))
    message = f"{what} is unquoted where {_reader(file)} expects a string, and becomes {became}."
    hint = f"Quote it{where}." if hidden else f"Write '{text}'{where}, in quotes."
    return Hit(path, message, file, hint)


def _reader(file: str) -> str:
    """The program that reads a file."""
    if file == "config" or "/service-settings/" in file:
        return "Halyard"
    return "the config server" if file.endswith("/spinnakerconfig.yml") else "Clouddriver"


def _is_whole(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _non_strings(view: View) -> Iterator[tuple[File, Path, Value]]:
    """Yield values that are not strings in fields for strings, of the halconfig and of service-settings."""
    file = view.files.get("config")
    if file is not None:
        for path, value in _non_strings_below(model.ROOT_TYPE, view.config.value, (), "halconfig"):
            yield file, path, value
    for settings, node in view.documents("service-settings"):
        for path, value in _non_strings_below(_SETTINGS, node.value, (), "service-settings"):
            yield settings, path, value
    for profile, node in view.documents("profiles"):
        schema = schema_of(profile.path)
        for path, value in _non_strings_of_schema(schema, node.value) if schema else ():
            yield profile, path, value


def _non_strings_of_schema(name: str, data: Value) -> Iterator[tuple[Path, Value]]:
    """Yield the values of a document that are not strings where a schema expects strings."""
    from halgit.validation.properties import bind_properties

    schema, properties = resources.open_schema(name), bind_properties(data, name)
    for path, value in _scalars(properties.data):
        spec = spec_at(schema, path, properties.data)
        if spec.get("title") == "string" or spec.get("type") == ["string", "number", "boolean"]:
            yield properties.place(path), value


def _scalars(data: Value, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Every scalar of a document that is not a string."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in items:
        if isinstance(value, (dict, list)):
            yield from _scalars(value, (*path, step))
        elif isinstance(value, (int, float)):
            yield (*path, step), value


def _non_strings_below(type_: model.FieldType, node: Value, path: Path, table: str) -> Iterator[tuple[Path, Value]]:
    if type_.kind == "string":
        if not isinstance(node, (str, dict, list, Secret, SecretText, type(None))) or isinstance(node, PlainScalar):
            yield path, node
    elif type_.kind == "object" and isinstance(node, dict):
        fields = model.get_actual_class(type_, node, table).fields
        for key, value in node.items():
            field = fields.get(key)
            if field is None or field.type.kind not in _MAY_HOLD_STRINGS:
                continue
            if field.type.kind != "string" or value.__class__ is not str:
                yield from _non_strings_below(field.type, value, (*path, key), table)
    elif type_.of is not None and type_.kind == "map" and isinstance(node, dict):
        for key, value in node.items():
            yield from _non_strings_below(type_.of, value, (*path, key), table)
    elif type_.of is not None and isinstance(node, list) and not (type_.of.kind == "string" and _are_strings(node)):
        yield from _non_strings_of_items(type_.of, node, path, table)


def _non_strings_of_items(
    type_: model.FieldType, items: Sequence[Value], path: Path, table: str
) -> Iterator[tuple[Path, Value]]:
    for number, item in enumerate(items):
        if type_.name and isinstance(item, dict):
            found = _ITEMS.get(item, partial(_find_in_item, type_, item, table), type_.name, table)
            yield from (((*path, number, *below), value) for below, value in found)
        else:
            yield from _non_strings_below(type_, item, (*path, number), table)


_MAY_HOLD_STRINGS: Final = frozenset({"string", "object", "map", "list", "set"})


def _are_strings(items: Sequence[Value]) -> bool:
    return {*map(type, items)} <= {str}


def _find_in_item(type_: model.FieldType, item: Value, table: str) -> Sequence[tuple[Path, Value]]:
    return tuple(_non_strings_below(type_, item, (), table))


_ITEMS: Final[ItemCache[Sequence[tuple[Path, Value]]]] = ItemCache()
"""The values of accounts and other objects that are not strings where strings are expected."""


def _origin(view: View, file: File, path: Path) -> Origin | None:
    """Return where a value was written; for a parameter's value, where the parameter was set."""
    if file.trace is None:
        return Origin(file.winner, file.winner.file(file.path), path) if file.layers else None
    origin = file.trace.at(path).origin
    if not origin.how:
        return origin
    parameter = view.compiled.parameters.get(origin.how.rsplit(" ", 1)[-1])
    return None if parameter is None or parameter.secret else parameter.origin


def _text(view: View, origin: Origin) -> bytes:
    """The file an origin stands in."""
    for layer in view.compiled.layers:
        if layer.id == origin.layer and layer.settings.file == origin.file:
            return layer.settings.text
        if layer.id == origin.layer:
            start = f"{layer.id.folder}/" if layer.id.folder else ""
            return layer.files.get(origin.file.removeprefix(start), b"")
    return b""


def _truncated_numbers(view: View) -> Iterator[Hit]:
    """Jackson binds a float to an integer field and drops the fraction."""
    for file, settings in view.documents("service-settings"):
        for steps, name in _INTEGERS_OF:
            fields = model.get_class(name, "service-settings").fields
            for key, below in settings.node(*steps).entries():
                if key in fields:
                    yield from _truncated(below.path, fields[key].type, below.value, file.path)
    if float not in gather_vocabulary(view.config.value).kinds:
        return
    for path, class_, node in model.walk_objects(view.config.value):
        for key, value in node.items():
            field = class_.fields.get(str(key))
            if field:
                yield from _truncated((*path, key), field.type, value, "config")


_INTEGERS_OF: Final = (
    ((), "service.ServiceSettings"),
    (("kubernetes", "securityContext"), "service.KubernetesSecurityContext"),
)
"""The classes of service-settings with fields for integers, by their place."""


def _truncated(path: Path, type_: model.FieldType, value: Value, file: str) -> Iterator[Hit]:
    if type_.kind in {"int32", "int64"} and isinstance(value, float) and value % 1:
        yield Hit(path, f"{path[-1]} is {value}, and Halyard reads {int(value)}.", file)


_LOST = lazy_pattern(r"(?:^|[ \t])(?:[^\s#][^\n#]*:|-)[ ]+(?:&([^\s,\]}]+)[ \t]*(?:#.*)?|(#)[^\s#!].*)$")
"""A key or dash with nothing behind it but an anchor, or a comment that begins without a space."""


def _lost_values(view: View) -> Iterator[Hit]:
    """Values that YAML takes for an anchor or a comment, so that the key is empty."""
    for layer in view.compiled.layers:
        for path, text in layer.files.items():
            search = partial(_may_lose_value, text)
            if _TEXTS.get(text, search) if len(text) > _LARGE else search():
                yield from _lost_values_of_file(layer.id.file(path), text)


_LARGE: Final = 64 * 1024
_TEXTS: Final[ItemCache[bool]] = ItemCache(most=8)
"""The results for the texts of more bytes than that: overlays share them."""


def _may_lose_value(text: bytes) -> bool:
    """Return whether a text has an anchor, or a comment in place of a value."""
    return b"&" in text or (b"#" in text and (b": #" in text or b"- #" in text))


def _lost_values_of_file(file: str, text: bytes) -> Iterator[Hit]:
    if not file.endswith((".yml", ".yaml", "config")):
        return
    lines = text.decode("utf-8", "replace").split("\n")
    found = {number: match for number in range(1, len(lines) + 1) if (match := _find_lost(lines, number))}
    for scalar in hyaml.list_scalars(text) if found else ():
        match = found.get(scalar.line)
        if match is None or scalar.key or scalar.text or not scalar.plain:
            continue
        anchor, step = match.group(1), scalar.path[-1]
        name = step if isinstance(step, str) else f"Item {step} of the list"
        if anchor is None:
            message = f"{name} is empty: what follows the # is a comment."
            hint = "Quote the value, or put a space after the # if it is a comment."
            yield Hit(scalar.path, message, file, hint, scalar.line, match.start(2) + 1, Severity.INFO)
        elif f"*{anchor}".encode() not in text:
            message = f"{name} is empty: a value that begins with & is an anchor in YAML."
            yield Hit(scalar.path, message, file, "", scalar.line, match.start(1))


def _find_lost(lines: Sequence[str], number: int) -> re.Match[str] | None:
    """Find where a value of this line may be lost; None if the next line is the value, as it is indented."""
    line = lines[number - 1]
    if len(line) >= _LONGEST_LINE or not ("&" in line or " #" in line) or line.lstrip().startswith("#"):
        return None
    following = next((lines[below] for below in range(number, len(lines)) if lines[below].strip()), "")
    column = len(line) - len(line.lstrip(" -"))
    if following.startswith(" " * (column + 1)) and following.lstrip()[0] not in ",]}#":
        return None
    return _LOST.search(line)


_LONGEST_LINE = 1_000
"""Longer lines are data; the search for a lost value takes quadratic time in the length of a line."""


RULES = (
    Rule("scalars/lost-value", _lost_values),
    Rule("scalars/changed-string", _changed_texts),
    Rule("scalars/truncated-number", _truncated_numbers),
    Rule("secrets/plain-text", _plain_secrets),
    Rule("secrets/public-default", _public_secrets),
)
