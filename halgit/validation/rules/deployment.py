"""Rules on a deployment as a whole: its name, its version, its time zone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from halgit.halyard import model
from halgit.halyard.coercion import coerce_boolean, coerce_enum, is_true
from halgit.halyard.resources import list_time_zones
from halgit.pipeline import Path, Severity, Value
from halgit.text.phrases import suggest_nearest
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.fields import empty, lacking, text
from halgit.validation.view import Node, View


def _duplicate_deployments(view: View) -> Iterator[Hit]:
    names = Counter(node.get("name") for node in view.deployments)
    seen: set[object] = set()
    for node in view.deployments:
        name = node.get("name")
        if names[name] > 1 and name in seen:
            yield Hit(node.at("name"), f"The deployment {name} is a duplicate.")
        seen.add(name)


def _deployment_names(view: View) -> Iterator[Hit]:
    for node in view.deployments:
        name = text(node, "name")
        if name is not None and (name in {"", ".", ".."} or "/" in name):
            yield Hit(node.at("name"), f"The deployment {name!r} cannot be named so: its name is a directory.")


def _no_version(view: View) -> Iterator[Hit]:
    if view.deployment is not None and view.deployment.get("version") in (None, ""):
        yield Hit(view.deployment.at("version"), f"The deployment {view.compiled.deployment} has no version.")


def _time_zone(view: View) -> Iterator[Hit]:
    zone = None if view.deployment is None else text(view.deployment, "timezone")
    if view.deployment is not None and zone is not None and zone not in list_time_zones():
        message = f"Java does not know the time zone {zone}."
        known = () if "+" in zone or "-" in zone else sorted(list_time_zones())
        yield Hit(view.deployment.at("timezone"), message, hint=suggest_nearest(zone, known))


PACKAGE = "node.DeploymentEnvironment."


def environment(view: View) -> Node:
    return Node((), None) if view.deployment is None else view.deployment.node("deploymentEnvironment")


def kind(view: View) -> str:
    """The type of the rendered deployment; LocalDebian where nothing is said, as in Halyard."""
    return coerce_enum(environment(view).get("type"), f"{PACKAGE}DeploymentType") or "LocalDebian"


def _deployment_account(view: View) -> Iterator[Hit]:
    node = environment(view)
    if kind(view) != "Distributed":
        return
    if empty(node, "accountName"):
        yield Hit(node.at("accountName"), "The type is Distributed, and no accountName says where to.")
        return
    name = text(node, "accountName")
    known = [
        (provider, text(account, "name"))
        for provider, account in view.accounts
        if view.deployment is not None and account.path[:2] == view.deployment.path
    ]
    found = [provider for provider, own in known if own == name]
    if name is None or (not found and any(own is None for _, own in known)):
        return
    yield from _named(node, name, found, [own for provider, own in known if provider == "kubernetes" and own])


def _named(node: Node, name: str, found: list[str], usable: list[str]) -> Iterator[Hit]:
    """Yield the findings about the named account, by the providers that have one of the name."""
    path = node.at("accountName")
    if not found:
        hint = suggest_nearest(name, usable, "Write the name of a Kubernetes account of the halconfig.")
        yield Hit(path, f"No account is named {name}.", hint=hint)
    elif len(found) > 1:
        message = f"{len(found)} accounts are named {name}, so Halyard cannot select one."
        yield Hit(path, message, hint="Give each account a name of its own.")
    elif found[0] == "google":
        message = f"Spinnaker is deployed to the Google account {name}, which Halyard advises against."
        yield Hit(path, message, hint="Deploy to a Kubernetes account.", severity=Severity.WARNING)
    elif found[0] != "kubernetes":
        yield Hit(path, f"{name} is an account of {found[0]}; Halyard cannot deploy Spinnaker there.")


def _git_users(view: View) -> Iterator[Hit]:
    if kind(view) == "LocalGit":
        node = environment(view).node("gitConfig")
        keys = ["originUser"] if node.get("upstreamUser") is None else ["originUser", "upstreamUser"]
        yield from lacking(node, "gitConfig", keys)


def _probe_delay(view: View) -> Iterator[Hit]:
    node = environment(view).node("livenessProbeConfig")
    if is_true(node.get("enabled")) and node.get("initialDelaySeconds") is None:
        yield Hit(node.at("enabled"), "Liveness probes are enabled, and initialDelaySeconds is not set.")


_REPLACEMENTS = {
    ("node.Features", "auth"): "Remove it; what is enabled in security.authn decides.",
    ("node.Features", "fiat"): "Remove it; security.authz.enabled decides.",
    ("node.DeploymentConfiguration", "plugins"): "Move them to spinnaker.extensibility.",
    ("node.DeploymentConfiguration", "telemetry"): "Move what is still wanted to stats.",
}
_LEFT_BEHIND = {("node.DeploymentConfiguration", "telemetry"), ("node.Providers", "openstack")}
"""Keys that old versions of Halyard wrote themselves; they and those of `features` are information only."""
_DERIVED_SECTIONS = (("security", "authn"), ("metricStores",), ("pubsub",))
"""Sections whose `enabled` Halyard works out of what stands below them."""


def _ignored_keys(view: View) -> Iterator[Hit]:
    places: dict[tuple[str, str], list[Path]] = {}
    for path, class_, node in model.walk_objects(view.config.value):
        for key in class_.ignored & node.keys():
            if node[key] is not None:
                places.setdefault((class_.name, str(key)), []).append((*path, key))
    for (owner, key), paths in places.items():
        more = f" It occurs in {len(paths)} places." if len(paths) > 1 else ""
        severity = Severity.INFO if owner == "node.Features" or (owner, key) in _LEFT_BEHIND else None
        message = f"Halyard accepts {key} here and ignores it.{more}"
        yield Hit(paths[0], message, hint=_REPLACEMENTS.get((owner, key), ""), severity=severity)


def _overwritten_values(view: View) -> Iterator[Hit]:
    for deployment in view.deployments:
        for steps in _DERIVED_SECTIONS:
            section = deployment.node(*steps)
            said = coerce_boolean(section.get("enabled"))
            if section.get("enabled") is None or said is None:
                continue
            on = [key for key, below in section.entries() if is_true(below.get("enabled"))]
            if said != bool(on):
                name = ".".join(steps)
                which = f"{on[0]} is enabled" if on else "nothing below it is enabled"
                message = f"{name}.enabled is {str(said).lower()} and has no effect, for {which}."
                yield Hit(section.at("enabled"), message, hint=f"Remove it, or set enabled below {name}.")
        yield from _role_provider_types(deployment)
        yield from _overwritten_stats(deployment)
    yield from _two_spellings(view)


_SPELLINGS = (("oAuthScopes", "oauthScopes"), ("oAuthServiceAccount", "oauthServiceAccount"))
"""Keys of Kubernetes accounts that Halyard binds to one field (`@JsonAlias`): the last one in the file counts."""


def _two_spellings(view: View) -> Iterator[Hit]:
    for account in view.accounts_of("kubernetes"):
        for keys in _SPELLINGS:
            if all(key in account.value for key in keys):
                found = [key for key in account.value if key in keys]
                message = f"{found[0]} has no effect, for {found[1]}, another spelling of it, comes after it."
                yield Hit(account.at(found[0]), message, hint="Keep one of the two keys.")


def _role_provider_types(deployment: Node) -> Iterator[Hit]:
    for key, node in deployment.entries("security", "authz", "groupMembership"):
        kind: Value = node.get("roleProviderType")
        if isinstance(kind, str) and kind != key.upper():
            message = f"roleProviderType of {key} makes Halyard treat it as another role provider."
            yield Hit(node.at("roleProviderType"), message, hint="Remove it; the name of the section decides.")


def _overwritten_stats(deployment: Node) -> Iterator[Hit]:
    for key in ("spinnakerVersion", "deploymentMethod"):
        if deployment.get("stats", key):
            yield Hit(deployment.at("stats", key), f"Halyard overwrites stats.{key} when it generates.")


RULES = (
    Rule("deployment-environment/account", _deployment_account),
    Rule("deployment-environment/git", _git_users),
    Rule("deployment-environment/probe", _probe_delay),
    Rule("deployment/duplicate-name", _duplicate_deployments),
    Rule("deployment/name", _deployment_names),
    Rule("deployment/no-version", _no_version),
    Rule("deployment/time-zone", _time_zone),
    Rule("halconfig/ignored-key", _ignored_keys),
    Rule("halconfig/overwritten", _overwritten_values),
)
