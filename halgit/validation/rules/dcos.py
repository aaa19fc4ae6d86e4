"""Rules on DC/OS: clusters and the accounts that hold credentials for them."""

from __future__ import annotations

from collections.abc import Iterator

from halgit.pipeline import Severity
from halgit.text.phrases import suggest_nearest
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.given import both, empty, owner, text
from halgit.validation.view import Node, View

_AT_DEPLOY = "`hal deploy apply` validates the provider and every account, also where it is not enabled"


def _providers(view: View) -> Iterator[Node]:
    return (node for provider, node in view.providers if provider == "dcos")


def _clusters(view: View) -> Iterator[Hit]:
    for node in _providers(view):
        seen: set[str] = set()
        for cluster in node.items("clusters"):
            name = text(cluster, "name")
            if name is not None and name in seen:
                yield Hit(cluster.at("name"), f"The DC/OS cluster {name} stands here a second time.")
            seen.add(name or "")


def _credentials(view: View) -> Iterator[Hit]:
    for node in _providers(view):
        known = {name for cluster in node.items("clusters") if (name := text(cluster, "name")) is not None}
        for account in node.items("accounts"):
            whose = owner("dcos", account)
            seen: set[tuple[str, str]] = set()
            if account.get("clusters") == []:
                yield Hit(account.at("clusters"), f"{whose} has no clusters.", hint="Add the credentials of one.")
            for one in account.items("clusters"):
                yield from _credential(whose, one, known, seen)


def _credential(whose: str, one: Node, known: set[str], seen: set[tuple[str, str]]) -> Iterator[Hit]:
    name, user = text(one, "name"), text(one, "uid")
    if name is not None and name not in known:
        hint = suggest_nearest(name, known, "Add it under providers.dcos.clusters.")
        yield Hit(one.at("name"), f"{whose} names a cluster {name}, which is none.", hint=hint)
    if name is not None and user is not None:
        if (name, user) in seen:
            yield Hit(one.at("uid"), f"{whose} has credentials of {user} for {name} twice.", hint="Keep one of them.")
        seen.add((name, user))
    if both(one, "password", "serviceKeyFile"):
        message = f"{whose} has a password and a serviceKeyFile for {name}."
        yield Hit(one.at("serviceKeyFile"), message, hint="Keep one of them.")


def _no_login(view: View) -> Iterator[Hit]:
    for account in view.accounts_of("dcos"):
        for one in account.items("clusters"):
            if empty(one, "password") and empty(one, "serviceKeyFile"):
                message = f"{owner('dcos', account)} has neither password nor serviceKeyFile for a cluster."
                yield Hit(one.path, message)


def _incomplete(view: View) -> Iterator[Hit]:
    for node in _providers(view):
        for cluster in node.items("clusters"):
            name = text(cluster, "name")
            if empty(cluster, "dcosUrl"):
                yield Hit(cluster.path, f"The DC/OS cluster {name} has no dcosUrl.", hint="Set dcosUrl.")
            if empty(cluster, "loadBalancer", "image"):
                message = f"The DC/OS cluster {name} has no image of a load balancer."
                yield Hit(cluster.path, message, hint="Set loadBalancer.image.")


RULES = (
    Rule(
        id="dcos/cluster-twice",
        severity=Severity.ERROR,
        summary="Two DC/OS clusters have the same name.",
        halyard=f"{_AT_DEPLOY}, and ends with a FATAL problem.",
        impact="Nothing can be deployed until one of them is renamed.",
        fix="Give one of them another name.",
        check=_clusters,
    ),
    Rule(
        id="dcos/credentials",
        severity=Severity.ERROR,
        summary="The credentials of a DC/OS account do not fit its clusters.",
        halyard=f"{_AT_DEPLOY}, and ends with an ERROR.",
        impact="Nothing can be deployed until they fit.",
        fix="Correct the credentials.",
        check=_credentials,
    ),
    Rule(
        id="dcos/no-login",
        severity=Severity.WARNING,
        summary="A DC/OS account has no password and no key for a cluster.",
        halyard="Halyard warns.",
        impact="Clouddriver cannot log in there.",
        fix="Set password or serviceKeyFile.",
        check=_no_login,
    ),
    Rule(
        id="dcos/cluster",
        severity=Severity.WARNING,
        summary="A DC/OS cluster is incomplete.",
        halyard="Halyard's validator calls it an error or warns; `hal deploy apply` does not run it.",
        impact="Clouddriver cannot reach the cluster, or has no load balancer there.",
        fix="Set what is missing.",
        check=_incomplete,
    ),
)
