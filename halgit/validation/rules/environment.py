"""Rules on the maps and addresses of `deploymentEnvironment`: sizes, sidecars, tolerations, endpoints, the namespace.

What Halyard reads of these free-form maps was recorded with a real deploy: replicas, sidecars and init containers only
below `spin-X`, requests and limits from `X` if that entry exists, else from `spin-X`.
"""

from __future__ import annotations

from collections.abc import Iterator

from halgit.annotations import Final
from halgit.halyard import services
from halgit.halyard.coercion import coerce_enum, is_true
from halgit.lazy import lazy_pattern
from halgit.pipeline import Path, Severity, Value
from halgit.text.phrases import find_similar, join_words, suggest_nearest
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.deployment import PACKAGE, environment
from halgit.validation.rules.fields import address, empty, text, word
from halgit.validation.view import Node, View

_PARTS: Final = {"clouddriver": ("rw", "ro", "ro-deck", "caching"), "echo": ("worker", "scheduler")}
_MAPS: Final = ("customSizing", "sidecars", "initContainers", "hostAliases", "tolerations", "affinity")
"""The maps of `deploymentEnvironment` that are keyed by service."""
_SPIN_ONLY: Final = ("sidecars", "initContainers")
"""The maps whose entries Halyard reads below `spin-X` only."""
_OF_EITHER: Final = ("hostAliases", "tolerations", "affinity")
"""The maps whose entries Halyard reads below `spin-X`, or else below `X` (`KubernetesV2Service`)."""
_SIZE_KEYS: Final = ("requests", "limits", "replicas")
_RESOURCES: Final = ("cpu", "memory")
_LARGEST_INT: Final = 2**31 - 1
_QUANTITY: Final = lazy_pattern(r"\+?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]+)?")
"""An amount of a resource as Kubernetes parses it, not negative."""
_LABEL: Final = lazy_pattern(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def _sizes_of_other_mode(view: View) -> Iterator[Hit]:
    node = environment(view)
    for name, parts in _PARTS.items():
        split = is_true(node.get("haServices", name, "enabled"))
        for key in [f"spin-{name}"] if split else [f"spin-{name}-{part}" for part in parts]:
            for map_ in (one for one in _MAPS if node.get(one, key) is not None):
                where = "" if map_ == "customSizing" else f", which {map_} names,"
                how = "on" if split else "off"
                message = f"High availability of {name} is {how}: {key}{where} does not exist."
                hint = f"Write {join_words([f'spin-{name}-{part}' for part in parts])} instead." if split else ""
                yield Hit(node.at(map_, key), message, hint=hint or f"Write spin-{name} instead.")


def _unknown_services(view: View) -> Iterator[Hit]:
    known = [f"spin-{service}" for service in services.list_services_of_mode(services.KUBERNETES_MODE)]
    for map_ in _MAPS:
        for key, below in environment(view).entries(map_):
            if not is_service(key) and below.value is not None:
                hint = suggest_nearest(key, known, "Use spin-<service>, such as spin-clouddriver.")
                yield Hit(below.path, f"{map_} names {key}, which is not a service.", hint=hint)


def is_service(key: str) -> bool:
    name = key.removeprefix("spin-")
    return name in services.SERVICES or name == "monitoring-daemon"


def _replicas(view: View) -> Iterator[Hit]:
    for key, below in environment(view).entries("customSizing"):
        replicas = below.get("replicas")
        if not key.startswith("spin-") or not is_service(key) or replicas is None:
            continue
        if type(replicas) is not int or abs(replicas) > _LARGEST_INT:
            yield Hit(below.at("replicas"), f"replicas of {key} is not an integer of 32 bits.")
        elif replicas < 0:
            message = f"replicas of {key} is negative, which Kubernetes refuses."
            yield Hit(below.at("replicas"), message, hint="Write 0 or more.", severity=Severity.WARNING)


def _resources(view: View) -> Iterator[Hit]:
    for key, below in environment(view).entries("customSizing"):
        for kind in ("requests", "limits"):
            value = below.get(kind)
            if is_service(key) and value is not None and not isinstance(value, dict):
                yield Hit(below.at(kind), f"{kind} of {key} is not a mapping.")
            for resource, amount in below.node(kind).entries() if is_service(key) else ():
                if resource in _RESOURCES and _is_refused(amount.value):
                    message = f"{resource} of {key} is not a quantity that Kubernetes accepts."
                    hint = "Write a number with a unit, such as 500m or 2Gi."
                    yield Hit(amount.path, message, hint=hint, severity=Severity.WARNING)


def _is_refused(amount: Value) -> bool:
    """Return whether Kubernetes refuses an amount of a resource. Text of templates cannot be judged."""
    said = word(amount)
    return said is not None and "{{" not in said and '"' not in said and not _QUANTITY.fullmatch(said)


def _unread_entries(view: View) -> Iterator[Hit]:
    node = environment(view)
    for key, below in node.entries("customSizing"):
        if is_service(key):
            yield from _unread_size(node, key, below)
    for map_ in _SPIN_ONLY:
        for key, below in node.entries(map_):
            if is_service(key) and not key.startswith("spin-"):
                yield Hit(below.path, f"Halyard does not read {map_} of {key}.", hint=f"Rename it to spin-{key}.")
    for map_ in _OF_EITHER:
        for key, below in node.entries(map_):
            if is_service(key) and below.value is not None and node.get(map_, f"spin-{key}") is not None:
                message = f"The entry spin-{key} of {map_} hides the entry {key}."
                yield Hit(below.path, message, hint=f"Write all of it below spin-{key}.")


def _unread_size(node: Node, key: str, below: Node) -> Iterator[Hit]:
    """The keys of one entry of customSizing that have no effect."""
    for name, inner in below.entries():
        if name not in _SIZE_KEYS:
            hint = suggest_nearest(name, _SIZE_KEYS, "Use requests, limits or replicas.")
            yield Hit(inner.path, f"Halyard does not read {name} of {key} in customSizing.", hint=hint)
        elif name == "replicas" and not key.startswith("spin-"):
            hint = f"Write it below spin-{key}."
            yield Hit(inner.path, f"Halyard does not read replicas of {key}, only of spin-{key}.", hint=hint)
        elif name != "replicas" and key.startswith("spin-") and node.get("customSizing", key[5:]) is not None:
            hint = f"Write it below {key[5:]}, or remove the entry {key[5:]}."
            yield Hit(inner.path, f"The entry {key[5:]} of customSizing hides {name} of {key}.", hint=hint)
        for resource, found in inner.entries():
            near = () if resource in _RESOURCES else _near_resources(resource)
            if near:
                yield Hit(found.path, f"{resource} of {key} is not a resource.", hint=f"Did you mean {near[0]}?")


def _near_resources(resource: str) -> list[str]:
    return find_similar(resource, _RESOURCES, 1, 0.75)


def _no_type(view: View) -> Iterator[Hit]:
    node = environment(view)
    if view.deployment is not None and node.get("type") is None:
        yield Hit(node.at("type"), "deploymentEnvironment has no type, so Halyard installs Debian packages in its pod.")


def _namespace(view: View) -> Iterator[Hit]:
    node = environment(view)
    name = text(node, "location")
    is_open = name in view.compiled.parameters and view.compiled.dialect == "opsmx"
    if name and not is_open and not _LABEL.fullmatch(name):
        yield Hit(node.at("location"), f"location is not a valid name of a namespace: {name!r}.")


def _malformed_endpoints(view: View) -> Iterator[Hit]:
    for service, below in environment(view).entries("haServices"):
        for key, inner in below.entries() if is_true(below.get("enabled")) else ():
            value = text(below, key)
            if key.startswith("redis") and value and address(value) is None:
                yield Hit(inner.path, f"{key} of {service} is not an address that Java accepts.")
            elif key.startswith("redis") and value and "://" not in value:
                message = f"{key} of {service} has no scheme, so services cannot use it."
                yield Hit(inner.path, message, severity=Severity.WARNING)


def _no_image(view: View) -> Iterator[Hit]:
    for key, below in environment(view).entries("sidecars"):
        for item in below.items():
            if key.startswith("spin-") and isinstance(item.value, dict) and empty(item, "dockerImage"):
                path: Path = item.path
                yield Hit(path, f"A sidecar of {key} has no dockerImage.")


def _redis_endpoints(view: View) -> Iterator[Hit]:
    node = environment(view).node("haServices", "clouddriver")
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
    """Return whether a value is there and cannot be judged."""
    return not empty(node, key) and text(node, key) is None


def _unread_settings(view: View) -> Iterator[Hit]:
    node = environment(view)
    if view.deployment is None or services.get_mode(view.deployment.value) != services.KUBERNETES_MODE:
        return
    if node.get("nodeSelectors"):
        hint = "Set kubernetes.nodeSelector in the service-settings of each service."
        yield Hit(node.at("nodeSelectors"), "Halyard does not read nodeSelectors on Kubernetes.", hint=hint)
    if node.get("size") is not None and coerce_enum(node.get("size"), f"{PACKAGE}Size") in {"MEDIUM", "LARGE"}:
        yield Hit(node.at("size"), "Halyard does not read size on Kubernetes.", hint="Use customSizing.")
    if is_true(node.get("consul", "enabled")):
        yield Hit(node.at("consul", "enabled"), "Halyard does not read consul on Kubernetes.", hint="Remove it.")


RULES = (
    Rule("deployment-environment/endpoints", _redis_endpoints),
    Rule("deployment-environment/malformed-endpoint", _malformed_endpoints),
    Rule("deployment-environment/namespace", _namespace),
    Rule("deployment-environment/no-type", _no_type),
    Rule("deployment-environment/not-read", _unread_settings),
    Rule("deployment-environment/not-read-entry", _unread_entries),
    Rule("deployment-environment/other-mode-size", _sizes_of_other_mode),
    Rule("deployment-environment/replicas", _replicas),
    Rule("deployment-environment/resources", _resources),
    Rule("deployment-environment/sidecar-image", _no_image),
    Rule("deployment-environment/unknown-service", _unknown_services),
)
