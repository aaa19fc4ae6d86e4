"""The addresses git is given: which forms there are, and what no address may hold. Pure.

An address never carries a login. One that does is refused without being repeated in the message, because whatever
stands before the `@` of an https URL may be a token.
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from halgit.errors import UsageError
from halgit.lazy import lazy_pattern
from halgit.record import Record

Scheme = Literal["https", "http", "ssh", "file"]

_SCHEMES: tuple[Scheme, ...] = ("https", "http", "ssh", "file")
_SHORT = lazy_pattern(r"(?P<user>[^@/:]+)@(?P<host>\[[0-9A-Fa-f:.]+\]|[^/:@\[\]]+):(?P<path>.*)")
_HOST = lazy_pattern(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_ADDRESS_6 = lazy_pattern(r"[0-9A-Fa-f:.]+")
_USER = lazy_pattern(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,31}")
_LOOPBACK = lazy_pattern(r"localhost|127(\.\d{1,3}){3}|::1")


class Address(Record):
    """Address of a repository. `url` is passed to git and shown in messages.

    `server` is host and port as they stand in the URL, `host` in lower case and alone; `path` is decoded for a file.
    """

    url: str
    scheme: Scheme
    server: str = ""
    host: str = ""
    path: str = ""

    @property
    def is_loopback(self) -> bool:
        """True if the server is this machine, so that nothing on the way can listen."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Return whether a host name is this machine."""
    return _LOOPBACK.fullmatch(host) is not None


def is_short_form(text: str) -> bool:
    """Return whether this is `user@host:path`, git's short form of ssh."""
    return "://" not in text and _SHORT.fullmatch(text) is not None


def read_address(url: str) -> Address:
    """The parts of a git URL. Raises UsageError for a form git is never given, and for one that holds a login."""
    if re.search(r"[\x00-\x20\x7f]", url):
        raise UsageError("A git URL contains a space or a control character.", "Write %20 for a space.")
    if is_short_form(url):
        return _short_form(url)
    parts = _split(url)
    scheme = next((known for known in _SCHEMES if parts.scheme == known), None)
    if scheme is None:
        raise UsageError("This is not a git URL.", "Use https://, ssh://, file:// or git@host:path.")
    _refuse_login(parts, scheme)
    url = scheme + url[len(scheme) :]
    if scheme == "file":
        if parts.hostname not in {None, "localhost"}:
            raise UsageError(f"A file URL cannot name a host; this one names {parts.hostname}.", "Write file:///path.")
        return Address(url, "file", path=unquote(parts.path))
    host = _host(parts.hostname or "")
    if not parts.path.strip("/"):
        raise UsageError(f"The git URL for {host} does not name a repository.", f"Write {scheme}://{host}/path.")
    return Address(url, scheme, parts.netloc.rpartition("@")[2], host, parts.path)


def _short_form(url: str) -> Address:
    found = _SHORT.fullmatch(url)
    assert found is not None, "the caller has looked"
    host = _host(found["host"].strip("[]"))
    if not _USER.fullmatch(found["user"]):
        raise _holds_login(host)
    if not found["path"] or found["path"].startswith("-"):
        raise UsageError(f"The git URL for {host} does not name a repository.", "Write git@host:path.")
    return Address(url, "ssh", found["host"], host, found["path"])


def _split(url: str) -> SplitResult:
    """The URL's parts; urllib's own message is dropped because it may repeat a login."""
    try:
        parts = urlsplit(url)
        if parts.port == 0:
            raise ValueError
    except ValueError:
        raise UsageError("A git URL has an invalid host or port.", "Write https://host:port/path.") from None
    return parts


def _refuse_login(parts: SplitResult, scheme: Scheme) -> None:
    """Nothing but a plain user name of ssh may stand before the host."""
    login, at, _ = parts.netloc.rpartition("@")
    if at and (scheme != "ssh" or not _USER.fullmatch(login)):
        raise _holds_login(parts.hostname or "?")


def _host(host: str) -> str:
    if not _HOST.fullmatch(host) and not _ADDRESS_6.fullmatch(host):
        raise UsageError("A git URL has an invalid host name.", "Write https://host/path or git@host:path.")
    return host.lower()


def _holds_login(host: str) -> UsageError:
    return UsageError(
        f"The URL for {host} contains credentials; URLs appear in logs and process lists.",
        "Remove them and use --git-user with --git-token-file, or --ssh-key-file.",
    )
