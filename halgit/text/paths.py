"""Paths inside a document, as users read and write them, and as Spring Boot names properties. Pure.

`providers.kubernetes.accounts[name=prod].context`: keys that contain `.`, `[`, `:` or quotes are double-quoted, `[0]`
is a position, `[name=prod]` an item. A JSON pointer (`/providers/kubernetes`) is accepted too.

Spring's `ConfigurationPropertyName` splits a key at its dots (`accounts[0].name`), keeps what is in brackets, and
compares elements by their letters and digits, without case: `kubeconfig-file` is `kubeconfigFile`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from halgit.errors import UsageError
from halgit.lazy import lazy_pattern
from halgit.pipeline import Path, Value
from halgit.record import Record

_KEY = lazy_pattern(r'"((?:[^"\\]|\\.)*)"|([^.\[\]"]+)')
_ITEM = lazy_pattern(r"\[(?:([0-9]{1,9})|([^=\[\]]+)=((?:\"(?:[^\"\\]|\\.)*\")|[^\]]*))\]")
_SEGMENT = lazy_pattern(r"/(\[[^\[\]=/]+=.*?\](?=/|$)|[^/]*)", re.DOTALL)
_SELECTOR = lazy_pattern(r"\[([^\[\]=/]+)=(.*)\]", re.DOTALL)
_BAD_ESCAPE = lazy_pattern(r"~(?![01])")
_POSITION = lazy_pattern(r"[0-9]{1,9}")
_PART = lazy_pattern(r", (?=[\w.-]+=)")
_NEEDS_QUOTES = lazy_pattern(r'[.\[\]:"\\\s]|^$')


class Selector(Record):
    """A step that selects a list item by the value of one of its keys, dotted for a nested key.

    `[region=eu-1, type=hvm]` selects by two keys: `key` is `region, type` then, and `value` is `eu-1, hvm`.
    `text` is the step as written: in a mapping it is an ordinary key.
    """

    key: str
    value: str
    text: str


SEPARATOR = ", "
"""Separates the parts of a compound key of list items, and their values."""


def split_key(key: str) -> tuple[str, ...]:
    """Return the parts of a compound key; a single key is its only part."""
    return tuple(key.split(SEPARATOR))


def join_values(values: Iterable[str | None]) -> str | None:
    """Return the value of a compound key; None if a part is missing."""
    found = list(values)
    known = [value for value in found if value is not None]
    return SEPARATOR.join(known) if len(known) == len(found) else None


def format_selector(key: str, value: str) -> str:
    """Format the step that selects a list item by its key, without brackets: `name=prod`."""
    parts = split_key(key)
    values = value.split(SEPARATOR) if len(parts) > 1 else [value]
    return SEPARATOR.join(f"{one}={quote_key(other)}" for one, other in zip(parts, values, strict=False))


def parse_path(text: str) -> tuple[str | int | Selector, ...]:
    """Parse a path into steps. Raises UsageError with the position of a syntax error."""
    if text.startswith("/"):
        steps_of_pointer = parse_pointer(text)
        if steps_of_pointer is None:
            raise _invalid_path(text, text.index("~"))
        return steps_of_pointer
    steps: list[str | int | Selector] = []
    at = 0
    while at < len(text):
        if text[at] == "[":
            at = _item(text, at, steps)
            continue
        if text[at] == "." and steps:
            at += 1
        match = _KEY.match(text, at)
        if not match:
            raise _invalid_path(text, at)
        steps.append(_unquote(match.group(0)))
        at = match.end()
        if at < len(text) and text[at] not in ".[":
            raise _invalid_path(text, at)
    return tuple(steps)


def parse_pointer(text: str) -> tuple[str | Selector, ...] | None:
    """Parse a JSON pointer (RFC 6901) with segments such as `[name=prod]`, which select a list item.

    Returns None for an invalid pointer: no leading `/`, or a `~` without an escape. Brackets may contain `/` and `]`;
    only `]/` inside a value needs its slash written as `~1`.
    """
    if text == "":
        return ()
    if not text.startswith("/") or ("~" in text and _BAD_ESCAPE.search(text)):
        return None
    if "[" not in text:
        return tuple(map(_unescape, text[1:].split("/")))
    return tuple(map(_segment, _SEGMENT.findall(text)))


def _segment(text: str) -> str | Selector:
    plain = _unescape(text)
    selected = _SELECTOR.fullmatch(text)
    return _selector(_unescape(selected[1]), _unescape(selected[2]), plain) if selected else plain


def _selector(key: str, value: str, text: str) -> Selector:
    """Return the step that selects by one key, or by several: `region=eu-1, type=hvm`."""
    first, *others = [value] if value.startswith('"') else _PART.split(value)
    pairs = [(key, first), *(part.split("=", 1) for part in others)]
    return Selector(SEPARATOR.join(one for one, _ in pairs), SEPARATOR.join(_unquote(two) for _, two in pairs), text)


def _unescape(text: str) -> str:
    return text.replace("~1", "/").replace("~0", "~")


def _item(text: str, at: int, steps: list[str | int | Selector]) -> int:
    match = _ITEM.match(text, at)
    if not match:
        raise _invalid_path(text, at)
    number, key, value = match.groups()
    steps.append(int(number) if number is not None else _selector(key, value, match.group()))
    return match.end()


def _unquote(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _invalid_path(text: str, at: int) -> UsageError:
    return UsageError(
        f"The path {text!r} is invalid at character {at + 1}.",
        "Separate keys with dots, use [0] or [name=x] for a list item, and double-quote keys that contain "
        '".", "[" or ":".',
    )


def resolve_path(text: str, data: Value) -> Path:
    """Resolve a path in `data`. Raises UsageError that names the first step without a match."""
    here = data
    path: list[str | int] = []
    for step in parse_path(text):
        found = _step(step, here)
        if found is None:
            raise UsageError(_describe_no_match(step, tuple(path), here, data), "")
        path.append(found)
        here = here[found]
    return tuple(path)


def _step(step: str | int | Selector, here: Value) -> str | int | None:
    if isinstance(here, dict):
        key = step.text if isinstance(step, Selector) else step
        return key if isinstance(key, str) and key in here else None
    if not isinstance(here, list):
        return None
    if isinstance(step, Selector):
        matches = [
            number
            for number, item in enumerate(here)
            if isinstance(item, dict) and _value_of(item, step.key) == step.value
        ]
        return matches[0] if matches else None
    number = int(step) if isinstance(step, int) or _POSITION.fullmatch(step) else -1
    return number if 0 <= number < len(here) else None


def _value_of(item: Value, key: str) -> str:
    return SEPARATOR.join(str(_get_nested(item, part)) for part in split_key(key))


def _get_nested(item: Value, key: str) -> Value:
    if key in item:
        return item[key]
    for part in key.split("."):
        item = item.get(part) if isinstance(item, dict) else None
    return item


def _describe_no_match(step: str | int | Selector, path: Path, here: Value, data: Value) -> str:
    step_text = (
        f"[{step.key}={step.value}]" if isinstance(step, Selector) else f"[{step}]" if isinstance(step, int) else step
    )
    place = format_path(path, data) or "the document"
    if isinstance(here, dict):
        return f"{place} has no key {step_text} (keys: {_join_names(list(map(str, here)))})."
    if isinstance(here, list):
        names = [str(item["name"]) for item in here if isinstance(item, dict) and "name" in item]
        known = f"names: {_join_names(names)}" if names else f"{len(here)} items"
        return f"{place} has no item {step_text} ({known})."
    return f"{place} is a scalar, so it has no keys or items."


def _join_names(names: list[str]) -> str:
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "") if names else "none"


def format_path(path: Path, data: Value = None) -> str:
    """Format a path for messages. With `data`, list items that have a name are shown by name."""
    text = ""
    here = data
    for step in path:
        inside = here if isinstance(here, (dict, list)) else None
        if isinstance(step, int):
            item = inside[step] if isinstance(inside, list) and step < len(inside) else None
            name = item.get("name") if isinstance(item, dict) else None
            text += f"[name={quote_key(name)}]" if isinstance(name, str) and name else f"[{step}]"
            here = item
        else:
            text += ("." if text else "") + quote_key(step)
            here = inside.get(step) if isinstance(inside, dict) else None
    return text


def quote_key(key: str) -> str:
    """Format a key for a path, double-quoted if necessary."""
    if not _NEEDS_QUOTES.search(key):
        return str(key)
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


# --- names of properties ---

_ELEMENT = lazy_pattern(r"\[[^\]]*\]|[^.\[\]]+")
_INDEX = lazy_pattern(r"\[(0|[1-9][0-9]{0,5})\]")


def relax_name(name: object) -> str:
    """Return an element of a name as Spring compares it: its ASCII letters and digits in lower case."""
    return _relaxed(str(name))


@lru_cache(maxsize=10_000)
def _relaxed(name: str) -> str:
    return "".join(one for one in name if one.isascii() and one.isalnum()).lower()


def list_elements(key: str) -> list[str]:
    """Split a key into its elements as written; brackets are kept. A key without any element stays whole."""
    return _ELEMENT.findall(key) or [key]


def split_name(key: str) -> tuple[str | int, ...]:
    """Split a key into names and positions of lists: `accounts[0].name` is `("accounts", 0, "name")`.

    Other text in brackets, such as the key of a map, is a name with its brackets.
    """
    return _split(key) if "." in key or "[" in key else (key,)


@lru_cache(maxsize=10_000)
def _split(key: str) -> tuple[str | int, ...]:
    positions = ((element, _INDEX.fullmatch(element)) for element in list_elements(key))
    return tuple(int(found[1]) if found else element for element, found in positions)
