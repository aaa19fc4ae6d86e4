"""Rules on canary analysis: its accounts, and the stores it keeps results in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from halgit.halyard.coercion import is_true
from halgit.pipeline import Severity
from halgit.validation.local_files import Named, named
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.given import empty, text
from halgit.validation.view import Node, View

_NAME: Final = re.compile(r"[a-z0-9]+([-a-z0-9_]*[a-z0-9])?")
_NOT_RUN = "Halyard's validator calls it an error; `hal deploy apply` does not run it."
_STORES: Final = {"google": "gcsEnabled", "aws": "s3Enabled"}


def _canaries(view: View) -> Iterator[Node]:
    return (node.node("canary") for node in view.deployments if is_true(node.get("canary", "enabled")))


def _integrations(canary: Node) -> Iterator[tuple[str, Node]]:
    for node in canary.items("serviceIntegrations"):
        name = text(node, "name")
        if name is not None:
            yield name, node


def _no_aws(view: View) -> Iterator[Hit]:
    for canary in _canaries(view):
        listed = canary.get("serviceIntegrations")
        if isinstance(listed, list) and not any(name == "aws" for name, _ in _integrations(canary)):
            yield Hit(canary.at("serviceIntegrations"), "Canary analysis is enabled without an entry named aws.")


def _no_store(view: View) -> Iterator[Hit]:
    for canary in _canaries(view):
        on = [
            name
            for name, node in _integrations(canary)
            if name in _STORES and is_true(node.get("enabled")) and is_true(node.get(_STORES[name]))
        ]
        if not on:
            yield Hit(canary.at("enabled"), "Canary analysis is enabled and has no store for its results.")


def _accounts(view: View) -> Iterator[Hit]:
    for canary in _canaries(view):
        seen: set[str] = set()
        for kind, node in _integrations(canary):
            for account in node.items("accounts"):
                name = text(account, "name")
                if account.get("name") is None:
                    yield Hit(account.path, f"A canary account of {kind} has no name.", hint="Add name.")
                if name is None:
                    continue
                if not _NAME.fullmatch(name):
                    hint = "Use small letters, digits, and dashes or underscores between them."
                    yield Hit(account.at("name"), f"A canary account cannot be named {name}.", hint=hint)
                if name in seen:
                    message = f"The canary account {name} stands here a second time."
                    yield Hit(account.at("name"), message, hint="Give one of them another name.")
                seen.add(name)


def _no_bucket(view: View) -> Iterator[Hit]:
    for canary in _canaries(view):
        for kind, node in _integrations(canary):
            accounts = list(node.items("accounts"))
            key = _STORES.get(kind)
            if key and is_true(node.get("enabled")) and is_true(node.get(key)):
                if not any(not empty(account, "bucket") for account in accounts):
                    yield Hit(node.at(key), f"{key} is on and no account of {kind} has a bucket.", hint="Set bucket.")
                for account in accounts:
                    if kind == "google" and not empty(account, "bucket") and empty(account, "project"):
                        message = f"The canary account {text(account, 'name')} has a bucket and no project."
                        yield Hit(account.path, message, hint="Set project.")


def _password_file(view: View) -> Iterator[Hit]:
    for canary in _canaries(view):
        for kind, node in _integrations(canary):
            for account in node.items("accounts") if kind == "prometheus" else ():
                file = named(view, account.get("usernamePasswordFile"))
                body = file.file.body if isinstance(file, Named) else None
                if isinstance(file, Named) and isinstance(body, bytes) and b":" not in body:
                    message = f"usernamePasswordFile names {file.path}, which does not hold USER:PASSWORD."
                    yield Hit(account.at("usernamePasswordFile"), message)


RULES = (
    Rule(
        id="canary/no-aws-entry",
        severity=Severity.ERROR,
        summary="The list canary.serviceIntegrations has no entry named aws.",
        halyard="A list of one's own replaces Halyard's six entries; generating then ends with an exception, because"
        " Halyard looks for the aws entry whether it is used or not.",
        impact="Nothing can be deployed until the entry is there.",
        fix="Add `- {name: aws, enabled: false, accounts: []}`.",
        check=_no_aws,
    ),
    Rule(
        id="canary/no-store",
        severity=Severity.WARNING,
        summary="Canary analysis is enabled without a store.",
        halyard="Halyard warns on `hal config canary`, not on `hal deploy apply`.",
        impact="Kayenta has nowhere to keep configurations and results.",
        fix="Enable google with gcsEnabled, or aws with s3Enabled.",
        check=_no_store,
    ),
    Rule(
        id="canary/account",
        severity=Severity.WARNING,
        summary="A canary account has no name, one that is used twice, or one with letters that are not allowed.",
        halyard=_NOT_RUN,
        impact="Kayenta may not start, or takes one account for the other.",
        fix="Correct the name.",
        check=_accounts,
    ),
    Rule(
        id="canary/no-bucket",
        severity=Severity.WARNING,
        summary="A store of canary analysis is on, and no account has a bucket for it.",
        halyard=_NOT_RUN,
        impact="Kayenta has nowhere to keep results.",
        fix="Set bucket, and for Google its project.",
        check=_no_bucket,
    ),
    Rule(
        id="canary/password-file",
        severity=Severity.WARNING,
        summary="A usernamePasswordFile of Prometheus does not hold a user and a password.",
        halyard=_NOT_RUN,
        impact="Kayenta cannot log in.",
        fix="Write USER:PASSWORD into it.",
        check=_password_file,
    ),
)
