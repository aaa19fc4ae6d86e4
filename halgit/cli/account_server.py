"""The parts of `halgit accounts serve`: authentication from its options, and the service as its files are now."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from halgit.cli.account_parts import build_accounts
from halgit.cli.output import Output
from halgit.cli.settings import access_settings, read_file
from halgit.errors import UsageError

if TYPE_CHECKING:
    from halgit.accounts.service import Accounts
    from halgit.accounts.writer import Writer
    from halgit.server.authentication import Authentication, Role, Token

_RETIRING_SECONDS: Final = 0.2


def serve_accounts(output: Output, options: Mapping[str, Any]) -> None:
    """Serve until a signal comes. Raises UsageError for options that cannot work, before anything is served."""
    import gc

    try:
        from halgit.server.application import build_application, build_metrics_application
        from halgit.server.metrics import Metrics
        from halgit.server.serving import Listening, serve, serve_beside
    except ImportError:
        raise UsageError("The server is not installed.", "pip install 'halgit[server]'") from None
    host, port = _address(options["listen"])
    apart = _address(options["metrics_listen"], "--metrics-listen") if options["metrics_listen"] else None
    if bool(options["tls_cert_file"]) != bool(options["tls_key_file"]):
        raise UsageError("--tls-cert-file and --tls-key-file need each other.", "Add both.")
    if options["client_ca_file"] and not options["tls_cert_file"]:
        raise UsageError("--client-ca-file needs --tls-cert-file.", "Client certificates need TLS.")
    authentication = build_authentication(output, options)
    accounts = CurrentAccounts(output, options)
    accounts()
    gc.enable()
    scheme = "https" if options["tls_cert_file"] else "http"
    output.message(f"Serving accounts at {scheme}://{options['listen']}")
    listening = Listening(host, port, options["tls_cert_file"], options["tls_key_file"], options["client_ca_file"])
    metrics = Metrics() if apart else None
    if metrics and apart:
        serve_beside(build_metrics_application(accounts, metrics), *apart)
    app = build_application(accounts, authentication, output.message, metrics=metrics)
    serve(app, listening, accounts.writers, output.message)


class CurrentAccounts:
    """The service; built again when a file that an option names has changed."""

    def __init__(self, output: Output, options: Mapping[str, Any]) -> None:
        self._output = output
        self._options = options
        self._lock = threading.Lock()
        self._seen: tuple[object, ...] | None = None
        self._accounts: Accounts | None = None
        self._former: list[Writer] = []
        self._files = tuple(_files(options))
        self._watched = _Watched(output)

    def __call__(self) -> Accounts:
        """Return the service. Raises UsageError at first, and SettingsError for files that became unusable."""
        seen = tuple(_stamp(file) for file in self._files)
        with self._lock:
            if self._accounts is None or seen != self._seen:
                fresh = build_accounts(self._output, self._options) if self._accounts is None else self._rebuilt(seen)
                if self._accounts is not None:
                    self._retire(self._accounts.writer)
                self._accounts, self._seen = fresh, seen
            return self._accounts

    def _rebuilt(self, seen: tuple[object, ...]) -> Accounts:
        """The service of files that have changed."""
        with self._watched.at(seen):
            return build_accounts(self._output, self._options)

    def writers(self) -> list[Writer]:
        """Return the writer in use, and those that still end what they accepted before a file changed."""
        return [*self._former, *([self._accounts.writer] if self._accounts is not None else [])]

    def _retire(self, writer: Writer) -> None:
        """Close a writer as soon as nothing waits for it any more."""
        self._former.append(writer)

        def close() -> None:
            while writer.queue_length:
                time.sleep(_RETIRING_SECONDS)
            writer.close()
            self._former.remove(writer)

        threading.Thread(target=close, daemon=True, name="retired-writer").start()


class _Watched:
    """Turns faults of files that changed into SettingsErrors. The log names them once; callers do not see them."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._logged: object = None

    @contextmanager
    def at(self, stamp: object) -> Iterator[None]:
        """Run what reads files that are as `stamp` says."""
        from halgit.server.problems import SettingsError

        try:
            yield
        except UsageError as reason:
            if stamp != self._logged:
                self._logged = stamp
                self._output.message(f"A changed file cannot be used: {reason.message}", level="error")
            raise SettingsError("The server's settings are not usable now.", "Read the server's log.") from None


def build_authentication(output: Output, options: Mapping[str, Any]) -> Authentication:
    """Return the ways to log in of the options. Raises UsageError if there is none."""
    from halgit.server.authentication import ROLES, Authentication

    roles: dict[str, Role] = {}
    for pair in options["client_roles"]:
        name, _, role = pair.rpartition("=")
        if role not in ROLES or not name:
            raise UsageError(f"--client-roles {pair} is not NAME=ROLE.", f"Roles are {', '.join(ROLES)}.")
        roles[name] = role
    if roles and not options["client_ca_file"]:
        raise UsageError("--client-roles needs --client-ca-file.", "Name the CA of the client certificates.")
    verify = None
    if options["oidc_issuer"]:
        from halgit.remotes.oidc import OidcIssuer

        verify = OidcIssuer(options["oidc_issuer"], options["oidc_audience"], access_settings(options, output)).verify
    tokens = _token_reader(output, options)
    if not (options["api_token_file"] or options["api_tokens_file"] or roles or verify):
        raise UsageError(
            "There is no way to log in.", "Add --api-token-file, --api-tokens-file, --client-roles or --oidc-issuer."
        )
    return Authentication(tokens, roles, verify, options["oidc_role_claim"])


def _token_reader(output: Output, options: Mapping[str, Any]) -> Callable[[], Sequence[Token]]:
    """Return a reader of the tokens of both files, which reads them now, and again when one has changed."""
    from halgit.server.authentication import Token, hash_token, read_tokens

    single, several = options["api_token_file"], options["api_tokens_file"]
    cache: dict[str, Any] = {}
    watched = _Watched(output)

    def current() -> Sequence[Token]:
        stamp = (_stamp(single), _stamp(several))
        if cache.get("stamp") != stamp:
            with watched.at(stamp):
                cache.update(tokens=read(), stamp=stamp)
        tokens: Sequence[Token] = cache["tokens"]
        return tokens

    def read() -> Sequence[Token]:
        found: list[Token] = []
        if single:
            text = read_file(single, "--api-token-file").decode("utf-8", "replace").strip()
            if not text:
                raise UsageError("--api-token-file is empty.", "Store a token there.")
            output.redactor.learn_credential(text)
            found.append(Token("api-token", hash_token(text), "admin"))
        if several:
            found += read_tokens(read_file(several, "--api-tokens-file"), f"--api-tokens-file {several}")
        return found

    cache.update(stamp=(_stamp(single), _stamp(several)), tokens=read())
    return current


def _files(options: Mapping[str, Any]) -> list[str]:
    """The files that the options name: keys, tokens, certificates."""
    found = []
    for name, value in options.items():
        if name.endswith("_file"):
            values = value if isinstance(value, (list, tuple)) else [value]
            found += [str(one).rpartition("=")[2] for one in values if one]
    return found


def _stamp(file: str) -> tuple[int, int, int] | None:
    try:
        state = os.stat(file) if file else None
    except OSError:
        return None
    return (state.st_mtime_ns, state.st_size, state.st_ino) if state else None


def _address(listen: str, option: str = "--listen") -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit():
        raise UsageError(f"{option} {listen} is not HOST:PORT.", "Write it as 0.0.0.0:8088.")
    return host.strip("[]"), int(port)
