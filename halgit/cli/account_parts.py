"""The options of `halgit accounts`, and the parts that its commands are built from."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from halgit.cli.declarations import combine, option
from halgit.cli.options import access_options, log_options
from halgit.cli.output import Output
from halgit.cli.settings import access_settings, read_file, source_specs
from halgit.errors import UsageError
from halgit.pipeline import MISSING, Value

if TYPE_CHECKING:
    from halgit.accounts.checks import Policy
    from halgit.accounts.cipher import Cipher
    from halgit.accounts.fields import TypedValue
    from halgit.accounts.service import Accounts, Connection
    from halgit.accounts.stores import Store
    from halgit.accounts.writer import Writer
    from halgit.remotes.controller import Controller

_KINDS = ("exec", "auth-provider", "local-file", "kubectl-executable", "password-command", "http-server")

_STORE = combine(
    [
        option("--repo", "repo", required=True, metavar="URL", help="git URL, s3://bucket/prefix, vault://path."),
        option("--ref", default="", metavar="BRANCH", help="Branch to read and to commit to (git)."),
        option("--accounts-path", default="accounts/", show_default=True, metavar="DIR",
               help="Folder of clouddriver-local.yml."),
        option("--format", type=click.Choice(["text", "json"]), default="text", help="Output format."),
        option("--encrypt-key-file", default="", metavar="FILE",
               help="encrypt.key of spinnakerconfig.yml, for {cipher} values."),
        option("--encrypt-salt", default="deadbeef", show_default=True, help="encrypt.salt of spinnakerconfig.yml."),
        option("--verify-signatures", default="", metavar="FILE",
               help="Accept only commits signed by a key in this file (git)."),
    ]
)  # fmt: skip
_WRITE = combine(
    [
        option("--plaintext-kubeconfig", is_flag=True, help="Store kubeconfigs readable for all who read the store."),
        option("--allow", "allowed", multiple=True, type=click.Choice(_KINDS), metavar="KIND",
               help=f"Permit accounts a kind of access to Clouddriver's pod: {', '.join(_KINDS)}."),
        option("--author", default="", metavar="'NAME <MAIL>'", help="Author of the commit."),
        option("--signing-key-file", default="", metavar="FILE", help="ssh key that signs the commit."),
        option("--pull-request-branch", default="", metavar="BRANCH",
               help="Push to this new branch, for a pull request, instead of --ref."),
        option("--wait", type=click.FloatRange(1), default=60.0, show_default=True, metavar="SECONDS",
               help="How long to retry while other writers are faster."),
    ]
)  # fmt: skip
_CONTROLLER = combine(
    [
        option(f"--controller-{name}", default="", metavar=kind, help=text)
        for name, kind, text in (
            ("url", "URL", "Control API, such as https://controller:9003."),
            ("ca-file", "FILE", "CA certificate of the controller."),
            ("cert-file", "FILE", "Control certificate."),
            ("key-file", "FILE", "Key of the control certificate."),
            ("token-file", "FILE", "Token, for controllers of generation 5."),
            ("server-name", "NAME", "Name in the controller's certificate, if not that of the URL."),
        )
    ]
)
READING = combine([_STORE, access_options, log_options])
WRITING = combine([_STORE, _WRITE, access_options, log_options])
CHANGING = combine(
    [WRITING, option("--dry-run", is_flag=True, help="Show the difference and write nothing."), _CONTROLLER]
)
SERVING = combine([WRITING, _CONTROLLER])
CONTROLLING = combine(
    [
        _CONTROLLER,
        option("--format", type=click.Choice(["text", "json"]), default="text", help="Output format."),
        access_options,
        log_options,
    ]
)
FIELDS = combine(
    [
        option("--field", "fields", multiple=True, metavar="KEY=YAML", help="A field of the entry."),
        option("--fields", "fields_file", default="", metavar="FILE", help="YAML mapping of fields."),
        option("--kubeconfig", default=None, metavar="FILE", help="The cluster's kubeconfig; - for standard input."),
        option("--context", default="", metavar="NAME", help="Context of the kubeconfig, if not its current one."),
        option("--agent", default=None, metavar="NAME", help="Reach the cluster through this agent."),
        option("--endpoint", default="kubernetes", show_default=True, help="The agent's Kubernetes endpoint."),
    ]
)


@contextmanager
def open_accounts(output: Output, options: Mapping[str, Any]) -> Iterator[Accounts]:
    """The service for the length of a command; what it fetched is removed afterwards."""
    accounts = build_accounts(output, options)
    try:
        yield accounts
    finally:
        accounts.writer.close()


def build_accounts(output: Output, options: Mapping[str, Any]) -> Accounts:
    """Return the service with the store, the key and the controller of the options."""
    from halgit.accounts.service import Accounts

    return Accounts(build_writer(output, options), build_controller(output, options))


def build_writer(output: Output, options: Mapping[str, Any]) -> Writer:
    """Return the writer of the options' store."""
    from halgit.accounts.writer import Writer

    return Writer(
        build_store(output, options),
        build_policy(options),
        progress=output.progress,
        deadline=options.get("wait", 60.0),
    )


def build_store(output: Output, options: Mapping[str, Any]) -> Store:
    """Return the store of --repo."""
    from halgit.accounts.stores import open_store
    from halgit.remotes.git.push import Signing
    from halgit.sources import parse_spec

    _set_formats(output, options)
    (spec,) = source_specs({**options, "repos": (options["repo"],)}, parse_spec)
    author = {"author": options["author"]} if options.get("author") else {}
    signing = Signing(**author, key_file=options.get("signing_key_file", ""))
    access = access_settings(options, output)
    return open_store(spec, access, options["accounts_path"], signing, options.get("pull_request_branch", ""))


def build_policy(options: Mapping[str, Any]) -> Policy:
    """Return what the operator permits and provides."""
    from halgit.accounts.checks import Policy

    cipher = build_cipher(options.get("encrypt_key_file", ""), options.get("encrypt_salt", ""), "--encrypt-key-file")
    return Policy(cipher, bool(options.get("plaintext_kubeconfig")), frozenset(options.get("allowed", ())))


def build_cipher(file: str, salt: str, name: str, *, old: bool = False) -> Cipher | None:
    """Return the cipher of a key file; None without one."""
    from halgit.accounts.cipher import Cipher, read_key

    return Cipher(read_key(read_file(file, name), f"{name} {file}"), salt, old=old) if file else None


def build_controller(output: Output, options: Mapping[str, Any]) -> Controller | None:
    """Return the controller of the options; None without --controller-url."""
    from halgit.remotes.controller import Controller, ControllerLogin

    _set_formats(output, options)
    names = ("url", "ca_file", "cert_file", "key_file", "token_file", "server_name")
    values = {name: options.get(f"controller_{name}", "") for name in names}
    return Controller(ControllerLogin(**values), access_settings(options, output)) if values["url"] else None


def require_controller(output: Output, options: Mapping[str, Any]) -> Controller:
    """Return the controller of the options. Raises UsageError without --controller-url."""
    controller = build_controller(output, options)
    if controller is None:
        raise UsageError("There is no controller.", "Add --controller-url and the login it needs.")
    return controller


def read_connection(options: Mapping[str, Any]) -> Connection:
    """Return how the account reaches its cluster."""
    from halgit.accounts.service import Connection

    file = options["kubeconfig"]
    kubeconfig = None
    if file is not None:
        kubeconfig = sys.stdin.buffer.read() if file == "-" else read_file(file, "--kubeconfig")
    return Connection(kubeconfig, options["context"], options["agent"], options["endpoint"])


def read_fields(options: Mapping[str, Any]) -> dict[str, Value | TypedValue]:
    """Return the fields of --fields and --field; the latter take precedence. Raises UsageError."""
    from halgit.accounts.fields import read_typed, read_typed_fields

    fields: dict[str, Value | TypedValue] = {}
    if options["fields_file"]:
        fields |= read_typed_fields(read_file(options["fields_file"], "--fields"), "--fields")
    for text in options["fields"]:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError("A --field has no name or no value.", "Write --field KEY=YAML.")
        fields[key] = read_typed(value)
    for key in options.get("unset", ()):
        fields[key] = MISSING
    return fields


def _set_formats(output: Output, options: Mapping[str, Any]) -> None:
    output.json = options.get("format", "text") == "json"
    output.log_json = options.get("log_format", "text") == "json"
