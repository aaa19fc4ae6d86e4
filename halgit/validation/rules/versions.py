"""Rules on the version of Spinnaker: what Halyard can make of it, and keys that other versions have."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from halgit import yaml as hyaml
from halgit.halyard import model, services, versions
from halgit.halyard.coercion import coerce_boolean, coerce_enum
from halgit.pipeline import MISSING, Path, Severity, Value
from halgit.text.phrases import join_words
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.given import text
from halgit.validation.view import Node, View

_UNCHECKED = "providers.kubernetes.KubernetesAccount"
"""The one class whose bounds Halyard never comes to check."""


def _version(view: View) -> tuple[Node, str]:
    """The rendered deployment and its version, an empty text where there is none to judge."""
    node = view.deployment
    return (Node((), None), "") if node is None else (node, text(node, "version") or "")


def _branch(view: View) -> Iterator[Hit]:
    node, version = _version(view)
    kind = coerce_enum(node.get("deploymentEnvironment", "type"), "node.DeploymentEnvironment.DeploymentType")
    if version.startswith(versions.BRANCH_PREFIX) and kind != "LocalGit":
        message = f"The version {version} is a branch, which only the type LocalGit can deploy."
        yield Hit(node.at("version"), message)


def _malformed(view: View) -> Iterator[Hit]:
    node, version = _version(view)
    if version and versions.supports_plugins(version) is None:
        yield Hit(node.at("version"), f"Halyard cannot take the version {version} apart.")


def _no_plugins(view: View) -> Iterator[Hit]:
    node, version = _version(view)
    wanted = [key for key in ("plugins", "repositories") if node.get("spinnaker", "extensibility", key)]
    if version and wanted and versions.supports_plugins(version) is False:
        message = f"With the version {version} Halyard leaves {join_words(wanted)} out."
        yield Hit(node.at("spinnaker", "extensibility", wanted[0]), message)


def _bounds(view: View) -> Iterator[Hit]:
    node, version = _version(view)
    if not versions.is_comparable(version):
        return
    found: list[tuple[str, str, str, Path]] = []
    for path, class_, mapping in model.walk_objects(view.config.value):
        if path[:2] != node.path or class_.name == _UNCHECKED:
            continue
        for key, value in mapping.items():
            known = class_.fields.get(str(key))
            bound = (
                ""
                if known is None or not _counts(known.type, value)
                else versions.compare_with_bounds(version, known.valid)
            )
            if known is not None and bound:
                found.append((class_.name, known.key, bound, (*path, key)))
    for (owner, key, bound), group in groupby(sorted(found, key=lambda one: one[:3]), key=lambda one: one[:3]):
        places = [one[3] for one in group]
        limits = model.get_class(owner).fields[key].valid
        said = f"is known since Spinnaker {limits[0]}" if bound == "too-low" else f"is gone since Spinnaker {limits[1]}"
        more = f" It stands so in {len(places)} places." if len(places) > 1 else ""
        yield Hit(places[0], f"{key} {said}; this deployment has version {version}.{more}")


def _counts(type_: model.FieldType, value: Value) -> bool:
    """Whether Halyard asks for the version of a value: not of one that is false or holds nothing."""
    if type_.kind == "boolean":
        return value is not None and coerce_boolean(value) is not False
    return value is not None and value not in ({}, [])


def _bill(view: View) -> tuple[Node, str, Value]:
    """The deployment, the path of its local bill of materials ("" for none), and what that holds (MISSING: nothing)."""
    node, version = _version(view)
    path = versions.get_bom_path(version)
    file = view.files.get(path)
    if file is None or not isinstance(file.body, bytes):
        return node, path, MISSING if file is None else file.data
    return node, path, hyaml.read(file.body, path).data


def _no_bill(view: View) -> Iterator[Hit]:
    node, path, _ = _bill(view)
    if path and path not in view.files:
        yield Hit(node.at("version"), f"The tree has no {path}, the bill of materials of this version.")


def _not_in_bill(view: View) -> Iterator[Hit]:
    node, path, bill = _bill(view)
    if not isinstance(bill, dict):
        return
    listed_ = Node((), bill)
    running = dict.fromkeys(services.get_base(service) for service in view.running[str(node.get("name"))])
    needed = [name for name in running if name in services.ARTIFACTS and name not in {"redis", "consul", "vault"}]
    missing = [name for name in needed if not listed_.get("services", name, "version")]
    if missing:
        message = f"Halyard leaves {join_words(missing)} out: the bill of materials has no version of it."
        message = message if len(missing) == 1 else message.removesuffix("it.") + "them."
        yield Hit((), message, path, line=1, column=1)


def _no_daemon(view: View) -> Iterator[Hit]:
    node, path, bill = _bill(view)
    kubernetes = services.get_mode(node.value) == services.KUBERNETES_MODE
    if kubernetes and isinstance(bill, dict) and not Node((), bill).get("services", "monitoring-daemon", "version"):
        yield Hit((), "The bill of materials has no version of monitoring-daemon.", path, line=1, column=1)


RULES = (
    Rule(
        id="versions/branch",
        severity=Severity.ERROR,
        summary="The version is a branch, and the deployment is not of type LocalGit.",
        halyard="Halyard refuses a branch with a FATAL problem where it does not build Spinnaker from source itself.",
        impact="Nothing can be deployed.",
        fix="Set version to a release, such as '1.36.1'.",
        check=_branch,
    ),
    Rule(
        id="versions/malformed",
        severity=Severity.ERROR,
        summary="The version is not of the form X.Y.Z.",
        halyard="Halyard asks whether the version knows plug-ins and ends with an IllegalArgumentException.",
        impact="Nothing can be generated.",
        fix="Write three numbers in quotes, such as '1.36.1', with local: before them for a bill of your own.",
        check=_malformed,
    ),
    Rule(
        id="versions/no-plugins",
        severity=Severity.WARNING,
        summary="Plug-ins are configured, and Halyard takes the version for one that knows none.",
        halyard="Halyard counts every version with a dash that is no master or release build as one without plug-ins.",
        impact="The plug-ins are missing, and nothing says so.",
        fix="Use a version without a dash, or configure the plug-ins in spinnaker-local.yml.",
        check=_no_plugins,
    ),
    Rule(
        id="versions/out-of-bounds",
        severity=Severity.WARNING,
        summary="A key is set that this version of Spinnaker does not know yet, or not any more.",
        halyard="Halyard warns of it; the service ignores what it does not know.",
        impact="What it says has no effect.",
        fix="Remove it, or change the version.",
        check=_bounds,
    ),
    Rule(
        id="versions/no-bill",
        severity=Severity.WARNING,
        summary="The version is local, and its bill of materials is not in the tree.",
        halyard="Halyard reads .boms/bom/<version>.yml in its own directory and ends with a FATAL problem without it.",
        impact="Nothing can be deployed unless the file is put there by other means.",
        fix="Add the file to a layer, or make sure that it is in Halyard's directory.",
        check=_no_bill,
    ),
    Rule(
        id="versions/not-in-bill",
        severity=Severity.WARNING,
        summary="The local bill of materials lacks a service that is to run.",
        halyard="Halyard skips a service that has no version in the bill of materials.",
        impact="The service is missing, and nothing says so.",
        fix="Add it under services, with its version.",
        check=_not_in_bill,
    ),
    Rule(
        id="versions/no-monitoring-daemon",
        severity=Severity.ERROR,
        summary="The local bill of materials lacks the monitoring daemon.",
        halyard="Halyard looks its version up for every service, used or not, and ends with a NullPointerException.",
        impact="Nothing can be deployed.",
        fix="Add monitoring-daemon under services, with a version.",
        check=_no_daemon,
    ),
)
