"""Rules on the accounts of all providers alike: their names, who may use them, which one is the primary."""

from __future__ import annotations

from collections.abc import Iterator

from halgit import yaml as hyaml
from halgit.halyard.coercion import is_true
from halgit.pipeline import Path, Severity
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.given import owner, text, word
from halgit.validation.view import View

_AT_DEPLOY = "`hal deploy apply` validates every account, also of a provider that is not enabled"


def _named_twice(view: View) -> Iterator[Hit]:
    for deployment in view.deployments:
        seen: dict[str, str] = {}
        for provider, node in deployment.entries("providers"):
            for account in node.items("accounts"):
                name = text(account, "name")
                if name is None:
                    continue
                if name in seen:
                    message = f"The account {name} stands here a second time: {seen[name]} has one of this name."
                    yield Hit(account.at("name"), message)
                seen.setdefault(name, provider)


def _no_name(view: View) -> Iterator[Hit]:
    for provider, account in view.accounts:
        if account.get("name") is None:
            yield Hit(account.path, f"A {provider} account has no name.")


def _none(view: View) -> Iterator[Hit]:
    for provider, node in view.providers:
        accounts = node.get("accounts")
        if is_true(node.get("enabled")) and (accounts is None or accounts == []):
            yield Hit(node.at("enabled"), f"{provider} is enabled and has no accounts.")


def _no_such_primary(view: View) -> Iterator[Hit]:
    for provider, node in view.providers:
        primary = text(node, "primaryAccount")
        names = [account.get("name") for account in node.items("accounts")]
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
        yield Hit(path, f"{whose} gives READ and no WRITE: nobody can {use} it.")


def _write_only(view: View) -> Iterator[Hit]:
    for path, whose in _permissions(view, "WRITE", "READ"):
        yield Hit(path, f"{whose} gives WRITE and no READ.")


RULES = (
    Rule(
        id="accounts/named-twice",
        severity=Severity.ERROR,
        summary="Two accounts of a deployment have the same name.",
        halyard=f"{_AT_DEPLOY}, and ends with a FATAL problem for a name that is used twice over all providers.",
        impact="Nothing can be deployed until one of them is renamed.",
        fix="Give one of them another name.",
        check=_named_twice,
    ),
    Rule(
        id="accounts/no-name",
        severity=Severity.ERROR,
        summary="An account has no name.",
        halyard=f"{_AT_DEPLOY}, and ends with a FATAL problem for one without a name.",
        impact="Nothing can be deployed until it has one.",
        fix="Add name.",
        check=_no_name,
    ),
    Rule(
        id="accounts/none",
        severity=Severity.WARNING,
        summary="A provider is enabled and has no accounts.",
        halyard="Halyard warns, and writes a provider without accounts into Clouddriver's configuration.",
        impact="Nothing can be deployed with it.",
        fix="Add an account, or set enabled to false.",
        check=_none,
    ),
    Rule(
        id="accounts/no-such-primary",
        severity=Severity.WARNING,
        summary="The primaryAccount names no account of its provider.",
        halyard="Halyard says nothing and takes the first account.",
        impact="What is deployed without naming an account goes somewhere else than was meant.",
        fix="Correct the name.",
        check=_no_such_primary,
    ),
    Rule(
        id="accounts/required-groups",
        severity=Severity.WARNING,
        summary="The key requiredGroupMembership is used, which permissions replaced.",
        halyard="Halyard warns of it for every account that has it.",
        impact="It gives a group all rights at once, and is ignored beside permissions.",
        fix="Write permissions with READ and WRITE.",
        check=_required_groups,
    ),
    Rule(
        id="accounts/read-only",
        severity=Severity.WARNING,
        summary="The permissions of an account, or of a build master, have READ and no WRITE.",
        halyard="Halyard takes it. Fiat then lets nobody write.",
        impact="Nobody can deploy to the account, or run the builds.",
        fix="Add WRITE with the groups that use it.",
        check=_read_only,
    ),
    Rule(
        id="accounts/write-only",
        severity=Severity.WARNING,
        summary="The permissions of an account, or of a build master, have WRITE and no READ.",
        halyard="Halyard takes it. Those who may write cannot read what they wrote.",
        impact="The UI shows them nothing and stages cannot see whether what they deployed is stable.",
        fix="Add READ with the same groups.",
        check=_write_only,
    ),
)
