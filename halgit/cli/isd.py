"""`halgit isd`: the two jobs of the isd chart, and what they left to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

import click

from halgit import isd
from halgit.cli import options as given
from halgit.cli.output import Output
from halgit.errors import SecretError, UsageError
from halgit.operator_settings import Access
from halgit.redaction import Secret
from halgit.remotes.http import WebService
from halgit.remotes.kubernetes import SecretShelf
from halgit.report.table import counted, table


@click.group("isd")
def command() -> None:
    """Make the Secrets of an ISD installation, introduce its services to each other, and look at both.

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
    given.option("--namespace", default="", metavar="NS", help="Namespace, if not the pod's or the context's own."),
    given.option("--ca-secret", default="", metavar="NAME", help="The controller's authority: tls.crt, tls.key."),
    given.option("--control-secret", default="", metavar="NAME", help="Client certificate of the control API."),
    given.option("--service-auth-secret", default="", metavar="NAME", help="What signs service tokens."),
    given.option("--service-auth-key", default="public.pem", show_default=True, metavar="KEY", help="Its key."),
    given.option("--trust-secret", default="", metavar="NAME", help="Java trust store with the authority: cacerts."),
    given.option("--generate", "generated", multiple=True, metavar="NAME:KEY[=TEXT],...",
                 help="A Secret with a random text, or the text given, under each key."),
)  # fmt: skip
_reach = _options(
    given.option("--ca-file", multiple=True, metavar="[HOST=]FILE", help="CA certificates to trust."),
    given.option("--timeout", type=given.Seconds(1), default=30.0, show_default=True, metavar="SECONDS",
                 help="Limit for each request."),
    given.option("--retries", type=click.IntRange(0, 10), default=3, show_default=True,
                 help="How often a fault of Kubernetes that may pass is tried again."),
    given.option("--format", type=click.Choice(["text", "json"]), default="text", help="How the result is told."),
    given.log_options,
)  # fmt: skip


@command.command("create-ca", short_help="Make the Secrets that are absent.")
@_names
@given.option(
    "--renew-control-before",
    type=click.IntRange(0, 366),
    default=0,
    metavar="DAYS",
    help="Issue the control certificate anew when it has fewer days left; 0 is never.",
)
@_reach
@click.pass_obj
def create_ca(output: Output, /, **options: Any) -> None:
    """Make the Secrets that are absent: the controller's authority and certificates, and random credentials.

    A Secret that is there is never changed, so this may run again, and twice at once; only a control certificate
    that ends is renewed, if --renew-control-before says so. The trust store holds the authority, the public
    authorities, and those of --ca-file.

    \b
    Example:
      halgit isd create-ca --namespace isd --ca-secret isd-controller-ca --control-secret isd-controller-control \\
        --generate isd-database:username=postgres,password
    """
    access = _access(output, options)
    renew = options["renew_control_before"]
    if renew and not options["control_secret"]:
        raise UsageError("--renew-control-before goes with --control-secret.", "Name the Secret of the certificate.")
    try:
        wanted = _wanted(options)
        done = isd.bootstrap(SecretShelf(access, options["namespace"]), wanted, _bundles(access), _now(), renew)
    finally:
        access.kept.close()
    if output.json:
        output.answer({"secrets": [asdict(one) for one in done]})
    else:
        output.result(table(["secret", "", ""], [[one.name, one.state, _ROLES[one.role]] for one in done]))


@command.command("status", short_help="Say which Secrets are there and when certificates end.")
@_names
@given.option("--soon", type=click.IntRange(0), default=30, show_default=True, metavar="DAYS",
              help="Certificates with fewer days left end soon.")  # fmt: skip
@_reach
@click.pass_obj
def status(output: Output, /, **options: Any) -> None:
    """Say which Secrets are there, what they lack, and when certificates end. Changes nothing.

    Takes the options of create-ca. Ends with 4 where a Secret is missing, incomplete or wrong, or a certificate ended.

    \b
    Example:
      halgit isd status --namespace isd --ca-secret isd-controller-ca --control-secret isd-controller-control
    """
    access = _access(output, options)
    try:
        rows = isd.status(SecretShelf(access, options["namespace"]), _wanted(options), _now(), options["soon"])
    finally:
        access.kept.close()
    if output.json:
        output.answer({"secrets": [asdict(row) for row in rows]})
    else:
        output.result(table(["secret", "state", "holds until", "", ""], [_cells(row) for row in rows]))
    bad = [row for row in rows if row.state not in isd.GOOD]
    if bad:
        told = "\n".join(f"Secret {row.name}: {row.state}{row.detail and ': '}{row.detail}." for row in bad)
        raise SecretError(f"{counted(len(bad), 'Secret')} cannot be used:\n{told}")


@command.command("configure", short_help="Introduce the services to each other.")
@given.option("--platform-url", required=True, metavar="URL", help="Address of platform.")
@given.option("--sapor-url", required=True, metavar="URL", help="Address of sapor.")
@given.option("--opa-url", default="", metavar="URL", help="Address of the OPA they are told of.")
@given.option("--admin-user", default="admin", show_default=True, metavar="NAME", help="User it acts as.")
@given.option("--spinnaker-name", default="", metavar="NAME", help="Name of the Spinnaker to register.")
@given.option("--gate-url", default="", metavar="URL", help="Its gate, as sapor reaches it.")
@given.option("--gate-user-file", default="", metavar="FILE", help="File with the user of that gate.")
@given.option("--gate-password-file", default="", metavar="FILE", help="File with the user's password.")
@given.option("--accounts-repository", default="", metavar="URL", help="https address of the dynamic accounts' git.")
@given.option("--accounts-path", default="", metavar="DIR", help="Folder of the accounts file in it.")
@given.option(
    "--git-provider", type=click.Choice(isd.PROVIDERS), help="What its host is, where the name does not tell."
)
@given.option("--git-user-file", default="", metavar="FILE", help="File with the git user.")
@given.option("--git-token-file", default="", metavar="FILE", help="File with the git token.")
@given.option("--wait", type=click.IntRange(0), default=1800, show_default=True, metavar="SECONDS",
              help="How long services that do not answer yet are waited for.")  # fmt: skip
@_reach
@click.pass_obj
def configure(output: Output, /, **options: Any) -> None:
    """Introduce the services to each other: data sources to platform, the Spinnaker to sapor.

    What is there is asked for first; only what is absent is made. All faults are told together.

    \b
    Example:
      halgit isd configure --platform-url http://isd-platform:8095 --sapor-url http://isd-sapor:8085 \\
        --opa-url http://isd-opa:8181
    """
    access = _access(output, options)
    wish = _wish(output, options)
    headers = {"x-spinnaker-user": wish.admin}
    done: list[dict[str, str]] = []

    def tell(thing: str, state: str) -> None:
        done.append({"name": thing, "state": state})
        if output.json:
            output.say(f"{thing}: {state}")
        else:
            output.result(f"{thing}: {state}")

    platform = WebService(access, "platform", options["platform_url"], headers)
    sapor = WebService(access, "sapor", options["sapor_url"], headers)
    gate = WebService(access, "the gate", wish.spinnaker.gate, {}) if wish.spinnaker else None
    try:
        isd.configure(wish, platform, sapor, gate, isd.Patience(options["wait"], output.progress), tell)
    finally:
        if output.json:
            output.answer({"things": done})
        for service in (platform, sapor, gate):
            if service is not None:
                service.close()


_ROLES = {
    "ca": "the controller's authority",
    "control": "client certificate of the control API",
    "service-auth": "signs service tokens",
    "trust": "Java trust store",
    "generated": "credentials",
}


def _access(output: Output, options: Mapping[str, Any]) -> Access:
    output.json = options["format"] == "json"
    output.log_json = options["log_format"] == "json"
    return given.access({name: options[name] for name in ("ca_file", "timeout", "retries")}, output)


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


def _wanted(options: Mapping[str, Any]) -> isd.Wanted:
    return isd.Wanted(
        ca=options["ca_secret"],
        control=options["control_secret"],
        service_auth=options["service_auth_secret"],
        service_auth_key=options["service_auth_key"],
        trust=options["trust_secret"],
        generated=tuple(isd.parse_generated(text) for text in options["generated"]),
    )


def _bundles(access: Access) -> list[bytes]:
    """The public authorities, and those of the operator's file."""
    import certifi

    path = access.ca_file.default or access.environment.get("SSL_CERT_FILE", "")
    own = [isd.read_bundle(path, given.read(path, "--ca-file"))] if path else []
    return [certifi.contents().encode(), *own]


def _cells(row: isd.Row) -> list[str]:
    days = "" if row.days is None else f"{counted(row.days, 'day')}"
    return [row.name, row.state, row.until, days, row.detail or ", ".join(row.keys)]


def _wish(output: Output, options: Mapping[str, Any]) -> isd.Wish:
    spinnaker = repository = None
    if options["gate_url"] or options["spinnaker_name"]:
        _together(options, "spinnaker_name", "gate_url", "gate_user_file", "gate_password_file")
        user, password = _login(output, options, "gate_user_file", "gate_password_file")
        spinnaker = isd.Spinnaker(options["spinnaker_name"], options["gate_url"], user, password)
    if options["accounts_repository"]:
        _together(options, "accounts_repository", "git_user_file", "git_token_file")
        user, token = _login(output, options, "git_user_file", "git_token_file")
        repository = isd.Repository(
            options["accounts_repository"],
            options["accounts_path"].strip("/"),
            user,
            token,
            options["git_provider"] or "",
        )
    return isd.Wish(options["admin_user"], options["opa_url"], spinnaker, repository)


def _together(options: Mapping[str, Any], *names: str) -> None:
    spelt = {"--" + name.replace("_", "-"): bool(options[name]) for name in names}
    missing = [name for name, there in spelt.items() if not there]
    if missing:
        first = next(name for name, there in spelt.items() if there)
        raise UsageError(
            f"{first} goes with {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not given.",
            "Give all of them or none.",
        )


def _login(output: Output, options: Mapping[str, Any], user: str, password: str) -> tuple[Secret, Secret]:
    """A name and a secret from their files; the secret is masked in all that is said from now on."""
    secret = _secret(options, password)
    output.redactor.learn(secret)
    return _secret(options, user), secret


def _secret(options: Mapping[str, Any], name: str) -> Secret:
    option = "--" + name.replace("_", "-")
    try:
        text = given.read(options[name], option).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError(f"{option}: {options[name]} is no UTF-8 text.", "Put the plain text there.") from None
    if not text:
        raise UsageError(f"{option}: {options[name]} is empty.", "Put the value there.")
    return Secret(text, option)
