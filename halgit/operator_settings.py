"""Operator settings: what the person or pod that runs halgit gives it, and no repository can.

Built by `cli/` from options, `HALGIT_*` variables and files, and handed down; nothing read from a source ever
becomes one of these types. Frozen, and free of I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Protocol, TypeVar, runtime_checkable

from halgit.pipeline import EMPTY, Dialect, SecretsMode, Severity, Variant
from halgit.redaction import Redactor

Made = TypeVar("Made")


@runtime_checkable
class Closable(Protocol):
    """What holds a connection."""

    def close(self) -> None: ...


class RunCache:
    """What remotes keep for the length of one run (a login, a client), so that it is made once."""

    def __init__(self) -> None:
        self._made: dict[Hashable, object] = {}
        self._lock = RLock()

    def get_or_create(self, key: tuple[type[Made], Hashable], make: Callable[[], Made]) -> Made:
        """What is kept under this key; made now where nothing is. A failure to make it is not kept."""
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            made = self._made[key]
        assert isinstance(made, key[0])
        return made

    def close(self) -> None:
        """Close what is kept, at the end of the run."""
        with self._lock:
            for made in self._made.values():
                if isinstance(made, Closable):
                    made.close()
            self._made.clear()


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source as the operator named it."""

    url: str
    ref: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class PerHost:
    """An option's value, for every host or for one (`HOST=VALUE`)."""

    default: str = ""
    hosts: Mapping[str, str] = EMPTY

    def for_host(self, host: str) -> str:
        """The value for this host; empty where none was given."""
        return self.hosts.get(host.lower(), self.default)


class Progress(Protocol):
    """Told what long work is doing now; never given a secret."""

    def __call__(self, text: str, /) -> None: ...


def ignore_progress(what: str) -> None:
    """The progress that says nothing."""


@dataclass(frozen=True, slots=True)
class Access:
    """How outside systems are reached. Operator settings only: nothing of a repository ever enters here.

    `environment` is what a remote may know of the process environment. Times are in seconds, sizes in bytes.
    `vault_auth` is a method (token, approle, kubernetes, jwt, userpass), or `METHOD:MOUNT`; `vault_role` its role,
    role id or user; `vault_secret_file` holds its secret id, JWT or password. What is S3's is by bucket, not host. The
    machine's metadata service is asked for a login only with `instance_credentials`. `variables` is what `env://` may
    read: all of the process environment where the operator allows that engine, else nothing. `redactor` is the run's: a
    remote tells it of each login it uses, and passes a server's words through it before it shortens them.
    """

    git_user: PerHost = PerHost()
    git_token_file: PerHost = PerHost()
    ssh_key_file: PerHost = PerHost()
    known_hosts_file: PerHost = PerHost()
    ca_file: PerHost = PerHost()
    vault_address: PerHost = PerHost()
    vault_auth: PerHost = PerHost()
    vault_role: PerHost = PerHost()
    vault_token_file: PerHost = PerHost()
    vault_secret_file: PerHost = PerHost()
    s3_endpoint: PerHost = PerHost()
    s3_region: PerHost = PerHost()
    s3_profile: PerHost = PerHost()
    instance_credentials: bool = False
    verify_signatures: str = ""
    environment: Mapping[str, str] = field(default=EMPTY, repr=False)
    variables: Mapping[str, str] = field(default=EMPTY, repr=False)
    timeout: float = 120.0
    retries: int = 3
    largest_file: int = 10 * 1024 * 1024
    progress: Progress = field(default=ignore_progress)
    cache: RunCache = field(default_factory=RunCache, compare=False, repr=False)
    redactor: Redactor = field(default_factory=Redactor, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Trust:
    """What references may reach. Operator settings only; a repository can never widen it."""

    engines: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """What the person or pod that runs halgit wants of this run.

    `parameter_files` holds, by the name of its `HALGIT_PARAM_*_FILE` variable, what each such file holds; one that
    cannot be read is left out.
    """

    overlay: str = ""
    set: Mapping[str, str] = EMPTY
    environment: Mapping[str, str] = EMPTY
    params_file: str = ""
    params_text: bytes = b""
    parameter_files: Mapping[str, bytes] = EMPTY
    dialect: Dialect | None = None
    variant: Variant | None = None
    secrets: SecretsMode = "resolve"
    hal_home: str = "/home/spinnaker/.hal"
    validate: bool = True
    fail_on: Severity = Severity.ERROR
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    daemon_config: bool = False
    halyard_address: str = ""
    trust: Trust = Trust()
