"""Commit messages of account changes: what was done, by whom, for which request; written and read again. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from halgit.accounts.changes import Verb
from halgit.record import Record
from halgit.remotes.git.push import LogEntry
from halgit.report.tables import counted

_VERBS: Final = {"add": "Add", "update": "Update", "remove": "Remove"}
_ACCOUNT: Final = "Account: "
_REQUEST: Final = "Request-Id: "
_BY: Final = " by "


class CommitLine(Record):
    """One change of a commit; `key` and `digest` name its request, if it has one."""

    verb: Verb
    provider: str
    account: str
    author: str = ""
    key: str = ""
    digest: str = ""


def write_message(lines: Sequence[CommitLine]) -> str:
    """Return the message of a commit with these changes. No name in it can forge a further line."""
    texts = [f"{_VERBS[line.verb]} {line.provider} account {_one_line(line.account)}" for line in lines]
    subject = texts[0] if len(texts) == 1 else f"Change {counted(len(texts), 'account')}\n\n" + "\n".join(texts)
    trailers = []
    for line in lines:
        who = f"{_BY}{_one_line(line.author)}" if line.author else ""
        trailers.append(f"{_ACCOUNT}{_delimited(line.account)}{who}")
        if line.key:
            trailers.append(f"{_REQUEST}{line.key} {line.digest}")
    return subject + "\n\n" + "\n".join(trailers) + "\n"


def last_changes(log: Sequence[LogEntry]) -> dict[str, tuple[str, str]]:
    """Return who changed each account last, and when (ISO 8601), from the newest commits first."""
    found: dict[str, tuple[str, str]] = {}
    for entry in log:
        for name, author in _accounts(entry.message):
            found.setdefault(name, (author or entry.author, entry.date))
    return found


def find_request(log: Sequence[LogEntry], key: str) -> tuple[str, str]:
    """Return the digest of the request with this key, and the commit that answered it; empty if there is none."""
    for entry in log:
        for line in entry.message.splitlines():
            if line.startswith(f"{_REQUEST}{key} "):
                return line.rsplit(" ", 1)[1], entry.commit
    return "", ""


def _accounts(message: str) -> Iterator[tuple[str, str]]:
    for line in message.splitlines():
        if line.startswith(_ACCOUNT):
            name, author = _split(line.removeprefix(_ACCOUNT))
            yield name, author


def _delimited(name: str) -> str:
    """A name as one line, quoted where it could be taken for a name with an author."""
    text = _one_line(name)
    is_plain = (text + _BY).find(_BY) == len(text) and not text.startswith('"')
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _split(text: str) -> tuple[str, str]:
    """The name and the author of a line."""
    if text.startswith('"'):
        try:
            name, end = json.JSONDecoder().raw_decode(text)
        except ValueError:
            return text, ""
        return str(name), text[end:].removeprefix(_BY)
    name, _, author = text.partition(_BY)
    return name, author


def _one_line(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)
