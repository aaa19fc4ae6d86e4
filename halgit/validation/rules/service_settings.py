"""Rules on service-settings: addresses Halyard cannot read, settings that reach no service, what Kubernetes refuses.

Keys and types are the business of the schema.
"""

from __future__ import annotations

from collections.abc import Iterator

from halgit import references
from halgit.annotations import Final
from halgit.halyard import layout, services
from halgit.lazy import lazy_pattern
from halgit.pipeline import Path, Severity
from halgit.text.phrases import join_words, suggest_nearest
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.fields import STILL_OPEN, address, has_port, named_step, skipped_file, word
from halgit.validation.rules.templates import MAPPINGS, find_texts, running_settings
from halgit.validation.view import Node, View

_SERVICE_TYPES: Final = ("ClusterIP", "NodePort", "LoadBalancer")
"""Types of Services without further fields; ExternalName needs one that Halyard does not write."""
_SPLIT = ("clouddriver", "echo")
"""The services that high availability splits into parts."""


def _no_content(view: View) -> Iterator[Hit]:
    for file, node in view.documents("service-settings"):
        place = layout.classify_file(file.path, tuple(view.running))
        if node.value is None and file.body and place.services and place.deployment == view.compiled.deployment:
            yield Hit(
                (),
                f"There is nothing in the settings of {place.services[0]} but comments.",
                file.path,
                line=1,
                column=1,
            )


def _not_an_address(view: View) -> Iterator[Hit]:
    for file, node in view.documents("service-settings"):
        if file.path.split("/", 1)[0] != view.compiled.deployment:
            continue
        for key in ("overrideBaseUrl", "baseUrl"):
            value = node.get(key)
            hidden = not isinstance(value, str) or "${{" in value or references.find_references(value)
            if not hidden and value and address(value) is None:
                yield Hit((key,), f"{key} is not an address that Halyard accepts.", file.path)


def _no_scheme(view: View) -> Iterator[Hit]:
    """Addresses that Halyard passes on and no service can use. Of an empty one nothing is recorded."""
    for file, node in view.documents("service-settings"):
        for key in ("overrideBaseUrl", "baseUrl") if file.path.startswith(f"{view.compiled.deployment}/") else ():
            value = word(node.get(key))
            split = address(value) if value and not value.startswith("/") and not STILL_OPEN.search(value) else None
            if value and split is not None and "://" not in value:
                yield Hit((key,), f"{key} has no scheme, so services cannot use it.", file.path)
            elif split is not None and not has_port(split):
                hint = "Write scheme://host:port, with a port from 1 to 65535."
                yield Hit((key,), f"{key} has a port that does not exist, so services cannot use it.", file.path, hint)


def _other_mode(view: View) -> Iterator[Hit]:
    for deployment, running in view.running.items():
        start = f"{deployment}/service-settings/"
        written = {path[len(start) : -4] for path in view.files if path.startswith(start) and path.endswith(".yml")}
        for whole in _SPLIT:
            parts = [
                part
                for part in services.list_family(whole)
                if part in services.list_services_of_mode(services.KUBERNETES_MODE)
            ]
            bare = [part for part in parts if part != whole and part in running and part not in written]
            unread = sorted(part for part in parts if part != whole and part in written)
            if whole in written and whole not in running and bare:
                message = f"The settings of {whole} do not apply to its parts: {join_words(bare)} get none of them."
                hint = f"Write {join_words([f'{part}.yml' for part in bare])} beside it."
                yield Hit((), message, f"{start}{whole}.yml", hint)
            elif whole in running and whole not in written and unread:
                message = f"High availability of {whole} is off: no service reads the settings of {join_words(unread)}."
                hint = f"Rename the file to {whole}.yml, or enable haServices.{whole}."
                yield Hit((), message, f"{start}{unread[0]}.yml", hint)


def _not_taken(view: View) -> Iterator[Hit]:
    for left in view.compiled.skipped:
        place = layout.classify_file(left.path, tuple(view.running))
        if place.kind == "service-settings" and left.reason.startswith(("no service", "config has no")):
            yield skipped_file(view, left)


def _refused(view: View) -> Iterator[Hit]:
    for file, node in running_settings(view):
        for path, message, hint in _refusals(node):
            yield Hit(path, message, file.path, hint)
        for key, below in node.entries("kubernetes", "deploymentStrategy", "strategySettings"):
            if key not in _STRATEGY:
                message = f"{key} is not a setting of a rolling update."
                hint = suggest_nearest(key, _STRATEGY, f"Use {join_words(_STRATEGY)}.")
                yield Hit(below.path, message, file.path, hint, severity=Severity.WARNING)


_STRATEGY: Final = ("maxSurge", "maxUnavailable")


def _refusals(node: Node) -> Iterator[tuple[Path, str, str]]:
    """Yield what the API server refuses in the service-settings of one service."""
    yield from _refused_numbers(node)
    image = word(node.get("artifactId"))
    if image is not None and (image == "" or image != image.strip()):
        what = "begins or ends with a space" if image.strip() else "is empty"
        yield node.at("artifactId"), f"artifactId {what}.", "Write the name of an image, or remove the key."
    location = word(node.get("location"))
    if location and not STILL_OPEN.search(location) and not _NAMESPACE.fullmatch(location):
        hint = "Use lower-case letters, digits and dashes."
        yield node.at("location"), f"location is not a valid name of a namespace: {location!r}.", hint
    kind = word(node.get("kubernetes", "serviceType"))
    if kind is not None and kind not in _SERVICE_TYPES:
        path = node.at("kubernetes", "serviceType")
        yield path, f"serviceType is {kind}.", f"Write one of {', '.join(_SERVICE_TYPES)}."
    for key, variable in node.entries("env"):
        if key == "" or "=" in key:
            yield variable.path, f"A variable of env has an invalid name: {key!r}.", "Write a name without =."
    yield from _refused_volumes(node)
    yield from _refused_names(node)


def _refused_numbers(node: Node) -> Iterator[tuple[Path, str, str]]:
    port, size = node.get("port"), node.get("targetSize")
    if type(port) is int and not 1 <= port <= _HIGHEST_PORT:
        yield node.at("port"), f"port is {port}.", "Write a port from 1 to 65535."
    if type(size) is int and size < 0:
        yield node.at("targetSize"), f"targetSize is {size}.", "Write 0 or more."
    outside = word(node.get("kubernetes", "nodePort"))
    is_template = outside is not None and any(part in outside for part in _OF_TEMPLATES)
    is_number = outside is not None and outside.isdecimal() and len(outside) < 10
    if outside and not is_template and not (is_number and 0 < int(outside) <= _HIGHEST_PORT):
        yield node.at("kubernetes", "nodePort"), f"nodePort is {outside}.", "Write a port, such as 30080."
    for key, user in node.entries("kubernetes", "securityContext"):
        if type(user.value) is int and user.value < 0:
            yield user.path, f"{key} is {user.value}.", "Write 0 or more."


_HIGHEST_PORT: Final = 65_535


def _refused_volumes(node: Node) -> Iterator[tuple[Path, str, str]]:
    seen: set[tuple[str, str]] = set()
    for volume in node.items("kubernetes", "volumes"):
        for key in ("id", "mountPath") if isinstance(volume.value, dict) else ():
            value = word(volume.get(key))
            if volume.get(key) in (None, ""):
                yield volume.path, f"A volume has no {key}.", f"Set {key}."
            elif value is not None and (key, value) in seen:
                yield volume.at(key), f"Two volumes have the {key} {value}.", "Keep one of them."
            seen.add((key, value or ""))


_NAMES: Final = (
    ("kubernetes", "serviceAccountName"),
    ("kubernetes", "imagePullSecrets", "*"),
    ("kubernetes", "volumes", "*", "id"),
)
"""The names of Kubernetes objects in service-settings."""
_NAMESPACE: Final = lazy_pattern(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABELS: Final = (
    ("kubernetes", "podLabels", "*"),
    ("kubernetes", "serviceLabels", "*"),
    ("kubernetes", "nodeSelector", "*"),
)
_NAME: Final = lazy_pattern(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL: Final = lazy_pattern(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_OF_TEMPLATES: Final = ("{{", "{%", '"', "\\")
"""What the template changes, so that the value cannot be judged here."""


def _refused_names(node: Node) -> Iterator[tuple[Path, str, str]]:
    for places, pattern, what, hint in (
        (_NAMES, _NAME, "a valid name", "Use lower-case letters, digits and dashes."),
        (_LABELS, _LABEL, "a valid label", "Use at most 63 letters, digits, dashes, dots and underscores."),
    ):
        for path, said in (found for steps in places for found in find_texts(node, steps)):
            if said and not any(part in said for part in _OF_TEMPLATES) and not pattern.fullmatch(said):
                yield path, f"{named_step(path)} is not {what} in Kubernetes.", hint
    yield from _refused_keys(node)


_QUALIFIED: Final = lazy_pattern(
    r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
"""A key of a label or annotation: a name of at most 63 characters, after a domain and a slash or alone."""


def _refused_keys(node: Node) -> Iterator[tuple[Path, str, str]]:
    for steps in MAPPINGS[1:]:
        for key, below in node.entries(*steps):
            wanted = key.lower() if steps[1].endswith("Annotations") else key
            if not any(part in key for part in _OF_TEMPLATES) and not _QUALIFIED.fullmatch(wanted):
                hint = "Use a domain, a slash and at most 63 letters, digits, dashes, dots and underscores."
                yield below.path, f"A key of {steps[1]} is not valid in Kubernetes: {key!r}.", hint


RULES = (
    Rule("service-settings/no-content", _no_content),
    Rule("service-settings/not-an-address", _not_an_address),
    Rule("service-settings/no-scheme", _no_scheme),
    Rule("service-settings/refused-by-kubernetes", _refused),
    Rule("service-settings/unused", _not_taken),
    Rule("service-settings/other-mode", _other_mode),
)
