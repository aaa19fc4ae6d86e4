"""Rules on the accounts of all providers alike: their names, who may use them, which one is the primary."""

from __future__ import annotations

import re
from collections.abc import Iterator

from halgit import yaml as hyaml
from halgit.annotations import Final
from halgit.halyard.coercion import is_true
from halgit.lazy import lazy_pattern
from halgit.pipeline import Path, Severity, Value
from halgit.text.phrases import join_words, suggest_nearest
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.fields import STILL_OPEN, empty, is_http_address, list_items, owner, text, word
from halgit.validation.rules.kubernetes import is_version_1
from halgit.validation.view import Node, View


def _duplicate_names(view: View) -> Iterator[Hit]:
    for deployment in view.deployments:
        seen: dict[str, str] = {}
        for provider, node in deployment.entries("providers"):
            for number, account in enumerate(list_items(node, "accounts")):
                name = word(account.get("name")) if isinstance(account, dict) else None
                if name is None:
                    continue
                if name in seen:
                    message = f"The account {name} is a duplicate: {seen[name]} has an account of this name."
                    yield Hit(node.at("accounts", number, "name"), message)
                seen.setdefault(name, provider)


def _no_account_name(view: View) -> Iterator[Hit]:
    for provider, account in view.accounts:
        if account.get("name") is None:
            yield Hit(account.path, f"{owner(provider, account)} has no name.")


def _no_accounts(view: View) -> Iterator[Hit]:
    for provider, node in view.providers:
        accounts = node.get("accounts")
        if is_true(node.get("enabled")) and (accounts is None or accounts == []):
            yield Hit(node.at("enabled"), f"{provider} is enabled and has no accounts.")


def _unknown_primary(view: View) -> Iterator[Hit]:
    for provider, node in view.providers:
        primary = text(node, "primaryAccount")
        accounts = list_items(node, "accounts")
        names = [account.get("name") if isinstance(account, dict) else None for account in accounts]
        if (
            not is_true(node.get("enabled"))
            or primary is None
            or provider.startswith("oracle")
            or any(word(name) is None for name in names)
        ):
            continue
        if primary not in {hyaml.to_java_string(name) for name in names}:
            instead = f"takes {hyaml.to_java_string(names[0])} instead" if names else "has none to take instead"
            yield Hit(node.at("primaryAccount"), f"No {provider} account is named {primary}; Halyard {instead}.")


def _required_groups(view: View) -> Iterator[Hit]:
    for provider, account in view.accounts:
        if account.get("requiredGroupMembership"):
            message = f"{owner(provider, account)} uses requiredGroupMembership, which is deprecated."
            yield Hit(account.at("requiredGroupMembership"), message)


def _permissions(view: View, has: str, lacks: str) -> Iterator[tuple[Path, str]]:
    """Permissions that give one right and not the other, with their owner: accounts, and masters of CI and the like."""
    for provider, account in view.accounts:
        if account.get("permissions", has) and not account.get("permissions", lacks):
            yield account.at("permissions", has), owner(provider, account)
    for deployment in view.deployments:
        for section in ("ci", "repository"):
            for kind, node in deployment.entries(section):
                for entry in (one for key, _ in node.entries() for one in node.items(key)):
                    if entry.get("permissions", has) and not entry.get("permissions", lacks):
                        yield entry.at("permissions", has), f"{text(entry, 'name') or 'An entry'} of {section}.{kind}"


def _read_only(view: View) -> Iterator[Hit]:
    for path, whose in _permissions(view, "READ", "WRITE"):
        use = "deploy to" if path[2] == "providers" else "run"
        yield Hit(path, f"{whose} has READ but no WRITE: nobody can {use} it.")


def _write_only(view: View) -> Iterator[Hit]:
    for path, whose in _permissions(view, "WRITE", "READ"):
        yield Hit(path, f"{whose} has WRITE but no READ.")


_REGISTRY_NAME: Final = lazy_pattern(r"[a-z0-9]+([-a-z0-9]*[a-z0-9])?")
_REGISTRY_PASSWORDS: Final = ("password", "passwordCommand", "passwordFile")
_PLACEHOLDER: Final = lazy_pattern(r".\{.*\}")
_BROKEN_PATTERN: Final = ("unterminated", "missing", "unbalanced", "nothing to repeat", "bad escape (end of pattern)")
"""Python's messages for patterns that Java refuses too; the two differ in other things."""


def _registries(view: View) -> Iterator[Node]:
    return view.accounts_of("dockerRegistry")


def _registry_name(view: View) -> Iterator[Hit]:
    for account in _registries(view):
        name = text(account, "name")
        if name is not None and not _REGISTRY_NAME.fullmatch(name):
            yield Hit(account.at("name"), f"{name} is not a valid name of a dockerRegistry account.")


def _registry_address(view: View) -> Iterator[Hit]:
    """Halyard puts https:// before an address without http:// or https://, before an empty one too (`getAddress`).

    For an account with repositories its validator then asks the registry, with Clouddriver's classes, and reports that
    nothing answers. An account without repositories passes it.
    """
    for account in _registries(view):
        written = text(account, "address")
        if written is None or _PLACEHOLDER.fullmatch(written) or STILL_OPEN.search(written):
            continue
        whole = written if written.startswith(_PREFIXES) else f"https://{written}"
        if not is_http_address(whole) or "://" in whole.partition("://")[2]:
            what = "an empty address" if written in {"", *_PREFIXES} else "an address that Clouddriver cannot use"
            message = f"{owner('dockerRegistry', account)} has {what}."
            severity = None if account.get("repositories") else Severity.WARNING
            yield Hit(account.at("address"), message, severity=severity)


_PREFIXES: Final = ("https://", "http://")


def _several_passwords(view: View) -> Iterator[Hit]:
    for account in _registries(view):
        there = [key for key in _REGISTRY_PASSWORDS if not empty(account, key)]
        if len(there) > 1:
            yield Hit(account.at(there[1]), f"{owner('dockerRegistry', account)} has {join_words(there)}.")


def _half_registry_login(view: View) -> Iterator[Hit]:
    for account in _registries(view):
        there = [key for key in _REGISTRY_PASSWORDS if not empty(account, key)]
        whose = owner("dockerRegistry", account)
        if there and empty(account, "username"):
            yield Hit(account.at(there[0]), f"{whose} has {there[0]} and no username.", hint="Set username.")
        if not there and not empty(account, "username"):
            hint = "Set password, passwordFile or passwordCommand, or remove username."
            yield Hit(account.at("username"), f"{whose} has a username and no password.", hint=hint)


def _registry_placeholder(view: View) -> Iterator[Hit]:
    for account in _registries(view):
        for key in ("address", "username", "password", "passwordCommand"):
            value = account.get(key)
            if isinstance(value, str) and word(value.replace("$", "")) and _PLACEHOLDER.fullmatch(value):
                yield Hit(account.at(key), f"{owner('dockerRegistry', account)} has a placeholder in {key}.")


def _repositories_pattern(view: View) -> Iterator[Hit]:
    for account in _registries(view):
        pattern = text(account, "repositoriesRegex")
        try:
            re.compile(pattern or "")
        except re.error as reason:
            if reason.msg.startswith(_BROKEN_PATTERN):
                message = f"repositoriesRegex cannot be compiled: {reason.msg}."
                yield Hit(account.at("repositoriesRegex"), message)


def _registry_references(view: View) -> Iterator[Hit]:
    for deployment in view.deployments:
        registry = deployment.node("providers", "dockerRegistry")
        names = [text(account, "name") for account in registry.items("accounts")]
        if None in names:
            continue
        known = [str(name) for name in names]
        for provider in ("kubernetes", "dcos"):
            path = deployment.at("providers", provider, "accounts")
            for number, item in enumerate(list_items(deployment, "providers", provider, "accounts")):
                if isinstance(item, dict) and _may_name_registry(provider, item):
                    account = Node((*path, number), item)
                    yield from _references_of_account(
                        provider, account, known, enabled=is_true(registry.get("enabled"))
                    )


def _may_name_registry(provider: str, account: dict[str, Value]) -> bool:
    """Return whether an account has or needs a registry; most accounts of Kubernetes do neither."""
    return provider == "dcos" or bool(account.get("dockerRegistries")) or is_version_1(Node((), account))


def _references_of_account(provider: str, account: Node, known: list[str], *, enabled: bool) -> Iterator[Hit]:
    """Yield the findings about the registries of one account; warnings at most where Halyard does not look."""
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
                one.at("accountName"),
                f"{whose} names a registry {name}, which does not exist.",
                hint=hint,
                severity=severity,
            )
        if name in seen:
            yield Hit(one.at("accountName"), f"{whose} names the registry {name} twice.", severity=severity)
        seen.add(name)


RULES = (
    Rule("accounts/duplicate-name", _duplicate_names),
    Rule("accounts/no-name", _no_account_name),
    Rule("accounts/no-such-primary", _unknown_primary),
    Rule("accounts/none", _no_accounts),
    Rule("accounts/read-only", _read_only),
    Rule("accounts/required-groups", _required_groups),
    Rule("accounts/write-only", _write_only),
    Rule("docker-registry/address", _registry_address),
    Rule("docker-registry/half-login", _half_registry_login),
    Rule("docker-registry/name", _registry_name),
    Rule("docker-registry/passwords", _several_passwords),
    Rule("docker-registry/pattern", _repositories_pattern),
    Rule("docker-registry/placeholder", _registry_placeholder),
    Rule("docker-registry/references", _registry_references),
)
