"""Options that several commands share, each also read from `HALGIT_<OPTION>`, and the operator settings they make.

The only place that reads the process environment for the rest of the program: remotes get a frozen part of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from halgit.cli.logins import learn_logins
from halgit.cli.output import Output
from halgit.errors import UsageError
from halgit.operator_settings import Access, OperatorSettings, PerHost, SourceSpec, Trust
from halgit.pipeline import Severity
from halgit.secrets import OFF

F = TypeVar("F", bound=Callable[..., Any])

_KNOWN_TO_REMOTES = ("AWS_", "VAULT_", "BAO_", "GOOGLE_", "GCE_", "CLOUDSDK_", "KUBE", "SSL_CERT_")
_KNOWN_NAMES = frozenset(
    {"PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "LANG", "LC_ALL", "USER", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
    | {name for proxy in ("HTTP", "HTTPS", "NO", "ALL") for name in (f"{proxy}_PROXY", f"{proxy.lower()}_proxy")}
    | {"HALGIT_GIT_TOKEN", "HALGIT_GIT_USER"}
)
PARAMETER = "HALGIT_PARAM_"


if TYPE_CHECKING:
    _Text = click.ParamType[str]
else:
    _Text = click.ParamType


class Lines(_Text):
    """A text that may be given several times, or as lines of one environment variable."""

    name = "text"
    envvar_list_splitter = "\n"

    def split_envvar_value(self, rv: str) -> list[str]:
        return [line.strip() for line in rv.split("\n") if line.strip()]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)


class Seconds(click.FloatRange):
    """A time that a clock can wait: a day at most, and no `nan`, which is in every range."""

    def __init__(self, least: float) -> None:
        super().__init__(min=least, max=86_400)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        seconds = super().convert(value, param, ctx)
        return seconds if seconds == seconds else self.fail("nan is no time.", param, ctx)


def option(*names: str, **settings: Any) -> Callable[[F], F]:
    """A click option that is also read from HALGIT_ and its long name."""
    long = next(name for name in names if name.startswith("--")).split("/")[0]
    settings.setdefault("envvar", "HALGIT_" + long[2:].replace("-", "_").upper())
    if settings.get("multiple"):
        settings.setdefault("type", Lines())
    return click.option(*names, **settings)


def stack(options: Iterable[Callable[[F], F]]) -> Callable[[F], F]:
    """Several options as one decorator, in their order."""

    def decorate(command: F) -> F:
        for one in reversed(list(options)):
            command = one(command)
        return command

    return decorate


def _folders(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="dir")]


def _overlays(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The overlays of those sources that are directories here."""
    found: set[str] = set()
    for folder in ctx.params.get("repos") or ():
        with suppress(OSError):
            found |= {path.name for path in (Path(folder) / "overlays").iterdir() if path.is_dir()}
    return [CompletionItem(name) for name in sorted(found) if name.startswith(incomplete)]


source_options = stack(
    [
        option("--repo", "repos", multiple=True, required=True, metavar="SRC", shell_complete=_folders,
               help="Directory, git URL, s3://bucket/prefix or vault://mount/path; again for further sources."),
        option("--ref", default="", metavar="REF", help="Branch, tag or full commit (one --repo only)."),
        option("--path", default="", metavar="DIR", help="Folder that is the source's root (one --repo only)."),
        option("--overlay", default="", metavar="NAME", shell_complete=_overlays, help="Render overlays/NAME."),
        option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="A parameter's value; may be repeated."),
        option("--params", "params_file", default="", metavar="FILE", help="YAML file of parameter values."),
        option("--dialect", type=click.Choice(["halgit", "opsmx"]), help="How placeholders are written."),
        option("--variant", type=click.Choice(["token", "ssh", "s3"]), help="File variants of the opsmx dialect."),
        option("--hal-home", default="/home/spinnaker/.hal", show_default=True, metavar="DIR",
               help="Where Halyard sees the tree."),
    ]
)  # fmt: skip

_PER_HOST = {
    "git-user": "User name for git over https.",
    "git-token-file": "File with the git token or password.",
    "ssh-key-file": "Private key for git over ssh.",
    "known-hosts-file": "Host keys of ssh servers.",
    "ca-file": "CA certificates to trust besides the system's.",
    "vault-address": "Address of the Vault server.",
    "vault-auth": "How to log in to Vault: token, approle, kubernetes, jwt or userpass; METHOD:MOUNT.",
    "vault-role": "Role, role id or user of the Vault login.",
    "vault-token-file": "File with the Vault token.",
    "vault-secret-file": "File with the secret id, JWT or password of the Vault login.",
    "s3-endpoint": "Endpoint of an S3-compatible store; HOST is the bucket.",
    "s3-region": "Region of the S3 bucket; HOST is the bucket.",
    "s3-profile": "AWS profile to log in to S3 with, before all AWS_ variables; HOST is the bucket.",
}

access_options = stack(
    [
        option(f"--{name}", multiple=True, metavar="[HOST=]VALUE", help=text) for name, text in _PER_HOST.items()
    ]
    + [
        option("--timeout", type=Seconds(1), default=120.0, show_default=True, metavar="SECONDS",
               help="Limit for each fetch."),
        option("--retries", type=click.IntRange(0, 10), default=3, show_default=True,
               help="How often a fault that may pass is tried again."),
        option("--instance-credentials", is_flag=True, help="Ask the machine's metadata service for AWS credentials."),
        option("--verify-signatures", default="", metavar="FILE",
               help="Refuse commits not signed by a key of this GPG key ring or SSH allowed-signers file."),
    ]
)  # fmt: skip

trust_options = stack(
    [
        option("--allow-engine", "allow_engines", multiple=True, metavar="ENGINE",
               help="Allow references to env, file or both (env,file)."),
        option("--allow-namespace", "allow_namespaces", multiple=True, metavar="NS",
               help="Let Kubernetes references reach this namespace too."),
        option("--allow-reference", "allow_references", multiple=True, metavar="PATTERN",
               help="Read only secrets whose reference matches one of these patterns."),
    ]
)  # fmt: skip

log_options = stack(
    [option("--log-format", type=click.Choice(["text", "json"]), default="text", help="Lines on stderr.")]
)


def fail_on(default: str = "error") -> Callable[[F], F]:
    """The option --fail-on."""
    return option("--fail-on", type=click.Choice(["error", "warning"]), default=default, show_default=True,
                  help="Least severity of a finding that fails the run.")  # fmt: skip


def per_host(option_name: str, values: Iterable[str]) -> PerHost:
    """`VALUE` for all hosts, `HOST=VALUE` for one. A path or URL that holds `=` after `/` is a value."""
    default = ""
    hosts: dict[str, str] = {}
    for text in values:
        head, equals, rest = text.partition("=")
        if equals and "/" not in head and head:
            hosts[head.lower()] = rest
        elif default:
            raise UsageError(f"--{option_name} is given twice for all hosts.", "Write HOST=VALUE for one of them.")
        else:
            default = text
    return PerHost(default, MappingProxyType(hosts))


def access(options: Mapping[str, Any], output: Output) -> Access:
    """How outside systems are reached, from the options and the environment. The output learns to mask the logins."""
    fields = {name: name.replace("-", "_") for name in _PER_HOST}
    values: dict[str, Any] = {field: per_host(name, options.get(field, ())) for name, field in fields.items()}
    known = {
        name: value for name, value in os.environ.items() if name in _KNOWN_NAMES or name.startswith(_KNOWN_TO_REMOTES)
    }
    made = replace(
        Access(),
        **values,
        verify_signatures=options.get("verify_signatures", ""),
        instance_credentials=bool(options.get("instance_credentials")),
        environment=MappingProxyType(known),
        variables=MappingProxyType(dict(os.environ) if "env" in _engines(options) else {}),
        timeout=options.get("timeout", 120.0),
        retries=options.get("retries", 3),
        progress=output.progress,
        redactor=output.redactor,
    )
    learn_logins(made, output.redactor)
    return made


def specs(options: Mapping[str, Any], parse: Callable[[str], SourceSpec]) -> tuple[SourceSpec, ...]:
    """The sources of this run. `--ref` and `--path` go with one `--repo` only."""
    repos: tuple[str, ...] = options["repos"]
    ref, path = options.get("ref", ""), options.get("path", "")
    if len(repos) > 1 and (ref or path):
        raise UsageError(
            "--ref and --path go with one --repo only.", "With several, write --repo 'URL?ref=REF&path=DIR' for each."
        )
    found = []
    for text in repos:
        spec = parse(text)
        both = [name for name, own, given in (("--ref", spec.ref, ref), ("--path", spec.path, path)) if own and given]
        if both:
            raise UsageError(f"{both[0]} is given twice, in --repo and as an option.", "Leave one of them out.")
        found.append(SourceSpec(spec.url, spec.ref or ref, spec.path or path))
    return tuple(found)


def operator(options: Mapping[str, Any]) -> OperatorSettings:
    """Operator settings from the options and the environment."""
    files = {name: value for name, value in os.environ.items() if name.startswith(PARAMETER) and name.endswith("_FILE")}
    given = {k: v for k, v in os.environ.items() if k.startswith(PARAMETER)}
    sets = dict(_pair(text) for text in options.get("sets", ()))
    _refuse_bytes({**given, **{f"--set {name}": value for name, value in sets.items()}})
    return OperatorSettings(
        overlay=options.get("overlay", ""),
        set=MappingProxyType(sets),
        environment=MappingProxyType(given),
        parameter_files=MappingProxyType(_readable(files)),
        params_file=options.get("params_file", ""),
        params_text=read(options["params_file"], "--params") if options.get("params_file") else b"",
        dialect=options.get("dialect"),
        variant=options.get("variant"),
        secrets=options.get("secrets", "resolve"),
        hal_home=options.get("hal_home", "/home/spinnaker/.hal").rstrip("/") or "/",
        validate=options.get("validate", True),
        fail_on=Severity[options.get("fail_on", "error").upper()],
        select=tuple(options.get("select", ())),
        ignore=tuple(options.get("ignore", ())),
        daemon_config=bool(options.get("daemon_config")),
        halyard_address=options.get("halyard_address", ""),
        trust=Trust(
            _engines(options),
            frozenset(options.get("allow_namespaces", ())),
            tuple(options.get("allow_references", ())),
        ),
    )


def _engines(options: Mapping[str, Any]) -> frozenset[str]:
    """The engines that --allow-engine names, one or several with commas between them."""
    named = {name.strip() for text in options.get("allow_engines", ()) for name in text.split(",")} - {""}
    if unknown := sorted(named - OFF):
        raise UsageError(f"--allow-engine: there is no engine {unknown[0]} to allow.", "Give env, file or env,file.")
    return frozenset(named)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError("A --set has no name or no value.", "Write --set NAME=VALUE.")
    return name, value


def _refuse_bytes(values: Mapping[str, str]) -> None:
    """Refuse bytes that are no UTF-8, which arguments and variables can hold and a YAML file cannot."""
    for name, value in values.items():
        if not value.isascii() and any("\udc80" <= letter <= "\udcff" for letter in f"{name}{value}"):
            raise UsageError(f"{ascii(name)[1:-1]}: the value is not UTF-8.", "Give it in UTF-8.")


def _readable(files: Mapping[str, str]) -> dict[str, bytes]:
    found = {}
    for name, path in files.items():
        with suppress(OSError), open(path, "rb") as file:
            found[name] = file.read()
    return found


def read(path: str | Path, what: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UsageError(f"{what}: {path} cannot be read: {error.strerror}.", "Check the path.") from None
