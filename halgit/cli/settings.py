"""Builds the operator settings from options, the environment and files.

The only place that reads the process environment for the rest of the program: remotes get a frozen part of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from halgit.annotations import Any, Final
from halgit.cli.options import PER_HOST
from halgit.cli.output import Output
from halgit.errors import UsageError
from halgit.halyard.sensitivity import is_sensitive_key
from halgit.operator_settings import Access, OperatorSettings, PerHost, SourceSpec, Trust
from halgit.pipeline import Severity
from halgit.record import replace
from halgit.redaction import Redactor
from halgit.remotes.private_files import read_operator_file

PARAMETER: Final = "HALGIT_PARAM_"
_PREFIXES_FOR_REMOTES: Final = ("AWS_", "VAULT_", "BAO_", "GOOGLE_", "GCE_", "CLOUDSDK_", "KUBE", "SSL_CERT_")
_NAMES_FOR_REMOTES: Final = frozenset(
    {"PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "LANG", "LC_ALL", "USER", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
    | {name for proxy in ("HTTP", "HTTPS", "NO", "ALL") for name in (f"{proxy}_PROXY", f"{proxy.lower()}_proxy")}
    | {"HALGIT_GIT_TOKEN", "HALGIT_GIT_USER", "GIT_TOKEN", "GIT_USER", "GIT_SSL_CAINFO"}
)
_MARKS_OF_A_SOURCE: Final = ("halgit.yaml", "overlays", "config")


# --- sources


def source_specs(options: Mapping[str, Any], parse: Callable[[str], SourceSpec]) -> tuple[SourceSpec, ...]:
    """Return the sources of this run: those of --repo, or the current folder if it is a source.

    Raises UsageError if there is none, or if --ref or --path are ambiguous.
    """
    repos: tuple[str, ...] = options["repos"] or (_current_folder(),)
    ref, path = options.get("ref", ""), options.get("path", "")
    if len(repos) > 1 and (ref or path):
        hint = "With several, write --repo 'URL?ref=REF&path=DIR' for each."
        raise UsageError("--ref and --path need exactly one --repo.", hint)
    return tuple(_spec(parse(text), ref, path) for text in repos)


def _current_folder() -> str:
    if not any(os.path.exists(name) for name in _MARKS_OF_A_SOURCE):
        message = "Missing option '--repo': the current folder is not a source (no halgit.yaml, overlays or config)."
        raise UsageError(message, "Pass --repo SRC, or run halgit in a repository.")
    return "."


def _spec(spec: SourceSpec, ref: str, path: str) -> SourceSpec:
    for name, own, option in (("--ref", spec.ref, ref), ("--path", spec.path, path)):
        if own and option:
            raise UsageError(f"{name} is set twice, in --repo and as an option.", "Remove one of them.")
    return SourceSpec(spec.url, spec.ref or ref, spec.path or path)


# --- access


def per_host(option: str, values: Iterable[str]) -> PerHost:
    """Parse `VALUE` for all hosts and `HOST=VALUE` for one. A path or URL with `=` after `/` is a value."""
    default = ""
    hosts: dict[str, str] = {}
    for text in values:
        head, equals, rest = text.partition("=")
        if equals and "/" not in head and head:
            hosts[head.lower()] = rest
        elif default:
            raise UsageError(f"--{option} is set twice for all hosts.", "Write HOST=VALUE for one of them.")
        else:
            default = text
    return PerHost(default, MappingProxyType(hosts))


def access_settings(options: Mapping[str, Any], output: Output) -> Access:
    """Return how remote systems are reached. The output learns to mask the logins."""
    fields = {name: name.replace("-", "_") for name in PER_HOST}
    values: dict[str, Any] = {field: per_host(name, options.get(field, ())) for name, field in fields.items()}
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in _NAMES_FOR_REMOTES or name.startswith(_PREFIXES_FOR_REMOTES)
    }
    access = replace(
        Access(),
        **values,
        verify_signatures=options.get("verify_signatures", ""),
        sops_age_key_file=options.get("sops_age_key_file", ""),
        instance_credentials=bool(options.get("instance_credentials")),
        environment=MappingProxyType(environment),
        variables=MappingProxyType(dict(os.environ) if "env" in _allowed_engines(options) else {}),
        timeout=options.get("timeout", 120.0),
        retries=options.get("retries", 3),
        progress=output.progress,
        warn=output.warning,
        token_hosts=_token_hosts(options.get("repos") or options.get("repo", ""), values["git_token_file"]),
        submodules=bool(options.get("submodules")),
        submodule_hosts=_submodule_hosts(options),
        redactor=output.redactor,
    )
    _learn_logins(access, output.redactor)
    return access


def _submodule_hosts(options: Mapping[str, Any]) -> frozenset[str]:
    """Return the hosts of --submodule-host. Raises UsageError for a URL, and without --submodules."""
    hosts: tuple[str, ...] = options.get("submodule_hosts", ())
    if any("/" in host or "@" in host or not host for host in hosts):
        raise UsageError("--submodule-host must be a host name.", "Write HOST or HOST:PORT.")
    if hosts and not options.get("submodules"):
        raise UsageError("--submodule-host needs --submodules.", "Add --submodules.")
    return frozenset(host.lower() for host in hosts)


def _token_hosts(repos: str | Sequence[str], token_file: PerHost) -> frozenset[str] | None:
    """Return the host of --repo, which alone receives a git token without HOST=; None for a command without --repo.

    With several hosts a token of the environment goes to none, and one of an option raises UsageError.
    """
    hosts = set()
    for repo in [repos] if isinstance(repos, str) else repos:
        url = repo.partition("?")[0]
        if ":" not in url:
            continue
        from halgit.remotes.git.address import is_short_form, read_address

        if url.startswith(("https://", "http://", "ssh://")) or is_short_form(url):
            hosts.add(read_address(url).host)
    if len(hosts) > 1 and token_file.default:
        message = "--git-token-file: one token for several hosts."
        raise UsageError(message, f"Write HOST=FILE for each of {', '.join(sorted(hosts))}.")
    return frozenset(hosts if len(hosts) == 1 else ()) if repos else None


def _learn_logins(access: Access, redactor: Redactor) -> None:
    """Mask the tokens and passwords of the environment and of files that options name: a server may repeat them."""
    for name, value in access.environment.items():
        if is_sensitive_key(name):
            redactor.learn_credential(value.encode("utf-8", "surrogateescape"))
    for path in _login_files(access):
        try:
            redactor.learn_credential(read_operator_file(path))
        except OSError:
            if not path.startswith(("/", "./", "../")):  # not a path: the token itself may be in its place
                redactor.learn_credential(path)


def _login_files(access: Access) -> Iterator[str]:
    for setting in (access.git_token_file, access.vault_token_file, access.vault_secret_file):
        yield from filter(None, (setting.default, *setting.hosts.values()))


# --- operator settings


def operator_settings(options: Mapping[str, Any]) -> OperatorSettings:
    """Return the settings that only the operator can set, from options, variables and files."""
    variables = {name: value for name, value in os.environ.items() if name.startswith(PARAMETER)}
    sets = dict(_name_and_value(text) for text in options.get("sets", ()))
    _check_utf8({**variables, **{f"--set {name}": value for name, value in sets.items()}})
    return OperatorSettings(
        overlay=options.get("overlay", ""),
        set=MappingProxyType(sets),
        environment=MappingProxyType(variables),
        parameter_files=MappingProxyType(_parameter_files(variables)),
        params_file=options.get("params_file", ""),
        params_text=read_file(options["params_file"], "--params") if options.get("params_file") else b"",
        dialect=options.get("dialect"),
        variant=options.get("variant"),
        secrets=options.get("secrets", "resolve"),
        hal_home=options.get("hal_home", "/home/spinnaker/.hal").rstrip("/") or "/",
        mounted=tuple(path.rstrip("/") for path in options.get("mounted", ())),
        validate=options.get("validate", True),
        fail_on=Severity[options.get("fail_on", "error").upper()],
        select=tuple(options.get("select", ())),
        ignore=tuple(options.get("ignore", ())),
        daemon_config=bool(options.get("daemon_config")),
        halyard_address=options.get("halyard_address", ""),
        trust=_trust(options),
    )


def _trust(options: Mapping[str, Any]) -> Trust:
    namespaces = frozenset(options.get("allow_namespaces", ()))
    references = tuple(options.get("allow_references", ()))
    denied, plugins = bool(options.get("deny_commands")), bool(options.get("allow_plugins"))
    return Trust(_allowed_engines(options), namespaces, references, denied, plugins)


def _allowed_engines(options: Mapping[str, Any]) -> frozenset[str]:
    """Return the engines of --allow-engine, whose values may be lists separated by commas."""
    names = {name.strip() for text in options.get("allow_engines", ()) for name in text.split(",")} - {""}
    if not names:
        return frozenset()
    from halgit.secrets import RESTRICTED_ENGINES

    if unknown := sorted(names - RESTRICTED_ENGINES):
        raise UsageError(f"--allow-engine: unknown engine {unknown[0]}.", "Use env, file or env,file.")
    return frozenset(names)


def _name_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError("--set: the name or the = is missing.", "Write --set NAME=VALUE.")
    return name, value


def _check_utf8(values: Mapping[str, str]) -> None:
    """Raise UsageError for bytes that are not UTF-8, which arguments and variables can hold and YAML cannot."""
    for name, value in values.items():
        if not value.isascii() and any("\udc80" <= letter <= "\udcff" for letter in f"{name}{value}"):
            raise UsageError(f"{ascii(name)[1:-1]}: the value is not UTF-8.", "Encode it in UTF-8.")


def _parameter_files(variables: Mapping[str, str]) -> dict[str, bytes]:
    """Return the contents of the files that HALGIT_PARAM_*_FILE name; an unreadable one is skipped."""
    contents = {}
    for name, path in variables.items():
        if name.endswith("_FILE"):
            with suppress(OSError):
                contents[name] = read_operator_file(path)
    return contents


def read_file(path: str | Path, option: str) -> bytes:
    """Return the content of a file that an option names. Raises UsageError."""
    try:
        return read_operator_file(path)
    except OSError as error:
        raise UsageError(f"{option}: cannot read {path}: {error.strerror}.", "Check the path.") from None
