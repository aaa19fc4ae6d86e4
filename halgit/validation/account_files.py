"""The files of dynamic accounts as rules look at them: every YAML document of a file, and where its values stand.

They are no part of the rendered tree, so nothing else knows their lines. Reads no file: it is given their bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from halgit import yaml as hyaml
from halgit.annotations import Any
from halgit.lazy import lazy_pattern
from halgit.pipeline import Finding, Path, Position, Value
from halgit.record import Record
from halgit.validation.account_access import CIPHER, strings_in
from halgit.validation.account_keys import find_key, find_provider
from halgit.validation.properties import Properties, bind_properties

_NEXT = lazy_pattern(rb"^(?=---(?:[ \t\r\n]|$))", re.MULTILINE)


class Document(Record):
    """One YAML document of a file. `above` is how many lines of the file stand before its text.

    Lists and accounts have their paths in `properties`, in which keys such as `accounts[0]` are items of lists.
    """

    file: str
    text: bytes
    above: int
    data: Value
    properties: Properties

    def lists(self) -> Iterator[tuple[str, Path, list[Value]]]:
        """Every provider's list of accounts, with its path. The provider is named as Spring does: `docker-registry`."""
        for key, section in self._sections():
            own = find_key(section, "accounts")
            if own is not None and isinstance(section.get(own), list):
                yield find_provider(str(key)), (key, own), section[own]

    def broken_lists(self) -> Iterator[tuple[Path, Value]]:
        """Every list of accounts that is something else, with its path."""
        for key, section in self._sections():
            own = find_key(section, "accounts")
            if section.get(own) not in (None, "") and not isinstance(section[own], list):
                yield (key, str(own)), section[own]

    def accounts(self) -> Iterator[tuple[str, Path, dict[str, Value]]]:
        """Every account that is a mapping, with its provider and path."""
        for provider, path, accounts in self.lists():
            for number, account in enumerate(accounts):
                if isinstance(account, dict):
                    yield provider, (*path, number), account

    def _sections(self) -> Iterator[tuple[str, dict[Any, Value]]]:
        data = self.properties.data
        yield from ((key, one) for key, one in data.items() if isinstance(one, dict)) if isinstance(data, dict) else ()

    def ciphers(self) -> list[tuple[Path, str]]:
        """Every value that begins with `{cipher}`, with its path."""
        return [(path, text) for path, text in strings_in(self.data) if text.startswith(CIPHER)]

    def places(self, paths: Iterable[Path]) -> list[Position]:
        """The places of these values in the file, or of the nearest nodes above them, at the cost of one look."""
        wanted = [self.properties.place(path) for path in paths]
        every = {path[:depth] for path in wanted for depth in range(len(path) + 1)}
        known = hyaml.locate_all(self.text, every) if wanted else {}
        return [self._nearest(known, path) for path in wanted]

    def _nearest(self, known: Mapping[Path, Position], path: Path) -> Position:
        found = (known[path[:depth]] for depth in range(len(path), -1, -1) if path[:depth] in known)
        spot = next(found, Position(1, 1))
        return Position(self.above + spot.line, spot.column)


class AccountFile(Record):
    """One file with its documents; without any where it does not parse, and then `faults` say why."""

    path: str
    documents: tuple[Document, ...]
    faults: tuple[Finding, ...] = ()


def read(texts: Mapping[str, bytes]) -> tuple[AccountFile, ...]:
    """The files, in the order in which a later one overrides an earlier one."""
    return tuple(_file(path, texts[path]) for path in sorted(texts, key=_rank) if not path.endswith(".properties"))


def _file(path: str, text: bytes) -> AccountFile:
    whole = hyaml.read(text, path, many=True)
    if whole.findings:
        return AccountFile(path, (), whole.findings)
    documents, above = [], 0
    parts = _NEXT.split(text) if b"---" in text else [text]
    is_single = len(whole.documents) == 1 and len([part for part in parts if part]) == 1 and b"&" not in text
    for part in parts:
        read = whole if is_single and part else hyaml.read(part, path)
        for data in read.documents:
            properties = bind_properties(data, "clouddriver-accounts", spell=False)
            documents.append(Document(path, part, above, data, properties))
        above += part.count(b"\n")
    return AccountFile(path, tuple(documents))


def _rank(path: str) -> tuple[bool, bool, bool, str]:
    """Sort by precedence: profile over bare name, `clouddriver` over `application`, a search path over the root."""
    name = path.rsplit("/", 1)[-1]
    return "-" in name, name.startswith("clouddriver"), "/" in path, path
