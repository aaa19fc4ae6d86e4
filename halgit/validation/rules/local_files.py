"""Rules on the halconfig's local-file fields: kubeconfigs, key files, key stores. They must be where they are named.

Halyard copies every such file when it generates, also those of providers that are not enabled; those of continuous
integration, canary analysis and Stackdriver only where they are in use (`halyard-facts` section 3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from halgit.halyard import model
from halgit.halyard.coercion import is_true
from halgit.pipeline import Path, Severity, Value
from halgit.text.phrases import suggest_nearest
from halgit.validation.local_files import Named, named
from halgit.validation.rule import Hit, Rule
from halgit.validation.view import View

_NOT_IN_USE = "Halyard does not copy it while it is not in use."


def _fields(view: View) -> Iterator[tuple[Path, Value]]:
    if isinstance(view.config.value, dict):
        yield from model.list_local_files(view.config.value)


def _missing(view: View) -> Iterator[Hit]:
    known = tuple(view.files) if len(view.files) <= _FEW else ()
    for path, value in _fields(view):
        if named(view, value) == "missing":
            hint = suggest_nearest(str(value), known, "Add the file to the layer, or correct the path.")
            used = _in_use(view, path)
            message = f"{path[-1]} names {_shown(str(value))}, which is not in the tree."
            severity = None if used else Severity.WARNING
            yield Hit(path, message if used else f"{message} {_NOT_IN_USE}", hint=hint, severity=severity)


_FEW: Final = 200
"""Among more files than this no like name is looked for."""

_PATH: Final = re.compile(r"/?(?:[\w.@-]{1,40}/)*[\w.@-]{1,40}")


def _shown(value: str) -> str:
    """A path as a message may show it. What looks like none may be the secret itself, put in place of its file."""
    like = "/" in value or re.search(r"\.[A-Za-z]{1,10}$", value)
    return value if like and _PATH.fullmatch(value) else "a file"


def _in_use(view: View, path: Path) -> bool:
    """Whether Halyard copies the file of this field of a deployment."""
    deployment = next((node for node in view.deployments if node.path == path[:2]), None)
    if deployment is None or len(path) < 4:
        return True
    if path[2] in {"ci", "repository"}:
        return "igor" in view.running.get(str(deployment.get("name")), ())
    if path[2] == "canary":
        return is_true(deployment.get("canary", "enabled"))
    if path[2:4] == ("providers", "kubernetes") and path[-1] == "kubeconfigFile":
        return not is_true(deployment.value["providers"]["kubernetes"]["accounts"][path[-2]].get("serviceAccount"))
    if path[2:4] == ("metricStores", "stackdriver"):
        return is_true(deployment.get("metricStores", "stackdriver", "enabled"))
    return True


def _home(view: View) -> Iterator[Hit]:
    for path, value in _fields(view):
        if named(view, value) == "home":
            yield Hit(path, f"{path[-1]} begins with ~, which Halyard does not expand.")


def _outside(view: View) -> Iterator[Hit]:
    places: dict[str, list[Path]] = {}
    for path, value in _fields(view):
        if named(view, value) == "outside":
            places.setdefault(str(value), []).append(path)
    for value, paths in places.items():
        more = f" It is named in {len(paths)} places." if len(paths) > 1 else ""
        message = f"{paths[0][-1]} names {_shown(value)}, which is not part of the tree and cannot be checked here."
        yield Hit(paths[0], message + more)


def _empty(view: View) -> Iterator[Hit]:
    for path, value in _fields(view):
        file = named(view, value)
        if isinstance(file, Named) and file.empty:
            severity = Severity.ERROR if path[2:4] == ("providers", "dcos") else None
            yield Hit(path, f"{path[-1]} names {file.path}, and there is nothing in it.", severity=severity)


RULES = (
    Rule(
        id="local-files/missing",
        severity=Severity.ERROR,
        summary="A file of the tree is named that is not there.",
        halyard="Halyard copies the file when it generates, and ends with a FATAL problem.",
        impact="Nothing can be deployed until the file is there.",
        fix="Add the file to the layer, or correct the path.",
        check=_missing,
    ),
    Rule(
        id="local-files/home",
        severity=Severity.ERROR,
        summary="A path of a local file begins with ~.",
        halyard="Halyard does not expand ~ in these fields: it looks for a folder of that name in the hal directory.",
        impact="The file is not found, and nothing can be deployed.",
        fix="Write the whole path, or one relative to the hal directory.",
        check=_home,
    ),
    Rule(
        id="local-files/outside",
        severity=Severity.INFO,
        summary="A local file is named that is not part of the tree.",
        halyard="Halyard copies it when it generates, and ends with a FATAL problem where it is missing.",
        impact="Whether it is there only the pod knows.",
        fix="Make sure that the pod mounts it there, or keep it in the layer.",
        check=_outside,
    ),
    Rule(
        id="local-files/empty",
        severity=Severity.WARNING,
        summary="A local file is empty.",
        halyard="Halyard warns of some of them when it validates, and hands the empty file on.",
        impact="The service that reads it fails.",
        fix="Put into it what belongs there.",
        check=_empty,
    ),
)
