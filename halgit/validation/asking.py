"""What rules ask of values of the halconfig, in the way Halyard's validators ask it.

A secret, a reference and a text with a placeholder are there, and nobody can judge what they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from halgit import references
from halgit import yaml as hyaml
from halgit.masking import Secret, Woven
from halgit.tree import Value
from halgit.validation.view import Node


def empty(value: Value) -> bool:
    """Whether Halyard takes a text for missing: null or without a character."""
    return value is None or (isinstance(value, str) and value == "")


def text(value: Value) -> str | None:
    """The text Halyard reads; None where there is none, or where only a service will know it."""
    if value is None or isinstance(value, (Secret, Woven, dict, list, bytes)):
        return None
    word = hyaml.java_text(value)
    return None if "${" in word or references.find(word) or word.startswith("configserver:") else word


def name(node: Node) -> str:
    """The name of an account as messages have it: `account prod`, or the place it has in its list."""
    own = text(node.get("name"))
    return f"account {own}" if own else f"account {int(node.path[-1]) + 1} of the list"


def lacking(node: Node, keys: Iterable[str]) -> list[str]:
    """The keys of which Halyard asks that they are not empty, and that are."""
    return [key for key in keys if empty(node.get(*key.split(".")))]


def both(node: Node, *keys: str) -> bool:
    """Whether all of these lists or texts hold something."""
    return all(node.get(key) not in (None, "", [], {}) for key in keys)


def one_alone(node: Node, one: str, other: str) -> tuple[str, str] | None:
    """The key of a pair that stands there without the other, and that other; None where both do or neither does."""
    if empty(node.get(one)) == empty(node.get(other)):
        return None
    return (other, one) if empty(node.get(one)) else (one, other)


def texts(node: Node, *steps: str) -> Iterator[tuple[Node, str]]:
    """The items of a list that are texts, each with its node."""
    for item in node.items(*steps):
        word = text(item.value)
        if word is not None:
            yield item, word
