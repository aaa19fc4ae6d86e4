"""Rules on Docker registry accounts, and on the accounts of Kubernetes and DC/OS that name them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from halgit.halyard.coercion import is_true
from halgit.pipeline import Severity
from halgit.text.phrases import join_words, suggest_nearest
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.given import empty, owner, text, word
from halgit.validation.rules.kubernetes import is_version_1
from halgit.validation.view import Node, View

_NAME: Final = re.compile(r"[a-z0-9]+([-a-z0-9]*[a-z0-9])?")
_PASSWORDS: Final = ("password", "passwordCommand", "passwordFile")
_PLACEHOLDER: Final = re.compile(r".\{.*\}")
_BROKEN: Final = ("unterminated", "missing", "unbalanced", "nothing to repeat", "bad escape (end of pattern)")
"""What Python says of a pattern that Java refuses, too; the two differ in other things."""

_AT_DEPLOY = "`hal deploy apply` validates every registry account, also of a provider that is not enabled"


def _accounts(view: View) -> Iterator[Node]:
    return view.accounts_of("dockerRegistry")


def _bad_name(view: View) -> Iterator[Hit]:
    for account in _accounts(view):
        name = text(account, "name")
        if name is not None and not _NAME.fullmatch(name):
            yield Hit(account.at("name"), f"A dockerRegistry account cannot be named {name}.")


def _passwords(view: View) -> Iterator[Hit]:
    for account in _accounts(view):
        there = [key for key in _PASSWORDS if not empty(account, key)]
        if len(there) > 1:
            yield Hit(account.at(there[1]), f"{owner('dockerRegistry', account)} has {join_words(there)}.")


def _half_login(view: View) -> Iterator[Hit]:
    for account in _accounts(view):
        there = [key for key in _PASSWORDS if not empty(account, key)]
        whose = owner("dockerRegistry", account)
        if there and empty(account, "username"):
            yield Hit(account.at(there[0]), f"{whose} has {there[0]} and no username.", hint="Set username.")
        if not there and not empty(account, "username"):
            hint = "Set password, passwordFile or passwordCommand, or remove username."
            yield Hit(account.at("username"), f"{whose} has a username and no password.", hint=hint)


def _placeholder(view: View) -> Iterator[Hit]:
    for account in _accounts(view):
        for key in ("address", "username", "password", "passwordCommand"):
            value = account.get(key)
            if isinstance(value, str) and word(value.replace("$", "")) and _PLACEHOLDER.fullmatch(value):
                yield Hit(account.at(key), f"{owner('dockerRegistry', account)} has a placeholder in {key}.")


def _pattern(view: View) -> Iterator[Hit]:
    for account in _accounts(view):
        pattern = text(account, "repositoriesRegex")
        try:
            re.compile(pattern or "")
        except re.error as reason:
            if reason.msg.startswith(_BROKEN):
                message = f"repositoriesRegex cannot be compiled: {reason.msg}."
                yield Hit(account.at("repositoriesRegex"), message)


def _references(view: View) -> Iterator[Hit]:
    for deployment in view.deployments:
        registry = deployment.node("providers", "dockerRegistry")
        names = [text(account, "name") for account in registry.items("accounts")]
        if None in names:
            continue
        known = [str(name) for name in names]
        for provider in ("kubernetes", "dcos"):
            for account in deployment.node("providers", provider).items("accounts"):
                if isinstance(account.value, dict):
                    yield from _of(provider, account, known, enabled=is_true(registry.get("enabled")))


def _of(provider: str, account: Node, known: list[str], *, enabled: bool) -> Iterator[Hit]:
    """What is wrong with the registries of one account. Where Halyard does not look, it is no more than a warning."""
    looks = provider == "dcos" or is_version_1(account)
    severity = None if looks else Severity.WARNING
    whose = owner(provider, account)
    registries = [one for one in account.items("dockerRegistries") if isinstance(one.value, dict)]
    at = account.at("dockerRegistries")
    if looks and not registries:
        yield Hit(at, f"{whose} names no Docker registry.", hint="Name one under dockerRegistries.")
    if registries and not known:
        yield Hit(at, f"{whose} names Docker registries, and there are none.", hint="Add them.", severity=severity)
        return
    if registries and not enabled:
        hint = "Set providers.dockerRegistry.enabled: true."
        yield Hit(at, f"{whose} names Docker registries, which are not enabled.", hint=hint, severity=severity)
    seen: set[str] = set()
    for one in registries:
        name = text(one, "accountName")
        if name is None:
            continue
        if name not in known:
            hint = suggest_nearest(name, known, f"The registries are {', '.join(known)}.")
            yield Hit(
                one.at("accountName"), f"{whose} names a registry {name}, which is none.", hint=hint, severity=severity
            )
        if name in seen:
            yield Hit(one.at("accountName"), f"{whose} names the registry {name} twice.", severity=severity)
        seen.add(name)


RULES = (
    Rule(
        id="docker-registry/name",
        severity=Severity.ERROR,
        summary="The name of a Docker registry account has letters that are not allowed.",
        halyard=f"{_AT_DEPLOY}, and ends with an ERROR.",
        impact="Nothing can be deployed until it is renamed.",
        fix="Use small letters, digits, and dashes between them.",
        check=_bad_name,
    ),
    Rule(
        id="docker-registry/passwords",
        severity=Severity.ERROR,
        summary="A Docker registry account has more than one of password, passwordCommand and passwordFile.",
        halyard=f"{_AT_DEPLOY}, and ends with an ERROR.",
        impact="Nothing can be deployed until one is left.",
        fix="Keep one of them.",
        check=_passwords,
    ),
    Rule(
        id="docker-registry/half-login",
        severity=Severity.WARNING,
        summary="A Docker registry account has a user without a password, or a password without a user.",
        halyard="Halyard warns; Clouddriver logs in with half a login.",
        impact="Private repositories are not seen.",
        fix="Set both, or neither.",
        check=_half_login,
    ),
    Rule(
        id="docker-registry/placeholder",
        severity=Severity.WARNING,
        summary="A Docker registry account has a placeholder in a value.",
        halyard="Halyard warns and leaves out all its checks of the account.",
        impact="Whether the login works is only seen when Clouddriver runs.",
        fix="Fill it in, or use a reference to a secret.",
        check=_placeholder,
    ),
    Rule(
        id="docker-registry/pattern",
        severity=Severity.ERROR,
        summary="The repositoriesRegex of a Docker registry account cannot be compiled.",
        halyard=f"{_AT_DEPLOY}, and ends with an ERROR.",
        impact="Nothing can be deployed until it is mended.",
        fix="Close every bracket, and escape those that are meant as they stand.",
        check=_pattern,
    ),
    Rule(
        id="docker-registry/references",
        severity=Severity.ERROR,
        summary="An account names Docker registries that do not exist, twice, or none where one is needed.",
        halyard="Halyard ends with an ERROR or FATAL problem for DC/OS and for Kubernetes accounts of V1. It does not"
        " look at other Kubernetes accounts, whose finding is a warning.",
        impact="Nothing can be deployed, or images of the registry cannot be chosen.",
        fix="Make the names agree with providers.dockerRegistry.accounts.",
        check=_references,
    ),
)
