"""Operator settings: set by the person or pod that runs halgit, never by a repository.

`cli/` builds them from options, `HALGIT_*` variables and files. Nothing read from a source becomes one of these types.
Frozen types without I/O.
"""

from __future__ import annotations

from _thread import RLock
from collections.abc import Callable, Hashable, Mapping

from halgit.annotations import Protocol, TypeVar
from halgit.pipeline import EMPTY, Dialect, SecretsMode, Severity, Variant
from halgit.record import Record, field
from halgit.redaction import Redactor

Made = TypeVar("Made")


class RunCache:
    """A cache for one run: logins and clients of remotes, each created once."""

    def __init__(self) -> None:
        self._made: dict[Hashable, object] = {}
        self._lock = RLock()

    def get_or_create(self, key: tuple[type[Made], Hashable], make: Callable[[], Made]) -> Made:
        """Return the cached object, or create it. A failure to create is not cached."""
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            made = self._made[key]
        assert isinstance(made, key[0])
        return made

    def close(self) -> None:
        """Close the cached objects at the end of the run."""
        with self._lock:
            for made in self._made.values():
                close = getattr(made, "close", None)
                if callable(close):
                    close()
            self._made.clear()


class SourceSpec(Record):
    """A source as named by the operator. With `commit`, that commit is read in place of the ref's (git)."""

    url: str
    ref: str = ""
    path: str = ""
    commit: str = ""


class PerHost(Record):
    """An option's value, for every host or for one (`HOST=VALUE`)."""

    default: str = ""
    hosts: Mapping[str, str] = EMPTY

    def for_host(self, host: str) -> str:
        """Return the value for this host; empty if none is set."""
        return self.hosts.get(host.lower(), self.default)


class Progress(Protocol):
    """Receives progress messages of long operations; never a secret."""

    def __call__(self, text: str, /) -> None: ...


def ignore_progress(what: str) -> None:
    """Ignore progress messages."""


class Access(Record):
    """Addresses, credentials and limits for outside systems. Operator settings only.

    `token_hosts` are the hosts that may receive a git token without `HOST=`: those of `--repo`; None allows all.
    With `submodules` those of git are fetched from the source's own server and from `submodule_hosts`.
    `environment` is the part of the process environment visible to remotes. Times are in seconds, sizes in bytes.
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
    sops_age_key_file: str = ""
    instance_credentials: bool = False
    verify_signatures: str = ""
    environment: Mapping[str, str] = field(default=EMPTY, repr=False)
    variables: Mapping[str, str] = field(default=EMPTY, repr=False)
    timeout: float = 120.0
    retries: int = 3
    largest_file: int = 10 * 1024 * 1024
    progress: Progress = field(default=ignore_progress)
    warn: Progress = field(default=ignore_progress)
    token_hosts: frozenset[str] | None = None
    submodules: bool = False
    submodule_hosts: frozenset[str] = frozenset()
    cache: RunCache = field(default_factory=RunCache, compare=False, repr=False)
    redactor: Redactor = field(default_factory=Redactor, compare=False, repr=False)


class Trust(Record):
    """Permissions of a repository. Operator settings only; a repository can never extend them.

    `deny_commands` makes findings of `trust/*` errors: fields that run a program or read a file of a pod.
    `allow_plugins` permits the plug-ins of Spinnaker that a repository names.
    """

    engines: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    references: tuple[str, ...] = ()
    deny_commands: bool = False
    allow_plugins: bool = False


class OperatorSettings(Record):
    """The operator settings of one run.

    `parameter_files` maps the name of each `HALGIT_PARAM_*_FILE` variable to the content of its file; unreadable files
    are omitted. `mounted` are files and directories that others mount into Halyard's pod. With `source_branch`
    the token BRANCH of the opsmx dialect has the branch of the source as its default.
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
    mounted: tuple[str, ...] = ()
    validate: bool = True
    fail_on: Severity = Severity.ERROR
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    daemon_config: bool = False
    halyard_address: str = ""
    source_branch: bool = True
    trust: Trust = Trust()
