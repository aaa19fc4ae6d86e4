"""Rules on keys of the halconfig that Halyard takes without complaint and does nothing with, or works out itself."""

from __future__ import annotations

from collections.abc import Iterator

from halgit.halyard import model
from halgit.halyard.coercion import coerce_boolean, is_true
from halgit.pipeline import Path, Severity, Value
from halgit.validation.rule import Hit, Rule
from halgit.validation.view import Node, View

_INSTEAD = {
    ("node.Features", "auth"): "Remove it; what is enabled in security.authn decides.",
    ("node.Features", "fiat"): "Remove it; security.authz.enabled decides.",
    ("node.DeploymentConfiguration", "plugins"): "Move them to spinnaker.extensibility.",
    ("node.DeploymentConfiguration", "telemetry"): "Move what is still wanted to stats.",
}
_DERIVED = (("security", "authn"), ("metricStores",), ("pubsub",))
"""Sections whose `enabled` Halyard works out of what stands below them."""


def _ignored_key(view: View) -> Iterator[Hit]:
    places: dict[tuple[str, str], list[Path]] = {}
    for path, class_, node in model.walk_objects(view.config.value):
        for key in class_.ignored & node.keys():
            if node[key] is not None:
                places.setdefault((class_.name, str(key)), []).append((*path, key))
    for (owner, key), paths in places.items():
        more = f" It stands so in {len(paths)} places." if len(paths) > 1 else ""
        yield Hit(paths[0], f"Halyard takes {key} here and ignores it.{more}", hint=_INSTEAD.get((owner, key), ""))


def _worked_out(view: View) -> Iterator[Hit]:
    for deployment in view.deployments:
        for steps in _DERIVED:
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
        yield from _roles(deployment)
        yield from _stats(deployment)


def _roles(deployment: Node) -> Iterator[Hit]:
    for key, node in deployment.entries("security", "authz", "groupMembership"):
        kind: Value = node.get("roleProviderType")
        if isinstance(kind, str) and kind != key.upper():
            message = f"roleProviderType of {key} makes Halyard take it for another kind of role provider."
            yield Hit(node.at("roleProviderType"), message, hint="Remove it; the section's own name says the kind.")


def _stats(deployment: Node) -> Iterator[Hit]:
    for key in ("spinnakerVersion", "deploymentMethod"):
        if deployment.get("stats", key):
            yield Hit(deployment.at("stats", key), f"Halyard overwrites stats.{key} when it generates.")


RULES = (
    Rule(
        id="halconfig/ignored-key",
        severity=Severity.WARNING,
        summary="A key is accepted and ignored.",
        halyard="Halyard binds the key to nothing, for the sake of old files, and says nothing.",
        impact="What it says has no effect.",
        fix="Remove it.",
        check=_ignored_key,
    ),
    Rule(
        id="halconfig/worked-out",
        severity=Severity.WARNING,
        summary="A value is worked out by Halyard, which does not use the one in the file.",
        halyard="Halyard overwrites it by what it finds in the rest of the halconfig, or makes something else of it.",
        impact="The halconfig says something that is not so.",
        fix="Remove it.",
        check=_worked_out,
    ),
)
