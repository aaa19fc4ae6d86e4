"""A fake of what an ISD installation has been seen to answer: platform, sapor and a gate behind one address each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from servers.http import Asked, Said, server


@dataclass
class Services:
    """The running fakes and what they hold. `rule` may answer a request of a service itself."""

    login: tuple[str, str] = ("admin", "gate-password")
    sources: list[dict[str, Any]] = field(default_factory=list)
    spinnakers: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, Asked]] = field(default_factory=list)
    rule: Callable[[str, Asked], Said | None] = lambda service, asked: None
    platform: str = ""
    sapor: str = ""
    gate: str = ""

    def posted(self) -> list[str]:
        """The paths that were told something, but for the login."""
        return [asked.path for _, asked in self.asked if asked.method == "POST" and asked.path != "/login"]

    def answerer(self, name: str) -> Callable[[Asked], Said]:
        """What one of the services says."""
        own = {"platform": self._platform, "sapor": self._sapor, "gate": self._gate}[name]

        def answer(asked: Asked) -> Said:
            self.asked.append((name, asked))
            return self.rule(name, asked) or own(asked) or Said(404, b"not here")

        return answer

    def _platform(self, asked: Asked) -> Said | None:
        if asked.headers.get("x-spinnaker-user") != "admin":
            return Said(401)
        if (asked.method, asked.path) == ("GET", "/platformservice/v2/datasources"):
            return said(self.sources)
        if asked.path in ("/platformservice/v2/datasources", "/platformservice/v6/datasource"):
            made = {"id": len(self.sources) + 1, **json.loads(asked.body)}
            self.sources.append(made)
            return said({"id": made["id"]})
        return None

    def _sapor(self, asked: Asked) -> Said | None:
        if (asked.method, asked.path) == ("GET", "/oes/accountsConfig/v3/spinnaker"):
            return said(self.spinnakers)
        if (asked.method, asked.path) == ("POST", "/oes/accountsConfig/v4/spinnaker"):
            self.spinnakers.append(json.loads(asked.body))
            return Said(200, b"")
        return None

    def _gate(self, asked: Asked) -> Said | None:
        form = parse_qs(asked.body.decode())
        good = (asked.method, asked.path) == ("POST", "/login") and (
            form["username"][0], form["password"][0],
        ) == self.login  # fmt: skip
        return Said(302, b"", {"Location": "/" if good else "/login?error"})


def said(value: Any) -> Said:
    return Said(body=json.dumps(value).encode())


@contextmanager
def isd_services() -> Iterator[Services]:
    """The three services for the length of a with block."""
    services = Services()
    with ExitStack() as stack:
        for name in ("platform", "sapor", "gate"):
            setattr(services, name, stack.enter_context(server(services.answerer(name))))
        yield services
