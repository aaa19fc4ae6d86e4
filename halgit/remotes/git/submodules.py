"""Submodules: where their URLs lead, which of them the operator allows, and with which credentials they are fetched.

A repository chooses the URLs, so only hosts that the operator allows are contacted: the source's own, and those of
`--submodule-host`. A credential without `HOST=` goes to the source's own server only.
"""

from __future__ import annotations

from halgit.errors import UsageError
from halgit.operator_settings import Access, PerHost
from halgit.record import replace
from halgit.remotes.git.address import Address, is_short_form, read_address

MAX_DEPTH = 5
"""Submodules inside submodules."""

MAX_SUBMODULES = 100
"""Submodules of one source, at all depths."""

LOCAL = "localhost"
"""The host that allows submodules with a file URL."""


class RefusedSubmodule(Exception):
    """A submodule that is not fetched. `reason` completes `submodule PATH ...`; `hint` is the next step."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def resolve_url(parent: str, url: str) -> str:
    """Resolve the URL of a submodule against its parent repository, as git's `relative_url` does."""
    if not url.startswith(("./", "../")):
        return url
    base, separator = parent.rstrip("/"), "/"
    while url.startswith(("./", "../")):
        if url.startswith("./"):
            url = url[2:]
            continue
        url = url[3:]
        at = base.rfind("/")
        if at < 0:
            at, separator = base.rfind(":"), ":"
        if at < 0:
            raise RefusedSubmodule("has a relative URL that leaves the host.", "Correct url in .gitmodules.")
        base = base[:at]
    return f"{base}{separator}{url}".rstrip("/")


def find_address(source: Address, parent: Address, url: str | None, access: Access) -> Address:
    """Return the address of a submodule that may be fetched. Raises RefusedSubmodule for every other one.

    `source` is the repository that the operator named, `parent` the one that contains the submodule.
    """
    if not access.submodules:
        raise RefusedSubmodule("is not fetched.", "Fetch it with --submodules, or put the files into the repository.")
    if url is None:
        raise RefusedSubmodule("has no url in .gitmodules.", "Add it to .gitmodules, or remove the submodule.")
    address = _read(resolve_url(parent.url, url))
    if address.scheme == "http" and source.scheme != "http":
        raise RefusedSubmodule("has a plain http URL.", "Use https:// in .gitmodules.")
    if not _is_allowed(address, source, access):
        host = LOCAL if address.scheme == "file" else address.server.lower()
        raise RefusedSubmodule(
            f"is on {host}, which is not an allowed host.",
            f"Allow it with --submodule-host {host}, or put the files into the repository.",
        )
    return address


def check_limits(depth: int, fetched: int) -> None:
    """Raise RefusedSubmodule for a submodule that is too deep, or one too many."""
    if depth > MAX_DEPTH or fetched >= MAX_SUBMODULES:
        limits = f"at most {MAX_DEPTH} levels and {MAX_SUBMODULES} submodules are fetched"
        raise RefusedSubmodule(f"is beyond the limits: {limits}.", "Put the files into the repository.")


def _read(url: str) -> Address:
    if "://" not in url and not is_short_form(url):
        raise RefusedSubmodule("has a URL of an unsupported form.", "Use https://, ssh:// or a relative URL.")
    try:
        return read_address(url)
    except UsageError as reason:
        raise RefusedSubmodule(f"has an invalid URL: {reason.message}", "Correct url in .gitmodules.") from reason


def _is_allowed(address: Address, source: Address, access: Access) -> bool:
    if address.scheme == "file":
        return source.scheme == "file" and LOCAL in access.submodule_hosts
    names = {address.host, address.server.lower()}
    return bool(names & access.submodule_hosts) or (source.scheme != "file" and _has_server_of(address, source))


def _has_server_of(address: Address, source: Address) -> bool:
    same_port = address.server.lower() == source.server.lower() or address.scheme != source.scheme
    return address.host == source.host and same_port


def limit_access(access: Access, source: Address, address: Address) -> Access:
    """Return the access to a submodule: on another server than the source's, only with credentials given for it."""
    if address.scheme == source.scheme and address.server.lower() == source.server.lower():
        return access
    return replace(
        access,
        git_user=PerHost("", access.git_user.hosts),
        git_token_file=PerHost("", access.git_token_file.hosts),
        ssh_key_file=PerHost("", access.ssh_key_file.hosts),
        token_hosts=frozenset(),
    )
