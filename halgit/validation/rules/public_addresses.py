"""Rules on the addresses at which people reach Deck and Gate."""

from __future__ import annotations

from collections.abc import Iterator

from halgit.pipeline import Severity
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.deployment_environment import kind
from halgit.validation.rules.given import address, empty, host, text
from halgit.validation.view import View

_SECTIONS = (("apiSecurity", "Gate"), ("uiSecurity", "Deck"))


def _not_set(view: View) -> Iterator[Hit]:
    if view.deployment is None or kind(view) != "Distributed":
        return
    for section, service in _SECTIONS:
        if empty(view.deployment, "security", section, "overrideBaseUrl"):
            path = view.deployment.at("security", section, "overrideBaseUrl")
            yield Hit(path, f"{section} has no overrideBaseUrl, so {service} is sought on localhost.")


def _malformed(view: View) -> Iterator[Hit]:
    for section, _ in _SECTIONS if view.deployment is not None else ():
        said = text(view.deployment, "security", section, "overrideBaseUrl") if view.deployment else None
        if not said:
            continue
        split = address(said)
        wrong = "is no address" if split is None else "has no scheme" if not split.scheme else ""
        wrong = wrong or ("has no host that Java can read" if split is not None and not host(split) else "")
        if wrong and view.deployment is not None:
            path = view.deployment.at("security", section, "overrideBaseUrl")
            yield Hit(path, f"overrideBaseUrl of {section} {wrong}.")


RULES = (
    Rule(
        id="public-addresses/not-set",
        severity=Severity.WARNING,
        summary="Deck or Gate has no public address.",
        halyard="Halyard warns of it and writes an address on localhost.",
        impact="People who do not forward ports reach a page that finds no Gate, and logins lead nowhere.",
        fix="Set overrideBaseUrl to the address people use.",
        check=_not_set,
    ),
    Rule(
        id="public-addresses/malformed",
        severity=Severity.WARNING,
        summary="The public address of Deck or Gate cannot be read.",
        halyard="Halyard's check of the section calls it an ERROR; `hal deploy apply` does not run that check.",
        impact="Deck does not find Gate, or logins lead nowhere.",
        fix="Write scheme://host/path.",
        check=_malformed,
    ),
)
