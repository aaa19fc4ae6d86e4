"""Rules on how people log in: what each method needs, and what is set without being enabled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from halgit.halyard.coercion import coerce_enum, is_true
from halgit.pipeline import Severity
from halgit.text.phrases import join_words
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.given import address, empty, host, lacking, text
from halgit.validation.view import Node, View

_TELLS: Final = (
    ("oauth2", "client", "clientId"),
    ("oauth2", "client", "clientSecret"),
    ("saml", "issuerId"),
    ("saml", "keyStore"),
    ("ldap", "userDnPattern"),
    ("ldap", "userSearchBase"),
    ("ldap", "userSearchFilter"),
    ("iap", "audience"),
)
_METHODS = ("oauth2", "saml", "ldap", "x509", "iap")
_SAML: Final = ("issuerId", "keyStore", "keyStorePassword", "keyStoreAliasName")
_DIGESTS: Final = ("SHA1", "SHA256", "SHA384", "SHA512", "RIPEMD160", "MD5")
_PRESET: Final = {
    "client": ("accessTokenUri", "userAuthorizationUri", "scope", "clientAuthenticationScheme"),
    "resource": ("userInfoUri",),
    "userInfoMapping": ("email", "firstName", "lastName", "username"),
}
"""What a provider of OAuth2 brings of its own."""


def _authn(view: View) -> Node:
    return Node((), None) if view.deployment is None else view.deployment.node("security", "authn")


def _method(view: View, name: str) -> Node | None:
    """The section of a method that is enabled; None where it is not."""
    node = _authn(view).node(name)
    return node if is_true(node.get("enabled")) else None


def _not_enabled(view: View) -> Iterator[Hit]:
    node = _authn(view)
    if any(is_true(node.get(name, "enabled")) for name in _METHODS):
        return
    for steps in _TELLS:
        if not empty(node, *steps):
            message = f"{'.'.join(steps)} is set, and no way to log in is enabled."
            yield Hit(node.at(*steps), message, hint=f"Set {steps[0]}.enabled: true, or remove {steps[0]}.")
            return


def _oauth2(view: View) -> Iterator[Hit]:
    node = _method(view, "oauth2")
    if node is None:
        return
    yield from lacking(node.node("client"), "The OAuth2 client", ("clientId", "clientSecret"))
    google = coerce_enum(node.get("provider"), "security.OAuth2.Provider") == "GOOGLE"
    if google and "hd" not in dict(node.entries("userInfoRequirements")):
        path = node.at("userInfoRequirements" if node.get("userInfoRequirements") else "provider")
        yield Hit(
            path, "Everybody with a Google account can log in.", hint="Set userInfoRequirements.hd to your domain."
        )


def _order(view: View) -> Iterator[Hit]:
    node = _authn(view).node("oauth2")
    provider = coerce_enum(node.get("provider"), "security.OAuth2.Provider")
    if provider in {None, "OTHER"}:
        return
    keys = [key for key, _ in node.entries()]
    for section in keys[: keys.index("provider")]:
        lost = [key for key in _PRESET.get(section, ()) if not empty(node, section, key)]
        if lost:
            message = f"provider stands below {section} and replaces {join_words(lost)} there by its own presets."
            yield Hit(node.at(section), message, hint="Move provider to the top of oauth2.")


def _saml(view: View) -> Iterator[Hit]:
    node = _method(view, "saml")
    if node is None:
        return
    if empty(node, "metadataLocal") and empty(node, "metadataRemote"):
        message = "SAML has neither metadataLocal nor metadataRemote."
        yield Hit(node.at("metadataRemote"), message, hint="Set one of them.")
    local = text(node, "metadataLocal")
    if local and address(f"file:{local}") is None:
        message = "metadataLocal is no path that can stand in a file: address."
        yield Hit(node.at("metadataLocal"), message, hint="Use a path without blanks.")
    yield from lacking(node, "SAML", _SAML)
    digest = text(node, "signatureDigest")
    if digest is not None and digest not in _DIGESTS:
        message = f"Halyard knows no digest {digest} for signatures."
        yield Hit(node.at("signatureDigest"), message, hint=f"Write one of {', '.join(_DIGESTS)}.")
    service = text(node, "serviceAddress")
    if service and not service.strip().lower().startswith("https:"):
        message = "serviceAddress is not https, so that logins can be read on the way."
        yield Hit(node.at("serviceAddress"), message, hint="Write the https address of Gate.")


def _saml_address(view: View) -> Iterator[Hit]:
    node = _method(view, "saml")
    if node is not None and node.get("serviceAddress") is None:
        yield Hit(node.at("serviceAddress"), "SAML is enabled and has no serviceAddress.")


def _ldap(view: View) -> Iterator[Hit]:
    node = _method(view, "ldap")
    if node is None:
        return
    wrong = ldap_address(node)
    if wrong:
        yield Hit(node.at("url"), wrong, hint="Write ldaps://host:636/dc=example,dc=org.")
    if empty(node, "userDnPattern") and empty(node, "userSearchFilter"):
        message = "LDAP has neither userDnPattern nor userSearchFilter, so nobody is found in it."
        yield Hit(node.at("userSearchFilter"), message, hint="Set one of them.")


def ldap_address(node: Node) -> str:
    """What Halyard finds wrong with the `url` of LDAP, the first fault only; an empty text where nothing is."""
    if node.get("url") is None:
        return "LDAP has no url."
    said = text(node, "url")
    split = None if said is None else address(said)
    if said is None or split is None:
        return ""
    if not split.scheme:
        return "The url of LDAP has no scheme."
    if split.port is None or not host(split):
        return "The url of LDAP names no port, or no host that Java can read."
    return "" if split.scheme in {"ldap", "ldaps"} else "The url of LDAP is neither ldap nor ldaps."


def _certificate(view: View) -> Iterator[Hit]:
    node = _method(view, "x509")
    if node is not None and node.get("roleOid") == "":
        message = "roleOid is an empty text, and no object id."
        yield Hit(node.at("roleOid"), message, hint="Write the object id, or take roleOid out.")


def _proxy(view: View) -> Iterator[Hit]:
    node = _method(view, "iap")
    if node is not None:
        yield from lacking(node, "IAP", ("audience",))


_SAYS = "Halyard's check of the section says so; `hal deploy apply` does not run that check."

RULES = (
    Rule(
        id="authn/not-enabled",
        severity=Severity.WARNING,
        summary="A way to log in is configured and not enabled.",
        halyard=_SAYS,
        impact="Everybody who reaches Gate is let in, without a login.",
        fix="Enable it, or remove what is set.",
        check=_not_enabled,
    ),
    Rule(
        id="authn/oauth2",
        severity=Severity.WARNING,
        summary="OAuth2 lacks the client's identity, or lets every Google account in.",
        halyard=_SAYS,
        impact="Logins fail, or are open to the world.",
        fix="Complete oauth2.",
        check=_oauth2,
    ),
    Rule(
        id="authn/oauth2-order",
        severity=Severity.WARNING,
        summary="The provider of OAuth2 stands below what it replaces.",
        halyard="Halyard reads the keys in order; provider puts its presets over what was read before it.",
        impact="The scope, addresses or user mapping in the file have no effect.",
        fix="Move provider to the top of oauth2.",
        check=_order,
    ),
    Rule(
        id="authn/saml",
        severity=Severity.WARNING,
        summary="SAML lacks something it needs, or something of it is wrong.",
        halyard=_SAYS,
        impact="Gate does not start, or logins fail.",
        fix="Complete saml.",
        check=_saml,
    ),
    Rule(
        id="authn/saml-address",
        severity=Severity.ERROR,
        summary="SAML is enabled without a serviceAddress.",
        halyard="Halyard takes the address apart when it generates and ends with a NullPointerException.",
        impact="Nothing can be deployed.",
        fix="Set serviceAddress to the https address of Gate.",
        check=_saml_address,
    ),
    Rule(
        id="authn/ldap",
        severity=Severity.WARNING,
        summary="LDAP lacks something it needs, or its address is wrong.",
        halyard=_SAYS,
        impact="Logins fail.",
        fix="Complete ldap.",
        check=_ldap,
    ),
    Rule(
        id="authn/x509",
        severity=Severity.WARNING,
        summary="The role of client certificates is an empty text.",
        halyard=_SAYS,
        impact="Roles are not read from certificates.",
        fix="Write the object id, or take roleOid out.",
        check=_certificate,
    ),
    Rule(
        id="authn/iap",
        severity=Severity.WARNING,
        summary="Identity-Aware Proxy is enabled without an audience.",
        halyard=_SAYS,
        impact="Logins fail.",
        fix="Set audience.",
        check=_proxy,
    ),
)
