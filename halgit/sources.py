"""Sources: the value of `--repo`, and the table of source types by URL scheme.

Exactly one remote opens a source; its errors become SourceErrors here. Nothing read from a source opens another one.
A remote is imported only when its scheme is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from halgit.annotations import Protocol
from halgit.errors import RemoteError, SourceError, UsageError
from halgit.lazy import lazy_pattern
from halgit.operator_settings import Access, SourceSpec
from halgit.pipeline import Snapshot
from halgit.record import Record
from halgit.remotes.directory import DirectoryWatch, open_directory

_LONGEST_LOGIN = 20
"""Rounds of a watch with one login."""


class Watch(Protocol):
    """Asks one source for its revision, as cheaply as it can be asked."""

    def revision(self) -> str:
        """Return an id that changes when the source does. Raises SourceError, UsageError."""

    def close(self) -> None: ...


class Form(Record):
    """One way to name a source. `check` raises UsageError for a text that cannot be one; it opens nothing."""

    shape: str
    open: Callable[[SourceSpec, Access], Snapshot]
    check: Callable[[str], object]
    has_refs: bool = True
    is_signed: bool = False
    watch: Callable[[SourceSpec, Callable[[], Access]], Watch] | None = None


def _any_path(text: str) -> None:
    if "\0" in text:
        raise UsageError("A path contains a NUL character.", "Name a directory.")


def _git(spec: SourceSpec, access: Access) -> Snapshot:
    from halgit.remotes.git import open_git

    return open_git(spec, access)


def _watch_git(spec: SourceSpec, access: Callable[[], Access]) -> Watch:
    from halgit.remotes.git import GitWatch

    return GitWatch(spec, access)


def _git_address(url: str) -> None:
    from halgit.remotes.git.address import read_address

    read_address(url)


def _s3(spec: SourceSpec, access: Access) -> Snapshot:
    from halgit.remotes.s3 import open_s3

    return open_s3(spec, access)


def _s3_address(url: str) -> None:
    from halgit.remotes.s3 import read_address

    read_address(url)


def _vault(spec: SourceSpec, access: Access) -> Snapshot:
    from halgit.remotes.vault_tree import open_vault

    return open_vault(spec, access)


def _vault_address(url: str) -> None:
    from halgit.remotes.vault_tree import read_address

    read_address(url)


def _is_short_form(url: str) -> bool:
    """Return whether a text is `git@host:path`; one without a colon cannot be."""
    if ":" not in url:
        return False
    from halgit.remotes.git.address import is_short_form

    return is_short_form(url)


DIRECTORY = Form("a directory", open_directory, _any_path, has_refs=False, watch=DirectoryWatch)

BY_SCHEME: Mapping[str, Form] = MappingProxyType(
    {
        "https": Form("https://host/path", _git, _git_address, is_signed=True, watch=_watch_git),
        "http": Form("http://localhost/path", _git, _git_address, is_signed=True, watch=_watch_git),
        "ssh": Form("ssh://git@host/path or git@host:path", _git, _git_address, is_signed=True, watch=_watch_git),
        "file": Form("file:///path", _git, _git_address, is_signed=True, watch=_watch_git),
        "s3": Form("s3://bucket/prefix", _s3, _s3_address),
        "vault": Form("vault://mount/path", _vault, _vault_address, has_refs=False),
    }
)
"""One line for each scheme; a remote names the source at the start of its messages."""

_SCHEME = lazy_pattern(r"([A-Za-z][A-Za-z0-9+.-]*)://.*", re.DOTALL)
_TRANSPORT = lazy_pattern(r"[A-Za-z0-9+.-]+::")
_LOGIN = lazy_pattern(r"[^/?#]*@")
_NEARLY_URL = lazy_pattern(r"[A-Za-z][A-Za-z0-9+.-]*:/|[^/.][^/]*@[^/]*[.:]")
"""`https:/host/path`, `user:token@host/path`: a login may stand in them, so they are no names of directories."""

_KEYS = ("ref", "path")


def parse_spec(text: str) -> SourceSpec:
    """`URL?ref=R&path=P` as a source; R and P are percent-decoded, and a `+` in them is a plus.

    A directory's name may hold a `?`; what follows counts only if it is `ref=` or `path=`. Raises UsageError for a
    form that is not known and for a URL that holds a login, which the message does not repeat.
    """
    url, mark, query = text.partition("?")
    form = _form(url)
    if form is DIRECTORY and not query.startswith(("ref=", "path=")):
        return SourceSpec(text)
    form.check(url)
    if "#" in url and form is not DIRECTORY:
        raise UsageError(f"A {form.shape} URL cannot contain #.", "Write ?ref=REF&path=DIR instead.")
    values = _query(query) if mark else {}
    return SourceSpec(url, values.get("ref", ""), values.get("path", ""))


def is_directory(url: str) -> bool:
    """Return whether a source is a directory of this machine."""
    return _form(url) is DIRECTORY


def open_source(spec: SourceSpec, access: Access) -> Snapshot:
    """Open a source at one revision; the caller closes it.

    Raises SourceError if it is unavailable, UsageError for an invalid name, ref or path.
    """
    form, spec = _checked(spec, access)
    try:
        return form.open(spec, access)
    except RemoteError as reason:
        raise _source_error(spec, reason) from reason


def watch_source(spec: SourceSpec, access: Callable[[], Access]) -> Watch:
    """A watch on a source; close it when done. `access` gives the logins as they are now.

    Raises as `open_source` does.
    """
    form, spec = _checked(spec, access())
    try:
        inner = form.watch(spec, access) if form.watch else _ReopeningWatch(form, spec, access)
    except RemoteError as reason:
        raise _source_error(spec, reason) from reason
    return _TranslatingWatch(inner, spec)


class _TranslatingWatch:
    """A watch whose failures are SourceErrors."""

    def __init__(self, inner: Watch, spec: SourceSpec) -> None:
        self._inner = inner
        self._spec = spec

    def revision(self) -> str:
        try:
            return self._inner.revision()
        except RemoteError as reason:
            raise _source_error(self._spec, reason) from reason

    def close(self) -> None:
        self._inner.close()


class _ReopeningWatch:
    """A watch on a source whose listing is its revision: it is opened each time, and no file is read.

    A source may have a fingerprint that tells more than the revision, such as ETags, and that is compared here only.

    The connection is kept until it fails, or for a number of rounds: a login may be rotated.
    """

    def __init__(self, form: Form, spec: SourceSpec, access: Callable[[], Access]) -> None:
        self._form = form
        self._spec = spec
        self._new_access = access
        self._access: Access | None = None
        self._rounds = 0

    def revision(self) -> str:
        if self._access is None or self._rounds >= _LONGEST_LOGIN:
            self.close()
            self._access, self._rounds = self._new_access(), 0
        self._rounds += 1
        try:
            snapshot = self._form.open(self._spec, self._access)
        except RemoteError:
            self.close()
            raise
        try:
            return str(getattr(snapshot, "fingerprint", "")) or snapshot.source.revision
        finally:
            snapshot.close()

    def close(self) -> None:
        if self._access is not None:
            self._access.cache.close()
            self._access = None


def _checked(spec: SourceSpec, access: Access) -> tuple[Form, SourceSpec]:
    """The form of a source, and its spec with a plain path. Raises UsageError for what cannot be."""
    form = _form(spec.url)
    form.check(spec.url)
    spec = SourceSpec(spec.url, spec.ref, _folder(spec.path), spec.commit)
    if spec.ref and not form.has_refs:
        raise UsageError(f"{spec.url}: {form.shape} has no ref {spec.ref}.", "Omit --ref, or use a file:// URL.")
    if access.verify_signatures and not form.is_signed:
        raise UsageError(
            f"{spec.url}: {form.shape} has no signatures to verify.",
            "Omit --verify-signatures, or use a git source.",
        )
    return form, spec


def _source_error(spec: SourceSpec, reason: RemoteError) -> SourceError:
    name = "" if reason.message.startswith(spec.url) else f"{spec.url}: "
    return SourceError(name + reason.message, reason.hint)


def _form(url: str) -> Form:
    """The form a text has, by its beginning. Never repeats the text: it may hold a secret."""
    known = f"Use {', '.join(form.shape for form in (DIRECTORY, *BY_SCHEME.values()))}."
    if not url:
        raise UsageError("--repo is empty.", known)
    if url.startswith("-"):
        raise UsageError(
            "A source cannot begin with -; it may be a misplaced option.", "Write ./ before a directory name."
        )
    if ":" not in url and "@" not in url:
        return DIRECTORY
    if _TRANSPORT.match(url):
        raise UsageError(f"The transport {url.partition('::')[0]}:: runs programs and is not allowed.", known)
    if _is_short_form(url):
        return BY_SCHEME["ssh"]
    scheme = _SCHEME.fullmatch(url)
    if scheme is None and _NEARLY_URL.match(url):
        raise UsageError("The source looks like a URL without a scheme.", f"{known} Write ./ before a directory name.")
    if scheme is None:
        return DIRECTORY
    name = scheme[1].lower()
    if name not in BY_SCHEME:
        raise UsageError(f"Unsupported source scheme {name}://.", known)
    if name != "ssh" and _LOGIN.match(url, len(name) + 3):
        raise UsageError(
            f"This {name}:// URL contains credentials; URLs appear in logs and process lists.",
            "Remove them and set credentials with options, files or the environment.",
        )
    return BY_SCHEME[name]


def _query(query: str) -> dict[str, str]:
    from urllib.parse import unquote

    found: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        key, equals, value = part.partition("=")
        if key not in _KEYS or not equals:
            raise UsageError("A source URL accepts only ?ref=REF and path=DIR.", "Remove the other query parameters.")
        if key in found:
            raise UsageError(f"A source URL has {key}= twice.", "Remove one.")
        try:
            found[key] = unquote(value, errors="strict")
        except UnicodeDecodeError:
            raise UsageError(f"The {key}= of a source URL is not UTF-8.", "Write it in UTF-8.") from None
    return found


def _folder(path: str) -> str:
    """`--path` as the remotes take it: no `.`, no slash at either end. Raises UsageError for one that leaves."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if path.startswith("/") or ".." in parts:
        raise UsageError(f"--path {path} leaves the source.", "Use a folder below the source's root.")
    return "/".join(parts)
