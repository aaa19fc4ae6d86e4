"""`halgit isd`: the two jobs of the isd chart, and the state of their Secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import click

from halgit import isd
from halgit.cli.commands import Group
from halgit.cli.declarations import Seconds, option
from halgit.cli.options import log_options
from halgit.cli.output import Output
from halgit.cli.settings import access_settings, read_file
from halgit.errors import SecretError, UsageError
from halgit.operator_settings import Access
from halgit.record import to_dict
from halgit.redaction import Secret
from halgit.remotes.http import WebService
from halgit.remotes.kubernetes import SecretStore
from halgit.report.tables import counted, table


@click.group("isd", cls=Group)
def command() -> None:
    """Create the Secrets of an ISD installation, register its integrations, and show their state.

    \b
    Example:
      halgit isd status --namespace isd --ca-secret isd-controller-ca --control-secret isd-controller-control
    """


def _options(*each: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for one in reversed(each):
            function = one(function)
        return function

    return decorate


_names = _options(
    option("--namespace", default="", metavar="NS", help="Namespace, if not the pod's or the context's own."),
    option("--ca-secret", default="", metavar="NAME", help="The controller's CA certificate: tls.crt, tls.key."),
    option("--control-secret", default="", metavar="NAME", help="Client certificate of the control API."),
    option("--service-auth-secret", default="", metavar="NAME", help="Key that signs service tokens."),
    option("--service-auth-key", default="public.pem", show_default=True, metavar="KEY", help="Its key."),
    option("--trust-secret", default="", metavar="NAME", help="Java trust store with the CA: cacerts."),
    option("--generate", "generated", multiple=True, metavar="NAME:KEY[=TEXT],...",
                 help="A Secret with a random value, or TEXT, under each key."),
)  # fmt: skip
_reach = _options(
    option("--ca-file", multiple=True, metavar="[HOST=]FILE", help="CA certificates to trust."),
    option("--timeout", type=Seconds(1), default=30.0, show_default=True, metavar="SECONDS",
                 help="Limit for each request."),
    option("--retries", type=click.IntRange(0, 10), default=3, show_default=True,
                 help="How often a temporary failure of Kubernetes is retried."),
    option("--format", type=click.Choice(["text", "json"]), default="text", help="Output format."),
    log_options,
)  # fmt: skip


@command.command("create-ca", short_help="Create the missing Secrets.")
@_names
@option(
    "--renew-control-before",
    type=click.IntRange(0, 366),
    default=0,
    metavar="DAYS",
    help="Renew the control certificate when it has fewer days left; 0: never.",
)
@option(
    "--restart",
    "restarted",
    multiple=True,
    metavar="DEPLOYMENT",
    help="Deployment to restart after the control certificate was renewed; repeatable.",
)
@_reach
@click.pass_obj
def create_ca(output: Output, /, **options: Any) -> None:
    """Create the missing Secrets: the controller's CA and client certificates, and random credentials.

    Existing Secrets are not changed, so the command can run again and in parallel. Only a control certificate that
    expires within --renew-control-before days is renewed. The trust store holds the controller's CA certificate, the
    public CA certificates, and those of --ca-file.

    \b
    Example:
      halgit isd create-ca --namespace isd --ca-secret isd-controller-ca --control-secret isd-controller-control \\
        --generate isd-database:username=postgres,password
    """
    access = _access(output, options)
    renew = options["renew_control_before"]
    if renew and not options["control_secret"]:
        raise UsageError("--renew-control-before requires --control-secret.", "Name the Secret of the certificate.")
    try:
        names, store = _secret_names(options), SecretStore(access, options["namespace"])
        done = isd.bootstrap(
            store, names, _bundles(access), _now(), renew, lambda one: output.message(f"Secret {one.name}: {one.state}")
        )
        if any(one.state == "renewed" for one in done):
            _restart(output, store, options["restarted"])
    finally:
        access.cache.close()
    if output.json:
        output.answer({"secrets": [to_dict(one) for one in done]})
    else:
        output.result(table(["secret", "", ""], [[one.name, one.state, _ROLES[one.role]] for one in done]))


@command.command("restart", short_help="Restart Deployments.")
@option("--namespace", default="", metavar="NS", help="Namespace, if not the pod's or the context's own.")
@option("--deployment", "restarted", multiple=True, required=True, metavar="NAME", help="Deployment; repeatable.")
@_reach
@click.pass_obj
def restart(output: Output, /, **options: Any) -> None:
    """Replace the pods of Deployments: the controller's server certificate expires a year after its pod started.

    \b
    Example:
      halgit isd restart --namespace isd --deployment isd-controller
    """
    access = _access(output, options)
    try:
        _restart(output, SecretStore(access, options["namespace"]), options["restarted"])
    finally:
        access.cache.close()
    if output.json:
        output.answer({"restarted": list(options["restarted"])})


def _restart(output: Output, store: SecretStore, deployments: Sequence[str]) -> None:
    for name in deployments:
        store.restart(name, _now().isoformat())
        output.message(f"Deployment {name}: restarted")


@command.command("status", short_help="Show the state of the installation's Secrets and jobs.")
@_names
@option("--release", default="", metavar="NAME", help="Helm release whose jobs to show.")
@option("--soon", type=click.IntRange(0), default=30, show_default=True, metavar="DAYS",
              help="Certificates with fewer days left expire soon.")  # fmt: skip
@_reach
@click.pass_obj
def status(output: Output, /, **options: Any) -> None:
    """Show which Secrets exist, what they lack, when certificates expire, and how jobs ended. Changes nothing.

    Takes the options of create-ca. Exits with 4 if a Secret is missing, incomplete or invalid, a certificate has
    expired, or a job of --release failed.

    \b
    Example:
      halgit isd status --namespace isd --ca-secret isd-controller-ca --control-secret isd-controller-control
    """
    access = _access(output, options)
    release = options["release"]
    try:
        store = SecretStore(access, options["namespace"])
        rows = isd.status(store, _secret_names(options), _now(), options["soon"]) if _names_any(options) else ()
        jobs = store.jobs(release) if release else []
    finally:
        access.cache.close()
    if not rows and not release:
        _secret_names(options)
    if output.json:
        found = [{"name": name, "state": state} for name, state in jobs]
        output.answer({"secrets": [to_dict(row) for row in rows], "jobs": found})
    else:
        if rows:
            output.result(table(["secret", "state", "valid until", "", ""], [_cells(row) for row in rows]))
        if release:
            output.result(table(["job", "state"], [list(job) for job in jobs] or [["none", "not found"]]))
    _refuse_bad(rows, jobs)


def _names_any(options: Mapping[str, Any]) -> bool:
    keys = ("ca_secret", "control_secret", "service_auth_secret", "trust_secret", "generated")
    return any(options[key] for key in keys)


def _refuse_bad(rows: Sequence[isd.Row], jobs: Sequence[tuple[str, str]]) -> None:
    bad = [row for row in rows if row.state not in isd.GOOD]
    lines = [f"Secret {row.name}: {row.state}{row.detail and ': '}{row.detail}." for row in bad]
    lines += [f"Job {name}: {state}." for name, state in jobs if state.startswith("failed")]
    if lines:
        what = counted(len(bad), "Secret") + " cannot be used" if bad else "A job failed"
        raise SecretError(f"{what}:\n" + "\n".join(lines))


@command.command("configure", short_help="Register the integrations.")
@option("--platform-url", required=True, metavar="URL", help="Address of platform.")
@option("--sapor-url", required=True, metavar="URL", help="Address of sapor.")
@option("--opa-url", default="", metavar="URL", help="Address of the OPA to register.")
@option("--admin-user", default="admin", show_default=True, metavar="NAME", help="User that registers.")
@option("--spinnaker-name", default="", metavar="NAME", help="Name of the Spinnaker to register.")
@option("--gate-url", default="", metavar="URL", help="Address of its gate, as seen from sapor.")
@option("--gate-user-file", default="", metavar="FILE", help="File with the user of that gate.")
@option("--gate-password-file", default="", metavar="FILE", help="File with the user's password.")
@option("--accounts-repository", default="", metavar="URL", help="https address of the git repository of accounts.")
@option("--accounts-path", default="", metavar="DIR", help="Folder of the accounts file in it.")
@option("--git-provider", type=click.Choice(isd.PROVIDERS), help="Kind of git server, if not part of the host name.")
@option("--git-user-file", default="", metavar="FILE", help="File with the git user.")
@option("--git-token-file", default="", metavar="FILE", help="File with the git token.")
@option("--wait", type=click.IntRange(0), default=1800, show_default=True, metavar="SECONDS",
              help="How long to wait for services that do not answer yet.")  # fmt: skip
@_reach
@click.pass_obj
def configure(output: Output, /, **options: Any) -> None:
    """Register the integrations: data sources at platform, the Spinnaker at sapor.

    Existing registrations are not changed; only missing ones are created. All failures are reported together.

    \b
    Example:
      halgit isd configure --platform-url http://isd-platform:8095 --sapor-url http://isd-sapor:8085 \\
        --opa-url http://isd-opa:8181
    """
    access = _access(output, options)
    integrations = _integrations(output, options)
    headers = {"x-spinnaker-user": integrations.admin}
    done: list[dict[str, str]] = []

    def report(thing: str, state: str) -> None:
        done.append({"name": thing, "state": state})
        if output.json:
            output.message(f"{thing}: {state}")
        else:
            output.result(f"{thing}: {state}")

    platform = WebService(access, "platform", options["platform_url"], headers)
    sapor = WebService(access, "sapor", options["sapor_url"], headers)
    gate = WebService(access, "the gate", integrations.spinnaker.gate, {}) if integrations.spinnaker else None
    try:
        isd.configure(integrations, platform, sapor, gate, isd.Deadline(options["wait"], output.progress), report)
    finally:
        if output.json:
            output.answer({"integrations": done})
        for service in (platform, sapor, gate):
            if service is not None:
                service.close()


_ROLES = {
    "ca": "the controller's CA certificate",
    "control": "client certificate of the control API",
    "service-auth": "signs service tokens",
    "trust": "Java trust store",
    "generated": "credentials",
}


def _access(output: Output, options: Mapping[str, Any]) -> Access:
    output.json = options["format"] == "json"
    output.log_json = options["log_format"] == "json"
    return access_settings({name: options[name] for name in ("ca_file", "timeout", "retries")}, output)


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


def _secret_names(options: Mapping[str, Any]) -> isd.SecretNames:
    return isd.SecretNames(
        ca=options["ca_secret"],
        control=options["control_secret"],
        service_auth=options["service_auth_secret"],
        service_auth_key=options["service_auth_key"],
        trust=options["trust_secret"],
        generated=tuple(isd.parse_generated(text) for text in options["generated"]),
    )


def _bundles(access: Access) -> list[bytes]:
    """The public CA certificates, and those of the operator's file."""
    import certifi

    path = access.ca_file.default or access.environment.get("SSL_CERT_FILE", "")
    own = [isd.check_bundle(path, read_file(path, "--ca-file"))] if path else []
    return [certifi.contents().encode(), *own]


def _cells(row: isd.Row) -> list[str]:
    days = "" if row.days is None else f"{counted(row.days, 'day')}"
    return [row.name, row.state, row.until, days, row.detail or ", ".join(row.keys)]


def _integrations(output: Output, options: Mapping[str, Any]) -> isd.Integrations:
    spinnaker = repository = None
    if options["gate_url"] or options["spinnaker_name"]:
        _together(options, "spinnaker_name", "gate_url", "gate_user_file", "gate_password_file")
        user, password = _login(output, options, "gate_user_file", "gate_password_file")
        spinnaker = isd.Spinnaker(options["spinnaker_name"], options["gate_url"], user, password)
    if options["accounts_repository"]:
        _together(options, "accounts_repository", "git_user_file", "git_token_file")
        user, token = _login(output, options, "git_user_file", "git_token_file")
        path, provider = options["accounts_path"].strip("/"), options["git_provider"] or ""
        repository = isd.Repository(options["accounts_repository"], path, user, token, provider)
    return isd.Integrations(options["admin_user"], options["opa_url"], spinnaker, repository)


def _together(options: Mapping[str, Any], *names: str) -> None:
    spelt = {"--" + name.replace("_", "-"): bool(options[name]) for name in names}
    missing = [name for name, exists in spelt.items() if not exists]
    if missing:
        first = next(name for name, exists in spelt.items() if exists)
        raise UsageError(
            f"{first} requires {', '.join(missing)}.",
            "Set all of them or none.",
        )


def _login(output: Output, options: Mapping[str, Any], user: str, password: str) -> tuple[Secret, Secret]:
    """Read a user name and a secret from their files; the secret is masked in all output."""
    secret = _secret(options, password)
    output.redactor.learn(secret)
    return _secret(options, user), secret


def _secret(options: Mapping[str, Any], name: str) -> Secret:
    option = "--" + name.replace("_", "-")
    try:
        text = read_file(options[name], option).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError(f"{option}: {options[name]} is not UTF-8 text.", "Store the value as plain text.") from None
    if not text:
        raise UsageError(f"{option}: {options[name]} is empty.", "Store the value there.")
    return Secret(text, option)
