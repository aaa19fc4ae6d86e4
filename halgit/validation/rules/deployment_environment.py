"""Rules on how and where Spinnaker is deployed: the account, high availability, sizes, probes."""

from __future__ import annotations

from collections.abc import Iterator

from halgit.halyard import services
from halgit.halyard.coercion import coerce_enum, is_true
from halgit.pipeline import Severity
from halgit.text.phrases import join_words, suggest_nearest
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.given import empty, lacking, text
from halgit.validation.view import Node, View

_PACKAGE = "node.DeploymentEnvironment."
_PARTS = {"clouddriver": ("rw", "ro", "ro-deck", "caching"), "echo": ("worker", "scheduler")}


def _environment(view: View) -> Node:
    return Node((), None) if view.deployment is None else view.deployment.node("deploymentEnvironment")


def kind(view: View) -> str:
    """The type of the rendered deployment; LocalDebian where nothing is said, as in Halyard."""
    return coerce_enum(_environment(view).get("type"), f"{_PACKAGE}DeploymentType") or "LocalDebian"


def _account(view: View) -> Iterator[Hit]:
    node = _environment(view)
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
    """What is wrong with the account that is named, by the providers that have one of the name."""
    path = node.at("accountName")
    if not found:
        hint = suggest_nearest(name, usable, "Write the name of a Kubernetes account of the halconfig.")
        yield Hit(path, f"No account is called {name}.", hint=hint)
    elif len(found) > 1:
        message = f"{len(found)} accounts are called {name}, so Halyard cannot tell where to deploy."
        yield Hit(path, message, hint="Give each account a name of its own.")
    elif found[0] == "google":
        message = f"Spinnaker is deployed to the Google account {name}, which Halyard advises against."
        yield Hit(path, message, hint="Deploy to a Kubernetes account.", severity=Severity.WARNING)
    elif found[0] != "kubernetes":
        yield Hit(path, f"{name} is an account of {found[0]}; Halyard cannot deploy Spinnaker there.")


def _git(view: View) -> Iterator[Hit]:
    if kind(view) == "LocalGit":
        node = _environment(view).node("gitConfig")
        keys = ["originUser"] if node.get("upstreamUser") is None else ["originUser", "upstreamUser"]
        yield from lacking(node, "gitConfig", keys)


def _probe(view: View) -> Iterator[Hit]:
    node = _environment(view).node("livenessProbeConfig")
    if is_true(node.get("enabled")) and node.get("initialDelaySeconds") is None:
        yield Hit(node.at("enabled"), "Liveness probes are enabled, and initialDelaySeconds is not set.")


def _other_mode_size(view: View) -> Iterator[Hit]:
    node = _environment(view)
    for name, parts in _PARTS.items():
        split = is_true(node.get("haServices", name, "enabled"))
        for key in [f"spin-{name}"] if split else [f"spin-{name}-{part}" for part in parts]:
            if node.get("customSizing", key) is not None:
                how = "on" if split else "off"
                message = f"High availability of {name} is {how}: there is no {key} to be sized."
                hint = f"Write {join_words([f'spin-{name}-{part}' for part in parts])} instead." if split else ""
                yield Hit(node.at("customSizing", key), message, hint=hint or f"Write spin-{name} instead.")


def _sizes_nothing(view: View) -> Iterator[Hit]:
    known = [f"spin-{service}" for service in services.list_services_of_mode(services.KUBERNETES_MODE)]
    for key, below in _environment(view).entries("customSizing"):
        if key.removeprefix("spin-") not in services.SERVICES and below.value is not None:
            hint = suggest_nearest(key, known, "Write spin-<service>, such as spin-clouddriver.")
            yield Hit(below.path, f"customSizing names {key}, which is no service.", hint=hint)


def _replicas(view: View) -> Iterator[Hit]:
    for key, below in _environment(view).entries("customSizing"):
        given = below.get("replicas")
        if key.removeprefix("spin-") in services.SERVICES and given is not None and type(given) is not int:
            yield Hit(below.at("replicas"), f"replicas of {key} is no whole number.")


def _endpoints(view: View) -> Iterator[Hit]:
    node = _environment(view).node("haServices", "clouddriver")
    if not is_true(node.get("enabled")):
        return
    keys = ["redisMasterEndpoint", "redisSlaveEndpoint"]
    if not is_true(node.get("disableClouddriverRoDeck")):
        keys.append("redisSlaveDeckEndpoint")
    gone = [key for key in keys if (text(node, key) or "").strip() == "" and not _hidden(node, key)]
    if gone and len(gone) < len(keys):
        given = next(key for key in keys if key not in gone)
        yield Hit(node.at(given), f"{given} is set and {join_words(gone)} {'is' if len(gone) == 1 else 'are'} not.")


def _hidden(node: Node, key: str) -> bool:
    """Whether a value is there and cannot be judged."""
    return not empty(node, key) and text(node, key) is None


def _unread(view: View) -> Iterator[Hit]:
    node = _environment(view)
    if view.deployment is None or services.get_mode(view.deployment.value) != services.KUBERNETES_MODE:
        return
    if node.get("nodeSelectors"):
        hint = "Set kubernetes.nodeSelector in the service-settings of each service."
        yield Hit(node.at("nodeSelectors"), "Halyard does not read nodeSelectors on Kubernetes.", hint=hint)
    if node.get("size") is not None and coerce_enum(node.get("size"), f"{_PACKAGE}Size") in {"MEDIUM", "LARGE"}:
        yield Hit(node.at("size"), "Halyard does not read size on Kubernetes.", hint="Use customSizing.")
    if is_true(node.get("consul", "enabled")):
        yield Hit(node.at("consul", "enabled"), "Halyard does not read consul on Kubernetes.", hint="Remove it.")


RULES = (
    Rule(
        id="deployment-environment/account",
        severity=Severity.ERROR,
        summary="The account Spinnaker is deployed to does not exist, or is of no use for it.",
        halyard="Halyard looks accountName up among all accounts when it deploys, and ends with a FATAL problem.",
        impact="Nothing can be deployed.",
        fix="Write the name of a Kubernetes account of the halconfig.",
        check=_account,
    ),
    Rule(
        id="deployment-environment/git",
        severity=Severity.WARNING,
        summary="Spinnaker is built from git, and the users of the repositories are not named.",
        halyard="Halyard's check of deploymentEnvironment calls it FATAL; `hal deploy apply` does not run that check.",
        impact="The clones of the repositories fail.",
        fix="Set originUser and upstreamUser.",
        check=_git,
    ),
    Rule(
        id="deployment-environment/probe",
        severity=Severity.WARNING,
        summary="Liveness probes are enabled without a delay.",
        halyard="Halyard's check of deploymentEnvironment calls it FATAL; `hal deploy apply` does not run that check.",
        impact="Kubernetes can kill services that are still starting.",
        fix="Set initialDelaySeconds to the time the slowest service takes to start.",
        check=_probe,
    ),
    Rule(
        id="deployment-environment/other-mode-size",
        severity=Severity.WARNING,
        summary="A size is given to a service that does not exist in this mode.",
        halyard="Halyard warns of it in `hal config`, not when it deploys.",
        impact="The services that run get the usual size.",
        fix="Size the services that run.",
        check=_other_mode_size,
    ),
    Rule(
        id="deployment-environment/sizes-nothing",
        severity=Severity.WARNING,
        summary="An entry of customSizing is called like no service.",
        halyard="Halyard looks for spin-<service>, or the name of a container, and ignores all else.",
        impact="The size has no effect.",
        fix="Write spin-<service>, such as spin-clouddriver.",
        check=_sizes_nothing,
    ),
    Rule(
        id="deployment-environment/replicas",
        severity=Severity.ERROR,
        summary="The number of replicas is no whole number.",
        halyard="Halyard takes it for an Integer without a look and ends with a ClassCastException.",
        impact="Nothing can be deployed.",
        fix="Write a whole number without quotes.",
        check=_replicas,
    ),
    Rule(
        id="deployment-environment/endpoints",
        severity=Severity.WARNING,
        summary="Some, not all, of the Redis endpoints of Clouddriver's parts are set.",
        halyard="Halyard's check of haServices calls it an ERROR; `hal deploy apply` does not run that check.",
        impact="Parts of Clouddriver look into different caches.",
        fix="Set all of them, or none.",
        check=_endpoints,
    ),
    Rule(
        id="deployment-environment/unread",
        severity=Severity.WARNING,
        summary="A setting that Halyard does not read on Kubernetes.",
        halyard="Halyard binds it and never looks at it when it deploys to Kubernetes.",
        impact="What it says has no effect.",
        fix="Remove it.",
        check=_unread,
    ),
)
