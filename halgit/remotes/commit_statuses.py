"""Statuses of commits on GitHub, GitLab, Bitbucket and Gitea: set what was deployed, read whether a check is green.

Each forge differs in paths, words and how it takes a token, and in nothing else; see the classes at the end. The token
is sent to the address of the forge's API only, and never over plain http to another machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, Protocol
from urllib.parse import quote, urlencode, urlsplit

from halgit.errors import UsageError
from halgit.operator_settings import Access
from halgit.redaction import Secret
from halgit.remotes.git.address import read_address
from halgit.remotes.http import WebService

State = Literal["pending", "success", "failure"]
CheckState = Literal["pending", "success", "failure", "missing"]
ForgeName = Literal["github", "gitlab", "bitbucket", "gitea"]

_LONGEST_DESCRIPTION: Final = 140
"""In characters; what GitHub takes."""


class Forge(Protocol):
    """The words of one forge. `repository` is its path on the server, such as `org/name`."""

    def api(self, host: str) -> str: ...

    def headers(self, token: str) -> Mapping[str, str]: ...

    def status(
        self, repository: str, commit: str, state: State, name: str, text: str, url: str
    ) -> tuple[str, dict[str, str]]: ...

    def checks(self, repository: str, commit: str, name: str) -> tuple[str, ...]:
        """The paths that list checks of a commit."""

    def rows(self, answer: Any) -> Iterator[tuple[str, str]]:
        """Name and state of each check of an answer."""

    def compare(self, host: str, repository: str, old: str, new: str) -> str: ...


class CommitStatuses:
    """The statuses of one repository. `api` empty is the forge's usual address for the host of the repository."""

    def __init__(self, access: Access, url: str, forge: ForgeName, api: str, token: Secret) -> None:
        address = read_address(url)
        self._host = address.host or address.server
        self._repository = address.path.strip("/").removesuffix(".git")
        self._forge = FORGES[forge]
        base = api or self._forge.api(self._host)
        _refuse_exposure(base)
        access.redactor.learn_credential(token.open())
        self._web = WebService(access, f"The API of {forge}", base, self._forge.headers(token.open()))

    def close(self) -> None:
        self._web.close()

    def set(self, commit: str, state: State, name: str, text: str, url: str) -> None:
        """Set the status `name` of a commit. Raises RemoteError."""
        cut = text if len(text) <= _LONGEST_DESCRIPTION else text[: _LONGEST_DESCRIPTION - 3] + "..."
        path, body = self._forge.status(self._repository, commit, state, name, cut, url)
        self._web.post(path, body)

    def check(self, commit: str, name: str) -> CheckState:
        """The state of a check of a commit; the first row counts if it ran several times. Raises RemoteError."""
        for path in self._forge.checks(self._repository, commit, name):
            for found, state in self._forge.rows(self._web.get(path)):
                if found == name:
                    return _CHECK_STATES.get(state.lower(), "failure")
        return "missing"

    def compare_url(self, old: str, new: str) -> str:
        """Return the web page of the difference between two commits; of one commit alone if there is no other."""
        return self._forge.compare(self._host, self._repository, old, new)


_CHECK_STATES: Final[Mapping[str, CheckState]] = {
    **dict.fromkeys(("success", "successful", "neutral", "skipped"), "success"),
    **dict.fromkeys(
        ("pending", "inprogress", "queued", "in_progress", "running", "created", "waiting", "requested", "manual"),
        "pending",
    ),
}


def guess_forge(url: str) -> ForgeName | None:
    """The forge of a repository by the name of its host; None where that does not tell."""
    host = read_address(url).host
    names: tuple[ForgeName, ...] = ("github", "gitlab", "bitbucket", "gitea")
    return next((name for name in names if name in host), None)


def _refuse_exposure(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise UsageError(f"{address}: a token is not sent over plain http.", "Use https.")


class _GitHub:
    def api(self, host: str) -> str:
        return "https://api.github.com" if host == "github.com" else f"https://{host}/api/v3"

    def headers(self, token: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {token}"}

    def status(
        self, repository: str, commit: str, state: State, name: str, text: str, url: str
    ) -> tuple[str, dict[str, str]]:
        return f"/repos/{repository}/statuses/{commit}", {
            "state": state, "context": name, "description": text, **({"target_url": url} if url else {})
        }  # fmt: skip

    def checks(self, repository: str, commit: str, name: str) -> tuple[str, ...]:
        query = urlencode({"check_name": name, "filter": "latest"})
        start = f"/repos/{repository}/commits/{commit}"
        return f"{start}/check-runs?{query}", f"{start}/status"

    def rows(self, answer: Any) -> Iterator[tuple[str, str]]:
        for run in _items(answer, "check_runs"):
            yield str(run.get("name")), str(run.get("conclusion") or run.get("status"))
        for status in _items(answer, "statuses"):
            yield str(status.get("context")), str(status.get("state") or status.get("status"))

    def compare(self, host: str, repository: str, old: str, new: str) -> str:
        place = f"compare/{old}...{new}" if old else f"commit/{new}"
        return f"https://{host}/{repository}/{place}"


class _Gitea(_GitHub):
    def api(self, host: str) -> str:
        return f"https://{host}/api/v1"

    def headers(self, token: str) -> Mapping[str, str]:
        return {"Authorization": f"token {token}"}

    def checks(self, repository: str, commit: str, name: str) -> tuple[str, ...]:
        return (f"/repos/{repository}/commits/{commit}/status",)


class _GitLab:
    def api(self, host: str) -> str:
        return f"https://{host}/api/v4"

    def headers(self, token: str) -> Mapping[str, str]:
        return {"PRIVATE-TOKEN": token}

    def status(
        self, repository: str, commit: str, state: State, name: str, text: str, url: str
    ) -> tuple[str, dict[str, str]]:
        words = {"pending": "running", "success": "success", "failure": "failed"}
        body = {"state": words[state], "name": name, "description": text, **({"target_url": url} if url else {})}
        return f"/projects/{quote(repository, safe='')}/statuses/{commit}", body

    def checks(self, repository: str, commit: str, name: str) -> tuple[str, ...]:
        start = f"/projects/{quote(repository, safe='')}/repository/commits/{commit}/statuses"
        return (f"{start}?{urlencode({'name': name})}",)

    def rows(self, answer: Any) -> Iterator[tuple[str, str]]:
        for status in answer if isinstance(answer, list) else ():
            if isinstance(status, dict):
                yield str(status.get("name")), str(status.get("status"))

    def compare(self, host: str, repository: str, old: str, new: str) -> str:
        place = f"compare/{old}...{new}" if old else f"commit/{new}"
        return f"https://{host}/{repository}/-/{place}"


class _Bitbucket:
    def api(self, host: str) -> str:
        return "https://api.bitbucket.org/2.0"

    def headers(self, token: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {token}"}

    def status(
        self, repository: str, commit: str, state: State, name: str, text: str, url: str
    ) -> tuple[str, dict[str, str]]:
        words = {"pending": "INPROGRESS", "success": "SUCCESSFUL", "failure": "FAILED"}
        link = url or f"https://bitbucket.org/{repository}/commits/{commit}"
        body = {"key": name[:40], "name": name, "state": words[state], "description": text, "url": link}
        return f"/repositories/{repository}/commit/{commit}/statuses/build", body

    def checks(self, repository: str, commit: str, name: str) -> tuple[str, ...]:
        return (f"/repositories/{repository}/commit/{commit}/statuses?pagelen=100",)

    def rows(self, answer: Any) -> Iterator[tuple[str, str]]:
        for status in _items(answer, "values"):
            for key in ("name", "key"):
                yield str(status.get(key)), str(status.get("state"))

    def compare(self, host: str, repository: str, old: str, new: str) -> str:
        place = f"branches/compare/{new}%0D{old}" if old else f"commits/{new}"
        return f"https://{host}/{repository}/{place}"


def _items(answer: Any, key: str) -> Iterator[dict[str, Any]]:
    listed = answer.get(key) if isinstance(answer, dict) else None
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict):
            yield item


FORGES: Final[Mapping[ForgeName, Forge]] = {
    "github": _GitHub(),
    "gitlab": _GitLab(),
    "bitbucket": _Bitbucket(),
    "gitea": _Gitea(),
}
