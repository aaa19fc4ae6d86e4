"""Rules on where Fiat learns people's roles: what the chosen role provider needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from halgit.halyard.coercion import coerce_enum, is_true
from halgit.pipeline import Severity
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.given import half, lacking
from halgit.validation.view import View

_NEEDS: Final = {
    "GITHUB": ("organization", "accessToken"),
    "GOOGLE": ("adminUsername", "credentialPath", "domain"),
    "FILE": ("path",),
    "LDAP": ("url",),
}


def _incomplete(view: View) -> Iterator[Hit]:
    if view.deployment is None or not is_true(view.deployment.get("security", "authz", "enabled")):
        return
    members = view.deployment.node("security", "authz", "groupMembership")
    service = coerce_enum(members.get("service"), "security.GroupMembership.RoleProviderType")
    if service in _NEEDS:
        provider = members.node(service.lower())
        yield from lacking(provider, f"The role provider {service.lower()}", _NEEDS[service])
        if service == "LDAP":
            yield from half(provider, "The role provider ldap", "managerDn", "managerPassword")


RULES = (
    Rule(
        id="authz/incomplete",
        severity=Severity.WARNING,
        summary="The chosen role provider lacks something it needs.",
        halyard="Halyard's check of security.authz calls it an ERROR; `hal deploy apply` does not run that check.",
        impact="Fiat does not start, or finds no roles, and nobody may do anything.",
        fix="Complete the role provider.",
        check=_incomplete,
    ),
)
