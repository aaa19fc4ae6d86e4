"""Credentials of git for one server: token or key, CA certificates, host keys and proxies.

git gets a token through a pipe that only its children inherit, and an askpass program that answers for one address.
The token is in no argument, no environment variable and no file. No setting disables the verification of a server.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from halgit.errors import UsageError
from halgit.operator_settings import Access, PerHost
from halgit.record import Record, field
from halgit.redaction import Redactor, Secret
from halgit.remotes.git.address import Address
from halgit.remotes.git.program import ANSWER
from halgit.remotes.private_files import read_operator_file, shown_path, write_ca_bundle
from halgit.remotes.ssh_keys import find_key_problem

_ASKPASS = """#!/bin/sh
# Answers one question of git: the password of one address.
case "$1" in
  "Password for '$HALGIT_SCHEME://"*"@$HALGIT_SERVER': ") exec cat "/dev/fd/$HALGIT_ANSWER" ;;
esac
exit 1
"""

_USERS = {"bitbucket.org": "x-token-auth", "gitlab.com": "oauth2"}
_ANY_USER = "x-access-token"
"""User name that GitHub documents for tokens. GitLab, Gitea, Bitbucket and Azure accept any user name with a token."""

_TOKEN_VARIABLES = ("HALGIT_GIT_TOKEN", "GIT_TOKEN")
_USER_VARIABLES = ("HALGIT_GIT_USER", "GIT_USER")
_CA_VARIABLES = ("GIT_SSL_CAINFO", "SSL_CERT_FILE")
_PROXIES = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")
"""The names curl reads; it leaves HTTP_PROXY aside because a web server could set that one for a CGI program."""

_LONGEST_TOKEN = 16 * 1024
_STALL_SHARE = 3
"""A connection that stands still for this part of the time limit is given up, so that another try has time left."""


class Login(Record):
    """Environment and settings of git for one server; `redactor` knows the token, for messages of git."""

    environment: Mapping[str, str]
    settings: tuple[str, ...]
    token: Secret | None = None
    redactor: Redactor = field(default_factory=Redactor)

    @contextmanager
    def prepare_environment(self) -> Iterator[dict[str, str]]:
        """The environment for one run of git. The token waits in a pipe and can be read once."""
        if self.token is None:
            yield dict(self.environment)
            return
        reading, writing = os.pipe()
        try:
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(self.token.open_bytes())
            yield {**self.environment, ANSWER: str(reading)}
        finally:
            os.close(reading)


def log_in(address: Address, access: Access, folder: Path) -> Login:
    """The login for this address. `folder` is private and takes the askpass program and copies for ssh.

    Raises UsageError for an option's file that is missing or empty, and for a token that would cross plain http.
    """
    if address.scheme == "ssh":
        return Login({"GIT_SSH_COMMAND": _ssh(address, access, folder), "GIT_SSH_VARIANT": "ssh"}, ())
    if address.scheme == "file":
        return Login({}, ())
    exposed = address.scheme == "http" and not address.is_loopback
    token = _token(address, access)
    select_proxies = {name: access.environment[name] for name in _PROXIES if access.environment.get(name)}
    settings = _web_settings(address, access, folder)
    if token is None:
        if exposed:
            access.warn(f"{address.url}: plain http: the content is not authenticated.")
        return Login(select_proxies, settings)
    if exposed:
        raise UsageError(
            f"{address.url}: a token is not sent over plain http.",
            "Use https://, or limit the token to its host with --git-token-file HOST=FILE.",
        )
    redactor = Redactor()
    redactor.learn(token)
    environment = {
        **select_proxies,
        "GIT_ASKPASS": _askpass(folder),
        "HALGIT_SCHEME": address.scheme,
        "HALGIT_SERVER": address.server,
    }
    return Login(environment, (*settings, f"credential.username={_user(address, access)}"), token, redactor)


def option_for(values: PerHost, address: Address) -> str:
    """An option's value for `host:port` as the address has it, else for the host, else for all."""
    return values.hosts.get(address.server.lower()) or values.for_host(address.host)


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((environment[name] for name in names if environment.get(name)), "")


def _user(address: Address, access: Access) -> str:
    given = option_for(access.git_user, address) or _first(access.environment, _USER_VARIABLES)
    return given or _USERS.get(address.host, _ANY_USER)


def _token(address: Address, access: Access) -> Secret | None:
    file = option_for(access.git_token_file, address)
    is_default = file == access.git_token_file.default
    if is_default and access.token_hosts is not None and address.host not in access.token_hosts:
        return None
    if file:
        text, name = _read("--git-token-file", file).decode("utf-8", "replace"), f"in {shown_path(file)}"
    else:
        text, name = _first(access.environment, _TOKEN_VARIABLES), "in the environment"
        if not text:
            return None
    token = text.strip()
    if not token or not token.isprintable() or len(token) > _LONGEST_TOKEN:
        raise UsageError(
            f"{address.url}: the git token {name} is {'not one line of text' if token else 'empty'}.",
            "Store the token alone on one line.",
        )
    return Secret(token, f"git token {name}")


def _web_settings(address: Address, access: Access, folder: Path) -> tuple[str, ...]:
    stall = max(1, int(access.timeout / _STALL_SHARE))
    settings = ["http.sslVerify=true", "http.followRedirects=false", "http.emptyAuth=false", "http.delegation=none"]
    settings += ["http.lowSpeedLimit=1", f"http.lowSpeedTime={stall}"]
    own = option_for(access.ca_file, address)
    authorities = write_ca_bundle(folder / "ca.pem", own) if own else _first(access.environment, _CA_VARIABLES)
    if authorities:
        settings.append(f"http.sslCAInfo={os.path.abspath(authorities)}")
    if access.environment.get("SSL_CERT_DIR"):
        settings.append(f"http.sslCAPath={access.environment['SSL_CERT_DIR']}")
    return tuple(settings)


def _askpass(folder: Path) -> str:
    program = folder / "askpass"
    program.write_text(_ASKPASS, encoding="utf-8")
    program.chmod(0o700)
    return str(program)


def _ssh(address: Address, access: Access, folder: Path) -> str:
    """The ssh command: this key, these host keys, no agent, and no configuration of the user or the machine."""
    key = option_for(access.ssh_key_file, address)
    hosts = option_for(access.known_hosts_file, address)
    if not key or not hosts:
        raise UsageError(
            f"{address.url}: ssh requires --ssh-key-file and --known-hosts-file.",
            f"`ssh-keyscan {address.host}` prints the host keys; compare them with the published ones.",
        )
    known = folder / "known_hosts"
    known.write_bytes(_read("--known-hosts-file", hosts))
    wait = max(1, int(access.timeout / _STALL_SHARE))
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": _ssh_path(known),
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "IdentityFile": _ssh_path(_key(key, folder)),
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "PreferredAuthentications": "publickey",
        "ForwardAgent": "no",
        "ClearAllForwardings": "yes",
        "ControlMaster": "no",
        "ControlPath": "none",
        "ConnectTimeout": str(wait),
        "ServerAliveInterval": str(max(1, wait // 2)),
        "ServerAliveCountMax": "2",
    }
    user = "" if "@" in address.url else option_for(access.git_user, address) or "git"
    words = ["ssh", "-F", "/dev/null", *(part for pair in options.items() for part in ("-o", "=".join(pair)))]
    return shlex.join([*words, "-l", user] if user else words)


def _ssh_path(path: Path) -> str:
    """A path as the value of an ssh option, which expands `%` and splits at blanks."""
    return '"' + str(path).replace("%", "%%") + '"'


def _key(file: str, folder: Path) -> Path:
    """The key file, or a copy of it where ssh would refuse the file as it stands. Raises UsageError for no usable key.

    ssh refuses a key that others may read, which is how Kubernetes mounts a Secret for a group, and one without
    a newline at its end or with the line ends of Windows, which is how keys come out of web forms.
    """
    content = _read("--ssh-key-file", file)
    problem, hint = find_key_problem(content)
    if problem:
        raise UsageError(f"--ssh-key-file {shown_path(file)} {problem}.", hint)
    neat = content.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
    if neat == content and os.stat(file).st_mode & 0o077 == 0:
        return Path(file).absolute()
    copy = folder / "key"
    with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(neat)
    return copy


def _read(name: str, file: str) -> bytes:
    try:
        return read_operator_file(file)
    except OSError as reason:
        message = f"{name} {shown_path(file)} cannot be read: {reason.strerror}."
        raise UsageError(message, "Name a readable file.") from None
