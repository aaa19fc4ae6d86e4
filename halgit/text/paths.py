"""Paths inside a document, as people write and read them.

`providers.kubernetes.accounts[name=prod].context`, with keys that hold `.`, `[`, `:` or quotes in double quotes,
`[0]` for a position, `[name=prod]` for an item; a JSON pointer (`/providers/kubernetes`) is taken too. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from halgit.errors import UsageError
from halgit.pipeline import Path, Value

_KEY = re.compile(r'"((?:[^"\\]|\\.)*)"|([^.\[\]"]+)')
_ITEM = re.compile(r"\[(?:([0-9]{1,9})|([^=\[\]]+)=((?:\"(?:[^\"\\]|\\.)*\")|[^\]]*))\]")
_SEGMENT = re.compile(r"/(\[[^\[\]=/]+=.*?\](?=/|$)|[^/]*)", re.DOTALL)
_PICK = re.compile(r"\[([^\[\]=/]+)=(.*)\]", re.DOTALL)
_BAD_ESCAPE = re.compile(r"~(?![01])")
_POSITION = re.compile(r"[0-9]{1,9}")
_NEEDS_QUOTES = re.compile(r'[.\[\]:"\\\s]|^$')


@dataclass(frozen=True, slots=True)
class Selector:
    """One step that picks a list item by the value of one of its keys, dotted where it lies deeper.

    `text` is the step as it was written: in a mapping it is a key like any other.
    """

    key: str
    value: str
    text: str


def parse_path(text: str) -> tuple[str | int | Selector, ...]:
    """The steps of a path. Raises UsageError that shows where the text stops making sense."""
    if text.startswith("/"):
        pointed = parse_pointer(text)
        if pointed is None:
            raise _bad(text, text.index("~"))
        return pointed
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
            raise _bad(text, at)
        steps.append(_unquote(match.group(0)))
        at = match.end()
        if at < len(text) and text[at] not in ".[":
            raise _bad(text, at)
    return tuple(steps)


def parse_pointer(text: str) -> tuple[str | Selector, ...] | None:
    """The segments of a JSON pointer (RFC 6901), of which `[name=prod]` picks a list item.

    None where it is none: no `/` at its head, or a `~` that escapes nothing. In brackets `/` and `]` may stand as
    they are; only `]/` inside a value needs its slash written as `~1`.
    """
    if text == "":
        return ()
    if not text.startswith("/") or _BAD_ESCAPE.search(text):
        return None
    return tuple(map(_segment, _SEGMENT.findall(text)))


def _segment(text: str) -> str | Selector:
    plain = _unescape(text)
    picked = _PICK.fullmatch(text)
    return Selector(_unescape(picked[1]), _unescape(picked[2]), plain) if picked else plain


def _unescape(text: str) -> str:
    return text.replace("~1", "/").replace("~0", "~")


def _item(text: str, at: int, steps: list[str | int | Selector]) -> int:
    match = _ITEM.match(text, at)
    if not match:
        raise _bad(text, at)
    number, key, value = match.groups()
    steps.append(int(number) if number is not None else Selector(key, _unquote(value), match.group()))
    return match.end()


def _unquote(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _bad(text: str, at: int) -> UsageError:
    return UsageError(
        f"The path {text!r} makes no sense from character {at + 1}.",
        'Write keys with dots between them, [0] or [name=x] for a list item, and put a key that holds ".", "[" or ":" '
        "in double quotes.",
    )


def resolve_path(text: str, data: Value) -> Path:
    """The path of the node that `text` names in `data`. Raises UsageError that names the step that meets nothing."""
    here = data
    path: list[str | int] = []
    for step in parse_path(text):
        found = _step(step, here)
        if found is None:
            raise UsageError(_nothing(step, tuple(path), here, data), "")
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
            number for number, item in enumerate(here) if isinstance(item, dict) and str(_dig(item, step)) == step.value
        ]
        return matches[0] if matches else None
    number = int(step) if isinstance(step, int) or _POSITION.fullmatch(step) else -1
    return number if 0 <= number < len(here) else None


def _dig(item: Value, step: Selector) -> Value:
    if step.key in item:
        return item[step.key]
    for part in step.key.split("."):
        item = item.get(part) if isinstance(item, dict) else None
    return item


def _nothing(step: str | int | Selector, path: Path, here: Value, data: Value) -> str:
    wanted = (
        f"[{step.key}={step.value}]" if isinstance(step, Selector) else f"[{step}]" if isinstance(step, int) else step
    )
    place = format_path(path, data) or "the document"
    if isinstance(here, dict):
        return f"{place} has no key {wanted} (keys: {_listed(list(map(str, here)))})."
    if isinstance(here, list):
        names = [str(item["name"]) for item in here if isinstance(item, dict) and "name" in item]
        known = f"names: {_listed(names)}" if names else f"{len(here)} items"
        return f"{place} has no item {wanted} ({known})."
    return f"{place} is a single value; it has nothing below it."


def _listed(names: list[str]) -> str:
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "") if names else "none"


def format_path(path: Path, data: Value = None) -> str:
    """A path as people read it; list items by their name where `data` is given and they have one."""
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
    """A key as it stands in a path: in double quotes where it must be."""
    if not _NEEDS_QUOTES.search(key):
        return str(key)
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
