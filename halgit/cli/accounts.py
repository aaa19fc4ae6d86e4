"""`halgit accounts`: the dynamic accounts of Clouddriver, listed, changed and served; each change is one commit."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from halgit import yaml as hyaml
from halgit.cli.account_agents import AGENT_COMMANDS
from halgit.cli.account_parts import (
    CHANGING,
    FIELDS,
    READING,
    SERVING,
    WRITING,
    build_cipher,
    build_store,
    build_writer,
    open_accounts,
    read_connection,
    read_fields,
)
from halgit.cli.commands import Group
from halgit.cli.declarations import option
from halgit.cli.output import Output
from halgit.errors import UsageError
from halgit.report.tables import table

if TYPE_CHECKING:
    from halgit.accounts.changes import Change
    from halgit.accounts.requests import Written
    from halgit.accounts.views import AccountView


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


@command.command("list")
@READING
@click.pass_obj
def list_accounts(output: Output, /, **options: Any) -> None:
    """List the accounts with their providers, and when their certificates expire.

    With --encrypt-key-file, certificates in {cipher} values are read, too.

    \b
    Example:
      halgit accounts list --repo https://git.example.com/org/accounts.git --format json
    """
    from halgit.accounts.service import expiring

    with open_accounts(output, options) as accounts:
        found = accounts.list_accounts()
    for line in expiring(found, _now()):
        output.warning(line)
    if output.json:
        output.answer({"accounts": [_summary(account) for account in found]})
    elif found:
        rows = [[one.name, one.provider, one.environment, one.agent, one.expires[:10]] for one in found]
        output.result(table(["account", "provider", "environment", "agent", "expires"], rows))
    else:
        output.result("No accounts.")


@command.command("show")
@click.argument("name")
@READING
@click.pass_obj
def show(output: Output, /, name: str, **options: Any) -> None:
    """Show one entry, with its secrets masked.

    \b
    Example:
      halgit accounts show prod-eu --repo https://git.example.com/org/accounts.git
    """
    with open_accounts(output, options) as accounts:
        account = accounts.get_account(name)
    if output.json:
        fields = json.loads(json.dumps(account.fields, default=str))
        output.answer({"account": {**_summary(account), "fields": fields}})
        return
    if account.expires:
        output.message(f"The certificate expires at {account.expires}.")
    output.result(hyaml.dump(dict(account.fields)).decode().rstrip())


@command.command("add")
@click.argument("name")
@option("--provider", default="kubernetes", show_default=True, help="Provider, in any of its spellings.")
@FIELDS
@CHANGING
@click.pass_obj
def add(output: Output, /, name: str, provider: str, **options: Any) -> None:
    """Add an account, from a kubeconfig or through an agent of the controller.

    \b
    Example:
      halgit accounts add prod-eu --repo URL --kubeconfig prod-eu.yaml --encrypt-key-file encrypt.key
    """
    from halgit.accounts.changes import Change

    _change(output, Change("add", provider, name, read_fields(options)), options)


@command.command("update")
@click.argument("name")
@option("--unset", multiple=True, metavar="KEY", help="A field to remove.")
@FIELDS
@CHANGING
@click.pass_obj
def update(output: Output, /, name: str, **options: Any) -> None:
    """Change fields of an account, or its kubeconfig.

    \b
    Example:
      halgit accounts update prod-eu --repo URL --field cacheThreads=4 --unset namespaces
    """
    from halgit.accounts.changes import Change

    fields = read_fields(options)
    if not fields and options["kubeconfig"] is None and options["agent"] is None:
        raise UsageError("There is nothing to change.", "Add --field, --unset, --kubeconfig or --agent.")
    _change(output, Change("update", "", name, fields), options)


@command.command("remove")
@click.argument("name")
@option("--yes", is_flag=True, help="Do not ask on a terminal.")
@CHANGING
@click.pass_obj
def remove(output: Output, /, name: str, yes: bool, **options: Any) -> None:
    """Remove an account, and its kubeconfig file with it. Nothing is revoked.

    \b
    Example:
      halgit accounts remove prod-eu --repo URL
    """
    from halgit.accounts.changes import Change

    asks = not yes and not options["dry_run"] and not output.json and sys.stdin.isatty() and sys.stderr.isatty()
    if asks and not click.confirm(f"Remove the account {name}? Its credentials are not revoked.", err=True):
        raise UsageError(f"The account {name} was not removed.")
    no_connection = {"kubeconfig": None, "context": "", "agent": None, "endpoint": ""}
    _change(output, Change("remove", "", name), {**options, **no_connection})


@command.command("renew")
@click.argument("names", nargs=-1)
@option("--days", type=click.IntRange(1, 365), default=30, show_default=True,
        help="Renew certificates that expire within this time.")  # fmt: skip
@SERVING
@click.pass_obj
def renew(output: Output, /, names: Sequence[str], days: int, **options: Any) -> None:
    """Renew the kubeconfigs of accounts behind agents before they expire; with NAMES, of these in any case.

    \b
    Example:
      halgit accounts renew --repo URL --encrypt-key-file encrypt.key --controller-url https://controller:9003 \\
          --controller-ca-file ca.crt --controller-cert-file tls.crt --controller-key-file tls.key
    """
    with open_accounts(output, options) as accounts:
        done = accounts.renew(names, days)
    if output.json:
        output.answer({"renewed": [{"account": name, "revision": one.revision} for name, one in done.items()]})
        return
    for name, written in done.items():
        output.result(f"{name}: renewed as {written.revision[:12]}.")
    if not done:
        output.result("Nothing to renew.")


@command.command("rotate-key")
@option("--old-key-file", required=True, metavar="FILE", help="encrypt.key that the values are encrypted with.")
@option("--old-salt", default="", metavar="HEX", help="encrypt.salt of the old key, if not --encrypt-salt.")
@option("--dry-run", is_flag=True, help="Check that the old key opens every value and write nothing.")
@WRITING
@click.pass_obj
def rotate_key(output: Output, /, old_key_file: str, old_salt: str, dry_run: bool, **options: Any) -> None:
    """Encrypt every {cipher} value with another key, in one commit.

    \b
    Example:
      halgit accounts rotate-key --repo URL --old-key-file old.key --encrypt-key-file new.key
    """
    old = build_cipher(old_key_file, old_salt or options["encrypt_salt"], "--old-key-file", old=True)
    writer = build_writer(output, options)
    if old is None or writer.policy.cipher is None:
        raise UsageError("--encrypt-key-file is missing.", "Name the file of the new encrypt.key.")
    try:
        written = writer.rotate(old, writer.policy.cipher, dry=dry_run)
    finally:
        writer.close()
    _report(output, "", written, {**options, "dry_run": dry_run})


@command.command("config-server")
@READING
@click.pass_obj
def config_server(output: Output, /, **options: Any) -> None:
    """Print the spinnakerconfig.yml by which Clouddriver reads these accounts. It holds placeholders for credentials.

    \b
    Example:
      halgit accounts config-server --repo https://git.example.com/org/accounts.git --ref main
    """
    from halgit.accounts.config_server import write_config

    has_key, salt = bool(options["encrypt_key_file"]), options["encrypt_salt"]
    text = write_config(build_store(output, options), options["ref"], has_key=has_key, salt=salt)
    if output.json:
        output.answer({"file": "default/profiles/spinnakerconfig.yml", "content": text})
    else:
        output.message("Save this as default/profiles/spinnakerconfig.yml:")
        output.result(text.rstrip())


@command.command("serve")
@option("--listen", default="127.0.0.1:8088", show_default=True, metavar="HOST:PORT", help="Where to serve.")
@option("--metrics-listen", default="", metavar="HOST:PORT",
        help="Where to serve /metrics instead, as plain HTTP.")  # fmt: skip
@option("--api-token-file", default="", metavar="FILE", help="One bearer token, with the role admin.")
@option("--api-tokens-file", default="", metavar="FILE", help="Hashed tokens with names, roles and expiry (YAML).")
@option("--tls-cert-file", default="", metavar="FILE", help="Certificate of the server.")
@option("--tls-key-file", default="", metavar="FILE", help="Key of the server's certificate.")
@option("--client-ca-file", default="", metavar="FILE", help="CA of client certificates, for mutual TLS.")
@option("--client-roles", multiple=True, metavar="NAME=ROLE", help="Role of a client certificate, by its common name.")
@option("--oidc-issuer", default="", metavar="URL", help="OpenID Connect issuer of bearer tokens.")
@option("--oidc-audience", default="", metavar="NAME", help="Audience that the tokens must have.")
@option(
    "--oidc-role-claim",
    default="roles",
    show_default=True,
    metavar="CLAIM",
    help="Claim that holds the role; a path such as realm_access.roles, too.",
)
@SERVING
@click.pass_obj
def serve(output: Output, /, **options: Any) -> None:
    """Serve the accounts over HTTP, as an API and a page; needs `pip install 'halgit[server]'`.

    \b
    Example:
      halgit accounts serve --listen 0.0.0.0:8088 --api-token-file token --repo URL --encrypt-key-file key
    """
    from halgit.cli.account_server import serve_accounts

    serve_accounts(output, options)


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _summary(account: AccountView) -> dict[str, Any]:
    return {
        "name": account.name,
        "provider": account.provider,
        "environment": account.environment,
        "agent": account.agent,
        "expires": account.expires,
    }


def _change(output: Output, change: Change, options: dict[str, Any]) -> None:
    """Make a change, or show what it would do."""
    connection = read_connection(options)
    with open_accounts(output, options) as accounts:
        if options["dry_run"]:
            written = accounts.preview(change, connection)
        elif change.verb == "add":
            written = accounts.add(change.provider, change.name, change.fields, connection)
        elif change.verb == "update":
            written = accounts.update(change.name, change.fields, connection)
        else:
            written = accounts.remove(change.name)
    _report(output, change.name, written, options)


def _report(output: Output, name: str, written: Written, options: dict[str, Any]) -> None:
    if output.json:
        answer = {"account": name, "revision": written.revision, "files": written.files, "notes": written.notes}
        output.answer({**answer, "diff": written.diff} if options.get("dry_run") else answer)
        return
    for note in written.notes:
        output.message(note)
    branch = options.get("pull_request_branch")
    if options.get("dry_run"):
        for line in written.diff:
            output.result(line)
        output.result(f"Would write {', '.join(written.files)}." if written.files else "Nothing to change.")
    elif written.files:
        place = f" on branch {branch}" if branch else ""
        end = f" as {written.revision[:12]}" if written.revision else ""
        output.result(f"Wrote {', '.join(written.files)}{end}{place}.")
    else:
        output.result("Nothing to change.")


for _agent_command in AGENT_COMMANDS:
    command.add_command(_agent_command)
