"""Words for a file that is not part of the rendered tree; the rules that say them are in the subjects' modules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from urllib.parse import SplitResult, urlsplit

from halgit import references
from halgit import yaml as hyaml
from halgit.halyard import resources
from halgit.lazy import lazy_pattern
from halgit.pipeline import Path, Skipped, Value
from halgit.redaction import Secret, SecretText
from halgit.validation.rule import Hit
from halgit.validation.schema_acceptor import ORDINARY_ADDRESS
from halgit.validation.view import Node, View

BESIDE_CONFIG = ("profiles/", "service-settings/")
"""Folders that Halyard reads below a deployment's folder only."""


def named_step(path: Path) -> str:
    """A key as messages name it, or an item of a list by its number."""
    if isinstance(path[-1], str):
        return path[-1]
    owner_ = next((step for step in reversed(path) if isinstance(step, str)), "the list")
    return f"Item {path[-1] + 1} of {owner_}"


def skipped_file(view: View, left: Skipped) -> Hit:
    """A file that Halyard ignores, with the reason, and with the name that was probably meant as the next step."""
    reason, _, near = left.reason.partition("; did you mean ")
    hint = f"Did you mean {near}" if near else ""
    if reason.startswith("config has no"):
        hint = "Rename the directory after a deployment of config."
    name = left.path.rsplit("/", 1)[-1]
    return Hit((), f"Halyard ignores {name}: {reason}.", view.written_in(left.path), hint, 1, 1)


_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_NAME = rf"(?:{_LABEL}\.)*[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?"
_HOST = lazy_pattern(rf"{_NAME}|[0-9]+(?:\.[0-9]+){{3}}|\[[0-9A-Fa-f:.%]+\]")
STILL_OPEN = lazy_pattern(r"[A-Z]{2,}(?:_[A-Z0-9]+)+|<|\$")
"""Something in a text that a person or a script is to fill in."""


def empty(node: Node, *steps: str) -> bool:
    """Return whether there is nothing, or an empty string, below these keys."""
    return node.get(*steps) in (None, "")


def text(node: Node, *steps: str) -> str | None:
    """The text Halyard would read below these keys; None where there is none, or none that can be judged."""
    return word(node.get(*steps))


def word(value: Value) -> str | None:
    """The text Halyard would read of a value; None where there is none, or none that can be judged."""
    if value.__class__ is str:
        return None if "${" in value or ("encrypted" in value and references.find_references(value)) else value
    if value is None or isinstance(value, (dict, list, bytes, Secret, SecretText)):
        return None
    text_ = hyaml.to_java_string(value)
    return None if "${" in text_ or references.find_references(text_) else text_


def owner(provider: str, account: Node) -> str:
    """An account as messages name it: `The google account prod`, or by its place where it has no name."""
    name = text(account, "name")
    return f"The {provider} account {name}" if name else f"The {provider} account {int(account.path[-1]) + 1}"


def both(node: Node, *keys: str) -> bool:
    """Return whether all of these lists or texts hold something."""
    for key in keys:
        value = node.get(key)
        if value is None or (not value and isinstance(value, (str, list, dict))):
            return False
    return True


def list_items(node: Node, *steps: str) -> Sequence[Value]:
    """The values of a list below these keys; nothing where there is no list."""
    found = node.get(*steps)
    return found if isinstance(found, list) else ()


def string_items(node: Node, *steps: str) -> Iterator[tuple[Node, str]]:
    """The items of a list that are texts which can be judged, each with its node."""
    for item in node.items(*steps):
        text_ = word(item.value)
        if text_ is not None:
            yield item, text_


def lacking(node: Node, whose: str, keys: Iterable[str]) -> Iterator[Hit]:
    """A hit for each of these keys that is empty."""
    for key in keys:
        if empty(node, key):
            yield Hit(node.at(key), f"{whose} has no {key}.", hint=f"Set {key}.")


def half(node: Node, whose: str, one: str, other: str) -> Iterator[Hit]:
    """A hit where only one of two keys is set that belong together."""
    if empty(node, one) != empty(node, other):
        there, gone = (other, one) if empty(node, one) else (one, other)
        yield Hit(node.at(there), f"{whose} has {there} and no {gone}.", hint=f"Set {gone} as well, or remove {there}.")


@cache
def _uri() -> re.Pattern[str]:
    return re.compile(resources.open_schema("halconfig")["$defs"]["uri"]["pattern"])


def address(text_: str, *, is_trimmed: bool = False) -> SplitResult | None:
    """An address taken apart; None where `java.net.URI` refuses it.

    `is_trimmed` is for fields of the type URI, which Jackson trims; fields for strings are parsed as they are.
    """
    try:
        split = urlsplit(text_.strip())
    except ValueError:
        return None
    is_valid = ORDINARY_ADDRESS.fullmatch(text_) or _uri().search(text_)
    return split if is_valid and (is_trimmed or text_ == text_.strip(_TRIMMED)) else None


_HTTP = lazy_pattern(
    r"(?i:https?):[/\\]*(?:[^\s/?#\\@]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#\\:@\[\]<>\"%]+)(?::([0-9]{0,5}))?(?:[/?#\\].*)?"
)


def is_http_address(text_: str) -> bool:
    """Return whether OkHttp accepts an address, to which a service adds its paths."""
    found = _HTTP.fullmatch(text_)
    return found is not None and text_ == text_.strip() and 0 < int(found[1] or 80) <= _HIGHEST_PORT


_TRIMMED = "".join(map(chr, range(0x21)))
"""The characters that Java's `trim` removes."""


def has_port(split: SplitResult) -> bool:
    """Return whether the port of an address can exist, if there is one."""
    _, colon, number = split.netloc.rpartition(":")
    if not colon or not number or number.endswith("]") or "@" in number:
        return True
    return len(number) < 10 and number.isascii() and number.isdecimal() and 0 < int(number) <= _HIGHEST_PORT


_HIGHEST_PORT = 65_535


def host(split: SplitResult) -> str:
    """The host of an address as Java sees it: none at all where the name holds an underscore or the like."""
    authority = split.netloc.rsplit("@", 1)[-1]
    before, colon, port = authority.rpartition(":")
    name = before if colon and (not port or (port.isascii() and port.isdecimal())) else authority
    return name if _is_ordinary_host(name) or _HOST.fullmatch(name) or STILL_OPEN.search(name) else ""


def _is_ordinary_host(name: str) -> bool:
    """Return whether a name consists of letters, digits and single hyphens and dots, as most do."""
    labels = name.split(".")
    words = [word for label in labels for word in label.split("-")]
    return name.isascii() and all(map(str.isalnum, words)) and labels[-1][0].isalpha()
