"""Rules on a deployment as a whole: its name, its version, its time zone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from halgit.halyard.resources import list_time_zones
from halgit.pipeline import Severity
from halgit.text.phrases import suggest_nearest
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.given import text
from halgit.validation.view import View


def _named_twice(view: View) -> Iterator[Hit]:
    names = Counter(node.get("name") for node in view.deployments)
    seen: set[object] = set()
    for node in view.deployments:
        name = node.get("name")
        if names[name] > 1 and name in seen:
            yield Hit(node.at("name"), f"The deployment {name} stands here a second time.")
        seen.add(name)


def _no_version(view: View) -> Iterator[Hit]:
    if view.deployment is not None and view.deployment.get("version") in (None, ""):
        yield Hit(view.deployment.at("version"), f"The deployment {view.compiled.deployment} has no version.")


def _time_zone(view: View) -> Iterator[Hit]:
    zone = None if view.deployment is None else text(view.deployment, "timezone")
    if view.deployment is not None and zone is not None and zone not in list_time_zones():
        message = f"Java knows no time zone {zone}."
        known = () if "+" in zone or "-" in zone else sorted(list_time_zones())
        yield Hit(view.deployment.at("timezone"), message, hint=suggest_nearest(zone, known))


RULES = (
    Rule(
        id="deployment/named-twice",
        severity=Severity.ERROR,
        summary="Two deployments have the same name.",
        halyard="Halyard finds more than one deployment of the name and ends `hal deploy apply` with a FATAL problem.",
        impact="Nothing can be deployed until one of them is gone.",
        fix="Remove one of the two, or give it a name of its own.",
        check=_named_twice,
    ),
    Rule(
        id="deployment/no-version",
        severity=Severity.ERROR,
        summary="The deployment has no version of Spinnaker.",
        halyard="Halyard asks for the bill of materials of an empty version and fails with a FATAL problem.",
        impact="Every deployment begins with the bill of materials, so none can start.",
        fix="Set version to a release of Spinnaker, such as '1.36.1'.",
        check=_no_version,
    ),
    Rule(
        id="deployment/time-zone",
        severity=Severity.ERROR,
        summary="The time zone is none that Java knows.",
        halyard="Halyard compares it letter by letter with Java's ids, and `hal deploy apply` ends with an ERROR.",
        impact="Nothing can be deployed.",
        fix="Write a name such as Europe/Berlin, or UTC.",
        check=_time_zone,
    ),
)
