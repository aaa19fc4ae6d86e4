"""Rules on how people log in: what each method needs, and what is set without being enabled."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import SplitResult

from halgit.annotations import Final
from halgit.halyard.coercion import coerce_enum, is_true
from halgit.pipeline import Severity
from halgit.text.phrases import join_words
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.deployment import kind
from halgit.validation.rules.fields import (
    STILL_OPEN,
    address,
    empty,
    half,
    has_port,
    host,
    is_http_address,
    lacking,
    text,
)
from halgit.validation.view import Node, View

_CONFIGURED_BY: Final = (
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
"""Settings that each OAuth2 provider sets itself."""


def _authn(view: View) -> Node:
    return Node((), None) if view.deployment is None else view.deployment.node("security", "authn")


def _method(view: View, name: str) -> Node | None:
    """The section of a method that is enabled; None where it is not."""
    node = _authn(view).node(name)
    return node if is_true(node.get("enabled")) else None


def _login_not_enabled(view: View) -> Iterator[Hit]:
    node = _authn(view)
    if any(is_true(node.get(name, "enabled")) for name in _METHODS):
        return
    for steps in _CONFIGURED_BY:
        if not empty(node, *steps):
            message = f"{'.'.join(steps)} is set, and no authentication method is enabled."
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
            path, "Everyone with a Google account can log in.", hint="Set userInfoRequirements.hd to your domain."
        )


def _oauth2_order(view: View) -> Iterator[Hit]:
    node = _authn(view).node("oauth2")
    provider = coerce_enum(node.get("provider"), "security.OAuth2.Provider")
    if provider in {None, "OTHER"}:
        return
    keys = [key for key, _ in node.entries()]
    for section in keys[: keys.index("provider")]:
        lost = [key for key in _PRESET.get(section, ()) if not empty(node, section, key)]
        if lost:
            message = f"provider is below {section} and replaces {join_words(lost)} there with its presets."
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
        message = "metadataLocal cannot be used in a file: address."
        yield Hit(node.at("metadataLocal"), message, hint="Use a path without spaces.")
    remote = text(node, "metadataRemote")
    if remote and not STILL_OPEN.search(remote) and not is_http_address(remote):
        message = "metadataRemote is not an http address, so nobody can read it."
        yield Hit(node.at("metadataRemote"), message, hint="Write http:// or https://, the host and the path.")
    yield from lacking(node, "SAML", _SAML)
    digest = text(node, "signatureDigest")
    if digest is not None and digest not in _DIGESTS:
        message = f"Halyard does not know the signature digest {digest}."
        yield Hit(node.at("signatureDigest"), message, hint=f"Write one of {', '.join(_DIGESTS)}.")
    service = text(node, "serviceAddress")
    if service and "://" in service and not service.strip().lower().startswith("https:"):
        message = "serviceAddress is not https, so logins can be intercepted."
        yield Hit(node.at("serviceAddress"), message, hint="Write the https address of Gate.")


def _saml_address(view: View) -> Iterator[Hit]:
    node = _method(view, "saml")
    if node is not None and node.get("serviceAddress") in (None, ""):
        yield Hit(node.at("serviceAddress"), "SAML is enabled and has no serviceAddress.")


def _ldap(view: View) -> Iterator[Hit]:
    node = _method(view, "ldap")
    if node is None:
        return
    wrong = ldap_address(node)
    if wrong:
        yield Hit(node.at("url"), wrong, hint="Write ldaps://host:636/dc=example,dc=org.")
    if empty(node, "userDnPattern") and empty(node, "userSearchFilter"):
        message = "LDAP has neither userDnPattern nor userSearchFilter, so no user is found."
        yield Hit(node.at("userSearchFilter"), message, hint="Set one of them.")


def ldap_address(node: Node) -> str:
    """Return Halyard's first objection to the `url` of LDAP; an empty string if there is none."""
    if node.get("url") is None:
        return "LDAP has no url."
    said = text(node, "url")
    split = None if said is None else address(said, is_trimmed=True)
    if said is None or split is None:
        return ""
    if not split.scheme:
        return "The url of LDAP has no scheme."
    if not host(split):
        return "The url of LDAP has no valid host."
    return "" if split.scheme in {"ldap", "ldaps"} else "The url of LDAP is neither ldap nor ldaps."


def _x509(view: View) -> Iterator[Hit]:
    node = _method(view, "x509")
    if node is not None and node.get("roleOid") == "":
        message = "roleOid is an empty string."
        yield Hit(node.at("roleOid"), message, hint="Write the object id, or remove roleOid.")


def _iap(view: View) -> Iterator[Hit]:
    node = _method(view, "iap")
    if node is not None:
        yield from lacking(node, "IAP", ("audience",))


_ROLE_PROVIDER_NEEDS: Final = {
    "GITHUB": ("organization", "accessToken"),
    "GOOGLE": ("adminUsername", "credentialPath", "domain"),
    "FILE": ("path",),
    "LDAP": ("url",),
}


def _incomplete_role_provider(view: View) -> Iterator[Hit]:
    if view.deployment is None or not is_true(view.deployment.get("security", "authz", "enabled")):
        return
    members = view.deployment.node("security", "authz", "groupMembership")
    service = coerce_enum(members.get("service"), "security.GroupMembership.RoleProviderType")
    if service in _ROLE_PROVIDER_NEEDS:
        provider = members.node(service.lower())
        yield from lacking(provider, f"The role provider {service.lower()}", _ROLE_PROVIDER_NEEDS[service])
        if service == "LDAP":
            yield from half(provider, "The role provider ldap", "managerDn", "managerPassword")
            wrong = "" if empty(provider, "url") else ldap_address(provider)
            if wrong:
                yield Hit(provider.at("url"), wrong, hint="Write ldaps://host:636/dc=example,dc=org.")


_PUBLIC_SECTIONS = (("apiSecurity", "Gate"), ("uiSecurity", "Deck"))


def _no_public_address(view: View) -> Iterator[Hit]:
    if view.deployment is None or kind(view) != "Distributed":
        return
    for section, service in _PUBLIC_SECTIONS:
        if empty(view.deployment, "security", section, "overrideBaseUrl"):
            path = view.deployment.at("security", section, "overrideBaseUrl")
            yield Hit(path, f"{section} has no overrideBaseUrl, so {service} is expected on localhost.")


def _malformed_public_address(view: View) -> Iterator[Hit]:
    for section, _ in _PUBLIC_SECTIONS if view.deployment is not None else ():
        said = text(view.deployment, "security", section, "overrideBaseUrl") if view.deployment else None
        if not said or (said.startswith("/") and not said.startswith("//")):
            continue
        split = address(said)
        wrong = "is not a valid address" if split is None else _fault_of_address(split)
        if wrong and view.deployment is not None:
            path = view.deployment.at("security", section, "overrideBaseUrl")
            severity = Severity.ERROR if split is None else None
            yield Hit(path, f"overrideBaseUrl of {section} {wrong}.", severity=severity)


def _fault_of_address(split: SplitResult) -> str:
    """Return why nobody reaches an address that Java accepts; empty if somebody may."""
    if not split.scheme:
        return "has no scheme"
    if not host(split):
        return "has no host that Java accepts"
    return "" if has_port(split) else "has a port that does not exist"


RULES = (
    Rule("authn/iap", _iap),
    Rule("authn/ldap", _ldap),
    Rule("authn/not-enabled", _login_not_enabled),
    Rule("authn/oauth2", _oauth2),
    Rule("authn/oauth2-order", _oauth2_order),
    Rule("authn/saml", _saml),
    Rule("authn/saml-address", _saml_address),
    Rule("authn/x509", _x509),
    Rule("authz/incomplete", _incomplete_role_provider),
    Rule("public-addresses/malformed", _malformed_public_address),
    Rule("public-addresses/not-set", _no_public_address),
)
