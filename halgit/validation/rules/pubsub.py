"""Rules on Google Pub/Sub publishers."""

from __future__ import annotations

from collections.abc import Iterator

from halgit.pipeline import Severity
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.given import lacking, text
from halgit.validation.view import View

_NOT_RUN = "Halyard's validator calls it an error; `hal deploy apply` does not run it."


def _publishers(view: View) -> Iterator[Hit]:
    for deployment in view.deployments:
        seen: set[str] = set()
        for publisher in deployment.node("pubsub", "google").items("publishers"):
            name = text(publisher, "name")
            whose = f"The publisher {name}" if name else "A publisher"
            yield from lacking(publisher, whose, ("project", "topicName"))
            if name is not None and name in seen:
                message = f"The publisher {name} stands here a second time."
                yield Hit(publisher.at("name"), message, hint="Give one of them another name.")
            seen.add(name or "")


RULES = (
    Rule(
        id="pubsub/publisher",
        severity=Severity.WARNING,
        summary="A publisher of Google Pub/Sub is incomplete, or stands there twice.",
        halyard=_NOT_RUN,
        impact="Echo does not start, or publishes to one of the two only.",
        fix="Set project and topicName, and give each a name of its own.",
        check=_publishers,
    ),
)
