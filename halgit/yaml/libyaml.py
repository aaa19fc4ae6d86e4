"""The door to libyaml, through PyYAML: a parser of events for one text. Resolves nothing and makes no values."""

from __future__ import annotations

from typing import Protocol

import yaml
from yaml.events import Event

from halgit.errors import HalgitError


class Parser(Protocol):
    """What is used of PyYAML's parser."""

    def get_event(self) -> Event | None: ...

    def dispose(self) -> None: ...


def parser(text: bytes) -> Parser:
    """A parser at the start of a text. Raises HalgitError where PyYAML was built without libyaml."""
    if not yaml.__with_libyaml__:
        raise HalgitError(
            "This PyYAML is built without libyaml.", "Install PyYAML from its wheel (pip install PyYAML)."
        )
    return yaml.CSafeLoader(text)
