"""`halgit accounts`: the dynamic accounts of Clouddriver, listed, changed and served; each change is one commit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from halgit import publish
from halgit import yaml as hyaml
from halgit.cli.commands import Group, combine, option
from halgit.cli.options import access_options, log_options
from halgit.cli.output import Output
from halgit.cli.settings import access_settings, read_file, source_specs
from halgit.errors import UsageError
from halgit.pipeline import MISSING, Value
from halgit.report.tables import table

if TYPE_CHECKING:
    from halgit.accounts.service import Access, Accounts
    from halgit.accounts.writer import Writer, Written


@click.group("accounts", cls=Group)
def command() -> None:
    """List and change the dynamic accounts that Clouddriver reads through its config server.

    The file is clouddriver-local.yml under --accounts-path, in a git branch, an S3 prefix or a Vault KV 2 secret.

    \b
    Examples:
      halgit accounts list --repo https://git.example.com/org/accounts.git
      halgit accounts add prod-eu --repo ssh://git@git.example.com/org/accounts.git \\
          --kubeconfig prod-eu.yaml --encrypt-key-file encrypt.key
      halgit accounts add shop --repo s3://bucket/accounts --agent shop-cluster \\
          --controller-url https://controller:9003 --controller-ca-file ca.crt \\
          --controller-cert-file tls.crt --controller-key-file tls.key
    """


_STORE = combine(
    [
        option("--repo", "repo", required=True, metavar="URL", help="git URL, s3://bucket/prefix, vault://path."),
        option("--ref", default="", metavar="BRANCH", help="Branch to read and to commit to (git)."),
        option("--accounts-path", default="accounts/", show_default=True, metavar="DIR",
                     help="Folder of clouddriver-local.yml."),
        option("--format", type=click.Choice(["text", "json"]), default="text", help="How the result is told."),
    ]
)  # fmt: skip
_WRITE = combine(
    [
        option("--encrypt-key-file", default="", metavar="FILE", help="encrypt.key, for {cipher} values."),
        option("--encrypt-salt", default="deadbeef", help="encrypt.salt, where Clouddriver has another."),
        option("--plaintext-kubeconfig", is_flag=True, help="Let kubeconfigs stand in the open."),
        option("--author", default="", metavar="'NAME <MAIL>'", help="Author of the commit."),
        option("--signing-key-file", default="", metavar="FILE", help="ssh key that signs the commit."),
        option("--pull-request-branch", default="", metavar="BRANCH",
                     help="Push to this new branch, for a pull request, and leave --ref alone."),
        option("--dry-run", is_flag=True, help="Work everything out and write nothing."),
    ]
)  # fmt: skip
_CONTROLLER = combine(
    [
        option(f"--controller-{name}", default="", metavar=kind, help=text)
        for name, kind, text in (
            ("url", "URL", "Control API, such as https://controller:9003."),
            ("ca-file", "FILE", "Certificate of the controller's authority."),
            ("cert-file", "FILE", "Control certificate."),
            ("key-file", "FILE", "Key of the control certificate."),
            ("token-file", "FILE", "Token, for controllers of generation 5."),
            ("server-name", "NAME", "Name in the controller's certificate, if not that of the URL."),
        )
    ]
)
_COMMON = combine([_STORE, access_options, log_options])
_CHANGING = combine([_STORE, _WRITE, access_options, log_options])
_FIELDS = combine(
    [
        option("--field", "fields", multiple=True, metavar="KEY=YAML", help="A field of the entry."),
        option("--fields", "fields_file", default="", metavar="FILE", help="YAML mapping of fields."),
        option("--kubeconfig", default="", metavar="FILE", help="The cluster's kubeconfig."),
        option("--context", default="", metavar="NAME", help="Context of the kubeconfig, if not its current."),
        option("--agent", default="", metavar="NAME", help="Reach the cluster through this agent."),
        option("--endpoint", default="kubernetes", show_default=True, help="The agent's Kubernetes endpoint."),
    ]
)


@command.command("list")
@_COMMON
@click.pass_obj
def listing(output: Output, /, **options: Any) -> None:
    """List the accounts with their providers.

    \b
    Example:
      halgit accounts list --repo https://git.example.com/org/accounts.git --format json
    """
    found = _accounts(output, options).listed()
    if output.json:
        output.answer({"accounts": [{"name": one.name, "provider": one.provider} for one in found]})
    elif found:
        rows = [[one.name, one.provider, str(one.get("environment") or "")] for one in found]
        output.result(table(["account", "provider", "environment"], rows))
    else:
        output.result("No accounts.")


@command.command("show")
@click.argument("name")
@_COMMON
@click.pass_obj
def show(output: Output, /, name: str, **options: Any) -> None:
    """Show one entry, with what is secret in it masked.

    \b
    Example:
      halgit accounts show prod-eu --repo https://git.example.com/org/accounts.git
    """
    entry = _accounts(output, options).shown(name)
    if output.json:
        output.answer(
            {"account": {"provider": entry.provider, "fields": json.loads(json.dumps(entry.fields, default=str))}}
        )
    else:
        output.result(hyaml.dump(dict(entry.fields)).decode().rstrip())


@command.command("add")
@click.argument("name")
@option("--provider", default="kubernetes", show_default=True, help="Provider as Spring names it.")
@_FIELDS
@_CHANGING
@_CONTROLLER
@click.pass_obj
def add(output: Output, /, name: str, provider: str, **options: Any) -> None:
    """Add an account, from a kubeconfig or through an agent of the controller.

    \b
    Example:
      halgit accounts add prod-eu --repo URL --kubeconfig prod-eu.yaml --encrypt-key-file encrypt.key
    """
    done = _accounts(output, options).add(provider, name, _fields(options), _access(options))
    _tell(output, name, done, options)


@command.command("update")
@click.argument("name")
@option("--unset", multiple=True, metavar="KEY", help="A field to take out.")
@_FIELDS
@_CHANGING
@_CONTROLLER
@click.pass_obj
def update(output: Output, /, name: str, unset: Sequence[str], **options: Any) -> None:
    """Change fields of an account, or give it another kubeconfig.

    \b
    Example:
      halgit accounts update prod-eu --repo URL --field cacheThreads=4 --unset namespaces
    """
    access = _access(options)
    fields = {**_fields(options), **dict.fromkeys(unset, MISSING)}
    if not fields and not access.kubeconfig and not access.agent:
        raise UsageError("There is nothing to change.", "Give --field, --unset, --kubeconfig or --agent.")
    _tell(output, name, _accounts(output, options).update(name, fields, access), options)


@command.command("remove")
@click.argument("name")
@_CHANGING
@click.pass_obj
def remove(output: Output, /, name: str, **options: Any) -> None:
    """Take an account out, and its kubeconfig file with it. Nothing is revoked.

    \b
    Example:
      halgit accounts remove prod-eu --repo URL
    """
    _tell(output, name, _accounts(output, options).remove(name), options)


@command.command("rotate-key")
@option("--old-key-file", required=True, metavar="FILE", help="encrypt.key the values were made with.")
@_CHANGING
@click.pass_obj
def rotate(output: Output, /, old_key_file: str, **options: Any) -> None:
    """Encrypt every {cipher} value with another key, in one commit.

    \b
    Example:
      halgit accounts rotate-key --repo URL --old-key-file old.key --encrypt-key-file new.key
    """
    old = _cipher(old_key_file, options["encrypt_salt"], "--old-key-file")
    new = _cipher(options["encrypt_key_file"], options["encrypt_salt"], "--encrypt-key-file")
    if old is None or new is None:
        raise UsageError("--encrypt-key-file is missing.", "Give the new encrypt.key.")
    _tell(output, "", _writer(output, options).rotate(old, new), options)


@command.command("manifest")
@click.argument("agent")
@option("--namespace", required=True, help="Namespace of the agent in the remote cluster.")
@option("--endpoint", default="kubernetes", show_default=True, help="Name that kubeconfigs are made for.")
@option("--agent-image", default="", help="Image of the agent, without a tag.")
@option("--agent-tag", default="", help="Tag of the image, if not the version the controller names.")
@option("--replicas", type=click.IntRange(1, 9), default=1, show_default=True, help="Pods of the agent.")
@option("--cluster-wide", is_flag=True, help="Let the agent do everything in the cluster, not in one namespace.")
@option("--output", "target", type=click.Path(path_type=Path), required=True, help="File to write; 0600.")
@_CONTROLLER
@access_options
@log_options
@click.pass_obj
def manifest(output: Output, /, agent: str, namespace: str, target: Path, **options: Any) -> None:
    """Write the manifest of an agent with a fresh identity. It holds a private key, so it goes to a file.

    \b
    Example:
      halgit accounts manifest shop-cluster --namespace opsmx --output agent.yaml \\
          --controller-url https://controller:9003 --controller-ca-file ca.crt \\
          --controller-cert-file tls.crt --controller-key-file tls.key
    """
    from halgit.accounts import agent as agents

    controller = _controller(output, options)
    if controller is None:
        raise UsageError("No controller is known.", "Give --controller-url and the login it asks for.")
    wanted = agents.Agent(
        agent,
        namespace,
        options["endpoint"],
        options["agent_image"] or agents.IMAGE,
        options["agent_tag"],
        options["replicas"],
        options["cluster_wide"],
    )
    text = agents.manifest(wanted, controller.agent_components(agent))
    publish.write_file(target, text, mode=0o600)
    output.result(f"Wrote {target}. Apply it in the remote cluster: kubectl apply -f {target}")


@command.command("serve")
@option("--listen", default="127.0.0.1:8088", show_default=True, metavar="HOST:PORT", help="Where to serve.")
@option("--api-token-file", default="", metavar="FILE", help="Token that callers send as a bearer token.")
@_CHANGING
@_CONTROLLER
@click.pass_obj
def serve(output: Output, /, listen: str, api_token_file: str, **options: Any) -> None:
    """Serve the same over HTTP, for SAPOR and others; needs `pip install 'halgit[server]'`.

    \b
    Example:
      halgit accounts serve --listen 0.0.0.0:8088 --api-token-file token --repo URL --encrypt-key-file key
    """
    from halgit.server import run

    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit():
        raise UsageError(f"--listen {listen} is no HOST:PORT.", "Write it as 0.0.0.0:8088.")
    token = _read(api_token_file, "--api-token-file").decode("utf-8", "replace").strip()
    if not token:
        raise UsageError("--api-token-file is missing or empty.", "Callers must show a token; put one in a file.")
    run(lambda: _accounts(output, options), token, host.strip("[]"), int(port), output.message)


# --- the parts ---------------------------------------------------------------------------------------------------


def _accounts(output: Output, options: Mapping[str, Any]) -> Accounts:
    from halgit.accounts.service import Accounts

    cipher = _cipher(options.get("encrypt_key_file", ""), options.get("encrypt_salt", ""), "--encrypt-key-file")
    plain = bool(options.get("plaintext_kubeconfig"))
    return Accounts(_writer(output, options), cipher, plain, _controller(output, options))


def _access(options: Mapping[str, Any]) -> Access:
    """How the account reaches its cluster."""
    from halgit.accounts.service import Access

    kubeconfig = _read(options["kubeconfig"], "--kubeconfig")
    return Access(kubeconfig, options["context"], options["agent"], options["endpoint"])


def _writer(output: Output, options: Mapping[str, Any]) -> Writer:
    from halgit.accounts.stores import store
    from halgit.accounts.writer import Writer
    from halgit.remotes.git.push import Signing
    from halgit.sources import parse_spec

    output.json = options.get("format", "text") == "json"
    output.log_json = options.get("log_format", "text") == "json"
    (spec,) = source_specs({**options, "repos": (options["repo"],)}, parse_spec)
    author = {"author": options["author"]} if options.get("author") else {}
    signing = Signing(**author, key_file=options.get("signing_key_file", ""))
    access = access_settings(options, output)
    place = store(spec, access, options["accounts_path"], signing, options.get("pull_request_branch", ""))
    return Writer(place, dry=bool(options.get("dry_run")), progress=output.progress)


def _controller(output: Output, options: Mapping[str, Any]) -> Any:
    from halgit.remotes.controller import Controller, ControllerLogin

    output.log_json = options.get("log_format", "text") == "json"
    names = ("url", "ca_file", "cert_file", "key_file", "token_file", "server_name")
    values = {name: options.get(f"controller_{name}", "") for name in names}
    return Controller(ControllerLogin(**values), access_settings(options, output)) if values["url"] else None


def _cipher(file: str, salt: str, name: str) -> Any:
    from halgit.accounts.cipher import Cipher
    from halgit.redaction import Secret

    return Cipher(Secret(_read(file, name).decode("utf-8", "replace").strip(), file), salt) if file else None


def _read(file: str, name: str) -> bytes:
    return read_file(file, name) if file else b""


def _fields(options: Mapping[str, Any]) -> dict[str, Value]:
    """The fields of --fields and --field, the latter over the former."""
    fields: dict[str, Value] = {}
    if options["fields_file"]:
        data = _yaml(read_file(options["fields_file"], "--fields"), "--fields")
        if not isinstance(data, dict):
            raise UsageError("--fields is no YAML mapping.", "Write `key: value` lines.")
        fields |= {str(key): value for key, value in data.items()}
    for text in options["fields"]:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError("A --field has no name or no value.", "Write --field KEY=YAML.")
        fields[key] = _yaml(value.encode(), f"--field {key}")
    return fields


def _yaml(text: bytes, name: str) -> Value:
    read = hyaml.read(text, name)
    if read.findings:
        raise UsageError(f"{name}: {read.findings[0].message}", "Write YAML, such as 'READ: [dev]'.")
    return read.data


def _tell(output: Output, name: str, written: Written, options: Mapping[str, Any]) -> None:
    if output.json:
        output.answer({"account": name, "revision": written.revision, "files": written.files, "notes": written.notes})
        return
    for note in written.notes:
        output.message(note)
    branch = options.get("pull_request_branch")
    if written.revision:
        place = f" on branch {branch}" if branch else ""
        output.result(f"Wrote {', '.join(written.files)} as {written.revision[:12]}{place}.")
    elif written.files:
        output.result(f"Would write {', '.join(written.files)}.")
    else:
        output.result("Nothing to change.")
